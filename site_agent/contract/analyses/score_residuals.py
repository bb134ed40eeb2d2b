"""Score residuals of a Cox model, and the sums that make its robust variance.

Notation of risk_sets.py and open_risk_sets.py. Row i is at risk in (entry, time] and dies (delta)
or not. Its part of the score, with the hazard's increments in place of the martingale's:

    u_i = delta (x - m) - r sum over deaths k at risk of (x h_k - g_k)
                        + delta r (x h'_k - g'_k)           at its own death

The last term gives back to the dying what Efron's ties spare them. Rows of one cluster add up,
each with its weight w. With U_c = sum of w u over a cluster, I^- the inverse information:

    robust variance    I^- (sum over clusters of U_c U_c') I^-        Lin and Wei 1989
    robust score test  U' (sum of U_c U_c')^- U, all at beta = 0

No factor for small samples. Increments of each hospital's own (a baseline by site) need nothing
from outside it; those of a pooled baseline must be known to it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from site_agent.contract.analyses.at_risk import death_numbers
from site_agent.contract.analyses.open_risk_sets import Increments
from site_agent.contract.analyses.risk_sets import DEATH, Deaths, linear_predictor
from site_agent.contract.frames import Floats, Integers, Rows

PATIENT: Final = "patient"
SITE: Final = "site"
COLUMN: Final = "column"


def score_residuals(
    rows: Rows, beta: Floats, centre: Floats, *, deaths: Deaths, found: Increments
) -> Floats:
    """Return each row's part of the score, times its weight, (n, p)."""
    design = rows.design - centre
    risk = np.exp(linear_predictor(rows, beta, centre))
    hazard, drift = _under_risk(rows, deaths, found)
    residuals = -risk[:, None] * (design * hazard[:, None] - drift)
    dies, numbers = rows.cause == DEATH, death_numbers(rows, deaths.ticks)
    spared = found.spared_hazard[numbers, None] * design[dies] - found.spared_drift[numbers]
    residuals[dies] += design[dies] - found.mean[numbers] + risk[dies, None] * spared
    return residuals if rows.weight is None else residuals * rows.weight[:, None]


def _under_risk(rows: Rows, deaths: Deaths, found: Increments) -> tuple[Floats, Floats]:
    """Return the sums of hazard (n,) and drift (n, p) over the deaths at which a row is at risk."""
    hazard = np.zeros(len(rows))
    drift = np.zeros((len(rows), found.drift.shape[1]))
    offset = 0
    for stratum, ticks in enumerate(deaths.ticks):
        inside = np.flatnonzero(rows.stratum == stratum)
        part = slice(offset, offset + len(ticks))
        first = np.searchsorted(ticks, rows.entry[inside], side="right")
        last = np.searchsorted(ticks, rows.time[inside], side="right")
        hazard[inside] = _between(found.hazard[part], first, last)
        drift[inside] = _between(found.drift[part], first, last)
        offset += len(ticks)
    return hazard, drift


def _between(values: Floats, first: Integers, last: Integers) -> Floats:
    """Return the sums of values over first <= k < last, for each pair."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    return np.asarray(sums[np.maximum(first, last)] - sums[first])


def clusters_of(rows: Rows, cluster: str) -> Integers:
    """Return the number of each row's cluster within the hospital, (n,), from 0 without gaps."""
    if cluster == SITE:
        return np.zeros(len(rows), dtype=np.int64)
    values = rows.patient if cluster == PATIENT else rows.cluster
    _, numbers = np.unique(np.asarray(values), return_inverse=True)
    return np.asarray(numbers, dtype=np.int64)


def outer_products(residuals: Floats, clusters: Integers) -> Floats:
    """Return the packed sum over clusters of U_c U_c', (p (p + 1) / 2,)."""
    sums = np.zeros((int(clusters.max(initial=-1)) + 1, residuals.shape[1]))
    np.add.at(sums, clusters, residuals)
    one, two = np.triu_indices(residuals.shape[1])
    return np.asarray((sums[:, one] * sums[:, two]).sum(axis=0))
