"""The baseline hazard of a Cox model at chosen times, from totals over steps of time.

    H0(t) = sum over deaths at or before t of 1/A0,   all covariates 0

by Breslow's estimate, with Efron's A0 for Efron's ties (`basehaz(fit, centered = FALSE)`). Only the
sums between one time and the next open, and only where at least five deaths of a stratum, or none,
lie between: a single increment is 1/S0, close to the covariates of those at risk.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from site_agent.contract.frames import Floats
from site_agent.contract.study.model import TimeScale

FEWEST: Final = 5
COLUMNS: Final = ("strata", "time", "cumulative_hazard")


@dataclass(frozen=True, slots=True)
class Baseline:
    """The cumulative baseline hazard by stratum and time; times with too few deaths left out.

    rows: with all covariates 0; infinite or 0 where that is beyond the range of numbers. centred:
    the same at the centre of the covariates, where it never is.
    """

    rows: tuple[tuple[str, float, float], ...]
    left_out: tuple[float, ...]
    centred: tuple[tuple[str, float, float], ...] = ()


def times_exp(exponent: float, value: float) -> float:
    """Return exp(exponent) value, infinite only if the product is; 0 if the value is."""
    with np.errstate(over="ignore", under="ignore"):
        factor = float(np.exp(exponent))
        if value == 0 or (math.isfinite(factor) and factor > 0):
            return factor * value if value else 0.0
        return math.copysign(float(np.exp(exponent + math.log(abs(value)))), value)


def steps(times: Sequence[float], scale: TimeScale, deaths: Floats) -> list[tuple[int, float]]:
    """Return those of `times`, as ticks too, between which no stratum has 1 to 4 deaths.

    deaths (strata, ticks) are the pooled counts. A time that is left out joins the next step.
    """
    found: list[tuple[int, float]] = []
    start = -1
    for time in sorted(set(times)):
        tick = math.floor(time / float(scale.resolution) + 1e-9)
        between = deaths[:, start + 1 : tick + 1].sum(axis=1)
        if bool(((between == 0) | (between >= FEWEST)).all()):
            found.append((tick, time))
            start = tick
    return found


def baseline(
    ratios: Floats,
    shift: float,
    kept: Sequence[tuple[int, float]],
    asked: Sequence[float],
    strata: Sequence[str],
) -> Baseline:
    """Return the cumulative hazard from the sums of 1/A0 over steps, (strata x steps,).

    shift is centre beta: the sums were of covariates less their centre.
    """
    hazards = np.cumsum(ratios.reshape(len(strata), len(kept)), axis=1)
    centred = tuple(
        (stratum, time, float(hazards[number, step]))
        for number, stratum in enumerate(strata)
        for step, (_, time) in enumerate(kept)
    )
    rows = tuple((stratum, time, times_exp(-shift, hazard)) for stratum, time, hazard in centred)
    times = [time for _, time in kept]
    left_out = tuple(time for time in sorted(set(asked)) if time not in times)
    return Baseline(rows, left_out, centred)
