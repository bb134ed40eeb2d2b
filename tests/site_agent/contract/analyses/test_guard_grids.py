"""Groupings at full resolution, and grids on which enough patients leave in each step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from site_agent.contract.analyses.guard_grids import (
    grouping,
    grouping_issues,
    needs_steps,
    steps_ask,
    steps_sentence,
)
from site_agent.contract.analyses.guard_openings import openings
from site_agent.contract.errors import StudyError
from site_agent.contract.frames import Frame
from site_agent.contract.study.read import read_study
from tests.site_agent.contract.analyses.guarded import CURVE, MODEL, guarded, text
from tests.studytext import issues

SEX, STAGE = CURVE + ", by: sex", CURVE + ", by: stage"
POOLED = "kind: cox, endpoint: survival, covariates: [age]"
TEST = "kind: logrank, endpoint: survival, by: stage"


def blamed(*analyses: str, accepted: Sequence[str] = ()) -> list[str]:
    """The names of the analyses for whose sake a study is refused."""
    found = issues(text=text(*analyses, accepted=accepted))
    return [issue.split("analyses.")[1].partition(":")[0] for issue in found]


def test_the_grouping_of_a_frame() -> None:
    """By, strata and cohort."""
    frame = Frame("patients", by="sex", strata=("stage",), cohort="adults")
    assert grouping(frame) == {"sex", "stage", "cohort adults"}


@pytest.mark.parametrize(
    ("analyses", "expected"),
    [
        ((CURVE,), []),
        ((CURVE, SEX), []),
        ((SEX, CURVE, SEX), []),
        ((SEX, STAGE), ["b"]),
        ((SEX, CURVE, STAGE, STAGE), ["c", "d"]),
        ((SEX, STAGE + ", grid: [100, 400]"), []),
        ((SEX + ", grid: [100, 400]", STAGE), []),
        ((SEX, TEST), ["b"]),
        ((SEX, TEST + ", by_site: true"), []),
        ((SEX, TEST + ", strata: [sex]"), []),
        ((SEX, STAGE, TEST + ", strata: [sex]"), []),
        ((SEX, POOLED), []),
        ((SEX, POOLED + ", strata: [stage]"), ["b"]),
        ((SEX, MODEL + "[age], strata: [stage]"), []),
        ((SEX, CURVE + ", cohort: adults"), ["b"]),
        ((CURVE + ", cohort: adults", CURVE + ", cohort: elders"), ["b"]),
        ((CURVE + ", cohort: adults", SEX + ", cohort: adults"), []),
        ((SEX, "kind: survival, endpoint: from_start, by: stage"), ["b"]),
        ((SEX, "kind: survival, endpoint: stay, by: ward"), []),
    ],
)
def test_groupings_at_full_resolution(analyses: Sequence[str], expected: list[str]) -> None:
    """One beside none, over all endpoints of a table; the later analysis is to change."""
    assert blamed(*analyses) == expected


@pytest.mark.parametrize(("accepted", "expected"), [(["b"], []), (["a"], ["b"]), (["a", "b"], [])])
def test_a_grouping_accepted_by_name(accepted: list[str], expected: list[str]) -> None:
    """The analysis that links to those before it is the one to accept."""
    assert blamed(SEX, STAGE, accepted=accepted) == expected


def test_what_is_said_of_two_groupings() -> None:
    """Both analyses and both groupings, and what to do."""
    (issue,) = issues(text=text(SEX, STAGE))
    assert (
        "analyses.b: counts by time in groups of stage, and 'a' in groups of sex: at full "
        "resolution the two link into rows of patients. Give one of them a coarser grid" in issue
    )


@pytest.mark.parametrize(
    ("grids", "expected"),
    [
        (("[100, 200]", "[100, 200]"), []),
        (("[100, 200]", "[200]"), []),
        (("[200]", "[100, 200]"), []),
        (("[100, 200]", "[101, 200]"), ["b"]),
    ],
)
def test_two_grids(grids: tuple[str, str], expected: list[str]) -> None:
    """One holds all points of the other."""
    assert blamed(*(f"{CURVE}, grid: {grid}" for grid in grids)) == expected


@pytest.mark.parametrize(
    ("grid", "message"),
    [
        ("[100, 50]", "grid: expected ascending times, none twice"),
        ("[50, 50]", "grid: expected ascending times, none twice"),
        ("[0, 50]", "grid: 0 is no time of the study; expected multiples of 1 day above 0"),
        ("[50, 401]", "grid: 401 is no time of the study; expected multiples of 1 day above 0"),
        ("[50.5]", "grid: 50.5 is no time of the study; expected multiples of 1 day above 0"),
        ("[soon]", 'found the text "soon", expected a number of at least 0'),
    ],
)
def test_a_grid_that_is_none(grid: str, message: str) -> None:
    """Ascending whole ticks up to the horizon."""
    (issue,) = issues(text=text(f"{CURVE}, grid: {grid}"))
    assert message in issue


def test_a_grid_in_fractions_of_the_unit() -> None:
    """Months as twelfths of a year."""
    years = text(f"{CURVE}, grid: [0.5, 0.8333333333]").replace(
        "resolution: 1,", "resolution: 1/12,"
    )
    study = read_study(years, "test")
    assert openings(study)[0].frame.grid == (6, 10)


def test_without_a_policy_groupings_are_free() -> None:
    """Development sets the rule aside."""
    try:
        study = read_study(text(SEX, STAGE), "test", development=True)
    except StudyError as error:
        raise AssertionError(error) from None
    assert len(grouping_issues(study)) == 1


def test_where_steps_are_counted() -> None:
    """On grids of what opens by time, but for exceptions."""
    grid = ", grid: [100, 400]"
    four = (CURVE, CURVE + grid, MODEL + "[age]" + grid, POOLED + grid, SEX + grid)
    found = openings(guarded(*four, accepted=["e"]))
    assert [needs_steps(opening) for opening in found] == [False, True, False, True, False]


@pytest.mark.parametrize(("endpoint", "expected"), [("survival", False), ("entered", True)])
def test_entries_are_counted_too(endpoint: str, expected: bool) -> None:
    """Where the endpoint has an entry."""
    study = guarded(f"kind: survival, endpoint: {endpoint}, grid: [100, 400]")
    assert steps_ask(study, openings(study)[0].frame).fixed == {"truncated": expected}


@pytest.mark.parametrize(
    ("leaving", "entering", "withheld"),
    [([5, 0, 7], [12], False), ([4, 0, 8], [12], True), ([5, 0, 7], [11, 1], True)],
)
def test_steps(leaving: list[int], entering: list[int], withheld: bool) -> None:
    """In each step at least five, or none."""
    totals = {"leaving": np.array(leaving, float), "entering": np.array(entering, float)}
    sentence = steps_sentence(guarded(CURVE), totals)
    expected = "in some step of its grid fewer than 5 patients leave or enter"
    assert sentence.startswith(expected) == withheld
