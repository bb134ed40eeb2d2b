"""Cumulative incidence with competing risks, from pooled counts.

With n at risk, d_k events of cause k and d of any cause at a time s, S the survival free of
any cause and S- its value just before:

    F_1(t) = sum over s <= t of S-(s) d_1 / n          Aalen and Johansen 1978,
                                                       Kalbfleisch and Prentice 1980
Two variances, both from the linear expansion of F_1(t) in the increments:

`gray`, as `cmprsk::cuminc` (Gray 1988), with v_k = d_k (1 - (d_k - 1)/(n - 1)) / n^2 and
G = (F_1(t) - F_1(s)) / S(s):

    var F_1(t) = sum of S-^2 [ (1 - G)^2 v_1 + G^2 v_2 ],  v_2 of all other causes together

`greenwood`, with multinomial increments (Andersen, Borgan, Gill and Keiding 1993, 4.4.20), as
`etm`, `prodlim` and, without left truncation, `survfit`; D = F_1(t) - F_1(s):

    var F_1(t) = sum of D^2 d / (n (n - d)) - 2 D S- d_1 / n^2 + S-^2 d_1 (n - d_1) / n^3

`cuminc` takes no entry, so left truncated curves have Greenwood's. Both are
quadratic in F_1(t) with coefficients that are cumulative sums over s.

`jackknife`, the infinitesimal jackknife of `survfit` (Jaeckel 1972): the sum over rows i of the
squared derivatives of F_1(t) by the row's weight,

    dF_1(t)/dw_i = sum of [S- (dN_i1 - Y_i d_1/n) - D (dN_i - Y_i d/n) / (1 - d/n)] / n

Without entries it is Greenwood's to the last digit. The terms at a time are martingale
increments of those at risk there. Of row i the product of its terms at s and at u > s is nonzero
only if it is at risk at u, where the term of s is the same for all: -[S- d_1/n - D d/(n - d)] / n.
The terms at u add up to 0 over those at risk at u, so the products vanish and the variance is the
sum of those at each time, which are multinomial. With entries those at risk at u differ in their
terms of s, by whether they had entered. What is left depends on how many rows have each *pair* of
entry and time, which counts by entry and by time do not tell: refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from site_agent.contract.analyses.counts import Course
from site_agent.contract.analyses.gray_test import COLUMNS as TEST_COLUMNS
from site_agent.contract.analyses.gray_test import GrayTest
from site_agent.contract.analyses.intervals import limits
from site_agent.contract.analyses.results import Tidy, number, numbers
from site_agent.contract.analyses.survival import AT_COLUMNS, at_ticks, step_value
from site_agent.contract.frames import Floats
from site_agent.contract.study.model import TimeScale


@dataclass(frozen=True, slots=True)
class IncidenceCurve:
    """The incidence of one cause in one stratum: arrays over its K times, and summaries.

    n_censor counts the censored, n_competing the events of other causes.
    """

    stratum: str
    outcome: str
    rows: int
    events: int
    time: Floats
    n_risk: Floats
    n_event: Floats
    n_competing: Floats
    n_censor: Floats
    estimate: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    at: tuple[tuple[float, ...], ...]
    reached: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class IncidenceCurves:
    """The curves of an analysis, by stratum and cause; `left_out` counts rows by reason."""

    unit: str
    by: str
    variance: str
    conf_type: str
    conf_level: float
    patients: int
    left_out: Mapping[str, int]
    curves: tuple[IncidenceCurve, ...]
    strata: tuple[str, ...] = ()
    tests: tuple[GrayTest, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON; a time that is not reached is null."""
        return {
            "unit": self.unit,
            "by": self.by,
            "variance": self.variance,
            "conf_type": self.conf_type,
            "conf_level": self.conf_level,
            "patients": self.patients,
            "left_out": dict(self.left_out),
            "curves": [_curve_document(curve) for curve in self.curves],
            "strata": list(self.strata),
            "tests": [test.document() for test in self.tests],
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `curve`, `at`, `time_to` and `tests`."""
        columns = ("time", "n_risk", "n_event", "n_competing", "n_censor")
        estimates = ("estimate", "std_error", "conf_low", "conf_high")
        return {
            "curve": Tidy(
                (*columns, *estimates, "strata", "outcome"),
                tuple(
                    (time, *(int(value) for value in row[:4]), *row[4:], c.stratum, c.outcome)
                    for c in self.curves
                    for time, *row in zip(
                        *(numbers(getattr(c, name)) for name in (*columns, *estimates)),
                        strict=True,
                    )
                ),
            ),
            "at": Tidy(
                ("strata", "outcome", *AT_COLUMNS),
                tuple((c.stratum, c.outcome, *numbers(row)) for c in self.curves for row in c.at),
            ),
            "time_to": Tidy(
                ("strata", "outcome", "incidence", "time"),
                tuple(
                    (c.stratum, c.outcome, *numbers(row)) for c in self.curves for row in c.reached
                ),
            ),
            "tests": Tidy(TEST_COLUMNS, tuple(test.cells() for test in self.tests)),
        }


def _curve_document(curve: IncidenceCurve) -> dict[str, Any]:
    columns = (
        *("time", "n_risk", "n_event", "n_competing", "n_censor"),
        *("estimate", "std_error", "conf_low", "conf_high"),
    )
    return {
        "stratum": curve.stratum,
        "outcome": curve.outcome,
        "rows": curve.rows,
        "events": curve.events,
        **{name: numbers(getattr(curve, name)) for name in columns},
        "at": [dict(zip(AT_COLUMNS, numbers(row), strict=True)) for row in curve.at],
        "time_to": [{"incidence": p, "time": number(time)} for p, time in curve.reached],
    }


@dataclass(frozen=True, slots=True)
class IncidenceOptions:
    """What is wanted of a curve besides the curve."""

    variance: str
    conf_type: str
    conf_level: float
    at: tuple[float, ...]
    time_to: tuple[float, ...]


def incidence_curve(
    course: Course,
    scale: TimeScale,
    labels: tuple[str, str],
    options: IncidenceOptions,
    *,
    cause: int,
) -> IncidenceCurve:
    """Return the cumulative incidence of cause `cause` (1 the event) in one group's course.

    `labels` are (stratum, outcome).
    """
    n, d, own = course.n_risk, course.n_event, course.left[cause]
    surviving = np.cumprod((n - d) / n)
    before = np.concatenate([[1.0], surviving[:-1]])
    estimate = np.cumsum(before * own / n)
    variance = _gray if options.variance == "gray" else _greenwood
    # Rounding can leave -1e-17 where the variance is zero.
    std_error = np.sqrt(np.maximum(variance(n, d, own, before, estimate), 0.0))
    low, high = limits(estimate, std_error, scale=options.conf_type, level=options.conf_level)
    columns = (np.cumsum(own), estimate, std_error, low, high)
    time = np.array([scale.value(int(tick)) for tick in course.tick])
    return IncidenceCurve(
        stratum=labels[0],
        outcome=labels[1],
        rows=course.rows,
        events=int(own.sum()),
        time=time,
        n_risk=n,
        n_event=own,
        n_competing=d - own,
        n_censor=course.left[0],
        estimate=estimate,
        std_error=std_error,
        conf_low=low,
        conf_high=high,
        at=_at(course, scale, options.at, columns),
        reached=tuple((p, _time_to(time, estimate, p)) for p in options.time_to),
    )


def _gray(n: Floats, d: Floats, own: Floats, before: Floats, estimate: Floats) -> Floats:
    """Return cuminc's variance at each time, (K,)."""
    after = before * (n - d) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        inverse = np.where(after > 0, 1 / after, 0.0)
    own_increment = before**2 * _without_replacement(own, n)
    other_increment = np.where(after > 0, before**2 * _without_replacement(d - own, n), 0.0)
    # 1 - G = (1 + F(s)/S(s)) - F(t)/S(s), and G = F(t)/S(s) - F(s)/S(s).
    height = estimate * inverse
    constant = np.cumsum((1 + height) ** 2 * own_increment + height**2 * other_increment)
    linear = np.cumsum(inverse * ((1 + height) * own_increment + height * other_increment))
    square = np.cumsum(inverse**2 * (own_increment + other_increment))
    return np.asarray(constant - 2 * estimate * linear + estimate**2 * square)


def _without_replacement(d: Floats, n: Floats) -> Floats:
    """Return d (1 - (d - 1)/(n - 1)) / n^2: the variance of an increment with ties."""
    with np.errstate(divide="ignore", invalid="ignore"):
        tied = np.where(d > 1, 1 - (d - 1) / (n - 1), 1.0)
    return np.asarray(d * tied / n**2)


def _greenwood(n: Floats, d: Floats, own: Floats, before: Floats, estimate: Floats) -> Floats:
    """Return the multinomial variance at each time, (K,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        square = np.where(n > d, d / (n * (n - d)), 0.0)
    linear = before * own / n**2
    constant = before**2 * own * (n - own) / n**3
    terms = constant + 2 * estimate * linear + estimate**2 * square
    slope = np.cumsum(linear + estimate * square)
    return np.asarray(np.cumsum(terms) - 2 * estimate * slope + estimate**2 * np.cumsum(square))


def _at(
    course: Course, scale: TimeScale, times: tuple[float, ...], columns: tuple[Floats, ...]
) -> tuple[tuple[float, ...], ...]:
    """Return AT_COLUMNS at given times; events since the time before, the curve carried on."""
    ticks = at_ticks(scale, times)
    events, *curves = (step_value(course.tick, column, ticks, 0.0) for column in columns)
    at_risk = course.at_risk_at(np.ceil(ticks).astype(np.int64))
    return tuple(zip(times, at_risk, np.diff(events, prepend=0.0), *curves, strict=True))


def _time_to(time: Floats, estimate: Floats, probability: float) -> float:
    """Return the first time at which the incidence reaches `probability`, NaN if it does not."""
    reached = np.flatnonzero(estimate > probability - 1e-12)
    return float(time[reached[0]]) if len(reached) else float("nan")
