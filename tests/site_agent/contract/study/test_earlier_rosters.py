"""Rosters of earlier releases that a study names: read, and each sentence held to its hospitals."""

from __future__ import annotations

import pytest

from coordinator.freeze import freeze, roster_of
from site_agent.contract.errors import StudyError
from site_agent.contract.study.model import EarlierRoster
from tests.protocol import CENTER, SITES, STUDY, frozen, identity
from tests.studytext import issues, study

PLACE = "compute: {sites: 3, patients: 5, others: 3}"
JOINED = "It shows what was added by elm."


def naming(entry: str) -> tuple[str, str]:
    """The small study with one entry."""
    return (PLACE, f"{PLACE}\n  earlier_rosters: [{entry}]")


def with_rosters(sites: str, because: str) -> str:
    """The study of five hospitals, which names one earlier roster."""
    entry = f'  earlier_rosters: [{{sites: [{sites}], because: "{because}"}}]\n'
    return STUDY.replace("disclosure:\n", f"disclosure:\n{entry}", 1)


def test_none_by_default() -> None:
    """A study names no other roster than its own."""
    assert study().policy.earlier_rosters == ()


def test_sites_are_sorted() -> None:
    """As rosters are, so that they can be compared."""
    found = study(naming("{sites: [b, a, b], because: c left}")).policy.earlier_rosters
    assert found == (EarlierRoster(("a", "b"), "c left"),)


def test_they_are_part_of_the_hash() -> None:
    """The stewards approve the sentence with the study."""
    assert study(naming("{sites: [a], because: x}")).hash != study().hash


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{sites: [a]}", "'because' is missing"),
        ("{because: x}", "'sites' is missing"),
        ("{sites: [], because: x}", "found an empty list, expected at least one entry"),
        ("{sites: [A], because: x}", "1 of the sites have names other than lower-case letters"),
        ("{sites: [a], because: x, when: y}", "unknown field 'when'"),
    ],
)
def test_what_is_wrong_with_an_entry(entry: str, expected: str) -> None:
    """Each mistake is told."""
    assert any(expected in issue for issue in issues(naming(entry)))


def test_a_sentence_that_names_who_joined() -> None:
    """It freezes."""
    text = with_rosters("alder, beech, cedar, dogwood", JOINED)
    assert len(frozen(text).policy.earlier_rosters) == 1


@pytest.mark.parametrize(
    ("sites", "because", "unsaid"),
    [
        ("alder, beech, cedar, dogwood", "one joined", "elm"),
        ("alder, beech, cedar, dogwood", "helm and elm-2 joined", "elm"),
        (", ".join([*SITES, "fir"]), "one left", "fir"),
        ("alder, beech, cedar, fir", "fir left, elm joined", "dogwood"),
    ],
    ids=["who joined", "another name", "who left", "one of three"],
)
def test_a_sentence_that_leaves_a_hospital_out(sites: str, because: str, unsaid: str) -> None:
    """What subtraction shows must be said of every hospital that joined or left."""
    roster = roster_of(identity(CENTER).member(), [identity(site).member() for site in SITES])
    with pytest.raises(StudyError, match=f"does not name {unsaid}, whose totals"):
        freeze(with_rosters(sites, because), "test", roster)
