"""The zero of a function, by bisection to the last bit."""

from __future__ import annotations

import math

import pytest

from site_agent.contract.analyses.roots import CLOSEST, crossing


def test_a_zero_is_found_to_the_last_bit() -> None:
    """The square root of 2, and minus that, are found up to a unit in the last place."""
    root = math.sqrt(2)
    assert abs(crossing(lambda x: x * x - 2, 0.0, 2.0) - root) <= math.ulp(root)
    assert abs(crossing(lambda x: 2 - x * x, -2.0, 0.0) + root) <= math.ulp(root)


def test_a_zero_at_an_end_or_in_the_middle_is_that_place() -> None:
    """A function that is 0 at an end, or at the first look, is looked at no further."""
    assert crossing(lambda x: x, 0.0, 1.0) == 0.0
    assert crossing(lambda x: x - 1, 0.0, 1.0) == 1.0
    assert crossing(lambda x: x, -1.0, 1.0) == 0.0


def test_a_zero_near_zero_takes_few_steps() -> None:
    """Near 0, where doubles are dense, it ends within 2^-60 and not at the smallest double."""
    looks: list[float] = []

    def rises(x: float) -> float:
        looks.append(x)
        return x - 1e-30

    assert abs(crossing(rises, -1.0, 1.0) - 1e-30) <= CLOSEST
    assert len(looks) < 70


def test_equal_signs_are_no_crossing() -> None:
    """Where the function has one sign at both ends, nothing is returned."""
    with pytest.raises(ValueError, match="same sign"):
        crossing(lambda x: x * x + 1, -1.0, 1.0)


def test_values_too_small_to_be_multiplied() -> None:
    """Signs count, also of numbers whose product is 0."""
    assert abs(crossing(lambda x: 1e-170 * (x - 0.3), 0.0, 1.0) - 0.3) <= math.ulp(0.3)
    with pytest.raises(ValueError, match="same sign"):
        crossing(lambda x: 1e-170, 0.0, 1.0)


@pytest.mark.parametrize("where", [0.0, 0.5, 1.0])
def test_what_is_no_number_is_no_crossing(where: float) -> None:
    """NaN at an end or on the way is refused, not taken for a sign."""
    with pytest.raises(ValueError, match="no number"):
        crossing(lambda x: math.nan if x == where else x - 0.4, 0.0, 1.0)
