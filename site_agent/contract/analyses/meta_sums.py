"""What hospitals add up for a meta-analysis: each fits its own Cox model and keeps it.

A hospital's model is fitted to its complete cases by newton.py, on its own risk sets. Coefficient k
*contributes* if

- at least `least_events` of the hospital's rows have the event,
- its likelihood has a maximum,
- k is estimable there, and means what it means elsewhere: no aliased column is a combination of
  others in which k takes part. (Where the reference level is missing, the first level that is left
  would be compared with the last one.)

A column that no hospital can estimate (`nowhere`: age / 10 behind age) is left out of all models
alike, as `coxph` leaves it out of each. A coefficient that takes part in such columns wherever it
is estimated (`hidden`) means the same in all hospitals: it contributes. One that is estimated
without them anywhere does not: there it means another thing.

With estimate b_k and standard error s_k, w_k = 1 / s_k^2, the sums over contributing hospitals are
those of w, w b, w b^2, w^2, and behind them, at a given tau2, of v and v b, v = 1 / (s^2 + tau2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from site_agent.contract.analyses.counts import LEFT_OUT
from site_agent.contract.analyses.cox_sums import WITHIN_SITE
from site_agent.contract.analyses.newton import Maximum, maximise
from site_agent.contract.analyses.risk_sets import DEATH
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Answer, Arrays, Ask, Lane, Sum

POINTS: Final = 100
TAKES_PART: Final = 1e-3  # of a column in an aliased one, both in standard deviations


@dataclass(frozen=True, slots=True)
class Local:
    """A hospital's own estimates (p,) and their weights 1/SE^2; 0 where it contributes nothing.

    estimated: which coefficients have an estimate, whether or not it means what it means elsewhere.
    """

    estimate: Floats
    weight: Floats
    estimated: np.ndarray


def local_fit(rows: Rows, ask: Ask) -> Local:
    """Return what a hospital finds on its own rows; ask.fixed: columns, strata, efron, least.

    Behind the first question also the columns `nowhere` and `hidden`.
    """
    p = ask.fixed["columns"]
    none = Local(np.zeros(p), np.zeros(p), np.zeros(p, dtype=bool))
    if int((rows.cause == DEATH).sum()) < max(ask.fixed["least_events"], 1):
        return none
    try:
        found = _maximum(rows, ask)
    except (AnalysisError, ArithmeticError, ValueError):
        return none
    variance = np.diag(found.variance)
    estimated = ~found.aliased & (variance > 0)
    usable, hidden = estimated & ~_mixed(found, []), ask.fixed.get("hidden", [])
    usable[hidden] = (estimated & ~_mixed(found, ask.fixed.get("nowhere", [])))[hidden]
    weight = np.divide(1.0, variance, out=np.zeros(p), where=usable)
    return Local(np.where(usable, found.estimate, 0.0), weight, estimated)


def _maximum(rows: Rows, ask: Ask) -> Maximum:
    """Run Newton's method on the hospital's own likelihood."""
    centre = rows.design.mean(axis=0)
    covariance = np.atleast_2d(np.cov(rows.design.T, bias=True))
    fixed = {name: ask.fixed[name] for name in ("columns", "strata", "efron")}

    def own(beta: Floats) -> Ask:
        return Ask(WITHIN_SITE.name, ask.frame, fixed, {"beta": beta, "centre": centre})

    events = int((rows.cause == DEATH).sum())
    steps = maximise(own, covariance, events, most=POINTS)
    asks = next(steps)
    while True:
        answers = tuple(Answer(WITHIN_SITE.compute(rows, one), one.floats) for one in asks)
        try:
            asks = steps.send(answers)
        except StopIteration as done:
            found: Maximum = done.value
            return found


def _mixed(found: Maximum, nowhere: Sequence[int]) -> np.ndarray:
    """Return which columns take part in a combination that makes another one aliased, (p,).

    nowhere: the columns that do not count as such.
    """
    kept = np.flatnonzero(~found.aliased)
    aliased = np.setdiff1d(np.flatnonzero(found.aliased), nowhere)
    mixed = np.zeros(len(found.aliased), dtype=bool)
    if not (len(kept) and len(aliased)):
        return mixed
    information = found.start.information
    block, beside = information[np.ix_(kept, kept)], information[np.ix_(kept, aliased)]
    size = np.sqrt(np.maximum(np.diag(information)[aliased], 0.0))
    parts = np.abs(np.linalg.solve(block, beside)) * np.sqrt(np.diag(block))[:, None]
    mixed[kept] = (parts > TAKES_PART * size).any(axis=1, where=size > 0)
    return mixed


def _contributing_lanes(ask: Ask) -> tuple[Lane, ...]:
    return (
        Lane("rows", (1,), COUNT),
        Lane("patients", (1,), COUNT),
        Lane("events", (1,), COUNT),
        Lane("left_out", (len(LEFT_OUT),), COUNT),
        Lane("contributing", (ask.fixed["columns"],), COUNT),
        Lane("estimated", (ask.fixed["columns"],), COUNT),
    )


def _contributing(rows: Rows, ask: Ask) -> Arrays:
    found = local_fit(rows, ask)
    return {
        "rows": np.array([float(len(rows))]),
        "patients": np.array([float(rows.patients)]),
        "events": np.array([float((rows.cause == DEATH).sum())]),
        "left_out": np.array([float(rows.left_out.get(reason, 0)) for reason in LEFT_OUT]),
        "contributing": (found.weight > 0).astype(np.float64),
        "estimated": found.estimated.astype(np.float64),
    }


def _estimate_lanes(ask: Ask) -> tuple[Lane, ...]:
    shape = (len(ask.fixed["terms"]),)
    return tuple(Lane(name, shape, REAL) for name in ("w", "wb", "wbb", "ww"))


def _estimates(rows: Rows, ask: Ask) -> Arrays:
    found, terms = local_fit(rows, ask), ask.fixed["terms"]
    w, b = found.weight[terms], found.estimate[terms]
    return {"w": w, "wb": w * b, "wbb": w * b * b, "ww": w * w}


def _random_lanes(ask: Ask) -> tuple[Lane, ...]:
    shape = (len(ask.fixed["terms"]),)
    return Lane("v", shape, REAL), Lane("vb", shape, REAL)


def _random(rows: Rows, ask: Ask) -> Arrays:
    found, terms = local_fit(rows, ask), ask.fixed["terms"]
    w, b = found.weight[terms], found.estimate[terms]
    v = w / (1 + w * ask.floats["tau2"])
    return {"v": v, "vb": v * b}


CONTRIBUTING: Final = Sum(
    name="meta_contributing",
    disclosure="A",
    gives="rows and events, and how many hospitals have an estimate of their own",
    lanes=_contributing_lanes,
    compute=_contributing,
)
ESTIMATES: Final = Sum(
    name="meta_estimates",
    disclosure="A",
    gives="sums over hospitals of their weights and weighted estimates",
    lanes=_estimate_lanes,
    compute=_estimates,
)
RANDOM: Final = Sum(
    name="meta_random",
    disclosure="A",
    gives="the same with the variance between hospitals in the weights",
    lanes=_random_lanes,
    compute=_random,
)
