"""Counts at any time, worked out by hand from six patients."""

from __future__ import annotations

import math

import pytest

from coordinator.report.group_courses import Standing, incidence_groups, survival_groups
from tests.coordinator.report.made import incidence, survival

CURVES = survival()["curves"]


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (0, Standing(6, 0, (0,))),
        (1, Standing(5, 0, (1,))),
        (1.5, Standing(5, 0, (1,))),
        (2, Standing(4, 1, (1,))),
        (4, Standing(2, 1, (3,))),
        (6, Standing(0, 2, (4,))),
        (7, Standing(0, 2, (4,))),
        (math.inf, Standing(0, 2, (4,))),
    ],
)
def test_counts_at_a_time(time: float, expected: Standing) -> None:
    """At risk is after the time; censored and events are up to and including it."""
    assert survival_groups(CURVES)[0].standing(time) == expected


def test_causes_are_counted_beside_each_other() -> None:
    """A group of an incidence has the events of every cause, in the document's order."""
    low, _ = incidence_groups(incidence()["curves"])
    assert low.standing(4) == Standing(2, 0, (2, 2))


def test_without_late_entry_at_risk_is_rows_less_those_who_left() -> None:
    """Six rows of which one leaves at a time are not left truncated."""
    assert survival_groups(CURVES)[0].late_entry is False


def late() -> dict[str, object]:
    """Return the curve of the six, of whom three come after the second day."""
    return {**CURVES[0], "n_risk": [3, 2, 4, 3, 2, 1]}


@pytest.mark.parametrize(("time", "expected"), [(0, None), (1, 2), (1.5, 2), (2.5, 4), (9, 0)])
def test_late_entry_is_counted_when_somebody_next_leaves(time: float, expected: int | None) -> None:
    """With late entry those who enter until then are counted, and none before the first time."""
    assert survival_groups([late()])[0].standing(time).at_risk == expected
