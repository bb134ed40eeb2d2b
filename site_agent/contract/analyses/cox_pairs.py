"""The concordance of a Cox fit over all hospitals, in class C: pairs of patients of any two.

    1. who dies with which linear predictor (death_predictors.py; seldom one round more)
    2. for each of these, how many of those who outlive it have a lower, the same, a higher one
    3. with both known to it, each hospital forms a and b of its rows (concordance.py): sums of
       a^2, a b and b^2 over clusters open

The answers to 2 are the counts of pairs, those to 3 the standard error.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Final

import numpy as np

from site_agent.contract.analyses.at_risk import death_numbers
from site_agent.contract.analyses.concordance import (
    Concordance,
    concordance_of,
    end_of_death,
    ends_of,
    entries_of,
    levels_of,
)
from site_agent.contract.analyses.cox_concordance import ROW, squares_of
from site_agent.contract.analyses.cox_points import deaths_in
from site_agent.contract.analyses.death_predictors import Dying, as_json, dying_of
from site_agent.contract.analyses.dominance import weight_below
from site_agent.contract.analyses.risk_sets import (
    DEATH,
    Deaths,
    linear_predictor,
)
from site_agent.contract.frames import Floats, Integers, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Answer, Arrays, Ask, Lane, Sum

SIDES: Final = ("lower", "same", "higher")


def over_all(
    point: Ask, cluster: str
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Concordance]:
    """Ask for the pairs at a point over all hospitals, and return the concordance.

    cluster: as cox_concordance.within_sites.
    """
    items = yield from dying_of(point)
    fixed = {**point.fixed, **as_json(items)}
    floats = {**point.floats, "eta": items.eta}
    (answer,) = yield (replace(point, sum=OUTLIVING.name, fixed=fixed, floats=floats),)
    sides = {name: answer.totals[name] for name in SIDES}
    known = {name: [int(n) for n in values] for name, values in sides.items()}
    fixed = {**fixed, **known, "cluster": cluster or ROW}
    (answer,) = yield (replace(point, sum=PAIR_SQUARES.name, fixed=fixed, floats=floats),)
    return concordance_of(_counts(items, sides), answer.totals["squares"])


def _counts(items: Dying, sides: Arrays) -> Floats:
    """Return concordant, discordant, tied.x, tied.y and tied.xy."""
    concordant, tied, discordant = (float(items.count @ sides[name]) for name in SIDES)
    together = np.bincount(items.time, items.count)
    tied_xy = float((items.count * (items.count - 1)).sum() / 2)
    tied_y = float((together * (together - 1)).sum() / 2) - tied_xy
    return np.array([concordant, discordant, tied, tied_y, tied_xy])


def _outliving_lanes(ask: Ask) -> tuple[Lane, ...]:
    return tuple(Lane(name, (len(ask.fixed["time"]),), COUNT) for name in SIDES)


def _outliving(rows: Rows, ask: Ask) -> Arrays:
    """Return, for each item, how many own rows outlive it, by the side of their eta."""
    arrays = {name: np.zeros(len(ask.fixed["time"])) for name in SIDES}
    deaths, time, rank, own = _ranked(rows, ask)
    for part, inside in _by_stratum(rows, deaths, time):
        if len(part) and len(inside):
            some, one = rows.subset(inside), np.ones(len(inside))
            end = end_of_death(_ticks(deaths)[time[part]])
            entered, ended = (entries_of(some), own[inside]), (ends_of(some), own[inside])
            low, high, every = (
                weight_below(entered, one, (end, corner))
                - weight_below(ended, one, (end + 1, corner))
                for corner in (rank[part], rank[part] + 1, _above(rank, own, part))
            )
            for name, values in zip(SIDES, (low, high - low, every - high), strict=True):
                arrays[name][part] = values
    return arrays


def _ranked(rows: Rows, ask: Ask) -> tuple[Deaths, Integers, Integers, Integers]:
    """Return the deaths, the times of the items, and common ranks of items and of own rows."""
    eta = linear_predictor(rows, ask.floats["beta"], ask.floats["centre"])
    ranks = levels_of(np.concatenate([ask.floats["eta"], eta]))
    items = len(ask.fixed["time"])
    time = np.array(ask.fixed["time"], dtype=np.int64)
    return deaths_in(ask), time, ranks[:items], ranks[items:]


def _ticks(deaths: Deaths) -> Integers:
    return np.concatenate(deaths.ticks)


def _by_stratum(rows: Rows, deaths: Deaths, time: Integers) -> list[tuple[Integers, Integers]]:
    """Return the numbers of the items and of the rows of each stratum."""
    offsets = np.concatenate([[0], np.cumsum([len(ticks) for ticks in deaths.ticks])])
    stratum = np.searchsorted(offsets, time, side="right") - 1
    return [
        (np.flatnonzero(stratum == s), np.flatnonzero(rows.stratum == s))
        for s in range(len(deaths.ticks))
    ]


def _squares_lanes(_: Ask) -> tuple[Lane, ...]:
    return (Lane("squares", (3,), REAL),)


def _squares(rows: Rows, ask: Ask) -> Arrays:
    """Return the sums over own clusters of a^2, a b and b^2."""
    deaths, time, rank, own = _ranked(rows, ask)
    a, b = np.zeros(len(rows)), np.zeros(len(rows))
    weight = np.array(ask.fixed["count"], dtype=np.float64)
    for part, inside in _by_stratum(rows, deaths, time):
        if len(part) and len(inside):
            some = rows.subset(inside)
            points = end_of_death(_ticks(deaths)[time[part]]), rank[part]
            low, high, every = (
                weight_below(points, weight[part], (ends_of(some), corner))
                - weight_below(points, weight[part], (entries_of(some) + 1, corner))
                for corner in (own[inside], own[inside] + 1, _above(rank, own, inside))
            )
            a[inside], b[inside] = every - high + (high - low) / 2, every
    dies = np.flatnonzero(rows.cause == DEATH)
    item = _items_of(rows, deaths, (time, rank), own[dies])
    lower, same, higher = (np.array(ask.fixed[name], dtype=np.float64)[item] for name in SIDES)
    a[dies] += lower + same / 2
    b[dies] += lower + same + higher
    return {"squares": squares_of(a, b, rows, ask.fixed["cluster"])}


def _above(rank: Integers, own: Integers, inside: Integers) -> Integers:
    """Return a rank above all others, once for each row."""
    top = max(int(rank.max(initial=0)), int(own.max(initial=0))) + 1
    return np.full(len(inside), top)


def _items_of(
    rows: Rows, deaths: Deaths, items: tuple[Integers, Integers], own: Integers
) -> Integers:
    """Return the number of the item of each row that dies: same time, same rank."""
    width = int(max(items[1].max(initial=0), own.max(initial=0))) + 1
    keys = items[0] * width + items[1]
    order = np.argsort(keys, kind="stable")
    wanted = death_numbers(rows, deaths.ticks) * width + own
    place = np.searchsorted(keys[order], wanted)
    return np.asarray(order[np.minimum(place, max(0, len(keys) - 1))])


OUTLIVING: Final = Sum(
    name="cox_outliving",
    disclosure="C",
    gives="for each who has the event, how many at risk have a lower or higher linear predictor",
    lanes=_outliving_lanes,
    compute=_outliving,
)
PAIR_SQUARES: Final = Sum(
    name="cox_pair_squares",
    disclosure="A",
    gives="sums of squares over patients of what each adds to a concordance",
    lanes=_squares_lanes,
    compute=_squares,
)
