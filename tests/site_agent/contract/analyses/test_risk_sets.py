"""Cox's likelihood on six patients with one covariate, in exact fractions.

    time   die (x)   censored (x)   at risk (x)
    1      1         -              1 0 2 1 1 0
    2      0, 2      1              0 2 1 1 0
    3      1         -              1 0
    4      -         0              0

At beta = 0 all weigh 1; at beta = log 2 a patient weighs 2 to the power of x.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from site_agent.contract.analyses.risk_sets import deaths_of, likelihood, risk_set_sums, unpack
from site_agent.contract.frames import Rows
from site_agent.contract.sums import Arrays
from tests.site_agent.contract.analyses.by_hand import F, floats, rows

TIMES, CAUSES, X = [1, 2, 2, 2, 3, 4], [1, 1, 1, 0, 1, 0], [1, 0, 2, 1, 1, 0]
SIX = rows(TIMES, CAUSES, x=[[x] for x in X])


def point(
    given: Rows = SIX, beta: float = 0.0, *, efron: bool, centre: float = 0.0, strata: int = 1
) -> list[float]:
    """Return log-likelihood, score and information of one covariate."""
    deaths = deaths_of(given, strata)
    at, about = np.array([beta]), np.array([centre])
    sums = risk_set_sums(given, at, about, deaths=deaths, efron=efron)
    found = likelihood(sums, deaths, 1, efron=efron)
    return [float(found[name][0]) for name in ("loglik", "score", "information")]


def test_efron_at_zero() -> None:
    """The second of the tied deaths meets 5 less half of the dying, 4 with a sum of 3 and 4."""
    score = 4 - F(5, 6) - F(4, 5) - F(3, 4) - F(1, 2)
    information = (
        F(7, 6) - F(5, 6) ** 2 + F(6, 5) - F(4, 5) ** 2 + F(4, 4) - F(3, 4) ** 2 + F(1, 2) - F(1, 4)
    )
    expected = [-math.log(6 * 5 * 4 * 2), *floats([score, information])]
    assert point(efron=True) == pytest.approx(expected, rel=1e-14)


def test_breslow_at_zero() -> None:
    """Both tied deaths meet all 5 at risk."""
    score = 4 - F(5, 6) - 2 * F(4, 5) - F(1, 2)
    information = F(7, 6) - F(5, 6) ** 2 + 2 * (F(6, 5) - F(4, 5) ** 2) + F(1, 2) - F(1, 4)
    expected = [-math.log(6 * 5 * 5 * 2), *floats([score, information])]
    assert point(efron=False) == pytest.approx(expected, rel=1e-14)


def test_efron_at_log_2() -> None:
    """Weights at risk are 12, then 10, of which 5 die, then 3."""
    likeliness = F(2**4, 1) / (12 * 10 * F(15, 2) * 3)
    score = 4 - F(14, 12) - F(12, 10) - F(12 - 4, 10) / F(3, 4) - F(2, 3)
    expected = [math.log(likeliness), float(score)]
    assert point(beta=math.log(2), efron=True)[:2] == pytest.approx(expected, rel=1e-14)


def test_breslow_at_log_2() -> None:
    """Weights at risk are 12, 10 twice, and 3; the information is the weighted variance of x."""
    score = 4 - F(14, 12) - 2 * F(12, 10) - F(2, 3)
    information = (
        F(22, 12) - F(14, 12) ** 2 + 2 * (F(20, 10) - F(12, 10) ** 2) + F(2, 3) - F(2, 3) ** 2
    )
    expected = [math.log(F(2**4, 12 * 10 * 10 * 3)), *floats([score, information])]
    assert point(beta=math.log(2), efron=False) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("efron", [True, False])
def test_centring_changes_nothing(efron: bool) -> None:
    """Subtracting a constant from the covariate leaves the likelihood as it is."""
    moved = point(beta=0.7, efron=efron, centre=0.9)
    assert point(beta=0.7, efron=efron) == pytest.approx(moved, rel=1e-13)


@pytest.mark.parametrize("efron", [True, False])
def test_sums_add_up_over_sites(efron: bool) -> None:
    """Two sites that know the pooled deaths give sums that add up to the pooled ones."""
    deaths, beta, centre = deaths_of(SIX, 1), np.array([0.3]), np.zeros(1)

    def sums(given: Rows) -> Arrays:
        return risk_set_sums(given, beta, centre, deaths=deaths, efron=efron)

    odd = np.arange(6) % 2 == 1
    one, two = sums(SIX.subset(odd)), sums(SIX.subset(~odd))
    together = np.concatenate([(one[name] + two[name]).ravel() for name in one])
    pooled = np.concatenate([value.ravel() for value in sums(SIX).values()])
    assert together == pytest.approx(pooled, rel=1e-14)


def test_left_truncation() -> None:
    """Who enters on day 2 is at risk on day 3, not on day 2: 1 * 1/2, then 1/2."""
    late = rows([2, 3, 3], [1, 1, 0], entry=[0, 1, 2], x=[[0], [1], [1]])
    score, information = 1 - F(1, 2) - 1, F(1, 4)
    expected = [-math.log(2 * 2), *floats([score, information])]
    assert point(late, efron=True) == pytest.approx(expected, rel=1e-14)


def test_efron_with_left_truncation() -> None:
    """Tied deaths are taken off the truncated risk set: 3, then 3 less half of 2."""
    late = rows([2, 2, 4, 4], [1, 1, 0, 0], entry=[0, 1, 0, 2], x=[[0], [1], [2], [5]])
    score = 1 - F(3, 3) - F(5, 2) / 2
    assert point(late, efron=True)[:2] == pytest.approx([-math.log(3 * 2), float(score)])


def test_strata_add_up() -> None:
    """A second stratum of the same patients doubles all three."""
    twice = rows(TIMES * 2, CAUSES * 2, stratum=[0] * 6 + [1] * 6, x=[[x] for x in X * 2])
    expected = [2 * value for value in point(beta=0.4, efron=True)]
    assert point(twice, 0.4, efron=True, strata=2) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("cause", [0, 1])
def test_a_stratum_of_one(cause: int) -> None:
    """A stratum of one patient, dying or not, and an empty one add nothing."""
    more = rows([*TIMES, 3], [*CAUSES, cause], stratum=[0] * 6 + [2], x=[[x] for x in [*X, 9]])
    expected = point(beta=0.4, efron=True)
    assert point(more, 0.4, efron=True, strata=3) == pytest.approx(expected, rel=1e-14)


def test_the_last_to_die() -> None:
    """Where all at risk die together, Efron's risk set shrinks to 1/2 and never to nothing."""
    out = rows([1, 1], [1, 1], x=[[0], [1]])
    expected = [-math.log(2 * 1), *floats([1 - F(1, 2) - F(1, 2), F(1, 4) + F(1, 4)])]
    assert point(out, efron=True) == pytest.approx(expected, abs=1e-15)


def test_two_covariates() -> None:
    """The information of two covariates is their covariance among those at risk."""
    two = rows([1, 2, 3], [1, 0, 0], x=[[1, 0], [0, 1], [2, 2]])
    deaths = deaths_of(two, 1)
    sums = risk_set_sums(two, np.zeros(2), np.zeros(2), deaths=deaths, efron=True)
    information = unpack(likelihood(sums, deaths, 2, efron=True)["information"], 2)
    expected: list[Fraction] = [F(5, 3) - 1, F(4, 3) - 1, F(4, 3) - 1, F(5, 3) - 1]
    assert information.ravel() == pytest.approx(floats(expected), rel=1e-14)


def test_efron_where_a_thousand_die_together() -> None:
    """Summed death by death in exact fractions; rounding does not grow with the number of ties."""
    x = [k % 7 for k in range(1000)]
    found = point(rows([1] * 1000, [1] * 1000, x=[[value] for value in x]), efron=True)
    mean = F(sum(x), 1000)  # of whoever is left, on average the same mixture
    variance = F(sum(value * value for value in x), 1000) - mean**2
    assert found[1:] == pytest.approx([0.0, float(1000 * variance)], rel=1e-13, abs=1e-10)
