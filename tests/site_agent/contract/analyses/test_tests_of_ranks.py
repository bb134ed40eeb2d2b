"""Rank tests by hand: exact fractions of few patients, and scipy."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from math import comb, sqrt

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtr

from site_agent.contract.analyses.tests_of_ranks import (
    kruskal,
    midranks,
    rank_sum_counts,
    shift,
    signed_rank,
    signed_rank_counts,
    tied,
    wilcoxon,
)
from site_agent.contract.errors import AnalysisError

ONE, TWO = [1.0, 2.0, 2.0, 5.0], [2.0, 3.0, 6.0, 6.0]  # values and two groups of them, by hand
VALUES = np.array([1.0, 2, 3, 5, 6])
COUNTS = np.array([[1.0, 2, 0, 1, 0], [0, 1, 1, 0, 2]])


def test_midranks() -> None:
    """1, then three twos at 3, 3 at 5, 5 at 6, two sixes at 7 1/2."""
    assert midranks(COUNTS.sum(axis=0)).tolist() == [1, 3, 5, 6, 7.5]


def test_ties() -> None:
    """Three equal and two equal: 24 + 6."""
    assert tied(COUNTS.sum(axis=0)) == 30


def test_rank_sum() -> None:
    """R = 13, W = 3; variance 16/12 (9 - 30/56); z = (3 - 8 + 1/2) / its root."""
    found = wilcoxon(13.0, (4, 4), COUNTS.sum(axis=0), correct=True)
    spread = sqrt(Fraction(16, 12) * (9 - Fraction(30, 56)))
    assert (found.statistic, found.p_value) == (
        3,
        pytest.approx(2 * ndtr(-4.5 / spread), rel=1e-14),
    )


def test_exact_counts_of_a_rank_sum() -> None:
    """Of all choices of 3 ranks among 7, as many have each W as are listed."""
    sums = [sum(chosen) - 6 for chosen in combinations(range(1, 8), 3)]
    assert rank_sum_counts(3, 4) == [sums.count(w) for w in range(13)]


def test_an_exact_rank_sum() -> None:
    """The smallest of all W of 3 and 4: 2 of 35."""
    found = wilcoxon(6.0, (3, 4), np.ones(7), correct=True)
    assert (found.p_value, found.distribution) == (pytest.approx(2 / 35, rel=1e-15), "exact")


def test_exact_counts_add_up() -> None:
    """49 and 49: every choice is counted once."""
    assert sum(rank_sum_counts(49, 49)) == comb(98, 49)


def test_exact_counts_of_signed_ranks() -> None:
    """Three ranks: 0, 1, 2, 3 twice, 4, 5, 6."""
    assert signed_rank_counts(3) == [1, 1, 1, 2, 1, 1, 1]


@pytest.mark.parametrize("correct", [True, False])
def test_rank_sum_in_scipy(correct: bool) -> None:
    """scipy gives the same, with and without correction."""
    theirs = stats.mannwhitneyu(ONE, TWO, method="asymptotic", use_continuity=correct)
    found = wilcoxon(13.0, (4, 4), COUNTS.sum(axis=0), correct=correct)
    assert (found.statistic, found.p_value) == pytest.approx(tuple(theirs), rel=1e-12)


def test_kruskal_in_scipy() -> None:
    """scipy gives the same statistic and p."""
    ranks = COUNTS @ midranks(COUNTS.sum(axis=0))
    found = kruskal(ranks, COUNTS.sum(axis=1), COUNTS.sum(axis=0))
    assert (found.statistic, found.p_value) == pytest.approx(tuple(stats.kruskal(ONE, TWO)))


def test_an_empty_group_costs_no_degree_of_freedom() -> None:
    """A third group without rows changes nothing."""
    counts, ranks = COUNTS.sum(axis=0), COUNTS @ midranks(COUNTS.sum(axis=0))
    three = kruskal(np.append(ranks, 0.0), np.array([4.0, 4, 0]), counts)
    assert three == kruskal(ranks, np.array([4.0, 4]), counts)


def test_signed_rank_in_scipy() -> None:
    """Sizes 1, 2, 2, 4 with ranks 1, 2 1/2, 2 1/2, 4, of which the last two rise."""
    theirs = stats.wilcoxon([-1, -2, 2, 4], method="asymptotic", correction=False)
    found = signed_rank(6.5, np.array([1.0, 2, 1]), zeros=0, correct=False)
    assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-12)


def test_an_exact_signed_rank_in_scipy() -> None:
    """Without ties and zeros it is exact."""
    theirs = stats.wilcoxon([1, -2, 3, 4, 5], method="exact")
    found = signed_rank(13.0, np.ones(5), zeros=0, correct=True)
    assert (found.p_value, found.distribution) == (pytest.approx(theirs.pvalue), "exact")


def test_shift() -> None:
    """The median of the sixteen differences: between its eighth and ninth."""
    apart = sorted(x - y for x in ONE for y in TWO)
    found = shift(VALUES, COUNTS, level=0.95, correct=True)
    assert found.estimate == (apart[7] + apart[8]) / 2


def test_limits_of_an_exact_shift() -> None:
    """5 and 5 untied at 95 %: the third difference from either end."""
    values, groups = np.array([1.1, 2.3, 3.8, 4.2, 5.9, 6.1, 7.7, 8.0, 9.4, 10.6]), [0, 1] * 5
    counts = np.array([[g == own for g in groups] for own in (0, 1)], dtype=float)
    found = shift(values, counts, level=0.95, correct=True)
    apart = sorted(x - y for x in values[::2] for y in values[1::2])
    assert (found.low, found.high) == (apart[2], apart[-3])


def test_all_values_equal() -> None:
    """Values without spread are no test."""
    with pytest.raises(AnalysisError, match="all values are equal"):
        wilcoxon(10.0, (4, 4), np.array([8.0]), correct=True)


def test_no_change_at_all() -> None:
    """Pairs that all stay have no signed ranks."""
    with pytest.raises(AnalysisError, match="all differences are 0"):
        signed_rank(0.0, np.zeros(0), zeros=5, correct=True)


def test_ties_forbid_an_exact_p() -> None:
    """An exact p that is asked for is refused in words where values tie."""
    with pytest.raises(AnalysisError, match="no exact p-value"):
        wilcoxon(13.0, (4, 4), COUNTS.sum(axis=0), correct=True, exact="always")
