"""What may be shown beside what has been shown."""

from __future__ import annotations

import pytest

from coordinator.report.shown_so_far import Reader, Totals
from coordinator.report.tallies import Group, Tally
from tests.coordinator.report.made import NONE_LEFT_OUT


def tally(rows: int, events: int, *groups: Group) -> Tally:
    return Tally("one", "", "survival", "", "arm", rows, rows, (events,), NONE_LEFT_OUT, groups)


@pytest.mark.parametrize(
    ("value", "expected"), [(30, True), (28, False), (25, True), (4, False), (0, True)]
)
def test_a_number_keeps_its_distance(value: int, expected: bool) -> None:
    """From 30 shown: none, or at least five; and it is no small count itself."""
    assert Reader(5, [], []).differ(value, [30] if value else []) == expected


def test_everybody_is_shown_beside_anything() -> None:
    """Patients stand at the head: rows of all of them say nothing new, whatever is near."""
    reader = Reader(5, [30, 28], [30, 28])
    assert reader.totals(tally(30, 15), 30) == Totals(rows=True, events=True)


def test_what_is_not_shown_is_not_subtracted() -> None:
    """Hidden rows do not hide those of the next analysis."""
    reader = Reader(5, [], [])
    reader.learn(tally(28, 14), Totals(rows=False, events=False), groups=False)
    assert reader.totals(tally(30, 15), None) == Totals(rows=True, events=True)


def test_groups_are_compared_by_rows_and_by_events() -> None:
    """The rows of a namesake are the same, its events two fewer."""
    reader = Reader(5, [], [])
    reader.learn(tally(20, 10, Group("a", 20, (10,))), Totals(), groups=True)
    assert reader.grouped(tally(20, 8, Group("a", 20, (8,)))) == (True, False)
