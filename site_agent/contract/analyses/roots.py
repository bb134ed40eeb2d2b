"""Where a function of one variable changes its sign."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

CLOSEST: Final = 2.0**-60  # what is nearer than this is one place


def crossing(function: Callable[[float], float], low: float, high: float) -> float:
    """Return a zero of a continuous function between places where its signs differ.

    By bisection, until no double lies between or they are within 2^-60. SciPy's brentq takes
    fewer steps, but to load scipy.optimize takes longer than all steps, at every site of a
    release. Raises ValueError for equal signs, and where the function is no number.
    """
    below, above = _number(function(low)), _number(function(high))
    if below and above and (below > 0) == (above > 0):
        raise ValueError("the function has the same sign at both ends")
    while below and above and high - low > CLOSEST and low < (middle := (low + high) / 2) < high:
        found = _number(function(middle))
        if found and (found > 0) == (below > 0):  # a product of the two might be too small
            low, below = middle, found
        else:
            high, above = middle, found
    return low if abs(below) <= abs(above) else high


def _number(value: float) -> float:
    if math.isnan(value):
        raise ValueError("the function is no number between the ends")
    return value
