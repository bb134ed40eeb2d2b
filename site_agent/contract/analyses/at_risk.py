"""Sums over those at risk at each death, of rows that were put in order once.

A fit asks for these sums at point after point, of the same rows at the same K death times: all
but beta is worked out once and kept with the rows. A row with entry < t_k <= time is at risk at
the numbers first <= k < last.

Rows at risk from the start (first = 0 in their stratum) stand in order of `last`, one *run* for
all that leave together; where ties matter, those who die make a run of their own:

    L_k = sum over the run with last = k + 1,    S_k = L_k + L_(k+1) + ...

so a point costs one pass over the rows, and K additions. The pass goes over blocks of rows that
fit into a processor's cache with all their products; a run that crosses from one block into the
next is cut into *pieces*. The order of additions follows from rows and times alone.

Rows that enter later (left truncation): each interval is cut into the nodes of a binary tree
over 0 ... K - 1 that cover it, at most two a level; a leaf's sum is the sum of the nodes above
it. Nothing is ever subtracted: a row of great weight that has entered or left would leave its
rounding error behind.

A row's M = 1 + p + p(p+1)/2 *products* are r, r x and the upper triangle of r x x', row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from site_agent.contract.frames import Booleans, Floats, Integers, Rows

DEATH: Final = 1
BLOCK: Final = 4096  # rows: with ten covariates 0.3 MB, and as much for products
KEPT: Final = "at risk"


@dataclass(frozen=True, slots=True)
class Covariates:
    """The covariates of n rows, a column after the other, (p, n).

    weight (n,), None for ones; offset (n,) of the linear predictor, None for zeros.
    """

    columns: Floats
    weight: Floats | None
    offset: Floats | None

    def among(self, chosen: Integers) -> Covariates:
        """Return those of some of the rows, in this order."""
        weight = None if self.weight is None else self.weight[chosen]
        offset = None if self.offset is None else self.offset[chosen]
        return Covariates(np.ascontiguousarray(self.columns[:, chosen]), weight, offset)

    def factors(self, beta: Floats, part: slice) -> tuple[Floats, Floats, Floats]:
        """Return x, r = w exp(x beta + offset) and r x of a part of the rows."""
        x = self.columns[:, part]
        r = np.exp(beta @ x if self.offset is None else beta @ x + self.offset[part])
        if self.weight is not None:
            r *= self.weight[part]
        return x, r, r * x

    def products(self, beta: Floats) -> Floats:
        """Return the products of all rows, (M, n)."""
        return np.concatenate(list(_products(*self.factors(beta, slice(None)))))


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows in order, those that leave (and die) together one behind the other.

    pieces (Q,): the row with which each piece begins; runs (R,): the piece with which each run
    begins. leaves (R,): the last number at which a run's rows are at risk. dies (R,).
    """

    rows: Covariates
    pieces: Integers
    runs: Integers
    leaves: Integers
    dies: Booleans

    def sums(self, beta: Floats) -> Floats:
        """Return the products added up over each run, (M, R)."""
        p, n = self.rows.columns.shape
        found = np.empty((width(p), len(self.pieces)))
        for start in range(0, n, BLOCK):
            low, high = np.searchsorted(self.pieces, [start, start + BLOCK])
            at = self.pieces[low:high] - start
            factors = self.rows.factors(beta, slice(start, start + BLOCK))
            line = 0
            for some in _products(*factors):
                found[line : line + len(some), low:high] = np.add.reduceat(some, at, axis=1)
                line += len(some)
        return np.asarray(np.add.reduceat(found, self.runs, axis=1)) if n else found


@dataclass(frozen=True, slots=True)
class Intervals:
    """Rows that enter later: at risk at first <= k < last; dies (n,)."""

    rows: Covariates
    first: Integers
    last: Integers
    dies: Booleans

    def sums(self, beta: Floats, count: int) -> Floats:
        """Return the products added up over those at risk at each number, (M, count)."""
        values = self.rows.products(beta)
        size = 1 << max(count - 1, 0).bit_length()
        nodes = np.zeros((len(values), 2 * size))
        for rows, bins in _covers(self.first + size, self.last + size):
            nodes += _binned(bins, values[:, rows], 2 * size)
        start = 1
        while start < size:
            nodes[:, 2 * start : 4 * start] += np.repeat(nodes[:, start : 2 * start], 2, axis=1)
            start *= 2
        return nodes[:, size : size + count]

    def dying(self, beta: Floats, count: int) -> Floats:
        """Return the products added up over those who die at each number, (M, count)."""
        chosen = np.flatnonzero(self.dies)
        return _binned(self.last[chosen] - 1, self.rows.among(chosen).products(beta), count)


@dataclass(frozen=True, slots=True)
class Ordered:
    """The rows of a hospital in order of the death times, `slices` of each stratum among all.

    of_deaths (K, p): the sum of the covariates over those who die at each death time, weighted;
    offset: that of the offsets over all who die.
    """

    slices: tuple[slice, ...]
    early: Runs
    late: Intervals
    of_deaths: Floats
    offset: float

    def at_risk(self, beta: Floats, *, tied: bool) -> tuple[Floats, Floats]:
        """Return the sums over those at risk, (K, M), and where `tied` over those who die."""
        early, count = self.early, len(self.of_deaths)
        found = early.sums(beta)
        leaving, dying = np.zeros((2, len(found), count))
        dying[:, early.leaves[early.dies]] = found[:, early.dies]
        leaving[:, early.leaves[~early.dies]] = found[:, ~early.dies]
        leaving += dying
        risk = np.empty_like(leaving)
        for own in self.slices:
            risk[:, own] = np.cumsum(leaving[:, own][:, ::-1], axis=1)[:, ::-1]
        if len(self.late.first):
            risk += self.late.sums(beta, count)
        if tied and self.late.dies.any():
            dying += self.late.dying(beta, count)
        return np.ascontiguousarray(risk.T), np.ascontiguousarray(dying.T)


def width(p: int) -> int:
    """Return how many products a row has."""
    return 1 + p + p * (p + 1) // 2


def ordered(rows: Rows, centre: Floats, ticks: Sequence[Integers], *, tied: bool) -> Ordered:
    """Return rows in order of the death times `ticks` of each stratum; kept for the next time.

    tied: whether those who die are to be added up apart.
    """
    key = (tied, centre.tobytes(), *(times.tobytes() for times in ticks))
    kept = rows.derived.get(KEPT)
    if kept is None or kept[0] != key:
        kept = rows.derived[KEPT] = key, _put_in_order(rows, centre, ticks, tied)
    found: Ordered = kept[1]
    return found


def _put_in_order(rows: Rows, centre: Floats, ticks: Sequence[Integers], tied: bool) -> Ordered:
    first, last, start = _numbered(rows, ticks)
    ends = np.cumsum([0, *(len(times) for times in ticks)])
    dies, there = rows.cause == DEATH, first < last
    apart = dies & tied
    late = np.flatnonzero(there & (first > start))
    early = np.flatnonzero(there & (first == start))
    keys = (2 * last[early] + apart[early]).astype(np.min_scalar_type(2 * ends[-1] + 1))
    early = early[np.argsort(keys, kind="stable")]
    counted = _covariates(rows, centre, np.flatnonzero(dies))
    values = counted.columns if counted.weight is None else counted.weight * counted.columns
    return Ordered(
        tuple(slice(low, high) for low, high in pairwise(ends)),
        _runs(_covariates(rows, centre, early), last[early], apart[early]),
        Intervals(_covariates(rows, centre, late), first[late], last[late], dies[late]),
        _binned(last[dies] - 1, values, int(ends[-1])).T,
        _offset_of(counted),
    )


def _offset_of(counted: Covariates) -> float:
    """Return the weighted sum of the offsets of some rows."""
    if counted.offset is None:
        return 0.0
    each = counted.offset if counted.weight is None else counted.weight * counted.offset
    return float(each.sum())


def _covariates(rows: Rows, centre: Floats, chosen: Integers) -> Covariates:
    weight = None if rows.weight is None else rows.weight[chosen]
    offset = None if rows.offset is None else rows.offset[chosen]
    columns = np.empty((len(centre), len(chosen)))
    np.subtract(rows.design[chosen].T, centre[:, None], out=columns)
    return Covariates(columns, weight, offset)


def _numbered(rows: Rows, ticks: Sequence[Integers]) -> tuple[Integers, Integers, Integers]:
    """Return first and last of each row, and the number with which its stratum begins."""
    first, last, start = np.zeros((3, len(rows)), dtype=np.int64)
    offset = 0
    for stratum, times in enumerate(ticks):
        inside = rows.stratum == stratum
        start[inside] = offset
        first[inside] = offset + np.searchsorted(times, rows.entry[inside], side="right")
        last[inside] = offset + np.searchsorted(times, rows.time[inside], side="right")
        offset += len(times)
    return first, last, start


def death_numbers(rows: Rows, ticks: Sequence[Integers]) -> Integers:
    """Return the number k of the death time of each row that dies, over all strata in order."""
    dies = rows.cause == DEATH
    time, strata = rows.time[dies], rows.stratum[dies]
    numbers = np.zeros(len(time), dtype=np.int64)
    offset = 0
    for stratum, times in enumerate(ticks):
        inside = strata == stratum
        numbers[inside] = offset + np.searchsorted(times, time[inside])
        offset += len(times)
    return numbers


def _runs(rows: Covariates, last: Integers, dies: Booleans) -> Runs:
    """Return rows that are in order already, with where their runs and pieces begin."""
    starts = np.flatnonzero(np.diff(2 * last + dies, prepend=-1))
    pieces = np.union1d(starts, np.arange(0, len(last), BLOCK))
    return Runs(rows, pieces, np.searchsorted(pieces, starts), last[starts] - 1, dies[starts])


def _products(x: Floats, r: Floats, rx: Floats) -> Iterator[Floats]:
    """Yield the products of n rows, some lines of (M, n) at a time."""
    yield r[None]
    yield rx
    for i in range(len(x)):
        yield rx[i] * x[i:]


def _covers(low: Integers, high: Integers) -> Iterator[tuple[Integers, Integers]]:
    """Yield which intervals low <= leaf < high have a node in a level's cover, and which node."""
    rows = np.arange(len(low))
    while len(low):
        odd_low, odd_high = low % 2 == 1, high % 2 == 1
        yield rows[odd_low], low[odd_low]
        yield rows[odd_high], high[odd_high] - 1
        low, high = (low + odd_low) // 2, (high - odd_high) // 2
        open_ = low < high
        low, high, rows = low[open_], high[open_], rows[open_]


def _binned(bins: Integers, values: Floats, count: int) -> Floats:
    """Return the sums of values (M, n) by bin, (M, count)."""
    found = np.empty((len(values), count))
    for line, numbers in enumerate(values):
        found[line] = np.bincount(bins, numbers, minlength=count)
    return found
