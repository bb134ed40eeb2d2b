"""Values as whole numbers in the same order, and back: the keys by which a histogram is refined.

A column whose range and resolution stand in the dictionary has the keys

    key = rint((x - low) / resolution),    0 <= key < 2^B

A value between two steps, which the dictionary does not rule out for a number, is *off* the grid;
so is one outside of it. Any other number has the 64 bits of its double as a key: for x >= 0 the
bits as they are with the first one set, for x < 0 all bits turned over, which puts doubles in order
(Herf, Radix Tricks, 2001). -0 counts as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from site_agent.contract import expressions
from site_agent.contract.analyses.refinement import WORD, Keys
from site_agent.contract.expressions.syntax import Call, Chain, Name, NumberLiteral
from site_agent.contract.frames import Booleans, Floats
from site_agent.contract.study.model import Column, Study, Table

SNAP: Final = 1e-8  # as for times
FINEST_GRID: Final = 40  # bits
SIGN: Final = np.uint64(1 << 63)
EXTREMES: Final = frozenset({"max", "min"})
DAYS: Final = frozenset({"first", "last", "first_run"})


@dataclass(frozen=True, slots=True)
class Grid:
    """How values become keys: steps from `low` to `high`, or doubles where there is no step."""

    low: Fraction = Fraction(0)
    high: Fraction = Fraction(0)
    step: Fraction | None = None

    @property
    def bits(self) -> int:
        """Return how many bits a key has."""
        if self.step is None:
            return WORD
        return max(1, int((self.high - self.low) / self.step).bit_length())

    def keys(self, values: Floats) -> Keys:
        """Return the keys of values (n,); of those outside of the grid the nearest ones."""
        if self.step is None:
            return _ordered(values)
        steps = np.rint((values - float(self.low)) / float(self.step))
        return np.clip(steps, 0, (self.high - self.low) // self.step).astype(np.uint64)

    def values(self, keys: Keys) -> Floats:
        """Return the values (n,) that have these keys, each the nearest double."""
        step = self.step
        if step is None:
            return _doubles(keys)
        return np.array([float(self.low + int(key) * step) for key in keys], dtype=np.float64)

    def off(self, values: Floats) -> Booleans:
        """Return which values (n,) are none of the grid's."""
        if self.step is None:
            return np.zeros(len(values), dtype=bool)
        distinct, which = np.unique(values, return_inverse=True)
        return np.asarray(np.abs(self.values(self.keys(distinct)) - distinct) > SNAP)[which]

    def fixed(self) -> dict[str, Any]:
        """Return the grid as an argument of an ask."""
        step = None if self.step is None else str(self.step)
        return {"low": str(self.low), "high": str(self.high), "step": step}


DOUBLES: Final = Grid()


def grid_of(fixed: Mapping[str, Any]) -> Grid:
    """Return the grid that an ask's argument names."""
    step = None if fixed["step"] is None else Fraction(fixed["step"])
    return Grid(Fraction(fixed["low"]), Fraction(fixed["high"]), step)


def grid_in_dictionary(study: Study, table: str, expression: str) -> Grid:
    """Return the grid of what follows from columns with range and resolution; else doubles.

    That is a column, the largest or smallest of a child's column, a day on which something is the
    case, a sum or difference of these and of numbers, and a column derived as one of them.
    """
    return _grid(study, table, expressions.parse(expression))


def _grid(study: Study, table: str, node: expressions.Node) -> Grid:
    if isinstance(node, Name):
        return _of_name(study, study.tables[table], node)
    if isinstance(node, Call) and node.function in EXTREMES:
        return _grid(study, table, node.arguments[0])
    if isinstance(node, Call) and node.function in DAYS:
        child = study.tables[node.arguments[0].parts[0]]  # type: ignore[union-attr]
        return _of_column(child.columns[child.key[1]])
    if isinstance(node, Chain) and all(sign in "+-" for sign, _ in node.rest):
        grid = _grid(study, table, node.first)
        for sign, term in node.rest:
            grid = _moved(grid, sign, term, _grid(study, table, term))
        return grid
    return DOUBLES


def _of_name(study: Study, table: Table, name: Name) -> Grid:
    """Return the grid of a column: the table's own, a derived one, or that of a child."""
    *owner, column = name.parts
    if owner:
        child = study.tables.get(owner[0])
        return _of_name(study, child, Name((column,), name.at)) if child else DOUBLES
    if column in table.columns:
        return _of_column(table.columns[column])
    found = [one.expression for one in table.derived if one.name == column]
    return _grid(study, table.name, found[0]) if found and found[0] is not None else DOUBLES


def _moved(grid: Grid, sign: str, term: expressions.Node, other: Grid) -> Grid:
    """Return the grid of a sum or a difference with a number or with what has a grid."""
    if isinstance(term, NumberLiteral) and grid.step is not None:
        by = Fraction(str(term.value)) * (1 if sign == "+" else -1)
        return Grid(grid.low + by, grid.high + by, grid.step)
    turned = Grid(-other.high, -other.low, other.step) if sign == "+" else other
    return difference(grid, turned)


def _of_column(column: Column) -> Grid:
    if column.resolution is None or column.low is None or column.high is None:
        return DOUBLES
    grid = Grid(Fraction(str(column.low)), Fraction(str(column.high)), column.resolution)
    return grid if grid.bits <= FINEST_GRID else DOUBLES


def difference(one: Grid, other: Grid) -> Grid:
    """Return the grid of one less the other: doubles unless both have the same steps."""
    if one.step is None or one.step != other.step:
        return DOUBLES
    return Grid(one.low - other.high, one.high - other.low, one.step)


def absolute(grid: Grid) -> Grid:
    """Return the grid of the sizes of a grid's values: doubles unless 0 is a step."""
    if grid.step is None or grid.low % grid.step:
        return DOUBLES
    return Grid(Fraction(0), max(abs(grid.low), abs(grid.high)), grid.step)


def _ordered(values: Floats) -> Keys:
    bits = (np.asarray(values, dtype=np.float64) + 0.0).view(np.uint64)
    return np.where(bits & SIGN, ~bits, bits | SIGN)


def _doubles(keys: Keys) -> Floats:
    bits = np.where(keys & SIGN, keys ^ SIGN, ~keys)
    return np.asarray(bits.astype(np.uint64).view(np.float64))
