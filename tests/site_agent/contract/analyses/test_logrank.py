"""The log-rank test on eight patients in two groups, in exact fractions.

time   at risk a, b   die a, b   E of a   V
1      4, 4           1, 0       1/2      1/4
2      3, 4           1, 1       6/7      2 * 5/6 * 3/7 * 4/7 = 20/49
4      1, 2           1, 1       2/3      2 * 1/2 * 1/3 * 2/3 = 2/9
5      0, 1           0, 1       0        0, one alone
"""

from __future__ import annotations

import numpy as np
import pytest

from site_agent.contract.analyses.logrank import _chi_square, score_sums
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Rows
from site_agent.contract.sums import Arrays
from tests.site_agent.contract.analyses.by_hand import F, floats, groups, rows

TIMES = [1, 2, 3, 4, 2, 2, 4, 5]
CAUSES = [1, 1, 0, 1, 1, 0, 1, 1]
EIGHT = rows(TIMES, CAUSES, group=[0] * 4 + [1] * 4)
VARIANCE = F(1, 4) + F(20, 49) + F(2, 9)


def sums_of(given: Rows = EIGHT, *, by: int = 2, strata: int = 1, rho: float = 0) -> Arrays:
    every = groups(given, by=by, strata=strata)
    return score_sums([every[start : start + by] for start in range(0, len(every), by)], rho)


def test_observed() -> None:
    """Three die in either group."""
    assert sums_of()["observed"].tolist() == [3.0, 3.0]


def test_expected() -> None:
    """Expected are 1/2 + 6/7 + 2/3 = 85/42 in a and 167/42 in b."""
    assert sums_of()["expected"] == pytest.approx(floats([F(85, 42), F(167, 42)]), rel=1e-15)


def test_variance() -> None:
    """The variance is hypergeometric; two groups have the same, with opposite signs between."""
    v = float(VARIANCE)
    assert sums_of()["variance"].ravel() == pytest.approx([v, -v, -v, v], rel=1e-14)


def test_statistic() -> None:
    """Chi-square is (3 - 85/42)^2 / V on one degree of freedom."""
    statistic, df = _chi_square(sums_of())
    assert (statistic, df) == (pytest.approx(float(F(41, 42) ** 2 / VARIANCE), rel=1e-14), 1)


@pytest.mark.parametrize("rho", [1, 2])
def test_weights(rho: int) -> None:
    """Times 1, 2, 4 count as the curve before them, 1, 7/8 and 5/8, to the power of rho."""
    s = [F(1), F(7, 8) ** rho, F(5, 8) ** rho]
    expected = s[0] / 2 + s[1] * F(6, 7) + s[2] * F(2, 3)
    variance = F(1, 4) + s[1] ** 2 * F(20, 49) + s[2] ** 2 * F(2, 9)
    found = sums_of(rho=rho)
    ours = (found["weighted"][0], found["expected"][0], found["variance"][0, 0])
    assert ours == pytest.approx(floats([sum(s, F(0)), expected, variance]), rel=1e-14)


def test_strata_add_up() -> None:
    """Two strata of the same patients double observed, expected and variance."""
    twice = rows(TIMES * 2, CAUSES * 2, group=([0] * 4 + [1] * 4) * 2, stratum=[0] * 8 + [1] * 8)
    one, two = sums_of(), sums_of(twice, strata=2)
    doubled = [2 * value for name in one for value in one[name].ravel()]
    assert [v for name in one for v in two[name].ravel()] == pytest.approx(doubled, rel=1e-14)


def test_one_patient_in_a_stratum() -> None:
    """A stratum of one adds as much to observed as to expected, and no variance."""
    more = rows([*TIMES, 3], [*CAUSES, 1], group=[0] * 4 + [1] * 4 + [0], stratum=[0] * 8 + [1])
    one, two = sums_of(), sums_of(more, strata=2)
    assert [two[name].tolist() for name in ("observed", "expected", "variance")] == [
        (one["observed"] + [1, 0]).tolist(),
        (one["expected"] + [1, 0]).tolist(),
        one["variance"].tolist(),
    ]


def test_left_truncation() -> None:
    """Who enters on the day of a death is not at risk then: 1 of 2, not 1 of 3."""
    late = rows([2, 5, 5], [1, 0, 0], entry=[0, 0, 2], group=[0, 1, 1])
    assert sums_of(late)["expected"].tolist() == [0.5, 0.5]


def test_an_empty_group_is_not_compared() -> None:
    """A group that is never at risk costs no degree of freedom."""
    three = sums_of(rows(TIMES, CAUSES, group=[0] * 4 + [2] * 4), by=3)
    assert _chi_square(three) == pytest.approx(_chi_square(sums_of()), rel=1e-14)


def test_three_groups() -> None:
    """One death at a time among one patient of each of three groups, a before b before c."""
    three = sums_of(rows([1, 2, 3], [1, 1, 1], group=[0, 1, 2]), by=3)
    expected = [F(1, 3), F(1, 3) + F(1, 2), F(1, 3) + F(1, 2) + 1]
    assert three["expected"] == pytest.approx(floats(expected), rel=1e-15)


def test_variance_of_three_groups() -> None:
    """Their variance is that of a draw from three, and from two."""
    three = sums_of(rows([1, 2, 3], [1, 1, 1], group=[0, 1, 2]), by=3)
    first = np.full((3, 3), -1 / 9) + np.eye(3) / 3
    second = np.array([[0, 0, 0], [0, 0.25, -0.25], [0, -0.25, 0.25]])
    assert three["variance"].ravel() == pytest.approx((first + second).ravel(), rel=1e-14)


def test_groups_never_at_risk_together() -> None:
    """Groups that are never at risk at one time cannot be compared."""
    apart = rows([1, 2, 8, 9], [1, 1, 1, 1], entry=[0, 0, 5, 5], group=[0, 0, 1, 1])
    with pytest.raises(AnalysisError, match="never at risk together"):
        _chi_square(sums_of(apart))


def test_one_group() -> None:
    """One group alone has nothing to be compared with."""
    with pytest.raises(AnalysisError, match="fewer than two groups"):
        _chi_square(sums_of(rows([1, 2], [1, 1]), by=1))
