"""Limits of proportions by hand, and in scipy and statsmodels."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint

from site_agent.contract.analyses.binomial import METHODS, clopper_pearson, wilson

CASES = [(x, n) for n in (1, 2, 11, 43, 228) for x in sorted({0, 1, n // 3, n // 2, n - 1, n})]


def test_nobody_of_one() -> None:
    """0 of 1: (1 - p) = a/2, so the upper limit is 1 - a/2."""
    assert clopper_pearson(0, 1, 0.9) == (0.0, pytest.approx(0.95, rel=1e-14))


def test_one_of_one_has_a_root() -> None:
    """2 of 2: p^2 = a/2."""
    assert clopper_pearson(2, 2, 0.95) == (pytest.approx(math.sqrt(0.025), rel=1e-13), 1.0)


def test_the_paper_s_six_of_eleven() -> None:
    """55 % (23 to 83)."""
    assert [round(100 * limit) for limit in clopper_pearson(6, 11, 0.95)] == [23, 83]


@pytest.mark.parametrize(("x", "n"), CASES)
def test_exact_limits_as_scipy(x: int, n: int) -> None:
    """scipy finds them by search."""
    found = binomtest(x, n).proportion_ci(0.95, method="exact")
    assert clopper_pearson(x, n, 0.95) == pytest.approx((found.low, found.high), abs=1e-10)


@pytest.mark.parametrize(("x", "n"), CASES)
def test_score_limits_as_statsmodels(x: int, n: int) -> None:
    """Wilson's limits at 90 %."""
    expected = proportion_confint(x, n, alpha=0.1, method="wilson")
    assert wilson(x, n, 0.9) == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("x", "n"), CASES)
def test_limits_hold_the_proportion(method: str, x: int, n: int) -> None:
    """Low, proportion and high ascend within 0 and 1."""
    low, high = METHODS[method](x, n, 0.95)
    assert 0 <= low <= x / n + 1e-15 and x / n - 1e-15 <= high <= 1
