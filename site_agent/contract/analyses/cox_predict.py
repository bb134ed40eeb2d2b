"""Survival curves that a Cox model predicts for given covariates.

With x less the centre of the covariates, eta = x beta (and an offset), and h, g, v of each death up
to t, at that centre, as in open_risk_sets.py:

    H(t | x) = exp(eta) sum of h                      S = exp(-H)
    var H    = exp(2 eta) (sum of v + q' V q)         q = sum of (x h - g)

with V the variance of the coefficients, the robust one of a robust fit (Tsiatis 1981; Andersen,
Borgan, Gill and Keiding 1993, VII.2). Limits are on the log scale of S, as `survfit` has them. H at
every death, and q, need the risk sets in the clear. From sealed ones come the steps of the baseline
hazard alone: S at these times, without a standard error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract import expressions
from site_agent.contract.analyses.baseline import Baseline, times_exp
from site_agent.contract.analyses.intervals import normal_quantile
from site_agent.contract.analyses.open_risk_sets import Increments
from site_agent.contract.analyses.risk_sets import Deaths
from site_agent.contract.errors import AnalysisError
from site_agent.contract.expressions import Boolean, Category, Columns, EvaluationError, Type, Value
from site_agent.contract.frames import Floats, Frame
from site_agent.contract.study.model import Study, TimeScale

COLUMNS: Final = (
    "curve", "strata", "time", "estimate", "std_error", "conf_low", "conf_high",
    "cumulative_hazard",
)  # fmt: skip
Row = tuple[str, str, float, float, float | None, float | None, float | None, float]


@dataclass(frozen=True, slots=True)
class Profile:
    """Covariates for which a curve is predicted: name, design row (p,) and offset."""

    name: str
    design: Floats
    offset: float


def profiles_of(
    study: Study, frame: Frame, wanted: Mapping[str, Mapping[str, Any]]
) -> tuple[Profile, ...]:
    """Return the wanted profiles; AnalysisError if an expression has no value there."""
    kinds = study.scopes[frame.table].columns
    return tuple(
        _profile(frame, name, {column: value_of(kinds[column], v) for column, v in given.items()})
        for name, given in wanted.items()
    )


def value_of(kind: Type, given: Any) -> Value:
    """Return one given value as a column of one row; ValueError in words if it does not fit."""
    known, single = np.zeros(1, dtype=bool), isinstance(given, int | float)
    if isinstance(kind, Category):
        if str(given) not in kind.levels:
            raise ValueError(f"expected one of {', '.join(kind.levels)}")
        return Value(kind, np.array([kind.levels.index(str(given))], dtype=np.int64), known)
    if isinstance(kind, Boolean):
        if not isinstance(given, bool):
            raise ValueError("expected true or false")
        return Value(kind, np.array([given]), known)
    if isinstance(kind, Columns) or isinstance(given, bool) or not single:
        raise ValueError("expected a number")
    return Value(kind, np.array([float(given)]), known)


def _profile(frame: Frame, name: str, columns: Mapping[str, Value]) -> Profile:
    row = expressions.Rows(1, columns)

    def value(text: str) -> Value:
        found = expressions.evaluate(expressions.parse(text), row)
        if found.missing.any():
            raise AnalysisError(f"'{text}' has no value for the curve '{name}'; give others")
        return found

    try:
        parts = [expressions.design(value(text), text)[1][0] for text in frame.covariates]
        offset = float(value(frame.offset).data[0]) if frame.offset else 0.0
    except EvaluationError as error:
        raise AnalysisError(f"the curve '{name}': {error}") from None
    return Profile(name, np.concatenate(parts).astype(np.float64), offset)


@dataclass(frozen=True, slots=True)
class Predictor:
    """A fit from which curves are predicted: coefficients, their variance, centre, level."""

    beta: Floats
    variance: Floats
    centre: Floats
    conf_level: float

    def curve(
        self, profile: Profile, deaths: Deaths, found: Increments, names: Sequence[str],
        scale: TimeScale,
    ) -> tuple[Row, ...]:  # fmt: skip
        """Return the curve of a profile at every death time of every stratum."""
        x, rows, offset = profile.design - self.centre, [], 0
        eta = float(x @ self.beta) + profile.offset
        for stratum, ticks in zip(names, deaths.ticks, strict=True):
            part = slice(offset, offset + len(ticks))
            hazard = np.cumsum(found.hazard[part])
            q = np.outer(hazard, x) - np.cumsum(found.drift[part], axis=0)
            spread = np.cumsum(found.variance[part]) + ((q @ self.variance) * q).sum(axis=1)
            for tick, h, error in zip(ticks, hazard, np.sqrt(spread), strict=True):
                time = scale.value(int(tick))
                rows.append(
                    (profile.name, stratum, time, *self._survival(eta, float(h), float(error)))
                )
            offset += len(ticks)
        return tuple(rows)

    def _survival(
        self, eta: float, at_centre: float, spread: float
    ) -> tuple[float, float, float, float, float]:
        """Return S, its standard error and limits, and H, of a hazard and its error at the centre.

        Beyond the range of numbers they are the limits: S 0, and its error, which shrinks faster
        than H grows, too; the upper one 0 or 1, as z times the error is below H or above.
        """
        z = normal_quantile(self.conf_level)
        hazard, error = times_exp(eta, at_centre), times_exp(eta, spread)
        survival, low = math.exp(-hazard), math.exp(-hazard - z * error)
        if math.isinf(hazard) or math.isinf(error):
            over = times_exp(eta, z * spread - at_centre)
            return (
                survival,
                0.0 if math.isinf(hazard) else math.inf,
                low,
                math.exp(min(0.0, over)),
                hazard,
            )
        return survival, survival * error, low, math.exp(min(0.0, z * error - hazard)), hazard

    def at_steps(self, profile: Profile, baseline: Baseline) -> tuple[Row, ...]:
        """Return the curve of a profile at the steps of a baseline hazard."""
        eta = float((profile.design - self.centre) @ self.beta) + profile.offset
        hazards = (
            (stratum, time, times_exp(eta, at_centre))
            for stratum, time, at_centre in baseline.centred
        )
        return tuple(
            (profile.name, stratum, time, math.exp(-h), None, None, None, h)
            for stratum, time, h in hazards
        )


def at_times(
    curve: Sequence[Row], times: Sequence[float], names: Sequence[str], profile: str
) -> tuple[Row, ...]:
    """Return a curve at given times: its last step at or before each, 1 before the first."""
    found = []
    for stratum in names:
        own = [row for row in curve if row[1] == stratum]
        for time in times:
            until = [row for row in own if row[2] <= time + 1e-9 * max(1.0, time)]
            last = until[-1] if until else (profile, stratum, time, 1.0, 0.0, 1.0, 1.0, 0.0)
            found.append((profile, stratum, time, *last[3:]))
    return tuple(found)


def baseline_curve(
    deaths: Deaths, found: Increments, shift: float, names: Sequence[str], scale: TimeScale
) -> tuple[tuple[str, float, float], ...]:
    """Return the cumulative baseline hazard at every death, covariates 0; shift: centre beta."""
    rows, offset = [], 0
    for stratum, ticks in zip(names, deaths.ticks, strict=True):
        hazard = np.cumsum(found.hazard[offset : offset + len(ticks)])
        rows += [
            (stratum, scale.value(int(tick)), times_exp(-shift, float(h)))
            for tick, h in zip(ticks, hazard, strict=True)
        ]
        offset += len(ticks)
    return tuple(rows)
