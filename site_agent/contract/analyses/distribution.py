"""The pooled distribution of one number, in class V: all values, how often each, and of nobody.

It opens by refining a histogram (refinement.py) over the grid of the dictionary, or over doubles
(grids.py): 1 or 2 rounds with a grid, 5 for 43 patients and any double. If some value is off the
grid, which only the data can tell, the doubles are refined instead.

The number is that of a frame's covariate columns: one column, the difference of two, or its size.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.counts import LEFT_OUT
from site_agent.contract.analyses.grids import DOUBLES, Grid, grid_of
from site_agent.contract.analyses.refinement import (
    MOST_ROUNDS,
    Keys,
    Level,
    first_level,
    level_of,
    next_level,
)
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.frames import Floats, Frame, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, TALLY
from site_agent.contract.sums import Answer, Arrays, Ask, Lane, Sum


@dataclass(frozen=True, slots=True)
class Measured:
    """Which number of a frame's rows: columns of its design, 'value', 'difference' or 'size'.

    A difference is the first column less the second, a size the difference without its sign.
    grid: that of the number. groups: 1, or how many groups of `by` are kept apart.
    """

    frame: Frame
    grid: Grid
    form: str = "value"
    column: int = 0
    groups: int = 1

    def fixed(self) -> dict[str, Any]:
        """Return it as arguments of an ask."""
        return {
            "grid": self.grid.fixed(),
            "form": self.form,
            "column": self.column,
            "groups": self.groups,
        }


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values (K,) ascending and counts (groups, K), with their keys and what they were read off."""

    measured: Measured
    keys: Keys
    values: Floats
    counts: Floats
    patients: int
    left_out: Mapping[str, int]

    @property
    def total(self) -> Floats:
        """Return the counts of all groups together, (K,)."""
        return np.asarray(self.counts.sum(axis=0))

    def midranks(self) -> Floats:
        """Return the mean rank of each value among all rows, from 1, (K,)."""
        return np.asarray(np.cumsum(self.total) - (self.total - 1) / 2)


def numbers(rows: Rows, fixed: Mapping[str, Any]) -> Floats:
    """Return the number that arguments of an ask name, of each row, (n,)."""
    column = fixed["column"]
    if fixed["form"] == "value":
        return rows.design[:, column]
    apart = rows.design[:, column] - rows.design[:, column + 1]
    return np.abs(apart) if fixed["form"] == "size" else apart


def groups_of(rows: Rows, fixed: Mapping[str, Any]) -> np.ndarray:
    """Return the group of each row, 0 where groups are not kept apart."""
    return rows.group if fixed["groups"] > 1 else np.zeros(len(rows), dtype=np.int64)


def _lanes(ask: Ask) -> tuple[Lane, ...]:
    return (
        Lane("counts", (ask.fixed["groups"], level_of(ask.fixed["level"]).size), TALLY),
        Lane("off_grid", (1,), COUNT),
        Lane("left_out", (len(LEFT_OUT),), COUNT),
        Lane("patients", (1,), COUNT),
    )


def _compute(rows: Rows, ask: Ask) -> Arrays:
    grid, level = grid_of(ask.fixed["grid"]), level_of(ask.fixed["level"])
    values = numbers(rows, ask.fixed)
    group = groups_of(rows, ask.fixed)
    return {
        "counts": level.counts(grid.keys(values), group, ask.fixed["groups"]),
        "off_grid": np.array([float(grid.off(values).sum())]),
        "left_out": np.array([float(rows.left_out.get(reason, 0)) for reason in LEFT_OUT]),
        "patients": np.array([float(rows.patients)]),
    }


DISTRIBUTION: Final = Sum(
    name="distribution",
    disclosure="V",
    gives="how many rows lie in each cell of a histogram of one number",
    lanes=_lanes,
    compute=_compute,
)


def distribution(
    measured: Measured,
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Distribution]:
    """Open the pooled distribution of a number; AnalysisError if it takes too many rounds.

    Off the grid all rounds begin anew, with doubles.
    """
    level, rounds = first_level(measured.grid.bits, groups=measured.groups), 1
    while True:
        (answer,) = yield (level_ask(measured, level),)
        if answer.totals["off_grid"][0] > 0:
            return (yield from distribution(_as_doubles(measured)))
        counts = answer.totals["counts"]
        found = counts.sum(axis=0) > 0
        cells = level.cells()[found]
        if level.below == 0 or not found.any():
            return _distribution(measured, cells, counts[:, found], answer)
        left = MOST_ROUNDS - rounds
        level = next_level(level, cells, rounds_left=left, groups=measured.groups)
        rounds += 1


def level_ask(measured: Measured, level: Level) -> Ask:
    """Return the ask for the counts of one level of cells."""
    fixed = {**measured.fixed(), "level": level.fixed()}
    return Ask(DISTRIBUTION.name, measured.frame, fixed, {})


def _as_doubles(measured: Measured) -> Measured:
    own = measured
    return Measured(own.frame, DOUBLES, own.form, own.column, own.groups)


def _distribution(measured: Measured, keys: Keys, counts: Floats, answer: Answer) -> Distribution:
    return Distribution(
        measured,
        keys,
        measured.grid.values(keys),
        counts,
        int(answer.totals["patients"][0]),
        left_out(answer.totals["left_out"]),
    )
