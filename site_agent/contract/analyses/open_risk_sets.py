"""Risk sets in the clear at one beta, and the increments that they give at each death time.

With S, T and the mean weight W of the dying as in risk_sets.py, over the j < d pseudo-times of the
k-th death time, A = S - (j/d) T, E = A1/A0 (Efron; with Breslow all d have j = 0):

    hazard    h = sum of W / A0          the baseline hazard's increment
    drift     g = sum of W E / A0        its covariates': the hazard's derivative is -g
    mean      m = (1/d) sum of E         what one of the dying is compared with
    spared    h', g' = sums of (j/d) W / A0 and (j/d) W E / A0, which the dying are spared
    variance  v = sum of W / A0^2        of the hazard's increment (Tsiatis 1981)

S0 and S1 at every death are close to the covariates of single patients: class C. They open only
where a study's stewards accept that; what is made of them is for both sides to compute.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from site_agent.contract.analyses.cox_points import deaths_in, exceeds, risk_sets_of
from site_agent.contract.analyses.risk_sets import Deaths, pseudo_times
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Answer, Arrays, Ask, Lane, Sum

LARGEST: Final = 2.0**100


@dataclass(frozen=True, slots=True)
class Increments:
    """What happens at each of K death times, over all strata in order; p columns."""

    hazard: Floats
    drift: Floats
    mean: Floats
    spared_hazard: Floats
    spared_drift: Floats
    variance: Floats


def increments(risk: Floats, tied: Floats, deaths: Deaths, *, efron: bool) -> Increments:
    """Return the increments of sums over risk sets (K, 1 + p) and the tied dying (m, 1 + p)."""
    step, fraction = pseudo_times(deaths.ties, efron=efron)
    pooled = risk[step]
    if efron:
        dying = np.zeros_like(risk)
        dying[deaths.tied] = tied
        pooled = pooled - fraction[:, None] * dying[step]
    each, mean = deaths.each[step] / pooled[:, 0], pooled[:, 1:] / pooled[:, :1]

    def by_time(values: Floats) -> Floats:
        found = np.zeros((len(deaths.ties), *values.shape[1:]))
        np.add.at(found, step, values)
        return found

    drift = each[:, None] * mean
    return Increments(
        hazard=by_time(each),
        drift=by_time(drift),
        mean=by_time(mean) / np.maximum(deaths.ties, 1)[:, None],
        spared_hazard=by_time(fraction * each),
        spared_drift=by_time(fraction[:, None] * drift),
        variance=by_time(each / pooled[:, 0]),
    )


def opened(point: Ask) -> Ask:
    """Return the ask that opens the risk sets of a point of a pooled likelihood."""
    return replace(point, sum=OPEN_RISK_SETS.name)


def increments_of(answer: Answer, ask: Ask) -> Increments:
    """Return the increments that the totals of an ask give; AnalysisError if a sum overflowed."""
    if answer.totals["overflow"][0]:
        raise AnalysisError(
            "the sums over the risk sets are too large; give the covariates in larger units "
            "(age / 10, log10(ferritin))"
        )
    totals, efron = answer.totals, ask.fixed["efron"]
    return increments(totals["risk"], totals["tied"], deaths_in(ask), efron=efron)


def _lanes(ask: Ask) -> tuple[Lane, ...]:
    width, deaths = 1 + ask.fixed["columns"], deaths_in(ask)
    tied = len(deaths.tied) if ask.fixed["efron"] else 0
    return (
        Lane("risk", (len(deaths.ties), width), REAL),
        Lane("tied", (tied, width), REAL),
        Lane("overflow", (1,), COUNT),
    )


def _compute(rows: Rows, ask: Ask) -> Arrays:
    sums = risk_sets_of(rows, ask, deaths_in(ask), None)
    width = 1 + ask.fixed["columns"]
    arrays = {name: sums[name][:, :width] for name in ("risk", "tied")}
    large = exceeds(arrays.values(), LARGEST)
    kept = {name: np.zeros_like(values) if large else values for name, values in arrays.items()}
    return {**kept, "overflow": np.array([float(large)])}


OPEN_RISK_SETS: Final = Sum(
    name="cox_open_risk_sets",
    disclosure="C",
    gives="sums of covariates over those at risk at each event, in the clear, at the fit and at 0",
    lanes=_lanes,
    compute=_compute,
)
