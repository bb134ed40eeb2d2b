"""Confidence limits of a probability, worked by hand on each scale."""

from __future__ import annotations

import math

import numpy as np
import pytest

from site_agent.contract.analyses.intervals import (
    SCALES,
    chi_square_p,
    limits,
    normal_quantile,
    two_sided_p,
)

Z = 1.959963984540054


def limits_of(p: float, se: float, scale: str) -> list[float]:
    low, high = limits(np.array([p]), np.array([se]), scale=scale, level=0.95)
    return [float(low[0]), float(high[0])]


def expit(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_quantile() -> None:
    """A level of 95 % is 1.96 standard errors on each side."""
    assert normal_quantile(0.95) == pytest.approx(Z, rel=1e-15)


def test_p_of_a_normal_statistic() -> None:
    """At the quantile the two-sided p is what is left of the level."""
    assert two_sided_p(-Z) == pytest.approx(0.05, rel=1e-13)


def test_p_of_a_chi_square() -> None:
    """With two degrees of freedom, p is exp(-x / 2)."""
    assert chi_square_p(30.0, 2) == pytest.approx(math.exp(-15), rel=1e-13)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ("plain", [0.5 - Z / 10, 0.5 + Z / 10]),
        ("log", [0.5 * math.exp(-Z / 5), 0.5 * math.exp(Z / 5)]),
        ("logit", [expit(-Z * 0.4), expit(Z * 0.4)]),
        ("arcsin", [math.sin(math.pi / 4 + s * Z / 10) ** 2 for s in (-1, 1)]),
        ("log-log", [0.5 ** math.exp(s * Z / 5 / math.log(2)) for s in (1, -1)]),
        ("cloglog", [1 - 0.5 ** math.exp(s * Z / 5 / math.log(2)) for s in (-1, 1)]),
    ],
)
def test_one_half(scale: str, expected: list[float]) -> None:
    """With p = 1/2 and an error of 1/10 each scale's transformation can be written down."""
    assert limits_of(0.5, 0.1, scale) == pytest.approx(expected, rel=1e-14)


def test_plain_limits_stay_within_0_and_1() -> None:
    """Plain limits are cut to probabilities."""
    assert limits_of(0.5, 0.5, "plain") == [0.0, 1.0]


def test_the_upper_log_limit_stays_below_1() -> None:
    """The upper limit on the log scale is cut at 1."""
    assert limits_of(0.9, 0.2, "log")[1] == 1.0


def test_wide_arcsin_limits() -> None:
    """The angle is cut to a quarter turn."""
    assert limits_of(0.5, 0.9, "arcsin") == [0.0, 1.0]


@pytest.mark.parametrize("scale", [scale for scale in SCALES if scale != "plain"])
def test_no_limits_at_0(scale: str) -> None:
    """Where p is 0 the transformation has no value, and there are no limits."""
    assert limits_of(0.0, 0.0, scale) == pytest.approx([math.nan, math.nan], nan_ok=True)


@pytest.mark.parametrize("scale", ["log-log", "logit", "arcsin", "cloglog"])
def test_no_limits_at_1(scale: str) -> None:
    """Where p is 1 there are none either, but on the log and the plain scale."""
    assert limits_of(1.0, 0.0, scale) == pytest.approx([math.nan, math.nan], nan_ok=True)


@pytest.mark.parametrize("scale", SCALES)
def test_limits_enclose_the_estimate(scale: str) -> None:
    """The lower limit is below p and the upper one above."""
    low, high = limits_of(0.3, 0.05, scale)
    assert low < 0.3 < high


def test_limits_without_an_error() -> None:
    """Where the error has no value, the limits have none."""
    assert limits_of(0.0, math.nan, "plain") == pytest.approx([math.nan] * 2, nan_ok=True)
