"""What hospitals add up over pairs of numbers in one row: class A, totals over all pairs.

The frame's covariates are before and after. A *change* is after less before, a *ratio* after over
before, which exists for before > 0 and after >= 0; its logarithm for both above 0.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from site_agent.contract.analyses.distribution import numbers
from site_agent.contract.analyses.grids import grid_of
from site_agent.contract.analyses.group_sums import whose, whose_lanes
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Arrays, Ask, Lane, Sum

COUNTED: Final = ("pairs", "fell", "rose", "stayed", "no_ratio", "no_log")
QUANTITIES: Final = ("before", "after", "change", "ratio", "log_ratio")


def quantities(rows: Rows) -> Floats:
    """Return before, after, change, ratio and its logarithm of each row, (5, n); 0 for none."""
    before, after = rows.design.T
    some, positive = (before > 0) & (after >= 0), (before > 0) & (after > 0)
    ratio = np.divide(after, before, out=np.zeros(len(rows)), where=some)
    logs = np.log(np.where(positive, after, 1.0)) - np.log(np.where(positive, before, 1.0))
    return np.stack([before, after, after - before, ratio, logs])


def _sum_lanes(_: Ask) -> tuple[Lane, ...]:
    counts = (Lane(name, (1,), COUNT) for name in COUNTED)
    return (*counts, Lane("sums", (len(QUANTITIES),), REAL), *whose_lanes())


def _sums(rows: Rows, _: Ask) -> Arrays:
    found = quantities(rows)
    before, after, change = found[:3]
    counts = {
        "pairs": len(rows),
        "fell": (change < 0).sum(),
        "rose": (change > 0).sum(),
        "stayed": (change == 0).sum(),
        "no_ratio": ((before <= 0) | (after < 0)).sum(),
        "no_log": ((before <= 0) | (after <= 0)).sum(),
    }
    arrays = {name: np.array([float(count)]) for name, count in counts.items()}
    return {**arrays, "sums": found.sum(axis=1), **whose(rows)}


def _square_lanes(_: Ask) -> tuple[Lane, ...]:
    return (Lane("squares", (len(QUANTITIES),), REAL),)


def _squares(rows: Rows, ask: Ask) -> Arrays:
    apart = quantities(rows) - ask.floats["means"][:, None]
    return {"squares": (apart**2).sum(axis=1)}


def _rank_lanes(_: Ask) -> tuple[Lane, ...]:
    return (Lane("twice_rank_sum", (1,), COUNT),)


def _ranks(rows: Rows, ask: Ask) -> Arrays:
    """Return twice the sum of the ranks of those that rose; ranks are of sizes other than 0."""
    keys = grid_of(ask.fixed["grid"]).keys(numbers(rows, ask.fixed))
    known = np.array(ask.fixed["keys"], dtype=np.uint64)
    ranks = np.array(ask.fixed["twice_ranks"], dtype=np.float64)
    rose = rows.design[:, 1] > rows.design[:, 0]
    return {"twice_rank_sum": np.array([ranks[np.searchsorted(known, keys[rose])].sum()])}


PAIRED_SUMS: Final = Sum(
    name="paired_sums",
    disclosure="A",
    gives="how many pairs there are, how many fell, rose or stayed, and sums over all of them",
    lanes=_sum_lanes,
    compute=_sums,
)
PAIRED_SQUARES: Final = Sum(
    name="paired_squares",
    disclosure="A",
    gives="sums of squares of changes and ratios about their means",
    lanes=_square_lanes,
    compute=_squares,
)
SIGNED_RANKS: Final = Sum(
    name="signed_ranks",
    disclosure="A",
    gives="the sum of the ranks of the changes that rise, among the sizes of all changes",
    lanes=_rank_lanes,
    compute=_ranks,
)
