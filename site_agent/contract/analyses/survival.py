"""Kaplan-Meier and Nelson-Aalen curves from pooled counts, as R's `survfit` gives them.

With n at risk and d events at the k-th time:

    S(t)    = product over t_k <= t of (1 - d/n)              Kaplan and Meier 1958
    var S   = S^2 sum of d / (n (n - d))                      Greenwood 1926
    H(t)    = sum of d/n, var H = sum of d/n^2                Nelson 1972, Aalen 1978
    RMST    = integral of S from 0 to tau
    var     = sum over events of (integral of S from t_k to tau)^2 d / (n (n - d))

At the last death, where n = d, Greenwood's term is infinite: S is 0, its error has no value.
Of weighted rows n and d are sums of weights, and errors are the jackknife's (weighted_counts.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.counts import LEFT_OUT, Course
from site_agent.contract.analyses.intervals import limits
from site_agent.contract.analyses.results import Tidy, number, numbers
from site_agent.contract.analyses.weighted_counts import Jackknife, Weights, jackknife
from site_agent.contract.frames import Floats, Integers
from site_agent.contract.study.model import TimeScale

FLAT: Final = 1.5e-8  # survfit's tolerance for "the curve stands at exactly this height"


@dataclass(frozen=True, slots=True)
class Curve:
    """One survival curve: arrays over its K times (units of the study), and summaries.

    n_risk, n_event, n_censor and n_enter count rows. weight_risk, weight_event: what those at risk
    and those with the event count as, of weighted rows only.
    """

    stratum: str
    rows: int
    events: int
    time: Floats
    n_risk: Floats
    n_event: Floats
    n_censor: Floats
    n_enter: Floats
    estimate: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    cumulative_hazard: Floats
    std_error_hazard: Floats
    median: tuple[float, float, float]
    quantiles: tuple[tuple[float, float, float, float], ...]
    at: tuple[tuple[float, ...], ...]
    restricted_mean: tuple[tuple[float, float, float], ...]
    weight_risk: Floats | None = None
    weight_event: Floats | None = None

    @property
    def weights(self) -> dict[str, Floats]:
        """Return the columns of weights by name; none if rows have none."""
        if self.weight_risk is None or self.weight_event is None:
            return {}
        return {"weight_risk": self.weight_risk, "weight_event": self.weight_event}


AT_COLUMNS: Final = ("time", "n_risk", "n_event", "estimate", "std_error", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True)
class SurvivalCurves:
    """The curves of an analysis by stratum; `left_out` counts rows by reason."""

    unit: str
    outcome: str
    by: str
    conf_type: str
    conf_level: float
    patients: int
    left_out: Mapping[str, int]
    curves: tuple[Curve, ...]

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "unit": self.unit,
            "outcome": self.outcome,
            "by": self.by,
            "conf_type": self.conf_type,
            "conf_level": self.conf_level,
            "patients": self.patients,
            "left_out": dict(self.left_out),
            "curves": [_curve_document(curve) for curve in self.curves],
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `curve`, `at`, `quantiles` and `restricted_mean`."""
        return {
            "curve": Tidy(
                (
                    *("time", "n_risk", "n_event", "n_censor", "estimate", "std_error"),
                    *("conf_low", "conf_high", "cumulative_hazard", "std_error_hazard"),
                    *(next(iter(c.weights for c in self.curves), ())),
                    *("strata", "outcome"),
                ),
                tuple(row for c in self.curves for row in self._curve_rows(c)),
            ),
            "at": Tidy(
                ("strata", *AT_COLUMNS),
                tuple((c.stratum, *numbers(row)) for c in self.curves for row in c.at),
            ),
            "quantiles": Tidy(
                ("strata", "probability", "quantile", "conf_low", "conf_high"),
                tuple((c.stratum, *numbers(row)) for c in self.curves for row in c.quantiles),
            ),
            "restricted_mean": Tidy(
                ("strata", "tau", "restricted_mean", "std_error"),
                tuple((c.stratum, *numbers(row)) for c in self.curves for row in c.restricted_mean),
            ),
        }

    def _curve_rows(self, curve: Curve) -> list[tuple[Any, ...]]:
        counts = (curve.n_risk, curve.n_event, curve.n_censor)
        others = (curve.estimate, curve.std_error, curve.conf_low, curve.conf_high)
        hazard = (curve.cumulative_hazard, curve.std_error_hazard)
        columns: list[list[Any]] = [numbers(curve.time)]
        columns += [[int(value) for value in count] for count in counts]
        columns += [numbers(values) for values in (*others, *hazard, *curve.weights.values())]
        return [(*row, curve.stratum, self.outcome) for row in zip(*columns, strict=True)]


def _curve_document(curve: Curve) -> dict[str, Any]:
    columns = (
        *("time", "n_risk", "n_event", "n_censor", "n_enter", "estimate", "std_error"),
        *("conf_low", "conf_high", "cumulative_hazard", "std_error_hazard"),
    )
    return {
        "stratum": curve.stratum,
        "rows": curve.rows,
        "events": curve.events,
        **{name: numbers(getattr(curve, name)) for name in columns},
        **{name: numbers(values) for name, values in curve.weights.items()},
        "median": dict(
            zip(("estimate", "conf_low", "conf_high"), numbers(curve.median), strict=True)
        ),
        "quantiles": [
            dict(zip(("probability", "quantile", "conf_low", "conf_high"), numbers(q), strict=True))
            for q in curve.quantiles
        ],
        "at": [dict(zip(AT_COLUMNS, numbers(row), strict=True)) for row in curve.at],
        "restricted_mean": [
            {"tau": number(tau), "restricted_mean": number(mean), "std_error": number(se)}
            for tau, mean, se in curve.restricted_mean
        ],
    }


@dataclass(frozen=True, slots=True)
class CurveOptions:
    """What is wanted of a curve besides the curve."""

    conf_type: str
    conf_level: float
    at: tuple[float, ...]
    quantiles: tuple[float, ...]
    restricted_mean: tuple[float, ...]
    reverse: bool


def survival_curve(
    course: Course,
    scale: TimeScale,
    stratum: str,
    options: CurveOptions,
    weights: Weights | None = None,
) -> Curve:
    """Return the Kaplan-Meier curve of one group's course; `weights` of its rows, if they have.

    With `options.reverse` censoring is the event: the curve of follow-up. Those who die at a
    time at which others are censored count as at risk there, as in `survfit`.
    """
    n, censored, events = course.n_risk, course.left[0], course.left[1]
    others = course.left[2:].sum(axis=0)
    if options.reverse:
        d, lost = censored, events + others
    else:
        d, lost = events, censored + others
    known = Counted(n, d) if weights is None else jackknife(weights, reverse=options.reverse)
    surviving = np.asarray(np.cumprod((known.risk - known.event) / known.risk))
    with np.errstate(invalid="ignore"):
        std_error = np.asarray(surviving * np.sqrt(known.of_log()))
    low, high = limits(surviving, std_error, scale=options.conf_type, level=options.conf_level)
    time = np.array([scale.value(int(tick)) for tick in course.tick])
    bands = (low, high)
    return Curve(
        stratum=stratum,
        rows=course.rows,
        events=int(d.sum()),
        time=time,
        n_risk=n,
        n_event=d,
        n_censor=lost,
        n_enter=course.entered_before,
        estimate=surviving,
        std_error=std_error,
        conf_low=low,
        conf_high=high,
        cumulative_hazard=np.cumsum(known.event / known.risk),
        std_error_hazard=np.sqrt(known.of_hazard()),
        median=(_median(time, surviving), _median(time, low), _median(time, high)),
        quantiles=tuple(
            (p, _quantile(time, surviving, p), _quantile(time, low, p), _quantile(time, high, p))
            for p in options.quantiles
        ),
        at=_at(course, scale, options.at, (d, surviving, std_error, *bands)),
        restricted_mean=tuple(
            (tau, *_restricted_mean(time, surviving, known, tau)) for tau in options.restricted_mean
        ),
        weight_risk=None if weights is None else known.risk,
        weight_event=None if weights is None else known.event,
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """A curve of rows that count as one each: at risk and with the event at its K times."""

    risk: Floats
    event: Floats

    def of_log(self) -> Floats:
        """Return Greenwood's variance of log S, (K,); infinite once S is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.cumsum(self.event / (self.risk * (self.risk - self.event))))

    def of_hazard(self) -> Floats:
        """Return the variance of the cumulative hazard, (K,)."""
        return np.asarray(np.cumsum(self.event / self.risk**2))

    def of_area(self, to_the_right: Floats) -> float:
        """Return the variance of the area; to_the_right: area behind the first times, to tau."""
        n, d = self.risk[: len(to_the_right)], self.event[: len(to_the_right)]
        died = (d > 0) & (n > d)
        terms = to_the_right[died] ** 2 * d[died] / (n[died] * (n[died] - d[died]))
        return float(terms.sum())


def _median(time: Floats, curve: Floats) -> float:
    """Return the time at which a curve first falls to one half, as `print(survfit)`.

    Where the curve stands at one half, the middle of the flat stretch.
    """
    below = np.flatnonzero(curve < 0.5 + FLAT)
    if not len(below):
        return float("nan")
    first = below[0]
    if abs(curve[first] - 0.5) >= FLAT:
        return float(time[first])
    later = np.flatnonzero(curve < 0.5 - FLAT)
    return float((time[first] + time[later[0] if len(later) else -1]) / 2)


def _quantile(time: Floats, curve: Floats, probability: float) -> float:
    """Return the time at which 1 - curve reaches `probability`: `quantile(survfit)`.

    Among the curve's distinct heights the smallest one of at least `probability` counts, which
    for a band that is not monotone need not be the first in time.
    """
    known = ~np.isnan(curve)
    heights, first = np.unique(1 - curve[known], return_index=True)
    times = time[known][first]
    reached = np.flatnonzero(heights > probability - FLAT)
    if not len(reached):
        return float("nan")
    chosen = reached[0]
    if abs(heights[chosen] - probability) >= FLAT:
        return float(times[chosen])
    following = times[chosen + 1] if chosen + 1 < len(times) else time[-1]
    return float((times[chosen] + following) / 2)


def step_value(ticks: Integers, values: Floats, at: Floats, before: float) -> Floats:
    """Return a right-continuous step function with jumps at `ticks` at the points `at`."""
    index = np.searchsorted(ticks, at, side="right")
    return np.asarray(np.concatenate([[before], values])[index])


def at_ticks(scale: TimeScale, times: tuple[float, ...]) -> Floats:
    """Return times in units as (possibly fractional) ticks, snapped to whole ones within 1e-8."""
    ticks = np.array(times, dtype=np.float64) / float(scale.resolution)
    whole = np.rint(ticks)
    return np.where(np.abs(ticks - whole) < 1e-8, whole, ticks)


def _at(
    course: Course, scale: TimeScale, times: tuple[float, ...], columns: tuple[Floats, ...]
) -> tuple[tuple[float, ...], ...]:
    """Return AT_COLUMNS at given times; events since the time before, the curve carried on."""
    ticks = at_ticks(scale, times)
    d, surviving, std_error, low, high = columns
    events = step_value(course.tick, np.cumsum(d), ticks, 0.0)
    return tuple(
        zip(
            times,
            course.at_risk_at(np.ceil(ticks).astype(np.int64)),
            np.diff(events, prepend=0.0),
            step_value(course.tick, surviving, ticks, 1.0),
            step_value(course.tick, std_error, ticks, 0.0),
            step_value(course.tick, low, ticks, 1.0),
            step_value(course.tick, high, ticks, 1.0),
            strict=True,
        )
    )


def _restricted_mean(
    time: Floats, surviving: Floats, known: Counted | Jackknife, tau: float
) -> tuple[float, float]:
    """Return the area under the curve up to `tau` and its standard error."""
    inside = time < tau
    edges = np.concatenate([[0.0], time[inside], [tau]])
    heights = np.concatenate([[1.0], surviving[inside]])
    pieces = heights * np.diff(edges)
    to_the_right = np.cumsum(pieces[::-1])[::-1][1:]
    return float(pieces.sum()), math.sqrt(known.of_area(to_the_right))


def left_out(totals: Floats) -> dict[str, int]:
    """Return the rows left out by reason, as words and whole numbers."""
    return {reason: int(count) for reason, count in zip(LEFT_OUT, totals, strict=True)}
