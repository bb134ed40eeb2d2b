"""Approving a revision ends the study before it: a key that it replaces is of no more use."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.contract import messages
from site_agent.contract.errors import Refused
from site_agent.contract.messages import Close, Readies, Ready, Round, Shares
from site_agent.review import review_document
from site_agent.revision import beside, distrusted_keys, studies_before
from site_agent.shelf import Shelf
from tests.protocol import (
    CENTER,
    STUDY,
    Play,
    World,
    content_of,
    honest_totals,
    identity,
    parts_of,
    readies,
    refusal,
    totals_of,
)
from tests.revising import (
    ROTATED,
    frozen_first,
    frozen_revision,
    hospitals,
    revised_world,
)

OWN = "cedar"


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """A release of the first study before OPEN."""
    return Play(World(tmp_path))


def approved(play: Play, *, lost: bool = False) -> Play:
    """All hospitals but the one with new keys have approved the revision."""
    for hospital in hospitals(play, lost=lost).values():
        hospital.approve(frozen_revision(lost=lost)[1])
    return play


def test_a_revision_names_what_it_revises() -> None:
    """In its hash, so that nobody can take it out."""
    assert frozen_revision()[1].document()["revises"] == frozen_first()[1].hash


def test_the_study_before_is_found_on_the_shelf(play: Play) -> None:
    """By its hash, with the hospitals whose keys nobody vouches for."""
    site = hospitals(play, lost=True)[OWN].site
    (before,) = studies_before(Shelf(site), frozen_revision(lost=True)[1])
    assert (before.hash, before.distrusted) == (frozen_first()[1].hash, (ROTATED,))


@pytest.mark.parametrize(("lost", "expected"), [(False, []), (True, [ROTATED])])
def test_keys_that_the_old_ones_signed_are_trusted(lost: bool, expected: list[str]) -> None:
    """A lost key signs nothing."""
    assert distrusted_keys(frozen_first()[1], frozen_revision(lost=lost)[1]) == expected


def test_approving_writes_both_entries(play: Play) -> None:
    """First the end of the study before, then the approval: between them nothing is answered."""
    hospital = hospitals(play)[OWN]
    hospital.approve(frozen_revision()[1])
    assert [entry["event"] for entry in hospital.ledger.entries][-2:] == ["superseded", "approved"]


def test_approving_again_supersedes_nothing_twice(play: Play) -> None:
    """The entry stands once."""
    hospital = hospitals(play)[OWN]
    found = [hospital.approve(frozen_revision()[1]) for _ in range(2)]
    assert [len(ended) for ended in found] == [1, 0]


def test_a_superseded_study_is_not_approved_again(play: Play) -> None:
    """Its keys may be in other hands; the center freezes it anew."""
    hospital = hospitals(play)[OWN]
    hospital.approve(frozen_revision()[1])
    with pytest.raises(Refused) as refused:
        hospital.approve(frozen_first()[1])
    assert refused.value.code == "superseded"


def test_what_was_never_approved_is_superseded_too(tmp_path: Path) -> None:
    """A steward who missed the first study cannot approve it by mistake later."""
    world = World(tmp_path)
    play = Play(world)
    hospital = hospitals(play)[OWN]
    hospital.ledger.append("revoked", study=frozen_first()[1].hash)
    hospital.approve(frozen_revision()[1])
    assert hospital.ledger.entries[-2]["event"] == "superseded"


def test_the_name_means_the_newest(play: Play) -> None:
    """Of a study and its revision, which have one name."""
    site = hospitals(play)[OWN].site
    assert Shelf(site).find("protocol").hash == frozen_revision()[1].hash


def test_another_study_of_the_name_is_told(play: Play) -> None:
    """A study that does not say what it revises leaves the other approval as it is."""
    hospital = hospitals(play)[OWN]
    other = frozen_revision(text=STUDY.replace("Five hospitals", "The hospitals"))[1]
    found = beside(other, hospital.ledger, [frozen_first()[1]])
    assert found == [frozen_first()[1].hash]


# Releases of the study before


def test_no_release_of_the_study_before_is_opened(play: Play) -> None:
    """OPEN is refused with its code."""
    approved(play)
    assert refusal(play.cores[OWN], play.next) == "superseded"


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("number", [0, 2])
def test_no_question_of_the_study_before_is_answered(play: Play, lost: bool, number: int) -> None:
    """A release under way gets no new share."""
    approved(play.until(Round, number), lost=lost)
    assert refusal(play.cores[OWN], play.next) == "superseded"


def test_a_release_at_its_end_is_closed(play: Play) -> None:
    """Nothing new leaves: the shares were sent, the receipt says only that it is over."""
    last = len(honest_totals()) - 1
    approved(play.until(Shares, last))
    assert totals_of(play.finish()) == honest_totals()


def test_a_release_at_its_end_is_closed_after_a_restart(play: Play) -> None:
    """What was sent before is sent again, and nothing else."""
    approved(play.until(Close))
    play.restart(OWN)
    assert totals_of(play.finish()) == honest_totals()


def test_with_a_stolen_key_it_is_not_closed(play: Play) -> None:
    """Keys that may be in other hands have no say in any message that is believed."""
    approved(play.until(Close), lost=True)
    assert refusal(play.cores[OWN], play.next) == "superseded"


@pytest.mark.parametrize("lost", [False, True])
def test_it_is_burned_in_any_case(play: Play, lost: bool) -> None:
    """BURN needs no approval."""
    approved(play.until(Round, 1), lost=lost)
    play.cores[OWN].receive(play.release.burn("hindered"))
    assert play.world.events(OWN)[-1] == "burned"


# The key that was stolen


def test_the_revision_runs_with_the_new_key(tmp_path: Path) -> None:
    """The same hospitals and patients: the same totals."""
    play = Play(revised_world(tmp_path, lost=True))
    assert totals_of(play.finish()) == honest_totals()


def stolen(play: Play) -> bytes:
    """READIES in which the thief answers in the hospital's place, with the old key."""
    wires = parts_of(play.next)
    at = play.release.sites.index(ROTATED)
    ready = Ready(**content_of(wires[at]))
    sealed = parts_of(wires[at])
    forged = messages.write(identity(ROTATED), ready, sealed)
    return readies(play.release, [*wires[:at], forged, *wires[at + 1 :]])


def test_the_stolen_key_takes_no_part_in_the_revision(tmp_path: Path) -> None:
    """The other hospitals refuse what is signed with it."""
    play = Play(revised_world(tmp_path, lost=True)).until(Readies)
    assert refusal(play.cores[OWN], stolen(play)) == "signature"


def test_the_stolen_key_cannot_run_the_revision(tmp_path: Path) -> None:
    """An agent with the old key is not of the revision's roster."""
    with pytest.raises(Refused) as refused:
        World(tmp_path, frozen_revision(lost=True)[1]).core(ROTATED)
    assert refused.value.code == "not_in_roster"


def test_the_stolen_key_brings_nobody_back_to_the_study_before(play: Play) -> None:
    """However often the thief and a center that helps him ask, no hospital answers."""
    approved(play, lost=True)
    release = play.world.release(number=7)
    codes = {refusal(play.cores[s], release.open_message()) for s in play.cores if s != ROTATED}
    assert codes == {"superseded"}


# The review


def told(*, lost: bool = False, text: str = STUDY) -> str:
    """What the review says of the revision."""
    study = frozen_revision(lost=lost, text=text)[1]
    return " ".join(review_document(study, OWN, frozen_first()[1])["revision"]["sentences"])


def test_a_first_study_says_nothing_of_revisions() -> None:
    """The part is there, and empty."""
    assert review_document(frozen_first()[1], OWN)["revision"] is None


@pytest.mark.parametrize(
    ("lost", "expected"),
    [(False, "The key before signed this."), (True, "The key before did NOT sign this")],
)
def test_new_keys_are_told(lost: bool, expected: str) -> None:
    """With both fingerprints, and whether the old key vouches for the new one."""
    assert expected in told(lost=lost)


def test_the_keys_are_in_the_document() -> None:
    """Programs read who has which keys."""
    (found,) = review_document(frozen_revision()[1], OWN, frozen_first()[1])["revision"]["keys"]
    assert (found["name"], found["signed_by_old"]) == (ROTATED, True)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("  curve:   {", "  kurve:   {", "New among the analyses: kurve. Gone among the"),
        ("patients: 10,", "patients: 11,", "Changed among the rules of disclosure: compute."),
        ("title: Five", "title: The five", "Changed: the title."),
        ("range: [0, 12]", "range: [0, 11]", "Changed among the tables: patients."),
        ('"dead"', '"censored"', "Changed among the endpoints: survival."),
    ],
)
def test_what_is_changed_is_told(old: str, new: str, expected: str) -> None:
    """Part by part, by name."""
    assert expected in told(text=STUDY.replace(old, new))


def test_a_revision_of_keys_alone_says_so() -> None:
    """Nothing else is changed."""
    assert "nothing is changed" in told()


def test_a_study_before_that_is_not_here() -> None:
    """Then nothing can be compared, and that is said."""
    told = review_document(frozen_revision()[1], OWN)["revision"]
    assert "which is not here" in told["sentences"][0]


def test_fingerprints_of_the_center_are_compared_too() -> None:
    """The parties begin with the center."""
    roster = frozen_revision()[1].roster
    assert roster is not None and roster.center == identity(CENTER).member()
