"""BURN at a hospital, approvals that end, and refusals that come again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.contract import messages
from site_agent.contract.messages import Burn, Close, Content, Readies, Round
from site_agent.core import SiteCore
from site_agent.ledger import Ledger
from site_agent.permission import Permission
from site_agent.vault import Vault
from tests.protocol import (
    CENTER,
    Play,
    World,
    entropy,
    honest_totals,
    identity,
    refusal,
    signed,
    the_data,
    totals_of,
)

SITE = "cedar"
PHASES: list[tuple[type[Content], int | None]] = [
    (Readies, None),
    (Round, 0),
    (Round, 3),
    (Close, None),
]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A release before OPEN."""
    return Play(World(tmp_path))


def burn(play: Play, *, by: str = CENTER) -> bytes:
    """BURN of the release that is played."""
    opened = messages.read(play.script.messages[0]).digest()
    return signed(Burn(opened), by=by)


def kept(play: Play) -> list[str]:
    """What a hospital's vault holds."""
    return sorted(path.name for path in (play.world.folder / SITE / "vault").rglob("*"))


# BURN


@pytest.mark.parametrize(("kind", "number"), PHASES)
def test_burn_ends_a_release_in_any_phase(
    kind: type[Content], number: int | None, play: Play
) -> None:
    """The ledger says so, and its number is used up, after a restart too."""
    play.until(kind, number).cores[SITE].receive(burn(play))
    found = (play.world.events(SITE)[-1], refusal(play.world.core(SITE), play.script.messages[0]))
    assert found == ("burned", "release_over")


def test_burn_gets_no_answer(play: Play) -> None:
    """There is nothing to say."""
    assert play.until(Round, 2).cores[SITE].receive(burn(play)) is None


def test_burn_erases_the_keys(play: Play) -> None:
    """Neither the ephemeral key nor a share is left."""
    before = kept(play.until(Round, 2))
    play.cores[SITE].receive(burn(play))
    assert (before != [], kept(play)) == (True, [])


def test_burn_twice(play: Play) -> None:
    """The second time changes nothing: one entry in the ledger."""
    play.until(Round, 2)
    for _ in range(2):
        play.cores[SITE].receive(burn(play))
    assert play.world.events(SITE).count("burned") == 1


def test_burn_after_a_restart(play: Play) -> None:
    """A release that was not opened again since is burned by what the ledger knows of it."""
    play.until(Round, 2)
    play.world.core(SITE).receive(burn(play))
    assert (play.world.events(SITE)[-1], kept(play)) == ("burned", [])


def test_burn_needs_no_approval(play: Play) -> None:
    """Keys of a study that was revoked are erased all the same."""
    play.until(Round, 2).cores[SITE].revoke()
    play.cores[SITE].receive(burn(play))
    assert (play.world.events(SITE)[-1], kept(play)) == ("burned", [])


def test_burn_of_an_unknown_release(play: Play) -> None:
    """What was never opened here leaves no trace."""
    play.until(Round, 2)
    before = play.world.events(SITE)
    play.cores[SITE].receive(signed(Burn("0" * 64)))
    assert play.world.events(SITE) == before


def test_burn_of_an_unknown_release_leaves_the_open_one(play: Play) -> None:
    """The release under way goes on."""
    play.until(Round, 2).cores[SITE].receive(signed(Burn("0" * 64)))
    assert totals_of(play.finish()) == honest_totals()


def test_burn_of_a_closed_release(play: Play) -> None:
    """What is closed stays closed."""
    play.finish()
    play.cores[SITE].receive(burn(play))
    assert play.world.events(SITE)[-1] == "closed"


@pytest.mark.parametrize(("by", "expected"), [("elm", "sender"), ("fir", "sender")])
def test_burn_of_somebody_else(by: str, expected: str, play: Play) -> None:
    """Only the center gives a release up."""
    play.until(Round, 2)
    assert refusal(play.cores[SITE], burn(play, by=by)) == expected


def test_burn_in_the_centers_name(play: Play) -> None:
    """A signature by another key than the one that the study pins is refused."""
    play.until(Round, 2)
    opened = messages.read(play.script.messages[0]).digest()
    stranger = type(identity(CENTER)).create(CENTER, entropy("a stranger"))
    forged = messages.write(stranger, Burn(opened))
    assert refusal(play.cores[SITE], forged) == "signature"


def test_a_forged_burn_erases_nothing(play: Play) -> None:
    """The release goes on with its keys."""
    refusal(play.until(Round, 2).cores[SITE], burn(play, by="elm"))
    assert totals_of(play.finish()) == honest_totals()


def test_after_burn_the_next_release_runs(play: Play) -> None:
    """With the same hospitals, to the same totals of its analyses."""
    play.until(Round, 2)
    for core in play.cores.values():
        core.receive(burn(play))
    later = Play(play.world, play.world.release(number=2)).finish()
    assert totals_of(later)[1:] == honest_totals()[1:]


def test_why_a_release_is_given_up(play: Play) -> None:
    """The center's word for it stands in the ledger; one that is no code does not."""
    opened = messages.read(play.script.messages[0]).digest()
    play.until(Round, 1)
    play.cores[SITE].receive(signed(Burn(opened, "too_few")))
    play.cores["elm"].receive(signed(Burn(opened, "some words\x1b[2J")))
    entries = [play.world.ledger(site).entries[-1] for site in (SITE, "elm")]
    assert [entry.get("code") for entry in entries] == ["too_few", None]


def test_a_deferred_release_says_until_when(play: Play) -> None:
    """The limits are those of the study that this hospital approved."""
    opened = messages.read(play.script.messages[0]).digest()
    play.until(Round, 1).cores[SITE].receive(signed(Burn(opened, "deferred")))
    said = play.world.ledger(SITE).entries[-1]["until"]
    assert said.startswith("at least 5 patients of at least 3 hospitals differ")


def test_the_record_of_a_release_without_a_share(play: Play) -> None:
    """What patients contribute is written before the first share, and not before."""
    folder = play.world.folder / SITE / "contributions"
    before = play.until(Round, 0) and sorted(folder.glob("*.parquet"))
    play.go()
    assert (before, len(list(folder.glob("*.parquet")))) == ([], 1)


def test_the_record_of_a_burned_release_stays(play: Play) -> None:
    """Others may have gone further than this site knows."""
    play.until(Round, 1).cores[SITE].burn(1)
    assert len(list((play.world.folder / SITE / "contributions").glob("*.parquet"))) == 1


# Approvals with an end


class Hospital:
    """One hospital on a ledger whose clock is set by hand."""

    def __init__(self, world: World) -> None:
        self.now = "2026-01-01T00:00:00Z"
        folder = world.folder / "alone"
        folder.mkdir()
        self.ledger = Ledger(folder / "ledger.jsonl", lambda: self.now)
        self.permission = Permission(world.study, SITE, self.ledger)
        self.core = SiteCore(
            world.study,
            identity(SITE),
            lambda: the_data(SITE),
            ledger=self.ledger,
            vault=Vault(folder / "vault"),
            entropy=entropy("alone"),
        )
        self.opening = world.release().open_message()

    def approve_until(self, instant: str) -> None:
        """The steward's approval with an end."""
        self.permission.note("approved", until=instant)


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    """A hospital whose steward approved the study up to the end of January."""
    found = Hospital(World(tmp_path))
    found.approve_until("2026-01-31T00:00:00Z")
    return found


def test_before_its_end_an_approval_stands(hospital: Hospital) -> None:
    """Up to and with the instant that was given."""
    hospital.now = "2026-01-31T00:00:00Z"
    assert refusal(hospital.core, hospital.opening) == "answered"


def test_after_its_end_an_approval_does_not_stand(hospital: Hospital) -> None:
    """A code of its own, so that the center knows what to ask the steward for."""
    hospital.now = "2026-01-31T00:00:01Z"
    assert refusal(hospital.core, hospital.opening) == "expired"


def test_an_approval_that_ends_within_a_release(hospital: Hospital) -> None:
    """What was opened before is not answered after."""
    hospital.core.receive(hospital.opening)
    hospital.now = "2026-02-01T00:00:00Z"
    opened = messages.read(hospital.opening).digest()
    assert refusal(hospital.core, signed(Readies(opened), [])) == "expired"


def test_approving_again_mends_it(hospital: Hospital) -> None:
    """With a later end, or none."""
    hospital.now = "2026-02-01T00:00:00Z"
    refusal(hospital.core, hospital.opening)
    hospital.core.approve()
    assert refusal(hospital.core, hospital.opening) == "answered"


def test_revoking_comes_before_an_end(hospital: Hospital) -> None:
    """What was revoked is not approved, whatever its end was."""
    hospital.core.revoke()
    hospital.now = "2026-02-01T00:00:00Z"
    assert refusal(hospital.core, hospital.opening) == "not_approved"


# Refusals in the ledger


def refusals(hospital: Hospital) -> list[str]:
    """The codes of the refusals that are written down, in order."""
    return [entry["code"] for entry in hospital.ledger.entries if entry["event"] == "refused"]


def test_the_same_refusal_is_written_down_once(hospital: Hospital) -> None:
    """An agent tries again and again; the ledger does not swell."""
    hospital.now = "2026-02-01T00:00:00Z"
    for _ in range(5):
        refusal(hospital.core, hospital.opening)
    assert refusals(hospital) == ["expired"]


def test_another_refusal_is_written_down(hospital: Hospital) -> None:
    """Each kind has its entry, in the order in which they came."""
    hospital.now = "2026-02-01T00:00:00Z"
    for wire in (hospital.opening, b"nonsense"):
        refusal(hospital.core, wire)
    assert refusals(hospital) == ["expired", "malformed"]


def test_a_refusal_after_an_approval_is_written_down(hospital: Hospital) -> None:
    """Each approval that ended has its own."""
    hospital.now = "2026-02-01T00:00:00Z"
    refusal(hospital.core, hospital.opening)
    hospital.approve_until("2026-02-02T00:00:00Z")
    hospital.now = "2026-02-03T00:00:00Z"
    refusal(hospital.core, hospital.opening)
    assert refusals(hospital) == ["expired", "expired"]
