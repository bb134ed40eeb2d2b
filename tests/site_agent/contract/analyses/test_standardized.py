"""Standardized mean differences by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from site_agent.contract.analyses.standardized import of_levels, of_numbers


def counts(*levels: float) -> np.ndarray:
    return np.array(levels, dtype=np.float64)


def test_numbers() -> None:
    """Means 10 and 13, variances 4 and 16: 3 over the root of 10."""
    assert of_numbers([(10.0, 2.0), (13.0, 4.0)]) == pytest.approx(3 / math.sqrt(10), rel=1e-15)


def test_a_condition() -> None:
    """1 of 2 and 3 of 4: 1/4 over the root of (1/4 + 3/16) / 2."""
    found = of_levels([counts(1, 1), counts(1, 3)])
    assert found == pytest.approx(0.25 / math.sqrt((1 / 4 + 3 / 16) / 2), rel=1e-14)


def test_three_levels() -> None:
    """Proportions (1/2, 1/4, 1/4) and (1/4, 1/4, 1/2).

    S of the last two is (3/16, -3/32; -3/32, 7/32), its determinant 33/1024; of the difference
    (0, 1/4) the square is 1/16 times 3/16 over 33/1024, 4/11.
    """
    found = of_levels([counts(2, 1, 1), counts(1, 1, 2)])
    assert found == pytest.approx(math.sqrt(4 / 11), rel=1e-14)


def test_the_order_of_levels_does_not_matter() -> None:
    """Which level is left out changes nothing."""
    one, other = counts(5, 3, 2), counts(2, 2, 6)
    assert of_levels([one, other]) == pytest.approx(of_levels([one[::-1], other[::-1]]), rel=1e-13)


def test_a_level_that_nobody_has() -> None:
    """It is left out, and does not make S singular."""
    with_it = of_levels([counts(2, 0, 1), counts(1, 0, 2)])
    assert with_it == pytest.approx(of_levels([counts(2, 1), counts(1, 2)]), rel=1e-14)


def test_the_largest_of_three_groups() -> None:
    """Of three pairs the one farthest apart."""
    assert of_numbers([(0.0, 1.0), (1.0, 1.0), (5.0, 1.0)]) == 5.0


def test_no_level_in_common() -> None:
    """The first two groups share no level: no other pair is farther apart."""
    assert of_levels([counts(1, 1, 0), counts(0, 0, 3), counts(1, 1, 1)]) == math.inf


def test_numbers_that_do_not_vary() -> None:
    """1 and 2 without spread are infinitely far apart, whatever the third group."""
    assert of_numbers([(1.0, 0.0), (2.0, 0.0), (1.5, 1.0)]) == math.inf


@pytest.mark.parametrize("groups", [[(1.0, 2.0)], [(1.0, math.nan)] * 2, []])
def test_no_difference_to_tell(groups: list[tuple[float, float]]) -> None:
    """Without two groups that have a deviation there is none."""
    assert math.isnan(of_numbers(groups))


def test_alike() -> None:
    """Equal groups are 0 apart, also where nothing varies."""
    assert (of_numbers([(1.0, 0.0), (1.0, 0.0)]), of_levels([counts(3, 0), counts(5, 0)])) == (0, 0)
