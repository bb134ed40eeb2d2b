"""The linear predictors of those who die, opened time by time with sums alone (class C).

At a time at which one row dies, the sum of the dying's eta is its eta. Where several die they are
told apart by *cells*: with t = eta / (1 + |eta|), between -1 and 1, a cell is all t with the same
leading bits. Of each cell three sums open, of 1, of D and of D^2, with D = eta less the cell's
centre, so D is small and squares lose little:

    one row               eta = centre + D
    two rows              D = m -+ sqrt(s2/2 - m^2),  m = s1/2
    more, all the same    s2/c = m^2, m = s1/c

Any other cell is cut further in the next round. What lies nearer than concordance.NEAR is a tie.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.at_risk import death_numbers
from site_agent.contract.analyses.concordance import NEAR, levels_of
from site_agent.contract.analyses.cox_points import deaths_in
from site_agent.contract.analyses.risk_sets import DEATH, linear_predictor
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Integers, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Answer, Arrays, Ask, Lane, Sum

MOST_CELLS: Final = 1 << 16  # of 72 bytes each in one round
MOST_NODES: Final = 1 << 13
MOST_LEVELS: Final = 4
NARROW: Final = 0.02  # half the width, in eta, of a cell whose squares tell near values apart
Node = tuple[int, int, int]  # a death time, how many bits are known of t, and these bits


@dataclass(frozen=True, slots=True)
class Dying:
    """Who dies with which linear predictor: (I,) items by death time, of one or more rows each."""

    time: Integers
    eta: Floats
    count: Integers


def dying_of(point: Ask) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Dying]:
    """Open the linear predictors of the dying of all death times of a point's model."""
    ties = deaths_in(point).ties
    alone, tied = np.flatnonzero(ties == 1), np.flatnonzero(ties > 1)
    nodes: list[Node] = [(int(k), 0, 0) for k in tied]
    asks = [_ask(point, [(int(k), 0, 0) for k in alone], 0)] if len(alone) else []
    found: list[tuple[int, float, int]] = []
    for _ in range(MOST_LEVELS):
        width = _width(nodes)
        asks += [_ask(point, nodes, width)] if nodes else []
        answers = yield tuple(asks)
        cells = nodes
        for ask, answer in zip(asks, answers, strict=True):
            cells = _read(ask, answer.totals, found)
        nodes, asks = cells if nodes else [], []
        if not nodes:
            return _dying(found)
    raise AnalysisError(
        "the linear predictors of those who die together cannot be told apart; a concordance "
        "needs baseline: by_site here"
    )


def _width(nodes: list[Node]) -> int:
    """Return how many bits more of t are asked for."""
    if len(nodes) > MOST_NODES:
        raise AnalysisError(
            f"more than {MOST_NODES} times at which several die are too many for a concordance "
            f"over all hospitals; take baseline: by_site, or leave it out"
        )
    return min(12, (MOST_CELLS // max(1, len(nodes))).bit_length() - 1)


def _ask(point: Ask, nodes: list[Node], width: int) -> Ask:
    fixed = {**point.fixed, "nodes": [list(node) for node in nodes], "width": width}
    return replace(point, sum=DEATH_PREDICTORS.name, fixed=fixed)


def _read(ask: Ask, totals: Arrays, found: list[tuple[int, float, int]]) -> list[Node]:
    """Add what the cells of an ask tell to `found`; return those that must be cut further."""
    width, unclear = ask.fixed["width"], []
    for row, cell in np.argwhere(totals["count"] > 0).tolist():
        time, bits, above = ask.fixed["nodes"][row]
        child = (time, bits + width, (above << width) | cell)
        sums = [float(totals[name][row, cell]) for name in ("count", "first", "second")]
        values = _values(child, int(sums[0]), sums[1], sums[2])
        if values is None:
            unclear.append(child)
        else:
            found += [(time, eta, count) for eta, count in values]
    return unclear


def _values(node: Node, count: int, first: float, second: float) -> list[tuple[float, int]] | None:
    """Return the values in a cell with how many rows have each; None if sums do not tell."""
    centre, mean = _centre(node), first / count
    if count == 1:
        return [(centre + mean, 1)]
    spread = max(0.0, second / count - mean**2)
    if _half_width(node) > NARROW:
        return None
    if math.sqrt(spread) <= NEAR / 4:
        return [(centre + mean, count)]
    if count == len((-1, 1)):
        return [(centre + mean + side * math.sqrt(spread), 1) for side in (-1, 1)]
    return None


def _eta(t: float) -> float:
    return t / (1 - abs(t)) if abs(t) < 1 else math.copysign(math.inf, t)


def _centre(node: Node) -> float:
    """Return the eta in the middle of a cell."""
    _, bits, above = node
    return _eta((2 * above + 1) / 2.0**bits - 1)


def _half_width(node: Node) -> float:
    _, bits, above = node
    return (_eta(2 * (above + 1) / 2.0**bits - 1) - _eta(2 * above / 2.0**bits - 1)) / 2


def _dying(found: list[tuple[int, float, int]]) -> Dying:
    """Return items in order of time and eta; near values of one time are one item."""
    time = np.array([t for t, _, _ in found], dtype=np.int64)
    eta = np.array([value for _, value, _ in found], dtype=np.float64)
    count = np.array([c for _, _, c in found], dtype=np.int64)
    level = levels_of(eta)
    keys = time * (int(level.max(initial=0)) + 1) + level
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    return Dying(time[first], eta[first], np.bincount(which, count).astype(np.int64))


def _lanes(ask: Ask) -> tuple[Lane, ...]:
    shape = (len(ask.fixed["nodes"]), 1 << ask.fixed["width"])
    return Lane("count", shape, COUNT), Lane("first", shape, REAL), Lane("second", shape, REAL)


def _compute(rows: Rows, ask: Ask) -> Arrays:
    width = ask.fixed["width"]
    nodes = [tuple(node) for node in ask.fixed["nodes"]]
    number = {node: place for place, node in enumerate(nodes)}
    bits = nodes[0][1] if nodes else 0
    arrays = {lane.name: np.zeros(lane.shape) for lane in _lanes(ask)}
    dies = rows.cause == DEATH
    eta = linear_predictor(rows, ask.floats["beta"], ask.floats["centre"])[dies]
    dying = death_numbers(rows, deaths_in(ask).ticks)
    for time, value in zip(dying.tolist(), eta.tolist(), strict=True):
        place = _cell(value, bits + width)
        row = number.get((time, bits, place >> width))
        if row is not None:
            cell = place & ((1 << width) - 1)
            apart = value - _centre((time, bits + width, place))
            for name, part in (("count", 1.0), ("first", apart), ("second", apart**2)):
                arrays[name][row, cell] += part
    return arrays


def _cell(eta: float, bits: int) -> int:
    """Return the leading bits of t."""
    return min(int((eta / (1 + abs(eta)) + 1) / 2 * 2.0**bits), (1 << bits) - 1)


def as_json(items: Dying) -> dict[str, Any]:
    """Return times and counts of items as arguments of an ask."""
    return {"time": items.time.tolist(), "count": items.count.tolist()}


DEATH_PREDICTORS: Final = Sum(
    name="cox_death_predictors",
    disclosure="C",
    gives="the linear predictors of those who have the event, at each time",
    lanes=_lanes,
    compute=_compute,
)
