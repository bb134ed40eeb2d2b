"""Limits of proportions by hand, and in scipy and statsmodels."""

from __future__ import annotations

import math

import pytest
from scipy.stats import binomtest
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from site_agent.contract.analyses.binomial import (
    METHODS,
    clopper_pearson,
    exact_p,
    score_p,
    wilson,
    wilson_cc,
)

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


def test_exact_p_by_hand() -> None:
    """1 of 4 against 1/2: of 16 ways 5 have at most one, and 5 at least three."""
    assert exact_p(1, 4, 0.5) == pytest.approx(10 / 16, rel=1e-15)


def test_exact_p_of_one_tail() -> None:
    """3 of 3 against 1/4: (1/4)^3, as no other number is as rare."""
    assert exact_p(3, 3, 0.25) == pytest.approx(1 / 64, rel=1e-15)


def test_score_p_by_hand() -> None:
    """60 of 100 against 1/2: z is 2, corrected 1.9."""
    found = [score_p(60, 100, 0.5, correct=correct) for correct in (False, True)]
    assert found == pytest.approx([math.erfc(z / math.sqrt(2)) for z in (2, 1.9)], rel=1e-14)


@pytest.mark.parametrize("against", [0.03, 0.3, 0.5, 0.9])
@pytest.mark.parametrize(("x", "n"), [*CASES, (400_123, 1_000_000)])
def test_exact_p_as_scipy(x: int, n: int, against: float) -> None:
    """scipy finds the other tail by search."""
    expected = binomtest(x, n, against).pvalue
    assert exact_p(x, n, against) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(("x", "n"), CASES)
def test_score_p_as_statsmodels(x: int, n: int) -> None:
    """The z test with the variance of the probability tested."""
    _, expected = proportions_ztest(x, n, 0.3, prop_var=0.3)
    assert score_p(x, n, 0.3, correct=False) == pytest.approx(expected, rel=1e-12)


def test_corrected_limits_are_roots() -> None:
    """At the limits of 3 of 20, tested against 0.4, the corrected distance is z deviations."""
    z, correction = 1.959963984540054, 0.5
    for limit in wilson_cc(3, 20, 0.95, 0.4):
        apart = abs(3 - 20 * limit) - correction
        assert apart / math.sqrt(20 * limit * (1 - limit)) == pytest.approx(z, rel=1e-12)
