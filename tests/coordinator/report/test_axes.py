"""Round ticks within the range."""

from __future__ import annotations

import pytest

from coordinator.report.axes import highest_of, probability_axis, time_axis


@pytest.mark.parametrize(
    ("longest", "expected"),
    [
        (1022, (0, 250, 500, 750, 1000)),
        (60, (0, 20, 40, 60)),
        (6, (0, 2, 4, 6)),
        (28, (0, 10, 20)),
        (0.9, (0, 0.2, 0.4, 0.6, 0.8)),
        (10, (0, 2, 4, 6, 8, 10)),
        (0, (0, 0.2, 0.4, 0.6, 0.8, 1.0)),
    ],
)
def test_ticks_of_time_are_round(longest: float, expected: tuple[float, ...]) -> None:
    """At most six ticks, at 1, 2, 2.5 or 5 times a power of ten."""
    assert time_axis(longest, 0, 100).ticks == pytest.approx(expected)


@pytest.mark.parametrize(
    ("highest", "top"), [(1.0, 1.0), (0.76, 1.0), (0.7, 0.75), (0.38, 0.4), (0.01, 0.1), (0, 0.1)]
)
def test_the_axis_of_probabilities_ends_just_above(highest: float, top: float) -> None:
    """An incidence is drawn on an axis that fits it, never shorter than a tenth."""
    assert probability_axis(highest, 0, 100).top == pytest.approx(top)


def test_a_value_has_its_place() -> None:
    """A quarter of the axis is a quarter of the way, also upwards."""
    assert probability_axis(1.0, 200, 0).place(0.25) == 150


def test_the_highest_value_ignores_what_is_unknown() -> None:
    """Limits without a value do not count."""
    assert highest_of([(0.2, None), (0.4,), ()]) == 0.4
