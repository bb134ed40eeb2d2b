"""Mean, spread and quantiles of a distribution: values in ascending order, and how often each.

With n values x_1 <= ... <= x_n, numbered with repetitions (Hyndman and Fan, Am Stat 50 (1996)
361-365, whose numbers the types have):

    type 7:  h = (n - 1) p + 1,   x_floor(h) + (h - floor(h)) (x_floor(h)+1 - x_floor(h))
    type 2:  h = n p;   x_ceil(h), and (x_h + x_h+1) / 2 where h is a whole number
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from site_agent.contract.frames import Floats

WHOLE: Final = 4 * 2.0**-52  # n p within this of a whole number is one, relative, as R's quantile


@dataclass(frozen=True, slots=True)
class Summary:
    """A number in one group; NaN where it has no value. n: rows that have it."""

    n: int
    mean: float
    std_dev: float
    quartiles: tuple[float, float, float]
    minimum: float
    maximum: float


def summarise(values: Floats, counts: Floats, kind: int) -> Summary:
    """Return the summary of values (K,) ascending that stand `counts` (K,) times each."""
    held = counts > 0
    values, counts = values[held], counts[held]
    n = int(counts.sum())
    if not n:
        return Summary(0, math.nan, math.nan, (math.nan,) * 3, math.nan, math.nan)
    mean = float(values @ counts) / n
    squares = float((values - mean) ** 2 @ counts)
    spread = math.sqrt(squares / (n - 1)) if n > 1 else math.nan
    first, middle, third = (quantile(values, counts, p, kind) for p in (0.25, 0.5, 0.75))
    return Summary(n, mean, spread, (first, middle, third), float(values[0]), float(values[-1]))


def quantile(values: Floats, counts: Floats, p: float, kind: int) -> float:
    """Return the quantile of values (K,) ascending with counts (K,), at least one of them.

    >>> quantile(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 1.0]), 0.75, 7)
    2.5
    """
    ends = np.cumsum(counts)
    n = float(ends[-1])

    def at(place: float) -> float:
        return float(values[np.searchsorted(ends, min(max(place, 1.0), n))])

    if kind == 7:
        h = (n - 1) * p + 1
        low, high = at(math.floor(h)), at(math.floor(h) + 1)
        return low + (h - math.floor(h)) * (high - low)
    h = n * p
    if abs(h - round(h)) <= WHOLE * max(1.0, h):
        return (at(round(h)) + at(round(h) + 1)) / 2
    return at(math.ceil(h))
