"""Concordance of a linear predictor with the times of death, as `concordance` of R's survival.

A row i that dies at t makes a pair with each row j of its stratum that is at risk at t (entry < t)
and outlives it: time above t, or censored at t. With eta the linear predictor the pair is

    concordant   eta_i > eta_j       discordant   eta_i < eta_j       tied.x   eta_i = eta_j

Two that die at the same time make tied.y, or tied.xy if their eta are equal too. A pair counts as
w_i w_j. C = (concordant + tied.x / 2) / N with N = concordant + discordant + tied.x (Harrell 1982;
of (entry, time] rows Therneau and Watson 2015). Its variance is that of the infinitesimal
jackknife: with a_i what the pairs of row i add to C N, and b_i to N,

    var C = sum of (a_i - C b_i)^2 / N^2 = (sum a^2 - 2 C sum a b + C^2 sum b^2) / N^2

where rows of one cluster add up first. So eight totals give C and its standard error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from site_agent.contract.analyses.dominance import weight_below
from site_agent.contract.analyses.risk_sets import DEATH
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Integers, Rows

COUNTS: Final = ("concordant", "discordant", "tied_x", "tied_y", "tied_xy")
NEAR: Final = 1e-9  # linear predictors as near as this, of their size or of 1, are tied


@dataclass(frozen=True, slots=True)
class Concordance:
    """The five counts of pairs, C and its standard error."""

    concordant: float
    discordant: float
    tied_x: float
    tied_y: float
    tied_xy: float
    estimate: float
    std_error: float


def concordance_of(counts: Floats, squares: Floats) -> Concordance:
    """Return C from the five counts, and the sums of a^2, a b and b^2."""
    concordant, discordant, tied_x = (float(value) for value in counts[:3])
    pairs = concordant + discordant + tied_x
    if not pairs > 0:
        raise AnalysisError(
            "there is no pair of rows of which one is known to outlive the other; the model has "
            "no concordance"
        )
    c = (concordant + tied_x / 2) / pairs
    variance = float(squares[0] - 2 * c * squares[1] + c**2 * squares[2]) / pairs**2
    tied_y, tied_xy = float(counts[3]), float(counts[4])
    error = math.sqrt(max(0.0, variance))
    return Concordance(concordant, discordant, tied_x, tied_y, tied_xy, c, error)


def levels_of(values: Floats) -> Integers:
    """Return the rank of each value, (n,), from 0; near values have one rank."""
    order = np.argsort(values, kind="stable")
    ascending = values[order]
    apart = np.diff(ascending) > NEAR * np.maximum(1.0, np.abs(ascending[1:]))
    ranks = np.zeros(len(values), dtype=np.int64)
    ranks[order] = np.concatenate([[0], np.cumsum(apart)])[: len(values)]
    return ranks


def pairs_of(rows: Rows, rank: Integers) -> tuple[Floats, Floats, Floats]:
    """Return the counts (5,), and of each row a (n,) and b (n,), each with its weight."""
    counts = np.zeros(len(COUNTS))
    a, b = np.zeros(len(rows)), np.zeros(len(rows))
    for stratum in np.unique(rows.stratum):
        inside = np.flatnonzero(rows.stratum == stratum)
        own = _within(rows.subset(inside), rank[inside])
        counts += own[0]
        a[inside], b[inside] = own[1:]
    return counts, a, b


def _within(rows: Rows, rank: Integers) -> tuple[Floats, Floats, Floats]:
    """Return counts, a and b of one stratum."""
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    dies = rows.cause == DEATH
    lower, same, higher = _outliving(rows, rank, weight)
    below, equal, above = _outlived(rows, rank, weight)
    mine = weight[dies]
    tied_y, tied_xy = _dying_together(rows, rank, weight)
    counts = np.array([mine @ lower, mine @ higher, mine @ same, tied_y, tied_xy])
    a, b = above + equal / 2, below + equal + above
    a[dies] += lower + same / 2
    b[dies] += lower + same + higher
    return counts, weight * a, weight * b


def _outliving(rows: Rows, rank: Integers, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return, for each row that dies, the weight of its pairs with lower, equal, higher eta."""
    dies = rows.cause == DEATH
    end, entry = ends_of(rows), entries_of(rows)
    after = end_of_death(rows.time[dies]) + 1  # behind those who die then, before the censored

    def until(corner: Integers) -> Floats:
        gone = weight_below((end, rank), weight, (after, corner))
        to_come = weight_below((entry, rank), weight, (after - 1, corner))
        return to_come - gone

    low, high = until(rank[dies]), until(rank[dies] + 1)
    everybody = until(np.full(int(dies.sum()), int(rank.max(initial=0)) + 1))
    return low, high - low, everybody - high


def _outlived(rows: Rows, rank: Integers, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return, for each row, the weight of those it outlives with lower, equal, higher eta."""
    dies = rows.cause == DEATH
    points = (ends_of(rows)[dies], rank[dies])
    end, entry = ends_of(rows), entries_of(rows)

    def until(corner: Integers) -> Floats:
        ended = weight_below(points, weight[dies], (end, corner))
        return ended - weight_below(points, weight[dies], (entry + 1, corner))

    low, high = until(rank), until(rank + 1)
    everybody = until(np.full(len(rank), int(rank.max(initial=0)) + 1))
    return low, high - low, everybody - high


def end_of_death(time: Integers) -> Integers:
    """Return where a death at a time lies on a scale on which the censored of it come behind."""
    return np.asarray(2 * (time + 1))


def ends_of(rows: Rows) -> Integers:
    """Return a row's end on this scale."""
    return np.asarray(end_of_death(rows.time) + (rows.cause != DEATH))


def entries_of(rows: Rows) -> Integers:
    """Return a row's entry on this scale: behind the deaths of its time."""
    return end_of_death(rows.entry)


def _dying_together(rows: Rows, rank: Integers, weight: Floats) -> tuple[float, float]:
    """Return the weight of pairs that die at one time: with other eta, and with the same."""
    dies = rows.cause == DEATH
    mine = weight[dies]
    together = _pairs_within(rows.time[dies], mine)
    width = int(rank.max(initial=0)) + 1
    alike = _pairs_within(rows.time[dies] * width + rank[dies], mine)
    return together - alike, alike


def _pairs_within(label: Integers, weight: Floats) -> float:
    """Return the sum of w_i w_j over pairs of one label."""
    _, number = np.unique(label, return_inverse=True)
    sums, squares = np.bincount(number, weight), np.bincount(number, weight**2)
    return float((sums**2 - squares).sum() / 2)
