"""Robust (sandwich) variances of Cox fits: what is asked behind the maximum, and what it makes.

score_residuals.py has the formulas. All that opens in the end is the sum over clusters of outer
products of their residuals, at beta = 0 (for the robust score test) and at the maximum: two
triangles, class A.

baseline by_site: each hospital forms its own residuals. One round.
baseline pooled: residuals need the increments of the pooled hazard, which are made of the open risk
sets at beta = 0 and at the maximum (class C; one round). A second round adds the outer products up.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from site_agent.contract.analyses.cox_points import deaths_in, exceeds, risk_sets_of
from site_agent.contract.analyses.newton import Maximum
from site_agent.contract.analyses.open_risk_sets import Increments, increments, opened
from site_agent.contract.analyses.risk_sets import Deaths, deaths_of, triangle, unpack
from site_agent.contract.analyses.score_residuals import (
    clusters_of,
    outer_products,
    score_residuals,
)
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Answer, Arrays, Ask, Lane, Sum

LARGEST: Final = 2.0**100
FEWEST_CLUSTERS: Final = 2
TOO_LARGE: Final = (
    "the residuals are too large to be summed; give the covariates in larger units "
    "(age / 10, log10(ferritin))"
)


@dataclass(frozen=True, slots=True)
class Robust:
    """The robust variance (p, p), 0 where aliased; the score test; by how many clusters."""

    cluster: str
    clusters: int
    variance: Floats
    score: float


def robust(
    maximum: Maximum, ask: Callable[[Floats], Ask], *, cluster: str, within: bool
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Robust]:
    """Ask for the outer products and return the robust variance of a fit.

    cluster: `patient`, `site` or `column`. within: whether each hospital has its own baseline.
    """
    estimate = np.where(maximum.aliased, 0.0, maximum.estimate)
    points = [ask(np.zeros(len(estimate))), ask(estimate)]
    if within:
        asks = tuple(
            replace(point, sum=WITHIN_SITE.name, fixed={**point.fixed, "cluster": cluster})
            for point in points
        )
    else:
        shown = yield tuple(opened(point) for point in points)
        asks = tuple(_pooled(point, a, cluster) for point, a in zip(points, shown, strict=True))
    start, last = yield asks
    return _robust(maximum, start.totals, last.totals, cluster)


def _pooled(point: Ask, shown: Answer, cluster: str) -> Ask:
    """Return the ask for outer products of residuals against the risk sets that have opened."""
    if shown.totals["overflow"][0]:
        raise AnalysisError(TOO_LARGE)
    sets = {name: np.asarray(shown.totals[name], dtype=np.float64) for name in ("risk", "tied")}
    return Ask(
        POOLED.name, point.frame, {**point.fixed, "cluster": cluster}, {**shown.floats, **sets}
    )


def _robust(maximum: Maximum, start: Arrays, last: Arrays, cluster: str) -> Robust:
    if start["overflow"][0] or last["overflow"][0]:
        raise AnalysisError(TOO_LARGE)
    if last["clusters"][0] < FEWEST_CLUSTERS:
        raise AnalysisError(
            f"robust standard errors need at least {FEWEST_CLUSTERS} clusters; all rows are in "
            f"one. Take another 'cluster', or leave robust errors out"
        )
    p, kept = len(maximum.aliased), ~maximum.aliased
    middle = unpack(last["products"], p)
    variance = maximum.variance @ middle @ maximum.variance
    first, score = unpack(start["products"], p)[np.ix_(kept, kept)], maximum.start.score[kept]
    return Robust(
        cluster,
        int(last["clusters"][0]),
        np.asarray((variance + variance.T) / 2),
        quadratic(first, score),
    )


def quadratic(matrix: Floats, vector: Floats) -> float:
    """Return vector' matrix^- vector with a generalised inverse where the matrix is singular.

    There are no more directions than clusters: with few of them the matrix has no inverse.
    """
    if not len(vector):
        return 0.0
    scale = np.sqrt(np.maximum(np.diag(matrix), np.finfo(float).tiny))
    inverse = np.linalg.pinv(matrix / np.outer(scale, scale), rcond=1e-10, hermitian=True)
    return float((vector / scale) @ inverse @ (vector / scale))


def _lanes(ask: Ask) -> tuple[Lane, ...]:
    return (
        Lane("products", (triangle(ask.fixed["columns"]),), REAL),
        Lane("clusters", (1,), COUNT),
        Lane("overflow", (1,), COUNT),
    )


def _compute_pooled(rows: Rows, ask: Ask) -> Arrays:
    deaths = deaths_in(ask)
    with np.errstate(all="ignore"):  # what is infinite is flagged
        found = increments(ask.floats["risk"], ask.floats["tied"], deaths, efron=ask.fixed["efron"])
        return _products(rows, ask, deaths, found)


def _compute_within(rows: Rows, ask: Ask) -> Arrays:
    deaths = deaths_of(rows, ask.fixed["strata"])
    sums = risk_sets_of(rows, ask, deaths, None)
    width = 1 + ask.fixed["columns"]
    with np.errstate(all="ignore"):
        found = increments(
            sums["risk"][:, :width], sums["tied"][:, :width], deaths, efron=ask.fixed["efron"]
        )
        return _products(rows, ask, deaths, found)


def _products(rows: Rows, ask: Ask, deaths: Deaths, found: Increments) -> Arrays:
    beta, centre = ask.floats["beta"], ask.floats["centre"]
    clusters = clusters_of(rows, ask.fixed["cluster"])
    products = outer_products(
        score_residuals(rows, beta, centre, deaths=deaths, found=found), clusters
    )
    large = exceeds((products,), LARGEST)
    return {
        "products": np.zeros_like(products) if large else products,
        "clusters": np.array([float(clusters.max(initial=-1) + 1)]),
        "overflow": np.array([float(large)]),
    }


WITHIN_SITE: Final = Sum(
    name="cox_robust_within_site",
    disclosure="A",
    gives="outer products of clusters' score residuals within hospitals, over all of them",
    lanes=_lanes,
    compute=_compute_within,
)
POOLED: Final = Sum(
    name="cox_robust",
    disclosure="A",
    gives="outer products of clusters' score residuals, over all hospitals",
    lanes=_lanes,
    compute=_compute_pooled,
)
