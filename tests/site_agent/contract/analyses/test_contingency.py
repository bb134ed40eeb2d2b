"""Tests of tables by hand, and in scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.stats.contingency import odds_ratio

from site_agent.contract.analyses.contingency import chi_square, fisher, trend
from site_agent.contract.errors import AnalysisError
from tests.site_agent.contract.analyses.by_hand import F

TABLE = np.array([[8.0, 2.0], [1.0, 5.0]])
WIDE = np.array([[8.0, 2.0, 3.0], [1.0, 5.0, 4.0]])


def test_chi_square() -> None:
    """16 (8 5 - 2 1)^2 / (10 6 9 7)."""
    found = chi_square(TABLE, correct=False)
    assert found.statistic == pytest.approx(float(F(16 * 38**2, 10 * 6 * 9 * 7)), rel=1e-14)


def test_yates() -> None:
    """16 (38 - 8)^2 / (10 6 9 7): half of 16 is taken off."""
    found = chi_square(TABLE, correct=True)
    assert found.statistic == pytest.approx(float(F(16 * 30**2, 10 * 6 * 9 * 7)), rel=1e-14)


def test_larger_tables_are_not_corrected() -> None:
    """A table of two by three has no correction, and scipy's p."""
    theirs = stats.chi2_contingency(WIDE, correction=False)
    found = chi_square(WIDE, correct=True)
    assert (found.statistic, found.p_value, found.df) == pytest.approx(tuple(theirs[:3]))


def test_fisher() -> None:
    """P of 8, 9 and of 3 among C(16, 10): (9 C(7,2) + ...): 1 of both ends, by hand."""
    ways = {x: math.comb(9, x) * math.comb(7, 10 - x) for x in range(3, 10)}
    p = F(sum(n for n in ways.values() if n <= ways[8]), math.comb(16, 10))
    assert fisher(TABLE, level=0.95).p_value == pytest.approx(float(p), rel=1e-12)


def test_odds_ratio_in_scipy() -> None:
    """The conditional odds ratio and its exact limits are scipy's."""
    found = fisher(TABLE, level=0.95)
    theirs = odds_ratio(TABLE.astype(int))
    limits = theirs.confidence_interval(0.95)
    wanted = (theirs.statistic, limits.low, limits.high)
    assert (found.odds_ratio, found.conf_low, found.conf_high) == pytest.approx(wanted, rel=1e-7)


def test_odds_ratio_at_the_ends() -> None:
    """An empty cell gives 0 or infinity, with a limit on the other side."""
    none, all_of = (
        fisher(np.array([[0.0, 5], [4, 3]]), level=0.9),
        fisher(np.array([[5.0, 0], [3, 4]]), level=0.9),
    )
    assert (none.odds_ratio, none.conf_low, all_of.odds_ratio, all_of.conf_high) == (
        0,
        0,
        math.inf,
        math.inf,
    )


def test_trend() -> None:
    """Shares 1/4, 2/4, 3/4: slope sum 2 over 1/4 of 8: chi-square 2."""
    table = np.array([[3.0, 1.0], [2.0, 2.0], [1.0, 3.0]])
    assert trend(table).statistic == pytest.approx(2.0, rel=1e-14)


def test_one_level() -> None:
    """A table of one column is no test, in words."""
    with pytest.raises(AnalysisError, match="nothing to compare"):
        chi_square(np.array([[3.0, 0.0], [4.0, 0.0]]), correct=True)
