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
from site_agent.contract.expressions.syntax import Name
from site_agent.contract.frames import Booleans, Floats
from site_agent.contract.study.model import Column, Study

SNAP: Final = 1e-8  # as for times
FINEST_GRID: Final = 40  # bits
SIGN: Final = np.uint64(1 << 63)


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
    """Return the grid of a column with range and resolution; doubles for all else."""
    node = expressions.parse(expression)
    column = None
    if isinstance(node, Name) and len(node.parts) == 1:
        column = study.tables[table].columns.get(node.parts[0])
    return DOUBLES if column is None else _of_column(column)


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
