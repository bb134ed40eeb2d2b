"""Small counts are hidden, and nothing shown beside them gives one back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import product

import pytest

from coordinator.report.small_counts import HIDDEN, Limit, Shown, Standing, limit_of
from tests.coordinator.report.made import disclosure

FIVE = Limit(5)


def test_large_counts_are_shown() -> None:
    """A time at which nothing is small is shown as it is."""
    assert FIVE.column([Standing(10, 5, (15,))]) == [Shown(("10", "5", "15"))]


def test_zero_is_no_small_count() -> None:
    """Zero is not hidden: it is nobody."""
    assert FIVE.column([Standing(30, 0, (0,))]) == [Shown(("30", "0", "0"))]


@pytest.mark.parametrize(
    "standing",
    [
        Standing(4, 10, (16,)),
        Standing(25, 1, (4,)),
        Standing(26, 0, (4,)),
        Standing(None, 10, (2,)),
    ],
)
def test_a_small_count_hides_its_time(standing: Standing) -> None:
    """One mark stands for all counts of the group, and does not say which one is small."""
    assert FIVE.column([standing]) == [Shown((HIDDEN, HIDDEN, HIDDEN), "<5")]


def test_other_groups_are_hidden_with_the_small_one() -> None:
    """Subtraction from a curve over all groups gives nothing, as every group is hidden."""
    shown = FIVE.column([Standing(3, 10, (17,)), Standing(20, 10, (10,))])
    assert [group.instead for group in shown] == ["<5", HIDDEN]


def test_a_small_cause_hides_the_other_causes() -> None:
    """With competing causes the counts of every cause are hidden together."""
    (shown,) = FIVE.column([Standing(20, 5, (6, 2))])
    assert shown.cells == (HIDDEN, HIDDEN, HIDDEN, HIDDEN)


def test_sizes_of_groups_are_hidden_together() -> None:
    """The size of one small group hides the others."""
    assert FIVE.sizes([3, 40]) == ("<5", HIDDEN)


def test_a_limit_of_nought_shows_everything() -> None:
    """Under the development policy all counts are shown."""
    assert Limit(0).column([Standing(1, 1, (1,))]) == [Shown(("1", "1", "1"))]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (disclosure(), 5),
        (disclosure(cell=8), 8),
        (disclosure("curve"), 0),
        (disclosure("another"), 5),
        (disclosure(development=True), 0),
    ],
)
def test_exceptions_and_development_lift_the_limit(
    policy: dict[str, object], expected: int
) -> None:
    """An analysis that the policy accepts by name is shown in full, others are not."""
    assert limit_of(policy, "curve").least == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none of the 3 events happens", "none of the <5 events happens"),
        ("1 event among 12 rows", "<5 event among 12 rows"),
        ("within 4 steps of 0.3 events", "within 4 steps of 0.3 events"),
    ],
)
def test_small_counts_in_sentences_are_marked(text: str, expected: str) -> None:
    """A failure's sentence names no small count of events or rows."""
    assert FIVE.sentence(text) == expected


def test_a_log_rank_table_with_a_small_count_shows_none() -> None:
    """The sums of observed and expected are equal, so one hidden group hides all."""
    shown = FIVE.groups([(30, 3), (40, 20)])
    assert [(group.cells, group.instead) for group in shown] == [
        ((HIDDEN, HIDDEN), "<5"),
        ((HIDDEN, HIDDEN), HIDDEN),
    ]


def cumulative(causes: int, rows: int, times: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield every course of so many cumulative counts that sum to `rows` at most."""

    def onwards(reached: tuple[int, ...], left: int) -> Iterator[tuple[tuple[int, ...], ...]]:
        if not left:
            yield ()
            return
        for counts in product(*(range(count, rows + 1) for count in reached)):
            if sum(counts) <= rows:
                for rest in onwards(counts, left - 1):
                    yield (counts, *rest)

    yield from onwards((0,) * causes, times)


def given_back(limit: Limit, causes: int, most_rows: int, times: int) -> tuple[int, int]:
    """Return how many hidden small counts there are, and how many follow from what is shown."""
    possible: dict[object, set[int]] = defaultdict(set)
    hidden = set()
    for rows in range(1, most_rows + 1):
        for course in cumulative(causes, rows, times):
            history = [
                Standing(rows - sum(counts), counts[0], counts[1:])
                for counts in ((0,) * causes, *course)
            ]
            columns = [limit.column([standing])[0] for standing in history]
            shown = (limit.sizes([rows]), tuple(columns))
            for time, standing in enumerate(history):
                for row, count in enumerate(standing.counts):
                    possible[shown, time, row].add(count or 0)
                    if limit.small(count) and columns[time].instead:
                        hidden.add((shown, time, row))
    return len(hidden), sum(len(possible[place]) < 2 for place in hidden)


@pytest.mark.parametrize(
    ("least", "causes", "most_rows", "times"),
    [(3, 2, 9, 3), (4, 2, 11, 2), (5, 2, 13, 2), (3, 3, 7, 2)],
)
def test_no_hidden_small_count_can_be_worked_out(
    least: int, causes: int, most_rows: int, times: int
) -> None:
    """Over all short courses of a group, what is shown leaves each hidden count two values."""
    found, followed = given_back(Limit(least), causes, most_rows, times)
    assert (found > 100, followed) == (True, 0)


def test_marking_each_small_count_would_give_some_back() -> None:
    """The check sees the leak of the plainer rule: the mark beside each small count alone."""

    class Each(Limit):
        def column(self, standings: Sequence[Standing]) -> list[Shown]:
            return [
                Shown(tuple(self.count(count) for count in standing.counts), "<3")
                for standing in standings
            ]

    assert given_back(Each(3), 2, 6, 2)[1] > 0
