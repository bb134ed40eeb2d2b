"""Tests of proportional hazards on six patients, in exact fractions (those of test_risk_sets.py).

    time   die (x)   at risk            E            V
    1      1         1 0 2 1 1 0        5/6          17/36
    2      0, 2      0 2 1 1 0          4/5          14/25     Breslow, twice
    3      1         1 0                1/2          1/4

With g = t less its mean over the four deaths, 2: g is -1, 0, 1.
"""

from __future__ import annotations

import numpy as np
import pytest

from site_agent.contract.analyses.proportionality import GLOBAL, score_tests, transformed
from site_agent.contract.analyses.risk_sets import Weights, deaths_of, likelihood, risk_set_sums
from tests.site_agent.contract.analyses.by_hand import DAYS, F, floats, groups, rows

TIMES, CAUSES, X = [1, 2, 2, 2, 3, 4], [1, 1, 1, 0, 1, 0], [1, 0, 2, 1, 1, 0]
SIX = rows(TIMES, CAUSES, x=[[x] for x in X])
TICKS, TIES = np.array([1, 2, 3]), np.array([1, 2, 1])
(COURSE,) = groups(SIX)


def g(name: str) -> list[float]:
    """Return a transform at the death times, centred."""
    return list(transformed(name, COURSE, DAYS, TICKS, TIES))


def test_identity() -> None:
    """The mean time of the four deaths is 2."""
    assert g("identity") == [-1.0, 0.0, 1.0]


def test_log() -> None:
    """Logarithms, less their mean over the deaths."""
    logs = np.log([1.0, 2.0, 3.0])
    assert g("log") == pytest.approx(logs - (logs @ TIES) / 4, rel=1e-15)


def test_rank() -> None:
    """Of all six times: 1, then 2 to 4 with a mean of 3, then 5; the deaths' mean is 3."""
    assert g("rank") == [-2.0, 0.0, 2.0]


def test_km() -> None:
    """S is 1 before 1, 5/6 before 2, 5/6 x 3/5 = 1/2 before 3; 1 - S has a mean of 5/24."""
    mean = (0 + 2 * F(1, 6) + F(1, 2)) / 4
    assert g("km") == pytest.approx(floats([-mean, F(1, 6) - mean, F(1, 2) - mean]), rel=1e-14)


def test_the_chi_square() -> None:
    """U = -(1 - 5/6) + (1 - 1/2) = 1/3; g V adds up to -17/36 + 1/4, g^2 V to 17/36 + 1/4."""
    deaths = deaths_of(SIX, 1)
    row = np.array([g("identity")])
    weights = Weights(row, np.concatenate([row, row**2]), row[:0])
    zero = np.zeros(1)
    sums = risk_set_sums(SIX, zero, zero, deaths=deaths, efron=False, weights=weights)
    totals = likelihood(sums, deaths, 1, efron=False, weights=weights)
    plain = F(17, 36) + 2 * F(14, 25) + F(1, 4)
    mixed, squared = F(1, 4) - F(17, 36), F(17, 36) + F(1, 4)
    expected = F(1, 3) ** 2 / (squared - mixed**2 / plain)
    information = np.array([[float(plain)]])
    found = score_tests(("identity",), totals, information, {"x": [0]}, np.array([False]))
    assert found[0].statistic == pytest.approx(float(expected), rel=1e-12)


def _of_two(aliased: list[bool]) -> list[tuple[str, int]]:
    totals = {"score": np.ones((1, 2)), "information": np.array([[0.0, 0, 0], [1, 0, 1]])}
    blocks = {"a": [0], "b": [1]}
    found = score_tests(("km",), totals, np.eye(2), blocks, np.array(aliased))
    return [(test.term, test.df) for test in found]


def test_each_covariate_and_all() -> None:
    """One test for each covariate, the last for all."""
    assert _of_two([False, False]) == [("a", 1), ("b", 1), (GLOBAL, 2)]


def test_an_aliased_column_has_no_test() -> None:
    """It counts in no degrees of freedom either."""
    assert _of_two([False, True]) == [("a", 1), (GLOBAL, 1)]
