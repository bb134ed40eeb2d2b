"""Fisher's exact test of a table of any size: which tables are no more probable than the one seen.

With row sums n_i, column sums m_j and N in all, a table x has the probability

    P(x) = prod m_j! / N!  prod over rows of w_i,    w_i = n_i! / prod x_ij!          Fisher 1935

and p is the sum of P over all tables of these margins with P(x) <= P(seen) (1 + 1e-7), R's
tolerance. There are too many to list. After some rows, all that counts of them is how much of each
column is used (the *node*) and the product of their w (the *length*): paths that agree in both are
merged (the network algorithm, Mehta and Patel 1983, J Am Stat Assoc 78:427-434). The rows are dealt
into two halves, and each has a network of its own. A path of one half is completed by those of the
other that use up the columns, and of these a sorted list tells at once what is short enough: the
halves meet in the middle (Horowitz and Sahni 1974, J ACM 21:277-292), and the cost is the square
root of the number of tables.

Paths that together have a probability below a budget are dropped, and the budget made so small
that p is known to nine digits. Lengths are logarithms, told apart to 2^-30.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import gammaln

from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Booleans, Floats, Integers

TOLERANCE: Final = 1e-7  # as R
MOST_PATHS: Final = 1 << 23
MERGED: Final = float(1 << 30)
BUDGETS: Final = (1e-10, 1e-14, 1e-20, 1e-30, 0.0)
DIGITS: Final = 1e-9
FEW_WAYS: Final = 64
TOO_LARGE: Final = (
    "the table is too large for Fisher's exact test: its rows and columns allow too many tables. "
    "Join levels, or take the chi-square test (test: chi_square)"
)


class _TooManyPaths(Exception):
    """A network that outgrows the limit."""


@dataclass(frozen=True, slots=True)
class Margins:
    """Row sums (R,) with R >= C, and column sums (C,), all above 0."""

    rows: tuple[int, ...]
    columns: tuple[int, ...]

    @property
    def radix(self) -> Integers:
        """Return what one more in each column but the last adds to a node's number, (C - 1,)."""
        sizes = np.array([1, *(m + 1 for m in self.columns[:-2])], dtype=np.int64)
        return np.cumprod(sizes)[: len(self.columns) - 1]

    def used(self, node: Integers) -> Integers:
        """Return how much of each column but the last nodes (n,) have used, (n, C - 1)."""
        sizes = np.array(self.columns[:-1], dtype=np.int64) + 1
        return node[:, None] // self.radix % sizes

    def completions(self, node: Integers, rows: int) -> Floats:
        """Return the log of the probability that a path of weight 1 to each node has, (n,).

        rows: how much all rows of the paths hold.
        """
        first = self.used(node)
        last = rows - first.sum(axis=1, keepdims=True)
        left = np.array(self.columns) - np.concatenate([first, last], axis=1)
        whole = gammaln(np.array(self.columns) + 1.0).sum() - gammaln(sum(self.columns) + 1.0)
        rest = gammaln(sum(self.columns) - rows + 1.0)
        return np.asarray(rest - gammaln(left + 1.0).sum(axis=1) + whole)


@dataclass(frozen=True, slots=True)
class Paths:
    """Merged paths: node (n,), length (n,) as a logarithm, and how many paths, (n,).

    Ascending by node, then length.
    """

    node: Integers
    length: Floats
    paths: Floats


def fisher_p(table: Floats) -> float:
    """Return p of a table of counts (R, C) without empty rows and columns."""
    oriented = table if table.shape[0] >= table.shape[1] else table.T
    margins = Margins(
        tuple(int(n) for n in oriented.sum(axis=1)), tuple(int(n) for n in oriented.sum(axis=0))
    )
    if math.prod(m + 1 for m in margins.columns[:-1]) > 1 << 31:
        raise AnalysisError(TOO_LARGE)
    rows = gammaln(oriented.sum(axis=1) + 1.0).sum() - gammaln(oriented + 1.0).sum()
    seen = float(rows) + math.log1p(TOLERANCE)
    p = math.nan
    for budget in BUDGETS:
        try:
            p = _met(margins, seen, budget)
        except _TooManyPaths:
            raise AnalysisError(TOO_LARGE) from None
        if budget <= DIGITS * p:
            break
    return min(p, 1.0)


def _met(margins: Margins, seen: float, budget: float) -> float:
    """Return p, less what was dropped: at most the budget.

    A large row that few ways fill is in neither half: for each of its ways the halves meet anew.
    """
    share = budget / len(margins.rows)
    largest = max(margins.rows)
    ways = _probable_ways(margins, largest, share)
    apart = 1 < len(ways) <= FEW_WAYS
    if not apart:
        largest, ways = 0, np.zeros((1, len(margins.columns)), dtype=np.int64)
    first, second = (_network(margins, half, share) for half in _halves(margins, without=largest))
    whole_columns = np.array(margins.columns[:-1], dtype=np.int64)
    whole = int(whole_columns @ margins.radix)
    held = gammaln(sum(margins.rows) + 1.0)
    constant = float(gammaln(np.array(margins.columns) + 1.0).sum() - held)
    starts, ends = list(_by_node(first)), {end.node: end for end in _by_node(second)}
    used = margins.used(np.array([start.node for start in starts], dtype=np.int64))
    p = 0.0
    for way in ways:
        length = float(gammaln(largest + 1.0) - gammaln(way + 1.0).sum())
        left = whole - int(way[:-1] @ margins.radix)
        # Numbers of nodes could borrow from a column that the way has used up already.
        room = (used <= whole_columns - way[:-1]).all(axis=1)
        for start, fits in zip(starts, room, strict=True):
            end = ends.get(left - start.node)
            if fits and end is not None:
                p += _pairs(start, end, seen - length) * math.exp(
                    constant + length + start.longest + end.longest
                )
    return p


@dataclass(frozen=True, slots=True)
class _Node:
    """The paths that meet at a node: lengths ascending, weights relative to the longest path.

    summed: weights added up from nothing on, (n + 1,).
    """

    node: int
    lengths: Floats
    longest: float
    weights: Floats
    summed: Floats


def _by_node(paths: Paths) -> Iterator[_Node]:
    starts = np.flatnonzero(np.diff(paths.node, prepend=-1))
    ends = np.append(starts[1:], len(paths.node))
    for start, end in zip(starts, ends, strict=True):
        lengths = paths.length[start:end]
        weights = paths.paths[start:end] * np.exp(lengths - lengths[-1])
        summed = np.concatenate([[0.0], np.cumsum(weights)])
        yield _Node(int(paths.node[start]), lengths, float(lengths[-1]), weights, summed)


def _pairs(one: _Node, other: _Node, most: float) -> float:
    """Return the weight of all pairs of paths whose lengths add to at most `most`."""
    if len(one.lengths) > len(other.lengths):
        one, other = other, one
    short = np.searchsorted(other.lengths, most - one.lengths, side="right")
    return float(one.weights @ other.summed[short])


def _halves(margins: Margins, *, without: int) -> tuple[list[int], list[int]]:
    """Return the rows but one in two halves with about as many paths each, small rows first."""
    rows = sorted(margins.rows, reverse=True)
    halves: tuple[list[int], list[int]] = ([], [])
    sizes = [0.0, 0.0]
    for row in rows[1:] if without else rows:
        lighter = int(sizes[1] < sizes[0])
        halves[lighter].append(row)
        sizes[lighter] += math.log(math.sqrt(row) + 1)
    return sorted(halves[0]), sorted(halves[1])


def _network(margins: Margins, rows: Sequence[int], budget: float) -> Paths:
    """Return the merged paths over some rows."""
    found = Paths(np.zeros(1, np.int64), np.zeros(1), np.ones(1))
    held = 0
    for row in rows:
        held += row
        found = _step(margins, found, row, held=held, budget=budget)
    return found


def _step(margins: Margins, before: Paths, row: int, *, held: int, budget: float) -> Paths:
    """Return all paths that go on over one more row, merged; the improbable ones dropped."""
    ways = _probable_ways(margins, row, budget / 2)
    steps = ways[:, :-1] @ margins.radix
    lengths = gammaln(row + 1.0) - gammaln(ways + 1.0).sum(axis=1)
    used = margins.used(before.node)
    room = np.array(margins.columns[:-1], dtype=np.int64) - used
    last = margins.columns[-1] - (held - row - used.sum(axis=1))
    parts, many = [], 0
    for step, length, way in zip(steps, lengths, ways, strict=True):
        fits = (room >= way[:-1]).all(axis=1) & (last >= way[-1])
        parts.append((before.node[fits] + step, before.length[fits] + length, before.paths[fits]))
        many += len(parts[-1][0])
        if many > 4 * MOST_PATHS:
            raise _TooManyPaths
    node, length, paths = (np.concatenate(column) for column in zip(*parts, strict=True))
    merged = _merged(*_probable(margins, (node, length, paths), held=held, budget=budget / 2))
    return Paths(*merged)


def _ways(total: int, room: Sequence[int]) -> Integers:
    """Return every way to share `total` among the columns, none above its room, (ways, C)."""
    if len(room) == 1:
        return np.array([[total]] if total <= room[0] else np.zeros((0, 1)), dtype=np.int64)
    if total > sum(room):
        return np.zeros((0, len(room)), dtype=np.int64)
    parts = []
    for first in range(min(total, room[0]) + 1):
        rest = _ways(total - first, room[1:])
        parts.append(np.concatenate([np.full((len(rest), 1), first), rest], axis=1))
        if sum(map(len, parts)) > MOST_PATHS:
            raise _TooManyPaths
    return np.concatenate(parts).astype(np.int64)


def _merged(node: Integers, length: Floats, paths: Floats) -> tuple[Integers, Floats, Floats]:
    """Return paths with those of one node and one length joined, ascending by both."""
    rounded = np.rint(length * MERGED)
    order = np.lexsort((rounded, node))
    node, length, rounded, paths = node[order], length[order], rounded[order], paths[order]
    new = np.ones(len(node), dtype=bool)
    new[1:] = (node[1:] != node[:-1]) | (rounded[1:] != rounded[:-1])
    starts = np.flatnonzero(new)
    return node[starts], length[starts], np.add.reduceat(paths, starts)


def _probable_ways(margins: Margins, row: int, budget: float) -> Integers:
    """Return the ways to fill a row, without those that are improbable even together."""
    ways = _ways(row, margins.columns)
    length = gammaln(row + 1.0) - gammaln(ways + 1.0).sum(axis=1)
    mass = np.exp(length + margins.completions(ways[:, :-1] @ margins.radix, row))
    return ways[_heavy(mass, budget)]


def _probable(
    margins: Margins, found: tuple[Integers, Floats, Floats], *, held: int, budget: float
) -> tuple[Integers, Floats, Floats]:
    """Return node, length and number of paths, without those improbable even together."""
    node, length, paths = found
    nodes, which = np.unique(node, return_inverse=True)
    mass = paths * np.exp(length + margins.completions(nodes, held)[which])
    kept = _heavy(mass, budget)
    if kept.sum() > MOST_PATHS:
        raise _TooManyPaths
    return node[kept], length[kept], paths[kept]


def _heavy(mass: Floats, budget: float) -> Booleans:
    """Return which probabilities stay if the smallest, which add up to the budget, go."""
    order = np.argsort(mass)
    gone = np.cumsum(mass[order]) < budget
    kept = np.ones(len(mass), dtype=bool)
    kept[order[gone]] = False
    return kept
