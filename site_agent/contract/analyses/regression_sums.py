"""The sums of regression models: moments, a point of the likelihood, what follows from the fit.

A row has an outcome y, an offset o (0 for none), covariates x (centred, behind a column of 1) and a
weight w (1 for none). With the linear predictor eta = o + x (start + beta), the mean mu and the
variance V of the family (families.py), and y in units of `scale`:

    loglik       sum of w l(y, eta)
    score        sum of w x (y - mu)
    information  sum of w V x x', packed
    pearson      sum of w (y - mu)^2 / V
    middle       sum over clusters of u u', u the sum of w x (y - mu) over the cluster's rows

Of a gaussian outcome only y - eta counts. So o + x start is taken off y first, and what is left is
added up: a mean of 10^9 standard deviations costs no more digits than it costs `lm`.

The first of the frame's numbers is the outcome. All are totals over the
whole cohort (class A). `start` is where Newton's method begins and is public; beta counts from it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import xlogy

from site_agent.contract.analyses.counts import LEFT_OUT
from site_agent.contract.analyses.families import FAMILIES, GAUSSIAN, Family
from site_agent.contract.analyses.risk_sets import triangle
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Arrays, Ask, Lane, Sum

LARGEST: Final = 2.0**100
CLUSTERS: Final = ("row", "patient", "site")


def weight_of(rows: Rows) -> Floats:
    """Return what each row counts as, (n,)."""
    return np.ones(len(rows)) if rows.weight is None else rows.weight


def outcome_of(rows: Rows) -> Floats:
    """Return the outcome of each row, (n,)."""
    return rows.numbers[:, 0]


def offset_of(rows: Rows) -> Floats:
    """Return the offset of each row, (n,)."""
    return np.zeros(len(rows)) if rows.offset is None else rows.offset


def _moment_lanes(ask: Ask) -> tuple[Lane, ...]:
    p = ask.fixed["columns"]
    counts = ("rows", "patients", "not_allowed", "above_zero")
    sums = ("weight", "log_weight", "outcome", "square", "offset", "saturated", "y_log_y")
    return (
        *(Lane(name, (1,), COUNT) for name in counts),
        Lane("left_out", (len(LEFT_OUT),), COUNT),
        *(Lane(name, (1,), REAL) for name in sums),
        Lane("sum", (p,), REAL),
        Lane("products", (triangle(p),), REAL),
    )


def _moments(rows: Rows, ask: Ask) -> Arrays:
    family, weight, y = FAMILIES[ask.fixed["family"]], weight_of(rows), outcome_of(rows)
    allowed = family.allowed(y)
    known = np.where(allowed, y, 0.0)
    above = np.maximum(known, 0.0)
    one, two = np.triu_indices(rows.design.shape[1])
    with np.errstate(over="ignore"):  # what is infinite is refused when it is encoded
        sums = {
            "weight": weight.sum(),
            "log_weight": np.log(weight).sum(),
            "outcome": weight @ known,
            "square": weight @ known**2,
            "offset": weight @ offset_of(rows),
            "saturated": weight @ family.saturated(known),
            "y_log_y": weight @ xlogy(above, above),
        }
        products = weight @ (rows.design[:, one] * rows.design[:, two])
    counts = {
        "rows": len(rows),
        "patients": rows.patients,
        "not_allowed": (~allowed).sum(),
        "above_zero": (known > 0).sum(),
    }
    return {
        **{name: np.array([float(value)]) for name, value in (counts | sums).items()},
        "left_out": np.array([float(rows.left_out.get(reason, 0)) for reason in LEFT_OUT]),
        "sum": weight @ rows.design,
        "products": products,
    }


def _point_lanes(ask: Ask) -> tuple[Lane, ...]:
    p = 1 + ask.fixed["columns"]
    return (
        Lane("loglik", (1,), REAL),
        Lane("score", (p,), REAL),
        Lane("information", (triangle(p),), REAL),
        Lane("overflow", (1,), COUNT),
    )


def explained(rows: Rows, ask: Ask) -> tuple[Floats, Floats, Floats]:
    """Return design (n, 1 + p) behind a column of 1, outcome in units (n,) and predictor (n,).

    Of a gaussian outcome the last two are what is left of both without offset and start.
    """
    design = np.column_stack([np.ones(len(rows)), rows.design - ask.floats["centre"]])
    y = np.asarray(outcome_of(rows) / ask.floats["scale"][0])
    start, beta = ask.floats["start"], ask.floats["beta"]
    if ask.fixed["family"] == GAUSSIAN.name:
        return design, y - (offset_of(rows) + design @ start), design @ beta
    return design, y, offset_of(rows) + design @ (start + beta)


def _point(rows: Rows, ask: Ask) -> Arrays:
    family = FAMILIES[ask.fixed["family"]]
    design, y, eta = explained(rows, ask)
    weight = weight_of(rows)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        mean = family.mean(eta)
        variance = family.variance(mean)
        one, two = np.triu_indices(design.shape[1])
        arrays = {
            "loglik": np.array([weight @ family.loglik(y, eta)]),
            "score": (weight * (y - mean)) @ design,
            "information": (weight * variance) @ (design[:, one] * design[:, two]),
        }
    large = not all(bool(np.all(np.abs(values) < LARGEST)) for values in arrays.values())
    kept = {name: np.zeros_like(values) if large else values for name, values in arrays.items()}
    return {**kept, "overflow": np.array([float(large)])}


def _behind_lanes(ask: Ask) -> tuple[Lane, ...]:
    p = 1 + ask.fixed["columns"]
    clustered = ask.fixed["cluster"] != "none"
    return (
        Lane("pearson", (1,), REAL),
        Lane("middle", (triangle(p) if clustered else 0,), REAL),
    )


def _behind(rows: Rows, ask: Ask) -> Arrays:
    family: Family = FAMILIES[ask.fixed["family"]]
    design, y, eta = explained(rows, ask)
    mean, weight = family.mean(eta), weight_of(rows)
    residual = y - mean
    pearson = np.array([weight @ _squares(residual, family.variance(mean))])
    if ask.fixed["cluster"] == "none":
        return {"pearson": pearson, "middle": np.zeros(0)}
    scores = by_cluster((weight * residual)[:, None] * design, rows, ask.fixed["cluster"])
    one, two = np.triu_indices(design.shape[1])
    return {"pearson": pearson, "middle": (scores[:, one] * scores[:, two]).sum(axis=0)}


def _squares(residual: Floats, variance: Floats) -> Floats:
    """Return Pearson's squared residuals; 0 where a fitted mean is at its limit and met."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(residual == 0, 0.0, residual**2 / variance))


def by_cluster(scores: Floats, rows: Rows, cluster: str) -> Floats:
    """Return the sums of scores (n, p) over rows of one cluster, (clusters, p)."""
    if cluster == "row":
        return scores
    if cluster == "site":
        return np.asarray(scores.sum(axis=0, keepdims=True))
    _, number = np.unique(rows.patient, return_inverse=True)
    summed: Floats = np.zeros((rows.patients, scores.shape[1]))
    np.add.at(summed, number, scores)
    return summed


MOMENTS: Final = Sum(
    name="regression_moments",
    disclosure="A",
    gives="rows, sums and squares of an outcome, sums and products of covariates",
    lanes=_moment_lanes,
    compute=_moments,
)
POINT: Final = Sum(
    name="regression_point",
    disclosure="A",
    gives="log-likelihood, score and information of a regression",
    lanes=_point_lanes,
    compute=_point,
)
BEHIND: Final = Sum(
    name="regression_behind",
    disclosure="A",
    gives="squared residuals at the fit; squares and products of the patients' scores",
    lanes=_behind_lanes,
    compute=_behind,
)
