"""The sums of Cox models: moments, deaths, and a point of the likelihood in two ways."""

from __future__ import annotations

from typing import Final

import numpy as np

from site_agent.contract.analyses.counts import LEFT_OUT
from site_agent.contract.analyses.risk_sets import (
    DEATH,
    Deaths,
    deaths_of,
    likelihood,
    risk_set_sums,
    triangle,
)
from site_agent.contract.frames import Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Arrays, Ask, Lane, Sum

LARGEST: Final = 2.0**100  # of a number in a share of the likelihood; a lane holds 2^126


def _moments_lanes(ask: Ask) -> tuple[Lane, ...]:
    p = ask.fixed["columns"]
    return (
        Lane("rows", (1,), COUNT),
        Lane("patients", (1,), COUNT),
        Lane("events", (1,), COUNT),
        Lane("left_out", (len(LEFT_OUT),), COUNT),
        Lane("sum", (p,), REAL),
        Lane("squares", (p,), REAL),
        Lane("event_sum", (p,), REAL),
        Lane("not_binary", (p,), COUNT),
    )


def _moments(rows: Rows, _: Ask) -> Arrays:
    dies = rows.cause == DEATH
    binary = (rows.design == 0) | (rows.design == 1)
    with np.errstate(over="ignore"):  # what is infinite is refused when it is encoded
        squares = (rows.design**2).sum(axis=0)
    return {
        "rows": np.array([float(len(rows))]),
        "patients": np.array([float(rows.patients)]),
        "events": np.array([float(dies.sum())]),
        "left_out": np.array([float(rows.left_out.get(reason, 0)) for reason in LEFT_OUT]),
        "sum": rows.design.sum(axis=0),
        "squares": squares,
        "event_sum": rows.design[dies].sum(axis=0),
        "not_binary": (~binary).sum(axis=0).astype(np.float64),
    }


def _death_lanes(ask: Ask) -> tuple[Lane, ...]:
    return (Lane("deaths", (ask.fixed["strata"], ask.fixed["ticks"]), COUNT),)


def _death_counts(rows: Rows, ask: Ask) -> Arrays:
    counts = np.zeros((ask.fixed["strata"], ask.fixed["ticks"]))
    dies = rows.cause == DEATH
    np.add.at(counts, (rows.stratum[dies], rows.time[dies]), 1.0)
    return {"deaths": counts}


def _point_lanes(ask: Ask) -> tuple[Lane, ...]:
    p = ask.fixed["columns"]
    return (
        Lane("loglik", (1,), REAL),
        Lane("score", (p,), REAL),
        Lane("information", (triangle(p),), REAL),
        Lane("overflow", (1,), COUNT),
    )


def _risk_set_lanes(ask: Ask) -> tuple[Lane, ...]:
    p, deaths = ask.fixed["columns"], _deaths(ask)
    width = 1 + p + triangle(p)
    tied = len(deaths.tied) if ask.fixed["efron"] else 0
    return (
        Lane("risk", (len(deaths.ties), width), REAL),
        Lane("tied", (tied, width), REAL),
        Lane("eta", (1,), REAL),
        Lane("covariates", (p,), REAL),
        Lane("overflow", (1,), COUNT),
    )


def _deaths(ask: Ask) -> Deaths:
    ticks = tuple(np.array(times, dtype=np.int64) for times in ask.fixed["deaths"])
    return Deaths(ticks, np.array(ask.fixed["ties"], dtype=np.int64))


def _risk_sets(rows: Rows, ask: Ask) -> Arrays:
    return _guarded(_risk_set_sums(rows, ask, _deaths(ask)))


def _risk_set_sums(rows: Rows, ask: Ask, deaths: Deaths) -> Arrays:
    beta, centre = ask.floats["beta"], ask.floats["centre"]
    with np.errstate(over="ignore", invalid="ignore"):
        return risk_set_sums(rows, beta, centre, deaths=deaths, efron=ask.fixed["efron"])


def _guarded(arrays: Arrays) -> Arrays:
    """Return arrays with a flag; all zero and flagged if a number is too large for a lane.

    A step of Newton's method that goes too far then counts as one that lowers the likelihood,
    instead of ending the release.
    """
    large = not all(bool(np.all(np.abs(values) < LARGEST)) for values in arrays.values())
    kept = {name: np.zeros_like(values) if large else values for name, values in arrays.items()}
    return {**kept, "overflow": np.array([float(large)])}


def _reduce(totals: Arrays, ask: Ask) -> Arrays:
    p = ask.fixed["columns"]
    if totals["overflow"][0]:
        zeros = {"loglik": np.zeros(1), "score": np.zeros(p), "information": np.zeros(triangle(p))}
        return {**zeros, "overflow": totals["overflow"]}
    point = likelihood(totals, _deaths(ask), p, efron=ask.fixed["efron"])
    return {**point, "overflow": totals["overflow"]}


def _within_site(rows: Rows, ask: Ask) -> Arrays:
    deaths = deaths_of(rows, ask.fixed["strata"])
    sums = _risk_set_sums(rows, ask, deaths)
    with np.errstate(over="ignore", invalid="ignore"):
        point = likelihood(sums, deaths, ask.fixed["columns"], efron=ask.fixed["efron"])
    return _guarded(point)


MOMENTS: Final = Sum(
    name="cox_moments",
    disclosure="A",
    gives="rows, events, sums and squares of each covariate, and its sum over events",
    lanes=_moments_lanes,
    compute=_moments,
)
DEATHS: Final = Sum(
    name="cox_deaths",
    disclosure="B",
    gives="how many have the event at each time, by stratum, without covariates",
    lanes=_death_lanes,
    compute=_death_counts,
)
RISK_SETS: Final = Sum(
    name="cox_risk_sets",
    disclosure="C",
    gives="sums of covariates over those at risk at each event: close to the covariates "
    "of single patients in a small study",
    lanes=_risk_set_lanes,
    compute=_risk_sets,
    reduce=_reduce,
    reduced_lanes=_point_lanes,
)
WITHIN_SITE: Final = Sum(
    name="cox_within_site",
    disclosure="A",
    gives="score, information and log-likelihood within hospitals, over all of them",
    lanes=_point_lanes,
    compute=_within_site,
)
