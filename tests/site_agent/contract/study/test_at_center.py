"""The hospital of the coordinating center: how it is read, and which rosters may have it."""

from __future__ import annotations

import pytest

from coordinator.freeze import freeze, roster_of
from site_agent.contract.errors import StudyError
from site_agent.contract.roster import smallest_roster
from site_agent.contract.study.at_center import at_center_issues
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from tests.protocol import CENTER, SITES, STUDY, identity
from tests.studytext import issues, study

AT_CENTER = f"sites: {{at_center: elm}}\n{STUDY}"


def frozen(pinned: tuple[str, ...], text: str = AT_CENTER) -> Study:
    """The study with a hospital at the center, frozen over some sites."""
    roster = roster_of(identity(CENTER).member(), [identity(site).member() for site in pinned])
    return freeze(text, "test", roster)[1]


def test_without_the_field_no_hospital_is_the_centers() -> None:
    """The default is the empty name."""
    assert study().at_center == ""


def test_the_field_is_read() -> None:
    """The name stands beside the attributes."""
    assert study(("sites:\n", "sites:\n  at_center: elm\n")).at_center == "elm"


def test_the_field_is_part_of_the_hash() -> None:
    """Who gets no part of the secret is part of what stewards approve."""
    assert read_study(AT_CENTER, "test").hash != read_study(STUDY, "test").hash


def test_a_name_that_no_site_can_have() -> None:
    """A capital letter is answered with the rule for names."""
    assert "expected the name of a site" in issues(("sites:\n", "sites:\n  at_center: Elm\n"))[0]


def test_development_sets_it_aside() -> None:
    """Without a disclosure policy there is no secret to keep from anybody."""
    assert read_study(AT_CENTER, "test", development=True).at_center == ""


@pytest.mark.parametrize(
    ("sites", "expected"),
    [
        (["alder", "beech", "cedar", "elm"], 0),
        (["alder", "beech", "elm"], 1),
        (["alder", "beech", "cedar", "dogwood"], 1),
    ],
)
def test_three_others_are_needed(sites: list[str], expected: int) -> None:
    """It must be among the hospitals, with at least three beside it."""
    assert len(at_center_issues("elm", sites)) == expected


def test_a_misspelt_name_is_answered_when_freezing() -> None:
    """Freezing compares the name with the enrolled hospitals, and gives the nearest."""
    with pytest.raises(StudyError, match="did you mean 'elm'"):
        frozen(SITES, AT_CENTER.replace("elm", "elmm"))


def test_freezing_over_too_few_is_refused() -> None:
    """Three hospitals, one of them the center's, leave two."""
    with pytest.raises(StudyError, match="2 hospitals beside the center's own"):
        frozen(("alder", "beech", "elm"))


def test_a_release_needs_three_others_too() -> None:
    """Of five pinned hospitals three would do, but for the center's own."""
    assert (smallest_roster(frozen(SITES)), smallest_roster(frozen(SITES, STUDY))) == (4, 3)
