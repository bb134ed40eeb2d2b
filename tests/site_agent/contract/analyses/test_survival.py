"""Kaplan-Meier and Nelson-Aalen on eight patients, in exact fractions.

time    at risk   die   censored
1       8         1     -
2       7         2     1          a death and a censoring tie: the censored one is at risk
3       4         -     1
4       3         1     -
6       2         2     -          the group dies out
"""

from __future__ import annotations

import math

import pytest

from site_agent.contract.analyses.survival import Curve, CurveOptions, survival_curve
from site_agent.contract.frames import Rows
from tests.site_agent.contract.analyses.by_hand import DAYS, F, floats, groups, rows

EIGHT = rows([1, 2, 2, 2, 3, 4, 6, 6], [1, 1, 1, 0, 0, 1, 1, 1])


def curve_of(
    given: Rows = EIGHT,
    *,
    reverse: bool = False,
    at: tuple[float, ...] = (),
    means: tuple[float, ...] = (),
) -> Curve:
    options = CurveOptions("plain", 0.95, at, (0.25, 0.5), means, reverse)
    (course,) = groups(given)
    return survival_curve(course, DAYS, "", options)


def test_at_risk() -> None:
    """At risk at a time are all who have not left before it."""
    assert curve_of().n_risk.tolist() == [8, 7, 4, 3, 2]


def test_events_and_censored() -> None:
    """Events and censorings are counted at their times."""
    assert (curve_of().n_event.tolist(), curve_of().n_censor.tolist()) == (
        [1, 2, 0, 1, 2],
        [0, 1, 1, 0, 0],
    )


def test_survival() -> None:
    """Survival is the product of 7/8, 5/7, 1, 2/3 and 0."""
    assert curve_of().estimate == pytest.approx(
        floats([F(7, 8), F(5, 8), F(5, 8), F(5, 12), 0]), rel=1e-15
    )


def test_greenwood() -> None:
    """Greenwood's variance is S squared times the sum of d / (n (n - d))."""
    two = F(1, 8 * 7) + F(2, 7 * 5)
    four = two + F(1, 3 * 2)
    variances = [F(7, 8) ** 2 / 56, F(5, 8) ** 2 * two, F(5, 8) ** 2 * two, F(5, 12) ** 2 * four]
    assert curve_of().std_error[:4] ** 2 == pytest.approx(floats(variances), rel=1e-14)


def test_no_error_where_all_die() -> None:
    """Where the last ones at risk die, survival is 0 and its error has no value."""
    assert (curve_of().estimate[-1], math.isnan(curve_of().std_error[-1])) == (0.0, True)


def test_cumulative_hazard() -> None:
    """Nelson and Aalen's hazard is 1/8 + 2/7 + 1/3 + 1."""
    steps = [F(1, 8), F(1, 8) + F(2, 7), F(1, 8) + F(2, 7) + F(1, 3)]
    hazard = [steps[0], steps[1], steps[1], steps[2], steps[2] + 1]
    assert curve_of().cumulative_hazard == pytest.approx(floats(hazard), rel=1e-15)


def test_hazard_variance() -> None:
    """The variance of the hazard is 1/64 + 2/49 + 1/9 + 2/4."""
    last = F(1, 64) + F(2, 49) + F(1, 9) + F(2, 4)
    assert curve_of().std_error_hazard[-1] ** 2 == pytest.approx(float(last), rel=1e-14)


def test_restricted_mean() -> None:
    """The area up to 5 is 1 + 7/8 + 2 * 5/8 + 5/12 = 85/24."""
    ((_, mean, _),) = curve_of(means=(5.0,)).restricted_mean
    assert mean == pytest.approx(float(F(85, 24)), rel=1e-15)


def test_restricted_mean_variance() -> None:
    """Its variance adds the squared areas to the right of the deaths, 61/24, 5/3 and 5/12."""
    variance = F(61, 24) ** 2 / 56 + F(5, 3) ** 2 * F(2, 35) + F(5, 12) ** 2 / 6
    ((_, _, error),) = curve_of(means=(5.0,)).restricted_mean
    assert error**2 == pytest.approx(float(variance), rel=1e-14)


def test_restricted_mean_after_all_died() -> None:
    """The death of the last ones adds nothing to the restricted mean or its error."""
    ((_, mean, error),) = curve_of(means=(9.0,)).restricted_mean
    variance = F(71, 24) ** 2 / 56 + F(25, 12) ** 2 * F(2, 35) + F(5, 6) ** 2 / 6
    assert [mean, error**2] == pytest.approx(floats([F(95, 24), variance]), rel=1e-14)


def test_median() -> None:
    """Survival first falls to one half or below on day 4."""
    assert curve_of().median[0] == 4.0


def test_median_of_a_flat_stretch() -> None:
    """Where survival stands at one half from 2 to 5, the median is the middle."""
    assert curve_of(rows([1, 2, 5, 6], [1, 1, 1, 0])).median[0] == 3.5


def test_median_not_reached() -> None:
    """Without enough deaths there is no median."""
    assert math.isnan(curve_of(rows([1, 2, 3], [1, 0, 0])).median[0])


def test_quantiles() -> None:
    """A quarter has died by day 2, one half by day 4."""
    assert [row[:2] for row in curve_of().quantiles] == [(0.25, 2.0), (0.5, 4.0)]


def test_quantile_of_a_flat_end() -> None:
    """Where survival ends standing at one half, the quantile is the middle up to the last time."""
    assert curve_of(rows([1, 2, 5, 9], [1, 1, 0, 0])).quantiles[1][1] == 5.5


def test_reverse() -> None:
    """With censoring as the event, those who die on day 2 are at risk there: 6/7, then 3/4."""
    expected = floats([1, F(6, 7), F(6, 7) * F(3, 4), F(9, 14), F(9, 14)])
    assert curve_of(reverse=True).estimate == pytest.approx(expected, rel=1e-15)


def test_left_truncation() -> None:
    """Who enters on day 2 is not at risk on day 2: 1/3 dies, then 1/2 of (2, 4] and (1, 4]."""
    late = rows([2, 3, 4, 4], [1, 0, 1, 0], entry=[0, 0, 1, 2])
    assert curve_of(late).estimate == pytest.approx(
        floats([F(2, 3), F(2, 3), F(2, 3) * F(1, 2)]), rel=1e-15
    )


def test_left_truncated_at_risk() -> None:
    """Entered are counted since the time before."""
    curve = curve_of(rows([2, 3, 4, 4], [1, 0, 1, 0], entry=[0, 0, 1, 2]))
    assert (curve.n_risk.tolist(), curve.n_enter.tolist()) == ([3, 3, 2], [3, 1, 0])


def test_an_event_at_zero() -> None:
    """Without an entry a death on day 0 counts."""
    assert curve_of(rows([0, 1], [1, 0])).estimate.tolist() == [0.5, 0.5]


def test_between_times() -> None:
    """At a time between two others the curve is carried on; 3 are left at risk."""
    ((time, n_risk, n_event, estimate, *_),) = curve_of(at=(3.5,)).at
    assert (time, n_risk, n_event, estimate) == (3.5, 3.0, 3.0, 0.625)


def test_before_the_first_time() -> None:
    """Before anybody leaves, survival is 1 with limits of 1."""
    ((*_, estimate, error, low, high),) = curve_of(at=(0.0,)).at
    assert (estimate, error, low, high) == (1.0, 0.0, 1.0, 1.0)
