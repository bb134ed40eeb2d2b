"""What hospitals add up for tests between groups: class A, totals by group of one variable.

The variable is the one covariate of the frame, the groups are those of `by`. A category stands in
the frame as its design columns; `columns` of an ask says which level each of them is, and the
reference level is that of rows in which all are 0.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from site_agent.contract.analyses.counts import LEFT_OUT
from site_agent.contract.analyses.distribution import numbers
from site_agent.contract.analyses.grids import grid_of
from site_agent.contract.analyses.stratified_tables import PARTS, stratified_sums
from site_agent.contract.frames import Floats, Integers, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Arrays, Ask, Lane, Sum


def whose_lanes() -> tuple[Lane, ...]:
    """Return the lanes that say how many patients there are, and which rows are left out."""
    return (Lane("left_out", (len(LEFT_OUT),), COUNT), Lane("patients", (1,), COUNT))


def whose(rows: Rows) -> dict[str, Floats]:
    """Return the patients of some rows, and the rows left out by reason."""
    return {
        "left_out": np.array([float(rows.left_out.get(reason, 0)) for reason in LEFT_OUT]),
        "patients": np.array([float(rows.patients)]),
    }


def _by_group(values: Floats, group: Integers, groups: int) -> Floats:
    """Return the sums of values (n,) by group; bincount adds in the order of the rows."""
    return np.asarray(np.bincount(group, weights=values, minlength=groups), dtype=np.float64)


def _moment_lanes(ask: Ask) -> tuple[Lane, ...]:
    groups = (ask.fixed["groups"],)
    return (Lane("n", groups, COUNT), Lane("sum", groups, REAL), *whose_lanes())


def _moments(rows: Rows, ask: Ask) -> Arrays:
    groups = ask.fixed["groups"]
    return {
        "n": np.bincount(rows.group, minlength=groups).astype(np.float64),
        "sum": _by_group(rows.design[:, 0], rows.group, groups),
        **whose(rows),
    }


def _square_lanes(ask: Ask) -> tuple[Lane, ...]:
    return (Lane("squares", (ask.fixed["groups"],), REAL),)


def _squares(rows: Rows, ask: Ask) -> Arrays:
    apart = rows.design[:, 0] - ask.floats["means"][rows.group]
    return {"squares": _by_group(apart**2, rows.group, ask.fixed["groups"])}


def _rank_lanes(ask: Ask) -> tuple[Lane, ...]:
    groups = (ask.fixed["groups"],)
    return (Lane("n", groups, COUNT), Lane("twice_rank_sum", groups, COUNT))


def _ranks(rows: Rows, ask: Ask) -> Arrays:
    """Return sizes and twice the rank sums of groups: midranks are halves of whole numbers."""
    groups = ask.fixed["groups"]
    keys = grid_of(ask.fixed["grid"]).keys(numbers(rows, ask.fixed))
    known = np.array(ask.fixed["keys"], dtype=np.uint64)
    ranks = np.array(ask.fixed["twice_ranks"], dtype=np.float64)
    place = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
    own = ranks[place] if len(known) else np.zeros(len(rows))
    return {
        "n": np.bincount(rows.group, minlength=groups).astype(np.float64),
        "twice_rank_sum": _by_group(own, rows.group, groups),
    }


def level_codes(rows: Rows, ask: Ask) -> Integers:
    """Return the level of each row's category, as its place among all levels."""
    found = np.full(len(rows), ask.fixed["reference"], dtype=np.int64)
    for column, level in enumerate(ask.fixed["columns"]):
        found[rows.design[:, column] == 1] = level
    return found


def _tables(rows: Rows, ask: Ask) -> Floats:
    """Return counts by stratum, group and level."""
    strata, groups, levels = (ask.fixed[name] for name in ("strata", "groups", "levels"))
    cell = (rows.stratum * groups + rows.group) * levels + level_codes(rows, ask)
    counted = np.bincount(cell, minlength=strata * groups * levels)
    return counted.reshape(strata, groups, levels).astype(np.float64)


def _table_lanes(ask: Ask) -> tuple[Lane, ...]:
    shape = tuple(ask.fixed[name] for name in ("strata", "groups", "levels"))
    return (Lane("tables", shape, COUNT), *whose_lanes())


def _table(rows: Rows, ask: Ask) -> Arrays:
    return {"tables": _tables(rows, ask), **whose(rows)}


def _within_lanes(ask: Ask) -> tuple[Lane, ...]:
    groups, levels = ask.fixed["groups"], ask.fixed["levels"]
    size = (groups - 1) * (levels - 1)
    return (
        Lane("table", (groups, levels), COUNT),
        Lane("apart", (size,), REAL),
        Lane("variance", (size, size), REAL),
        Lane("parts", (len(PARTS),), REAL),
        *whose_lanes(),
    )


def _within(rows: Rows, ask: Ask) -> Arrays:
    return {**stratified_sums(_tables(rows, ask)), **whose(rows)}


GROUP_SUMS: Final = Sum(
    name="group_sums",
    disclosure="A",
    gives="how many rows each group has, and the sum of a number in it",
    lanes=_moment_lanes,
    compute=_moments,
)
GROUP_SQUARES: Final = Sum(
    name="group_squares",
    disclosure="A",
    gives="the sum of squares of a number about the mean of each group",
    lanes=_square_lanes,
    compute=_squares,
)
RANK_SUMS: Final = Sum(
    name="rank_sums",
    disclosure="A",
    gives="how many rows each group has, and the sum of their ranks among all",
    lanes=_rank_lanes,
    compute=_ranks,
)
GROUP_TABLE: Final = Sum(
    name="group_table",
    disclosure="A",
    gives="how many rows have each level of a category, by group and stratum",
    lanes=_table_lanes,
    compute=_table,
)
TABLES_WITHIN_SITE: Final = Sum(
    name="tables_within_site",
    disclosure="A",
    gives="how many rows have each level by group, and how far from chance that is in hospitals",
    lanes=_within_lanes,
    compute=_within,
)
SUMS: Final = (GROUP_SUMS, GROUP_SQUARES, RANK_SUMS, GROUP_TABLE, TABLES_WITHIN_SITE)
