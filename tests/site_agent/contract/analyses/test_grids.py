"""Values as whole numbers in their order."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from site_agent.contract.analyses.grids import (
    DOUBLES,
    Grid,
    absolute,
    difference,
    grid_in_dictionary,
    grid_of,
)
from tests.studytext import study

TENTHS = Grid(Fraction(-1), Fraction(20), Fraction(1, 10))


def test_doubles_are_in_order() -> None:
    """Keys of doubles ascend with the doubles, over signs, infinities aside."""
    values = np.array([-1e300, -2.5, -5e-324, 0.0, 5e-324, 1 / 3, 0.5, 1e300])
    assert np.all(np.diff(DOUBLES.keys(values).astype(object)) > 0)


def test_doubles_come_back() -> None:
    """A double is its key's value to the bit."""
    values = np.array([-math.pi, 0.1, 12345.678, -0.0])
    assert DOUBLES.values(DOUBLES.keys(values)).tolist() == values.tolist()


def test_negative_zero_is_zero() -> None:
    """-0 and 0 are one value."""
    assert len(set(DOUBLES.keys(np.array([-0.0, 0.0])).tolist())) == 1


def test_steps_come_back() -> None:
    """0.3 as a step is the double 0.3, not three times 0.1."""
    values = np.array([-1.0, 0.3, 0.7, 20.0])
    assert TENTHS.values(TENTHS.keys(values)).tolist() == values.tolist()


def test_values_between_steps_are_off() -> None:
    """A value between two steps, or outside of the range, is none of the grid's."""
    found = TENTHS.off(np.array([0.3, 0.35, 21.0, -1.1]))
    assert found.tolist() == [False, True, True, True]


def test_grid_is_an_argument() -> None:
    """A grid can be read back from an ask."""
    assert (grid_of(TENTHS.fixed()), grid_of(DOUBLES.fixed())) == (TENTHS, DOUBLES)


def test_an_integer_has_a_grid() -> None:
    """A whole number with a range has the grid of its range."""
    assert grid_in_dictionary(study(), "patients", "kps") == Grid(
        Fraction(0), Fraction(100), Fraction(1)
    )


def test_other_expressions_have_none() -> None:
    """A number without resolution and a derived one are doubles."""
    found = [grid_in_dictionary(study(), "patients", name) for name in ("age", "log10(kps)")]
    assert found == [DOUBLES, DOUBLES]


@pytest.mark.parametrize(
    ("expression", "low", "high"),
    [
        ("peak", 0, 5),
        ("min(grades.crs, where = day > 3)", 0, 5),
        ("first(grades, crs > 0)", -400, 400),
        ("last(grades, crs > 0) - first(grades, crs > 0) + 1", -799, 801),
        ("kps + kps - 10", -10, 190),
    ],
)
def test_what_follows_from_columns_has_a_grid(expression: str, low: int, high: int) -> None:
    """A largest value, a day, a difference of days: steps of the columns they are made of."""
    found = grid_in_dictionary(study(), "patients", expression)
    assert found == Grid(Fraction(low), Fraction(high), Fraction(1))


def test_difference_of_grids() -> None:
    """A difference of tenths is in tenths, and so is its size."""
    apart = difference(TENTHS, TENTHS)
    assert (apart, absolute(apart)) == (
        Grid(Fraction(-21), Fraction(21), Fraction(1, 10)),
        Grid(Fraction(0), Fraction(21), Fraction(1, 10)),
    )
