"""A site's core: a release from OPEN to RECEIPT, restarts, and what ends it."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from site_agent.contract import messages
from site_agent.contract.conductor import Conductor
from site_agent.contract.errors import DataError, Refused
from site_agent.contract.messages import (
    Close,
    Content,
    Open,
    Parts,
    Readies,
    Ready,
    Receipt,
    Round,
    Share,
    Shares,
)
from site_agent.core import SiteCore
from site_agent.under_way import SiteData
from site_agent.vault import Vault
from tests.attacks import other_readies, without_parts
from tests.protocol import (
    OPEN_STUDY,
    POINT,
    SITES,
    STUDY,
    Play,
    World,
    entropy,
    frozen,
    honest_totals,
    identity,
    patients,
    refusal,
    signed,
    site_data,
    the_data,
    the_study,
    totals_of,
    totals_of_another,
)

VICTIM = "cedar"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Five sites with empty ledgers."""
    return World(tmp_path)


@pytest.fixture
def play(world: World) -> Play:
    """A release before OPEN."""
    return Play(world)


def approved(world: World, site: str = VICTIM) -> SiteCore:
    """A site's core whose steward has approved the study."""
    core = world.core(site)
    core.approve()
    return core


def built(world: World, **changed: object) -> SiteCore:
    """A core that is given something else than it should be."""
    parts = {"study": world.study, "identity": identity(VICTIM), **changed}
    ledger, vault = world.ledger(VICTIM), Vault(world.folder / "vault")
    return SiteCore(
        parts["study"],  # type: ignore[arg-type]
        parts["identity"],  # type: ignore[arg-type]
        lambda: the_data(VICTIM),
        ledger=ledger,
        vault=vault,
        entropy=entropy("core"),
    )


# A release in which nothing goes wrong


def test_the_patients_of_all_sites_are_counted(play: Play) -> None:
    """1 + 2 + 4 + 8 + 16 patients: nobody is lost, nobody counted twice."""
    outcome = play.finish().outcome
    assert outcome is not None and (outcome.patients, outcome.sites) == (31, 5)


def test_the_ledger_tells_what_was_sent(play: Play) -> None:
    """Approval, READY, what was witnessed, a share for each round, and the end."""
    rounds = len(play.finish().log)
    expected = ["approved", "ready", "witnessed", *["share"] * rounds, "closed"]
    assert play.world.events(VICTIM) == expected


def test_the_ledger_names_sums_and_no_patient(play: Play) -> None:
    """What was summed stands in the ledger, and nothing of a single patient."""
    play.finish()
    text = (play.world.folder / "elm" / "ledger.jsonl").read_text()
    assert ("cox_sealed" in text, "canary" in text) == (True, False)


def test_the_receipt_names_the_head_of_the_ledger(play: Play) -> None:
    """What the site signs at the end stands for everything it wrote down."""
    release = play.finish()
    assert release.ledger_heads() == {site: play.world.ledger(site).head for site in SITES}


def test_at_the_end_the_keys_are_erased(play: Play) -> None:
    """Nothing is left in the vaults."""
    play.finish()
    assert [p for site in SITES for p in (play.world.folder / site / "vault").iterdir()] == []


def test_a_study_with_reduced_sums_alone(tmp_path: Path) -> None:
    """A round without open sums has nothing to add up, and goes on."""
    text = the_text_without("by_site")
    release = Play(World(tmp_path, study=frozen(text))).finish()
    assert release.state == "closed"


def the_text_without(analysis: str) -> str:
    """The study without one of its analyses, and without what is accepted of it."""
    gone = (f"  {analysis}:", "  accepted:", f"    - {{analysis: {analysis},")
    return "".join(line for line in STUDY.splitlines(True) if not line.startswith(gone))


def test_the_next_release_has_the_same_totals(play: Play) -> None:
    """A second release over the same data is another run with the same sums of its analyses.

    Its first round also counts who has changed since the first release.
    """
    play.finish()
    again = Play(play.world, play.world.release(number=2)).finish()
    assert totals_of_another(again) == totals_of(play.release)


# The same message again


def test_every_message_again_gets_the_same_bytes(play: Play) -> None:
    """Given twice in a row, each message is answered twice with the same bytes."""
    different = []
    while not play.script.done:
        play.go()
        at = play.step - 1
        if play.cores[VICTIM].receive(play.script.messages[at]) != play.replies[VICTIM, at]:
            different.append(at)
    assert different == []


def test_all_messages_again_get_the_same_bytes(play: Play) -> None:
    """Before the end, everything from OPEN on can be given again without a restart."""
    play.until(Close)
    again = [play.cores[VICTIM].receive(wire) for wire in play.script.messages[: play.step]]
    assert again == [play.replies[VICTIM, at] for at in range(play.step)]


def test_open_again_leaves_a_release_where_it_was(play: Play) -> None:
    """A copy of OPEN that comes late does not throw a site back."""
    play.until(Round, 3).cores[VICTIM].receive(play.script.messages[0])
    assert totals_of(play.finish()) == honest_totals()


def test_close_again_after_a_restart(play: Play) -> None:
    """A receipt that was lost on the way is signed again, the same bytes."""
    play.finish()
    restarted = play.world.core(VICTIM)
    assert restarted.receive(play.script.messages[-1]) == play.replies[VICTIM, play.step - 1]


def test_close_again_after_the_next_release(play: Play) -> None:
    """The receipt names the head of the ledger as it was then, and disturbs nothing."""
    play.finish()
    later = Play(play.world, play.world.release(number=2)).until(Round, 2)
    again = later.cores[VICTIM].receive(play.script.messages[-1])
    expected = (play.replies[VICTIM, play.step - 1], honest_totals())
    assert (again, totals_of_another(later.finish())) == expected


# Restarts


def test_a_restart_in_every_phase(play: Play) -> None:
    """Started anew after any message and given all of them again, a site sends the same bytes."""
    different = []
    while play.next is not None and messages.read(play.next).kind != Close.TYPE:
        play.go()
        if play.restart(VICTIM) != [play.replies[VICTIM, at] for at in range(play.step)]:
            different.append(play.step)
    assert (different, totals_of(play.finish())) == ([], honest_totals())


@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_all_sites_restart_at_once(play: Play, number: int) -> None:
    """A release survives that every agent is started anew."""
    play.until(Shares, number)
    for site in SITES:
        play.restart(site)
    assert totals_of(play.finish()) == honest_totals()


def test_a_crash_at_every_write(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever write to disk fails, the site starts anew and the release goes on."""
    real, crashed = os.fsync, []
    while not play.script.done:
        at, nth = play.step, 0
        while at == play.step:
            left = [nth]

            def failing(descriptor: int, left: list[int] = left) -> None:
                left[0] -= 1
                if left[0] == -1:
                    raise OSError(errno.EIO, "Input/output error")
                real(descriptor)

            with monkeypatch.context() as patch:
                patch.setattr(os, "fsync", failing)
                crashed.append(_crash(play))
            nth += 1
            if crashed[-1]:
                _again(play)
            else:
                _others(play)
    assert (totals_of(play.release), sum(crashed) > 14) == (honest_totals(), True)


@pytest.mark.parametrize("nth", range(5))
def test_what_is_sent_stands_in_the_ledger(
    world: World, monkeypatch: pytest.MonkeyPatch, nth: int
) -> None:
    """Whichever write of READY fails, the READY that is sent after a restart was noted."""
    play, real, left = Play(world), os.fsync, iter(range(99))

    def failing(descriptor: int) -> None:
        if next(left) == nth:
            raise OSError(errno.EIO, "Input/output error")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        _crash(play)
    world.core(VICTIM).receive(play.next)
    assert "ready" in world.events(VICTIM)


def _crash(play: Play) -> bool:
    """Give the next message to the victim; whether it failed on the way."""
    try:
        play.give(VICTIM)
    except OSError:
        return True
    return False


def _again(play: Play) -> None:
    """Start the victim anew and give it everything; a release that is over needs nothing."""
    play.cores[VICTIM] = play.world.core(VICTIM)
    for wire in play.script.messages[: play.step]:
        if refusal(play.cores[VICTIM], wire) == "release_over":
            return


def _others(play: Play) -> None:
    for site in SITES:
        if site != VICTIM:
            play.give(site)
    play.step += 1


def test_other_data_after_a_restart(play: Play) -> None:
    """A release runs on one snapshot: with other files the site answers no more."""
    play.until(Round, 2)
    play.world.data = lambda site: replace(the_data(site), digest="other")
    assert refusal(play.world.core(VICTIM), play.script.messages[0]) == "data_changed"


def test_the_same_data_again(play: Play) -> None:
    """Once the files are put back, the release goes on."""
    play.until(Round, 2)
    play.world.data = lambda site: replace(the_data(site), digest="other")
    core = play.world.core(VICTIM)
    refusal(core, play.script.messages[0])
    play.world.data = the_data
    play.restart(VICTIM)
    assert totals_of(play.finish()) == honest_totals()


def test_data_that_change_while_the_agent_runs(play: Play) -> None:
    """A running agent keeps the rows it read at OPEN."""
    play.until(Round, 2)
    play.world.data = lambda site: SiteData("other", lambda _: pytest.fail("read again"))
    assert totals_of(play.finish()) == honest_totals()


def test_another_salt(play: Play) -> None:
    """A salt that is not the one of READY is like other data."""
    play.until(Round, 2)
    vault = Vault(play.world.folder / VICTIM / "vault")
    opened = messages.read(play.script.messages[0])
    name = f"{the_study().hash[:16]}-1"
    kept = vault.get(name, f"secret-{opened.digest()}") or b""
    vault.put(name, f"secret-{opened.digest()}", bytes(32) + kept[32:])
    assert refusal(play.world.core(VICTIM), opened.wire) == "data_changed"


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_lost_vault(play: Play, number: int) -> None:
    """Without its keys a site that has answered cannot go on, and does not answer twice."""
    play.until(Shares, number)
    Vault(play.world.folder / VICTIM / "vault").erase(f"{the_study().hash[:16]}-1")
    core = play.world.core(VICTIM)
    codes = [refusal(core, wire) for wire in play.script.messages[: play.step]]
    assert [code for code in codes if code == "answered"] == ["answered"]


def test_a_lost_share(play: Play) -> None:
    """A share that the ledger knows and the vault does not is not computed again."""
    play.until(Shares, 1)
    _keep_only(play, "secret", "ready")
    core = play.world.core(VICTIM)
    codes = [refusal(core, wire) for wire in play.script.messages[: play.step]]
    assert codes[:4] == ["answered", "answered", "answered", "lost"]


def test_a_lost_key(play: Play) -> None:
    """A READY whose key is gone says so."""
    play.until(Shares, 1)
    _keep_only(play, "ready")
    assert refusal(play.world.core(VICTIM), play.script.messages[0]) == "lost"


def _keep_only(play: Play, *kinds: str) -> None:
    """Leave only some records in the victim's vault."""
    vault = Vault(play.world.folder / VICTIM / "vault")
    name = f"{the_study().hash[:16]}-1"
    opened = messages.read(play.script.messages[0]).digest()
    records = {f"{kind}-{opened}": vault.get(name, f"{kind}-{opened}") for kind in kinds}
    vault.erase(name)
    for record, data in records.items():
        vault.put(name, record, data or b"")


# The sites' secret


def test_readies_are_answered_with_a_part(play: Play) -> None:
    """Each site that holds the secret answers READIES with PART, and PARTS with nothing."""
    play.until(Round, 0)
    found = [[kind(play.replies[site, at]) for at in (1, 2)] for site in SITES]
    assert found == [["PART", None]] * 5


def kind(wire: bytes | None) -> str | None:
    """The kind of an answer."""
    return None if wire is None else messages.read(wire).kind


def test_all_sites_hold_the_same_secret(play: Play) -> None:
    """After PARTS every site has it, and none of it is in what was sent."""
    play.until(Round, 0)
    secrets = {common(play, site) for site in SITES}
    sent = b"".join(wire or b"" for wire in (*play.replies.values(), *play.script.messages))
    assert (len(secrets), any((one or b"?") in sent for one in secrets)) == (1, False)


def common(play: Play, site: str) -> bytes | None:
    """The sites' secret as one site holds it."""
    release = play.cores[site]._release
    assert release is not None
    return release.keyed().common


def test_each_release_has_another_secret(play: Play) -> None:
    """The same sites and data again share another secret."""
    one = common(play.until(Round, 0), VICTIM)
    play.finish()
    later = Play(play.world, play.world.release(number=2)).until(Round, 0)
    assert common(later, VICTIM) != one


def test_without_sealed_sums_there_is_no_secret(tmp_path: Path) -> None:
    """A study whose risk sets are open has neither PART nor PARTS."""
    play = Play(World(tmp_path, frozen(OPEN_STUDY))).until(Round, 0)
    answers = {play.replies[site, 1] for site in SITES}
    assert (common(play, VICTIM), answers, play.step) == (None, {None}, 2)


def test_parts_that_nobody_needs(tmp_path: Path) -> None:
    """Where nothing is sealed there is no PARTS to take; the transcript stays what it was."""
    play = Play(World(tmp_path, frozen(OPEN_STUDY))).until(Round, 0)
    opened = messages.read(play.script.messages[0]).digest()
    assert refusal(play.cores[VICTIM], signed(Parts(opened))) == "malformed"


def test_a_round_before_the_parts(play: Play) -> None:
    """Before all sites hold the secret no site answers a question."""
    play.until(Parts)
    assert refusal(play.cores[VICTIM], without_parts(play)) == "no_keys"


def test_parts_before_the_readies(play: Play) -> None:
    """PARTS to a site that was started anew and has not seen READIES again."""
    play.until(Round, 0)
    core = play.world.core(VICTIM)
    core.receive(play.script.messages[0])
    assert refusal(core, play.script.messages[2]) == "no_keys"


@pytest.mark.parametrize("until", [(Parts, None), (Round, 0), (Shares, 0), (Round, POINT)])
def test_readies_again_get_the_same_part(play: Play, until: tuple[type[Content], int]) -> None:
    """READIES that come late are answered as before, and disturb nothing."""
    play.until(*until)
    again = play.cores[VICTIM].receive(play.script.messages[1])
    for wire in play.script.messages[: play.step]:
        play.cores[VICTIM].receive(wire)
    expected = (play.replies[VICTIM, 1], honest_totals())
    assert (again, totals_of(play.finish())) == expected


def test_readies_again_with_another_ready(play: Play) -> None:
    """As long as no share was sent, a site takes other READY messages, and gives another part."""
    play.until(Parts)
    other = play.cores[VICTIM].receive(other_readies(play))
    play.cores[VICTIM].receive(play.script.messages[1])
    found = (other != play.replies[VICTIM, 1], totals_of(play.finish()))
    assert found == (True, honest_totals())


# Approval, burning, and the end


def test_what_is_not_approved_is_not_answered(world: World) -> None:
    """Before the steward has approved the study nothing is answered."""
    assert refusal(world.core(VICTIM), world.release().open_message()) == "not_approved"


@pytest.mark.parametrize("kind", [Readies, Parts, Round, Shares, Close])
def test_a_revoked_study_is_not_answered(play: Play, kind: type[Content]) -> None:
    """From the moment on that the approval is revoked, in the middle of a release too."""
    play.until(kind).cores[VICTIM].revoke()
    assert refusal(play.cores[VICTIM], play.next) == "not_approved"


def test_a_revoked_study_signs_no_receipt(play: Play) -> None:
    """Not even a receipt is signed again."""
    play.finish()
    play.cores[VICTIM].revoke()
    assert refusal(play.cores[VICTIM], play.script.messages[-1]) == "not_approved"


def test_a_study_that_is_approved_again(play: Play) -> None:
    """The release goes on where it stood."""
    play.until(Round, 2).cores[VICTIM].revoke()
    refusal(play.cores[VICTIM], play.next)
    play.cores[VICTIM].approve()
    assert totals_of(play.finish()) == honest_totals()


@pytest.mark.parametrize(
    ("kind", "number"),
    [(Readies, None), (Parts, None), (Round, 0), (Shares, 2), (Close, None)],
)
def test_a_burned_release_is_not_answered(
    play: Play, kind: type[Content], number: int | None
) -> None:
    """Whatever its phase, a burned release is over, after a restart too."""
    play.until(kind, number).cores[VICTIM].burn(1)
    codes = [refusal(play.cores[VICTIM], play.next)]
    codes += [refusal(play.world.core(VICTIM), play.script.messages[0])]
    assert codes == ["not_open", "release_over"]


def test_a_release_is_burned_after_a_restart(play: Play) -> None:
    """A release that cannot be opened any more, because the data changed, can be given up."""
    play.until(Round, 2)
    play.world.core(VICTIM).burn(1)
    assert refusal(play.world.core(VICTIM), play.script.messages[0]) == "release_over"


def test_burning_erases_the_keys(play: Play) -> None:
    """Nothing is left in the vault."""
    play.until(Round, 2).cores[VICTIM].burn(1)
    assert list((play.world.folder / VICTIM / "vault").iterdir()) == []


def test_after_a_burned_release_the_next_one_runs(play: Play) -> None:
    """The next release has the same hospitals and gives the same totals to its analyses."""
    play.until(Round, 2)
    for core in play.cores.values():
        core.burn(1)
    later = Play(play.world, play.world.release(number=2)).finish()
    assert totals_of_another(later) == honest_totals()


def test_another_release_goes_on_when_one_is_burned(play: Play) -> None:
    """Burning release 1 leaves release 2, which is under way, alone."""
    play.until(Round, 2)
    later = Play(play.world, play.world.release(number=2)).until(Round, 2)
    later.cores[VICTIM].burn(1)
    assert totals_of_another(later.finish()) == honest_totals()


@pytest.mark.parametrize("number", [2, 0, -1])
def test_what_has_not_begun_cannot_be_burned(play: Play, number: int) -> None:
    """There is nothing to give up."""
    with pytest.raises(Refused, match="has not begun here"):
        play.until(Round, 2).cores[VICTIM].burn(number)


def test_what_is_over_cannot_be_burned(play: Play) -> None:
    """A closed release stays closed."""
    play.finish()
    with pytest.raises(Refused, match="is over"):
        play.cores[VICTIM].burn(1)


def test_a_closed_release_is_not_opened_again(play: Play) -> None:
    """Its number is used up."""
    play.finish()
    assert refusal(play.cores[VICTIM], play.script.messages[0]) == "release_over"


# Which releases are opened


def test_before_a_share_the_roster_may_change(play: Play) -> None:
    """A site that drops out before any share: the others open again without it."""
    play.until(Round, 0)
    smaller = play.world.release([site for site in SITES if site != "alder"], attempt=2)
    outcome = Play(play.world, smaller).finish().outcome
    assert outcome is not None and (outcome.patients, outcome.sites) == (30, 4)


@pytest.mark.parametrize(
    ("number", "attempt", "roster", "expected"),
    [
        (1, 1, SITES, "answered"),
        (1, 2, SITES, "second_roster"),
        (1, 2, SITES[1:], "second_roster"),
        (1, 1, SITES[1:], "second_roster"),
        (2, 1, SITES[1:], "other_roster"),
        (2, 1, SITES, "answered"),
        (3, 7, SITES, "answered"),
    ],
)
def test_after_the_first_share_the_roster_is_fixed(
    play: Play, number: int, attempt: int, roster: tuple[str, ...], expected: str
) -> None:
    """Two sums that differ by a hospital would show that hospital."""
    play.until(Shares, 0)
    release = play.world.release(roster, number=number, attempt=attempt)
    assert refusal(play.cores[VICTIM], release.open_message()) == expected


def test_after_a_closed_release_the_roster_is_fixed(play: Play) -> None:
    """The next release with another hospital in or out is refused for good."""
    play.finish()
    release = play.world.release(SITES[1:], number=2)
    assert refusal(play.world.core(VICTIM), release.open_message()) == "other_roster"


@pytest.mark.parametrize(
    ("roster", "expected"),
    [
        (SITES[1:3], "roster_too_small"),
        ((*SITES, "fir"), "unknown_site"),
        (("alder", "beech", "dogwood"), "not_in_roster"),
        (SITES[::-1], "malformed"),
    ],
)
def test_rosters_that_are_not_answered(
    world: World, roster: tuple[str, ...], expected: str
) -> None:
    """Too few sites, one that is not pinned, one's own missing, not in order."""
    opened = Open(world.study.hash, 1, 1, roster)
    assert refusal(approved(world), signed(opened)) == expected


def test_a_release_of_another_study(world: World) -> None:
    """A study with one limit changed is another study."""
    other = replace(world, study=frozen(patients=11))
    assert refusal(approved(world), other.release().open_message()) == "other_study"


def test_data_that_do_not_fit(play: Play) -> None:
    """A site whose data break a rule says so before it sends anything."""

    def unfit(site: str) -> SiteData:
        raise DataError(site, [])

    play.world.data = unfit
    with pytest.raises(DataError):
        play.cores[VICTIM].receive(play.next)
    assert play.world.events(VICTIM) == ["approved"]


def test_a_study_without_a_roster(world: World) -> None:
    """A draft is not run."""
    with pytest.raises(Refused, match="freeze it"):
        built(world, study=replace(world.study, roster=None))


@pytest.mark.parametrize("who", ["fir", "center"])
def test_a_site_that_is_not_pinned(world: World, who: str) -> None:
    """A core refuses to start with a name that the study does not pin."""
    with pytest.raises(Refused, match="is not in the study's roster"):
        built(world, identity=identity(who))


def test_a_site_with_another_key(world: World) -> None:
    """Nor with a pinned name under another key."""
    with pytest.raises(Refused, match="or with another key of it"):
        built(world, identity=replace(identity("elm"), name=VICTIM))


# The guard


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({"patients": 31}, "answered"),
        ({"patients": 32}, "too_few"),
        ({"others": 27}, "answered"),
        ({"others": 28}, "exposed"),
    ],
)
def test_the_guard(tmp_path: Path, policy: dict[str, Any], expected: str) -> None:
    """31 patients, 27 of them not this site's: one more in a limit, and nothing is answered."""
    play = Play(World(tmp_path, study=frozen(**policy)))
    assert _guarded(play) == expected


def _guarded(play: Play) -> str:
    """What the victim makes of round 1, asked by a coordinator that keeps to no limits."""
    play.until(Round, 0)
    play.release.conductor = Conductor(frozen(patients=1, sites=1))
    play.until(Round, 1)
    return refusal(play.cores[VICTIM], play.next)


def test_the_guard_refuses_again(tmp_path: Path) -> None:
    """What is below the limits stays refused, however often it is asked."""
    play = Play(World(tmp_path, study=frozen(patients=32)))
    codes = [_guarded(play), *(refusal(play.cores[VICTIM], play.next) for _ in range(3))]
    assert codes == ["too_few"] * 4


def test_hospitals_without_patients_do_not_count(world: World) -> None:
    """24 patients are enough, but they are in two hospitals, and the study says three."""
    nobody = site_data(world.study, "alder", patients("alder").iloc[:0])
    world.data = lambda site: the_data(site) if site in ("dogwood", "elm") else nobody
    assert _guarded(Play(world)) == "too_few"


def test_a_hospital_without_patients_takes_part(world: World) -> None:
    """A site that has nobody yet answers with zeros."""
    nobody = site_data(world.study, "alder", patients("alder").iloc[:0])
    world.data = lambda site: nobody if site == "alder" else the_data(site)
    outcome = Play(world).finish().outcome
    assert outcome is not None and (outcome.patients, outcome.sites) == (30, 4)


# Anything else that comes


@pytest.mark.parametrize(
    "content",
    [
        Ready("open", "key", "snapshot", "head", 1, "quorum"),
        Share("open", 0, "transcript"),
        Receipt("open", "result", "head"),
    ],
    ids=lambda content: content.TYPE,
)
def test_messages_that_are_not_for_a_site(world: World, content: Content) -> None:
    """What sites send is refused by sites."""
    assert refusal(approved(world), signed(content)) == "malformed"
