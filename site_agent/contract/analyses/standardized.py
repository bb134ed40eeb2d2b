"""Standardized mean differences between groups: how far apart they are, whatever their sizes.

With mean m and standard deviation s of a number, and proportions p of a category's levels but the
first, in groups 1 and 2:

    number     |m_1 - m_2| / sqrt((s_1^2 + s_2^2) / 2)                          Austin 2009
    category   sqrt((p_1 - p_2)' S^-1 (p_1 - p_2)),  S = (C_1 + C_2) / 2,
               C_jj = p_j (1 - p_j),  C_jk = -p_j p_k                   Yang and Dalton 2012

Of more than two groups the largest of all pairs counts. Levels that neither group has are left out.
S is then singular only where the two groups have no level in common: they are infinitely far apart,
as are two numbers that differ and do not vary. A pair like that is the largest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import TypeVar

import numpy as np

from site_agent.contract.frames import Floats

T = TypeVar("T")


def of_numbers(groups: Sequence[tuple[float, float]]) -> float:
    """Return the largest difference of groups (mean, standard deviation); NaN without two.

    A group of one row has no deviation and is left out.

    >>> of_numbers([(1.0, 1.0), (3.0, 1.0)])
    2.0
    """
    known = [group for group in groups if not any(math.isnan(value) for value in group)]
    return _largest(known, _apart)


def of_levels(groups: Sequence[Floats]) -> float:
    """Return the largest difference of groups given by counts of levels (L,); NaN without two.

    >>> round(of_levels([np.array([1.0, 1.0]), np.array([3.0, 1.0])]), 6)
    0.534522
    """
    known = [counts / counts.sum() for counts in groups if counts.sum()]
    return _largest(known, _distance)


def _largest(groups: Sequence[T], apart: Callable[[T, T], float]) -> float:
    found = [apart(one, other) for one, other in combinations(groups, 2)]
    return max(found, default=math.nan)


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    difference, spread = abs(one[0] - other[0]), math.hypot(one[1], other[1]) / math.sqrt(2)
    if difference == 0:
        return 0.0
    return difference / spread if spread else math.inf


def _distance(one: Floats, other: Floats) -> float:
    there = (one + other) > 0
    first, second = one[there][1:], other[there][1:]
    difference = first - second
    if not difference.any():
        return 0.0
    pooled = (_covariance(first) + _covariance(second)) / 2
    if np.linalg.matrix_rank(pooled) < len(pooled):
        return math.inf
    return float(np.sqrt(difference @ np.linalg.solve(pooled, difference)))


def _covariance(p: Floats) -> Floats:
    return np.diag(p) - np.outer(p, p)
