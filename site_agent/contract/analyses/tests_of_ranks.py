"""Rank tests from pooled midranks: Wilcoxon's rank sum and signed rank, Kruskal-Wallis.

Of N values, n_g in group g, R_g is the sum of the midranks of a group; t runs over groups of tied
values.

    W = R_1 - n_1 (n_1 + 1) / 2                                    Mann and Whitney 1947
    var W = n_1 n_2 / 12 (N + 1 - sum of (t^3 - t) / (N (N - 1)))  Hollander and Wolfe 1999, 4.1
    H = 12 / (N (N + 1)) sum of n_g (R_g / n_g - (N + 1) / 2)^2
        / (1 - sum of (t^3 - t) / (N^3 - N))                       Kruskal and Wallis 1952
    V = sum of the ranks of |d| over d > 0, of n values d that are not 0
    var V = n (n + 1) (2 n + 1) / 24 - sum of (t^3 - t) / 48       Wilcoxon 1945

As `wilcox.test`: the normal distribution with a continuity correction of 1/2 (or without);
exact if both groups (all pairs) are fewer than 50 and nothing ties, and no difference is 0. The
shift is that of Hodges and Lehmann (1963), the median of all differences; its limits are the
differences at which the test just rejects, where R's `uniroot` stops within 1e-4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.special import ndtr, ndtri

from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats

EXACT_BELOW: Final = 50
MOST_DIFFERENCES: Final = 1 << 22
MOST_PAIRS: Final = 200_000
Exact = Literal["auto", "always", "never"]
ALL_EQUAL: Final = "all values are equal; there is nothing to compare"


@dataclass(frozen=True, slots=True)
class RankTest:
    """A test of ranks: its statistic, p-value, and by which distribution ('exact', 'normal')."""

    statistic: float
    p_value: float
    distribution: str
    df: int | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """The Hodges-Lehmann shift of the first group against the second, with limits."""

    estimate: float
    low: float
    high: float


def tied(counts: Floats) -> float:
    """Return the sum of t^3 - t over the counts of equal values."""
    return float((counts**3 - counts).sum())


def midranks(counts: Floats) -> Floats:
    """Return the midranks of ascending values, each of which is there so many times."""
    return np.asarray(np.cumsum(counts) - (counts - 1) / 2)


def is_exact(exact: Exact, sizes: tuple[int, ...], counts: Floats, *, zeros: int = 0) -> bool:
    """Return whether a test is exact; AnalysisError if it must be and ties or zeros forbid it."""
    untied = counts.max(initial=0) <= 1 and not zeros
    if exact == "always" and (not untied or math.prod(sizes) > MOST_PAIRS):
        raise AnalysisError(
            "there is no exact p-value: values tie or differences are 0, or the groups are too "
            "large; take 'exact: auto'"
        )
    small = max(sizes) < EXACT_BELOW or exact == "always"
    return bool(untied and small and exact != "never")


def wilcoxon(
    rank_sum: float, n: tuple[int, int], counts: Floats, *, correct: bool, exact: Exact = "auto"
) -> RankTest:
    """Return the rank sum test: the first group's rank sum, both sizes, how often each value is."""
    first, second = n
    if not first or not second:
        raise AnalysisError("a group has no values; there is nothing to compare")
    w = rank_sum - first * (first + 1) / 2
    if is_exact(exact, n, counts):
        return RankTest(w, _exact_p(w, rank_sum_counts(first, second)), "exact")
    spread = math.sqrt(_rank_sum_variance(n, tied(counts)))
    if spread == 0:
        raise AnalysisError(ALL_EQUAL)
    return RankTest(w, _normal_p(w - first * second / 2, spread, correct), "normal")


def _rank_sum_variance(n: tuple[int, int], ties: float) -> float:
    whole = sum(n)
    return n[0] * n[1] / 12 * (whole + 1 - ties / (whole * (whole - 1)))


def _normal_p(apart: float, spread: float, correct: bool) -> float:
    z = (apart - np.sign(apart) * 0.5 * correct) / spread
    return float(min(1.0, 2 * min(ndtr(z), ndtr(-z))))


def _exact_p(statistic: float, ways: list[int]) -> float:
    """Return the two-sided p of a symmetric whole statistic with so many ways for each value."""
    value, whole = round(statistic), sum(ways)
    below = sum(ways[: value + 1])
    above = sum(ways[value:])
    return min(1.0, 2 * min(below, above) / whole)


def rank_sum_counts(first: int, second: int) -> list[int]:
    """Return how many samples have W = 0, 1, ..., first * second; Gauss's binomial coefficients."""
    ways = [1] + [0] * (first * second)
    for i in range(1, first + 1):
        # Times 1 - q^(second + i), divided by 1 - q^i.
        for place in range(len(ways) - 1, second + i - 1, -1):
            ways[place] -= ways[place - second - i]
        for place in range(i, len(ways)):
            ways[place] += ways[place - i]
    return ways


def signed_rank_counts(n: int) -> list[int]:
    """Return how many choices of signs have V = 0, 1, ..., n (n + 1) / 2."""
    ways = [1] + [0] * (n * (n + 1) // 2)
    for rank in range(1, n + 1):
        for place in range(len(ways) - 1, rank - 1, -1):
            ways[place] += ways[place - rank]
    return ways


def signed_rank(
    rank_sum: float, counts: Floats, *, zeros: int, correct: bool, exact: Exact = "auto"
) -> RankTest:
    """Return the signed rank test; counts: how often each size of a difference other than 0 is."""
    n = int(counts.sum())
    if n == 0:
        raise AnalysisError("all differences are 0; there is nothing to test")
    if is_exact(exact, (n,), counts, zeros=zeros):
        return RankTest(rank_sum, _exact_p(rank_sum, signed_rank_counts(n)), "exact")
    spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24 - tied(counts) / 48)
    return RankTest(rank_sum, _normal_p(rank_sum - n * (n + 1) / 4, spread, correct), "normal")


def kruskal(rank_sums: Floats, sizes: Floats, counts: Floats) -> RankTest:
    """Return the Kruskal-Wallis test over the groups that have values."""
    held = sizes > 0
    if held.sum() < 2:
        raise AnalysisError("fewer than two groups have values; there is nothing to compare")
    n, whole = sizes[held], float(sizes.sum())
    apart = rank_sums[held] / n - (whole + 1) / 2
    scale = 1 - tied(counts) / (whole**3 - whole)
    if scale <= 0:
        raise AnalysisError(ALL_EQUAL)
    statistic = float(12 / (whole * (whole + 1)) * (n @ apart**2) / scale)
    df = len(n) - 1
    return RankTest(statistic, chi_square_p(statistic, df), "chi-square", df)


def shift(
    values: Floats, counts: Floats, *, level: float, correct: bool, exact: Exact = "auto"
) -> Shift:
    """Return the shift between two groups with counts (2, K) of values (K,), and its limits."""
    (one, weights), (two, others) = ((values[c > 0], c[c > 0]) for c in counts)
    if len(one) * len(two) > MOST_DIFFERENCES:
        raise AnalysisError(
            "the groups have too many different values for the shift between them; leave 'shift' "
            "out, or give the variable a coarser resolution"
        )
    apart = np.subtract.outer(one, two).ravel()
    order = np.argsort(apart, kind="stable")
    reached = np.cumsum(np.outer(weights, others).ravel()[order])
    n = (int(weights.sum()), int(others.sum()))
    if is_exact(exact, n, counts.sum(axis=0)):
        place = _exact_place(rank_sum_counts(*n), (1 - level) / 2)
    else:
        place = _normal_place(n, tied(weights) + tied(others), level=level, correct=correct)
    return _limits(apart[order], reached, place)


def _normal_place(n: tuple[int, int], ties: float, *, level: float, correct: bool) -> int:
    """Return the place of the lower limit: above it, enough differences to reject."""
    pairs, z = n[0] * n[1], -float(ndtri((1 - level) / 2))
    above = pairs / 2 + 0.5 * correct + z * math.sqrt(_rank_sum_variance(n, ties))
    return pairs - math.ceil(above) + 1


def _limits(apart: Floats, reached: Floats, place: int) -> Shift:
    """Return the median of ascending differences, of which `reached` have come, and its limits.

    place: that of the lower limit, from 1; the upper one has as many above it.
    """
    pairs = int(reached[-1])

    def at(place: int) -> float:
        return float(apart[np.searchsorted(reached, min(max(place, 1), pairs))])

    median = (at((pairs + 1) // 2) + at(pairs // 2 + 1)) / 2
    return Shift(median, at(place), at(pairs - place + 1))


def _exact_place(ways: list[int], tail: float) -> int:
    """Return the place of the lower limit: the first value of which more than `tail` lie below."""
    whole, reached = sum(ways), 0
    for value, count in enumerate(ways):
        reached += count
        if reached / whole >= tail:
            return max(value, 1)
    return 1
