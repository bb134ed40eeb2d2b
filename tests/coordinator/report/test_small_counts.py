"""Small counts in sentences, and from when on counts are small."""

from __future__ import annotations

import pytest

from coordinator.report.small_counts import Limit, limit_of
from coordinator.report.suppression import Suppressed
from tests.coordinator.report.made import disclosure

FIVE = Limit(5)


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


@pytest.mark.parametrize(
    ("count", "expected"), [(0, False), (1, True), (4, True), (5, False), (None, False)]
)
def test_one_to_four_are_small(count: int | None, expected: bool) -> None:
    """Nought is nobody, and what is not known is not small."""
    assert FIVE.small(count) == expected


@pytest.mark.parametrize(
    ("shown", "expected"), [(True, "12,345"), (False, Suppressed(5, alone=False))]
)
def test_a_cell_is_a_count_or_a_value_of_its_own(shown: bool, expected: object) -> None:
    """What is not shown is neither nought, nor empty, nor a text."""
    assert FIVE.cell(12345, shown=shown) == expected
