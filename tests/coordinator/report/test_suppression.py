"""The rules of suppression, from counts worked by hand."""

from __future__ import annotations

import pytest

from coordinator.report.suppression import (
    END,
    At,
    Counts,
    Layer,
    Suppressed,
    complements,
    points,
    safe,
    settle,
)


def steps(*values: Counts) -> At:
    """Return a series whose value through time t is that of place t, the last one ever after."""
    return lambda time: values[-1 if time == END else min(int(time), len(values) - 1)]


def layer(rows: Counts, **series: At) -> Layer:
    return Layer(rows, series, series)


@pytest.mark.parametrize(
    ("difference", "expected"), [(0, True), (1, False), (-4, False), (5, True), (-5, True)]
)
def test_a_difference_is_safe_at_nought_and_from_the_limit_on(
    difference: int, expected: bool
) -> None:
    """A difference of nobody tells of nobody."""
    assert safe(difference, 5) == expected


def test_a_mark_by_itself_names_the_limit() -> None:
    """Alone it says that the count is small; among others it does not say which one is."""
    assert (str(Suppressed(5, alone=True)), str(Suppressed(5))) == ("<5", "hidden")


def test_points_keep_increments_safe() -> None:
    """Of 0, 2, 6, 8, 13 events by day, days 0, 2 and 4 are shown: 6 and 7 between."""
    at = steps((0,), (2,), (6,), (8,), (13,))
    assert points([0, 1, 2, 3, 4], at, (13,), 5) == [0, 2, 4]


def test_a_point_too_near_the_end_is_not_shown() -> None:
    """Of 15 events 12 by day 1 would tell of three later ones."""
    assert points([1], steps((0,), (12,), (15,)), (15,), 5) == []


def test_wanted_times_come_first() -> None:
    """Day 3 is in a table: then day 2, with two fewer, is not shown."""
    assert points([3, 2], steps((0,), (2,), (6,), (8,), (13,)), (13,), 5) == [3]


def test_groups_are_shown_together() -> None:
    """Two events in one group hide the day of both."""
    assert points([1], steps((0, 0), (9, 2), (20, 20)), (20, 20), 5) == []


def test_a_small_end_takes_another_with_it() -> None:
    """Three deaths of the cause would be rows less the others: the censored are given up too."""
    assert complements([(40,), (8,), (3,)], [], 5) == {0, 2}


def test_complements_go_on_until_their_sum_is_safe() -> None:
    """One censored and two of a cause are three together: the event goes as well."""
    assert complements([(1,), (2,), (30,)], [], 5) == {0, 1, 2}


def test_a_series_of_nobody_is_no_complement() -> None:
    """Nought hides nothing."""
    assert complements([(0,), (8,), (3,)], [], 5) == {1, 2}


def test_a_series_of_several_causes_is_its_own_complement() -> None:
    """Its sum is safe, and how it is made up is not shown."""
    assert complements([(11,), (30,)], [0], 5, [2, 1]) == {0}


def test_without_small_counts_everything_is_shown() -> None:
    """Every wanted day, and the end."""
    shown = settle(
        layer((40,), rest=steps((0,), (5,), (20,)), event=steps((0,), (6,), (20,))),
        [0.0, 1.0], least=5, hidden=[], within={},
    )  # fmt: skip
    assert shown == {"rest": {0.0, 1.0, END}, "event": {0.0, 1.0, END}}


def test_few_censored_hide_both_ends() -> None:
    """47 of 50 die: the three censored are no secret beside the deaths."""
    shown = settle(
        layer((50,), rest=steps((0,), (0,), (3,)), event=steps((0,), (20,), (47,))),
        [1.0], least=5, hidden=[], within={},
    )  # fmt: skip
    assert shown == {"rest": {1.0}, "event": {1.0}}


def test_what_is_left_for_hidden_series_is_safe() -> None:
    """After 47 deaths of 50 on day 1, the three that remain are told by subtraction: not shown."""
    shown = settle(
        layer((50,), rest=steps((0,), (0,), (3,)), event=steps((0,), (47,), (47,))),
        [1.0], least=5, hidden=[], within={},
    )  # fmt: skip
    assert shown["event"] == frozenset()


def test_groups_are_shown_only_where_their_total_is() -> None:
    """A day at which the total is hidden is hidden for each group."""
    total = {"rest": frozenset([END]), "event": frozenset([END])}
    both = layer((20, 20), rest=steps((0, 0), (5, 5), (10, 10)),
                 event=steps((0, 0), (5, 5), (10, 10)))  # fmt: skip
    assert settle(both, [1.0], least=5, hidden=[], within=total) == total


def test_an_end_that_must_not_be_shown_takes_a_complement() -> None:
    """The events are too near those of another analysis: they go, and the others with them."""
    shown = settle(
        layer((40,), rest=steps((0,), (20,)), event=steps((0,), (20,))),
        [0.0], least=5, hidden=["event"], within={},
    )  # fmt: skip
    assert shown == {"rest": {0.0}, "event": {0.0}}
