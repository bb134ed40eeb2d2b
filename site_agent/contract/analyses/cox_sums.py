"""The sums of Cox models: moments, deaths, and a point of the likelihood within sites or open."""

from __future__ import annotations

from typing import Final

import numpy as np

from site_agent.contract.analyses.at_risk import BLOCK
from site_agent.contract.analyses.counts import LEFT_OUT
from site_agent.contract.analyses.cox_points import (
    deaths_in,
    exceeds,
    is_plain,
    no_point,
    overflow,
    point_lanes,
    risk_sets_of,
    rows_of,
    weights_of,
)
from site_agent.contract.analyses.risk_sets import DEATH, Deaths, deaths_of, likelihood, triangle
from site_agent.contract.frames import Floats, Integers, Rows
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
        Lane("products", (triangle(p),), REAL),
        Lane("event_sum", (p,), REAL),
        Lane("not_binary", (p,), COUNT),
    )


def _moments(rows: Rows, _: Ask) -> Arrays:
    dies = rows.cause == DEATH
    binary = (rows.design == 0) | (rows.design == 1)
    with np.errstate(over="ignore"):  # what is infinite is refused when it is encoded
        products = _products(np.ascontiguousarray(rows.design.T))
    return {
        "rows": np.array([float(len(rows))]),
        "patients": np.array([float(rows.patients)]),
        "events": np.array([float(dies.sum())]),
        "left_out": np.array([float(rows.left_out.get(reason, 0)) for reason in LEFT_OUT]),
        "sum": rows.design.sum(axis=0),
        "products": products,
        "event_sum": rows.design[dies].sum(axis=0),
        "not_binary": (~binary).sum(axis=0).astype(np.float64),
    }


def _products(columns: Floats) -> Floats:
    """Return the packed sums of products of columns (p, n), whose rows are added up in blocks."""
    p, n = columns.shape
    total = np.zeros(triangle(p))
    for start in range(0, n, BLOCK):
        part = columns[:, start : start + BLOCK]
        total += np.concatenate([(part[i] * part[i:]).sum(axis=1) for i in range(p)])
    return total


def _death_lanes(ask: Ask) -> tuple[Lane, ...]:
    return (Lane("deaths", (ask.fixed["strata"], ask.fixed["ticks"]), COUNT),)


def _death_counts(rows: Rows, ask: Ask) -> Arrays:
    counts = np.zeros((ask.fixed["strata"], ask.fixed["ticks"]))
    dies = rows.cause == DEATH
    np.add.at(counts, (rows.stratum[dies], rows.time[dies]), 1.0)
    return {"deaths": counts}


def _death_weight_lanes(ask: Ask) -> tuple[Lane, ...]:
    return (Lane("weights", (ask.fixed["strata"], ask.fixed["ticks"]), REAL),)


def _death_weight_sums(rows: Rows, ask: Ask) -> Arrays:
    weights = np.zeros((ask.fixed["strata"], ask.fixed["ticks"]))
    dies = rows.cause == DEATH
    counted = np.ones(len(rows)) if rows.weight is None else rows.weight
    np.add.at(weights, (rows.stratum[dies], rows.time[dies]), counted[dies])
    return {"weights": weights}


def _risk_set_lanes(ask: Ask) -> tuple[Lane, ...]:
    p, deaths = ask.fixed["columns"], deaths_in(ask)
    width = 1 + p + triangle(p)
    tied = len(deaths.tied) if ask.fixed["efron"] else 0
    scores = () if is_plain(ask) else rows_of(ask)[:1]
    return (
        Lane("risk", (len(deaths.ties), width), REAL),
        Lane("tied", (tied, width), REAL),
        Lane("eta", (1,), REAL),
        Lane("covariates", (*scores, p), REAL),
        Lane("overflow", (1,), COUNT),
    )


def _risk_sets(rows: Rows, ask: Ask) -> Arrays:
    return _guarded(risk_sets_of(rows, ask, deaths_in(ask), weights_of(ask)))


def _guarded(arrays: Arrays) -> Arrays:
    """Return arrays with a flag; all zero and flagged if a number is too large for a lane."""
    large = exceeds(arrays.values(), LARGEST)
    kept = {name: np.zeros_like(values) if large else values for name, values in arrays.items()}
    return {**kept, "overflow": np.array([float(large)])}


def _reduce(totals: Arrays, ask: Ask) -> Arrays:
    if totals["overflow"][0]:
        return no_point(ask, totals)
    deaths, weights = deaths_in(ask), weights_of(ask)
    p, efron = ask.fixed["columns"], ask.fixed["efron"]
    return {**likelihood(totals, deaths, p, efron=efron, weights=weights), **overflow(totals)}


def _within_site(rows: Rows, ask: Ask) -> Arrays:
    deaths = deaths_of(rows, ask.fixed["strata"])
    weights = weights_of(ask)
    if weights is not None:
        weights = weights.among(_numbers(deaths, deaths_in(ask)))
    sums = risk_sets_of(rows, ask, deaths, weights)
    with np.errstate(over="ignore", invalid="ignore"):
        point = likelihood(
            sums, deaths, ask.fixed["columns"], efron=ask.fixed["efron"], weights=weights
        )
    return _guarded(point)


def _numbers(own: Deaths, pooled: Deaths) -> Integers:
    """Return the pooled number of each of a hospital's own death times, over strata in order."""
    numbers, offset = [], 0
    for ticks, everywhere in zip(own.ticks, pooled.ticks, strict=True):
        numbers.append(offset + np.searchsorted(everywhere, ticks))
        offset += len(everywhere)
    return np.concatenate(numbers)


MOMENTS: Final = Sum(
    name="cox_moments",
    disclosure="A",
    gives="rows, events, sums and products of covariates, and their sums over events",
    lanes=_moments_lanes,
    compute=_moments,
)
DEATH_WEIGHTS: Final = Sum(
    name="cox_death_weights",
    disclosure="C",
    gives="the weights of those who have the event, added up at each time",
    lanes=_death_weight_lanes,
    compute=_death_weight_sums,
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
    reduced_lanes=point_lanes,
)
WITHIN_SITE: Final = Sum(
    name="cox_within_site",
    disclosure="A",
    gives="score, information and log-likelihood within hospitals, over all of them",
    lanes=point_lanes,
    compute=_within_site,
)
