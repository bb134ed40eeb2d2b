"""What the three ways to a point of a Cox model's likelihood have in common.

The ask: `columns` p, `strata`, `efron`, and of pooled baselines `deaths` (ticks by stratum) and
`ties` (how many die at each, over all strata in order); floats `beta` (p,), `centre` (p,), and with
weighted rows `death_weights` (K,), the mean weight of those who die at each time. Of a
subdistribution hazard also `competing` (ticks), and floats `leaving` and `staying`
(subdistribution.py).

Behind the maximum one more ask may come, with `steps` (ticks) and floats `weights` (T, K) over the
death times. It gives no plain point but what follows from the fit: with g one row of weights,

    score        sum of g (x - E)          T rows
    information  sum of g V, sum of g^2 V  2 T rows
    ratio        sum of 1/A0 over the deaths of each stratum between one step and the next
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from site_agent.contract.analyses.risk_sets import Deaths, Weights, risk_set_sums, triangle
from site_agent.contract.analyses.subdistribution import faded_of, subdistribution_sums
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Arrays, Ask, Lane


def is_plain(ask: Ask) -> bool:
    """Return whether an ask is for a point of the likelihood, not for what follows from it."""
    return "steps" not in ask.fixed


def weights_of(ask: Ask) -> Weights | None:
    """Return the weights of an ask behind the maximum; None for a plain point."""
    if is_plain(ask):
        return None
    g = ask.floats["weights"]
    return Weights(g, np.concatenate([g, g**2]), _between(ask))


def _between(ask: Ask) -> Floats:
    """Return which death times lie in which step of which stratum, (strata x steps, K)."""
    steps, deaths = np.array(ask.fixed["steps"], dtype=np.int64), ask.fixed["deaths"]
    blocks, total = [], sum(len(ticks) for ticks in deaths)
    offset = 0
    for ticks in deaths:
        block = np.zeros((len(steps) + 1, total))
        numbers = offset + np.arange(len(ticks))
        block[np.searchsorted(steps, np.array(ticks, dtype=np.int64)), numbers] = 1.0
        blocks.append(block[:-1])  # what lies behind the last step is not asked for
        offset += len(ticks)
    return np.concatenate(blocks)


def deaths_in(ask: Ask) -> Deaths:
    """Return the pooled death times that an ask names."""
    ticks = tuple(np.array(times, dtype=np.int64) for times in ask.fixed["deaths"])
    ties = np.array(ask.fixed["ties"], dtype=np.int64)
    return Deaths(ticks, ties, ask.floats.get("death_weights"))


def rows_of(ask: Ask) -> tuple[int, int, int]:
    """Return how many rows of scores, information and ratios an ask behind the maximum has."""
    sets = int(ask.floats["weights"].shape[0])
    return sets, 2 * sets, ask.fixed["strata"] * len(ask.fixed["steps"])


def point_lanes(ask: Ask) -> tuple[Lane, ...]:
    """Return the lanes of a point: log-likelihood, score, information; ratios where asked for."""
    p = ask.fixed["columns"]
    loglik, flag = Lane("loglik", (1,), REAL), Lane("overflow", (1,), COUNT)
    if is_plain(ask):
        lanes = (Lane("score", (p,), REAL), Lane("information", (triangle(p),), REAL))
        return (loglik, *lanes, flag)
    scores, informations, ratios = rows_of(ask)
    return (
        loglik,
        Lane("score", (scores, p), REAL),
        Lane("information", (informations, triangle(p)), REAL),
        Lane("ratio", (ratios,), REAL),
        flag,
    )


def risk_sets_of(rows: Rows, ask: Ask, deaths: Deaths, weights: Weights | None) -> Arrays:
    """Return a hospital's sums over those at risk; what is too large comes as infinity."""
    beta, centre, faded = ask.floats["beta"], ask.floats["centre"], faded_of(ask)
    sums = risk_set_sums if faded is None else partial(subdistribution_sums, faded=faded)
    with np.errstate(over="ignore", invalid="ignore"):
        return sums(rows, beta, centre, deaths=deaths, efron=ask.fixed["efron"], weights=weights)


def exceeds(arrays: Iterable[NDArray[Any]], largest: float) -> bool:
    """Return whether a number is not finite, or not below `largest` in size."""
    return not all(bool(np.all(np.abs(values) < largest)) for values in arrays)


def overflow(totals: Arrays) -> Arrays:
    """Return the flag of the hospitals in which a number was too large."""
    return {"overflow": totals["overflow"]}


def no_point(ask: Ask, totals: Arrays) -> Arrays:
    """Return a point that counts as infinitely unlikely: a number was too large to be summed.

    A step of Newton's method that goes too far then counts as one that lowers the likelihood,
    instead of ending the release.
    """
    zeros = {lane.name: np.zeros(lane.shape) for lane in point_lanes(ask)}
    return {**zeros, **overflow(totals)}
