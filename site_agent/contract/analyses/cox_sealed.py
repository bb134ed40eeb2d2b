"""A point of a Cox model's likelihood from sealed risk sets (securesum/sealing.py).

One pseudo-time for each death under Efron's ties, one for each death time with its number of
deaths as weight under Breslow's. What a hospital puts in before blinding is its part of

    A0, A1, A2 = S0, S1, S2 - (j/d) (T0, T1, T2)          (risk_sets.py)

and its deaths' covariates. Behind the maximum the same gives weighted sums (cox_points.py): for the
steps of a baseline hazard one more column, the constant 1, is divided by A0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from site_agent.contract.analyses.cox_points import (
    deaths_in,
    exceeds,
    is_plain,
    no_point,
    overflow,
    point_lanes,
    risk_sets_of,
    rows_of,
    weights_of,
)
from site_agent.contract.analyses.risk_sets import (
    DEATH,
    Weights,
    linear_predictor,
    pseudo_times,
    triangle,
)
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, SEALED
from site_agent.contract.securesum.sealing import (
    BLIND_POINT,
    LOG_POINT,
    POINT,
    QUOTIENT,
    WEIGHT_POINT,
    Blinding,
    Opened,
    Quotients,
    Sealer,
    Sums,
    from_point,
    quotients,
    sealed,
    to_point,
    unblinding,
)
from site_agent.contract.sums import Arrays, Ask, Lane, Sum

Wide = NDArray[Any]  # whole numbers of any size
LARGEST: Final = 2.0**60  # of a number before blinding
SMALLEST_LOG: Final = -34.0  # of a dying row's hazard: S0 then stays above 2^-50
LOGLIK_POINT: Final = LOG_POINT + WEIGHT_POINT
SCORE_POINT: Final = BLIND_POINT + WEIGHT_POINT


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of a sealed ask: death times repeated to pseudo-times, and weights of each.

    step (K',): the number of each pseudo-time's death time; fraction (K',): its j/d;
    loglik (K',): what it counts as, for its deaths; score, information, ratio: lists of K' weights.
    Weights are whole numbers at WEIGHT_POINT.
    """

    step: NDArray[np.int64]
    fraction: Floats
    loglik: list[int]
    score: list[list[int]]
    information: list[list[int]]
    ratio: list[list[int]]


def _shape(ask: Ask) -> Shape:
    ties = deaths_in(ask).ties
    if ask.fixed["efron"]:
        step, fraction = pseudo_times(ties, efron=True)
        times = np.ones(len(step), dtype=np.int64)
    else:
        step, fraction, times = np.arange(len(ties)), np.zeros(len(ties)), ties
    counts = deaths_in(ask).each[step] * times
    one = np.ones((1, len(ties)))
    weights = weights_of(ask) or Weights(one, one, one[:0])

    def whole(rows: Floats) -> list[list[int]]:
        return [[to_point(v, WEIGHT_POINT) for v in row] for row in (counts * rows).tolist()]

    (loglik,) = whole(one[:, step])
    each = weights.among(step)
    return Shape(
        step, fraction, loglik, whole(each.score), whole(each.information), whole(each.ratio)
    )


def _rows_of(ask: Ask) -> tuple[int, int, int]:
    """Return how many rows of scores, information and ratios there are."""
    return (1, 1, 0) if is_plain(ask) else rows_of(ask)


def _further(ask: Ask) -> int:
    return int(_rows_of(ask)[2] > 0)


def _lanes(ask: Ask) -> tuple[Lane, ...]:
    p, (scores, informations, ratios) = ask.fixed["columns"], _rows_of(ask)
    ties = ask.fixed["ties"]
    times = sum(ties) if ask.fixed["efron"] else len(ties)
    return (
        Lane("c", (times,), SEALED),
        Lane("g", (times, p), SEALED),
        Lane("q", (times, triangle(p)), SEALED),
        Lane("e", (times, _further(ask)), SEALED),
        Lane("loglik", (1,), SEALED),
        Lane("score", (scores, p), SEALED),
        Lane("information", (informations, triangle(p)), SEALED),
        Lane("ratio", (ratios, 1), SEALED),
        Lane("overflow", (1,), COUNT),
    )


def _parts(rows: Rows, ask: Ask) -> tuple[list[Sums], dict[str, Wide]]:
    """Return a hospital's part before blinding: by pseudo-time, and of the totals."""
    shape, p = _shape(ask), ask.fixed["columns"]
    own = risk_sets_of(rows, ask, deaths_in(ask), weights_of(ask))
    pooled = own["risk"][shape.step]
    if ask.fixed["efron"]:
        dying = np.zeros_like(own["risk"])
        dying[deaths_in(ask).tied] = own["tied"]
        pooled = pooled - shape.fraction[:, None] * dying[shape.step]
    dies = rows.cause == DEATH
    eta = linear_predictor(rows, ask.floats["beta"], ask.floats["centre"])[dies]
    if rows.weight is not None:
        eta = eta + np.log(rows.weight[dies])
    large = exceeds((pooled, own["covariates"], own["eta"]), LARGEST)
    large = large or bool((eta < SMALLEST_LOG).any())
    if large:
        pooled = np.zeros_like(pooled)
        own = {name: np.zeros_like(values) for name, values in own.items()}
    sums = [
        Sums(numbers[0], numbers[1 : 1 + p], numbers[1 + p :], [0] * _further(ask))
        for numbers in _whole(pooled)
    ]
    score = np.atleast_2d(own["covariates"])
    return sums, {
        "loglik": np.array([to_point(float(own["eta"][0]), LOGLIK_POINT)], dtype=object),
        "score": _wide([[to_point(v, SCORE_POINT) for v in row] for row in score.tolist()], p),
        "overflow": np.array([float(large)]),
    }


def _whole(values: Floats) -> Iterator[list[int]]:
    """Yield rows of doubles as whole numbers at POINT, rounded once."""
    for row in np.rint(values * 2.0**POINT).tolist():
        yield [int(value) for value in row]


def _wide(rows: list[list[int]], columns: int) -> Wide:
    out = np.zeros((len(rows), columns), dtype=object)
    for number, row in enumerate(rows):
        out[number, :] = row
    return out


def _seal(rows: Rows, ask: Ask, sealer: Sealer) -> Arrays:
    """Return a hospital's share: its sums blinded, and its part of what takes blinding away."""
    p, further = ask.fixed["columns"], _further(ask)
    sums, own = _parts(rows, ask)
    blank = {
        lane.name: np.zeros(lane.shape, dtype=object)
        for lane in _lanes(ask)
        if lane.encoding is SEALED
    }
    blinds = sealer.blindings(ask.identity(), columns=p, further=further)
    if blinds is None:
        return {**blank, **own}
    drawn = [blinding for blinding, _ in zip(blinds, sums, strict=False)]
    given = sealer.given.get(ask.identity())
    if given is not None:
        width = 1 + p + triangle(p) + further
        sums = [one.plus(given[k * width : (k + 1) * width]) for k, one in enumerate(sums)]
    if sealer.leader:
        one = 1 << POINT
        sums = [Sums(s.zeroth, s.first, s.second, [v + one for v in s.further]) for s in sums]
    fuzz = sealer.stream(ask.identity())
    opened = [sealed(one, blinding, fuzz) for one, blinding in zip(sums, drawn, strict=True)]
    arrays = {**blank, **own, **_columns(opened, blank)}
    if sealer.leader:
        for name, bracket in _brackets(_shape(ask), drawn).items():
            arrays[name] = arrays[name] + _wide(bracket, arrays[name].shape[-1])
        (logs,) = _weighted(_shape(ask).loglik, [[one.log_factor] for one in drawn])
        arrays["loglik"] = arrays["loglik"] + logs
    return arrays


def _columns(opened: list[Opened], blank: dict[str, Wide]) -> dict[str, Wide]:
    """Return what opens for each pseudo-time as lanes."""
    arrays = {name: blank[name].copy() for name in ("c", "g", "q", "e")}
    for k, one in enumerate(opened):
        arrays["c"][k] = one.c
        arrays["g"][k, :], arrays["q"][k, :], arrays["e"][k, :] = one.g, one.q, one.e
    return arrays


def _brackets(shape: Shape, drawn: list[Blinding]) -> dict[str, list[list[int]]]:
    """Return what takes the blinding away: weighted sums of b, b b' - B and z."""
    taken = [unblinding(blinding) for blinding in drawn]
    vectors, squares = [b for b, _ in taken], [square for _, square in taken]
    further = [list(blinding.further) for blinding in drawn]
    return {
        "score": [_weighted(weights, vectors) for weights in shape.score],
        "information": [_weighted(weights, squares) for weights in shape.information],
        "ratio": [_weighted(weights, further) for weights in shape.ratio],
    }


def _weighted(weights: list[int], rows: Sequence[Sequence[int]]) -> list[int]:
    """Return the sum over pseudo-times of weight times each number of its row."""
    columns = zip(*rows, strict=True)
    return [sum(w * v for w, v in zip(weights, column, strict=True)) for column in columns]


def _split(rows: Rows, ask: Ask) -> list[int]:
    """Return the numbers that are blinded, flat, for others to blind them in parts."""
    sums, _ = _parts(rows, ask)
    return list(chain.from_iterable(one.flat() for one in sums))


def _compute(rows: Rows, ask: Ask) -> Arrays:
    """Return what a hospital puts in, before blinding."""
    sums, own = _parts(rows, ask)
    first: dict[str, list[list[int]]] = {
        "S0": [[s.zeroth] for s in sums],
        "S1": [list(s.first) for s in sums],
        "S2": [list(s.second) for s in sums],
    }
    p = ask.fixed["columns"]
    widths = {"S0": 1, "S1": p, "S2": triangle(p)}
    shown = {name: _doubles(_wide(rows, widths[name]), POINT) for name, rows in first.items()}
    return {
        **shown,
        "loglik": _doubles(own["loglik"], LOGLIK_POINT),
        "score": _doubles(own["score"], SCORE_POINT),
        "overflow": own["overflow"],
    }


def _doubles(wide: Wide, point: int) -> Floats:
    return np.array([from_point(v, point) for v in wide.ravel()]).reshape(wide.shape)


def _reduce(totals: Arrays, ask: Ask) -> Arrays:
    if totals["overflow"][0]:
        return no_point(ask, totals)
    shape = _shape(ask)
    divided = [
        quotients(Opened(c, g, q, e))
        for c, g, q, e in zip(
            *(totals[name].tolist() for name in ("c", "g", "q", "e")), strict=True
        )
    ]
    return {**_point(totals, ask, shape, divided), **overflow(totals)}


def _point(totals: Arrays, ask: Ask, shape: Shape, divided: list[Quotients]) -> Arrays:
    """Return the unblinded totals as doubles, each rounded once."""
    up = QUOTIENT - BLIND_POINT
    means = [_weighted(weights, [one.mean for one in divided]) for weights in shape.score]
    spreads = [_weighted(weights, [one.spread for one in divided]) for weights in shape.information]
    ratios = [_weighted(weights, [one.further for one in divided]) for weights in shape.ratio]
    (logs,) = _weighted(shape.loglik, [[one.log] for one in divided])
    point = {
        "loglik": np.array([from_point(totals["loglik"][0] - logs, LOGLIK_POINT)]),
        "score": _less(totals["score"], means, up, QUOTIENT + WEIGHT_POINT),
        "information": -_less(-totals["information"], spreads, 2 * up, 2 * QUOTIENT + WEIGHT_POINT),
        "ratio": -_less(totals["ratio"], ratios, up, QUOTIENT + WEIGHT_POINT)[:, 0],
    }
    if is_plain(ask):
        first = {name: point[name][0] for name in ("score", "information")}
        return {"loglik": point["loglik"], **first}
    return point


def _less(bracket: Wide, blinded: list[list[int]], up: int, at: int) -> Floats:
    """Return bracket - blinded as doubles: `at` bits after the point, `up` fewer in brackets."""
    rows = [
        [from_point((own << up) - other, at) for own, other in zip(row, others, strict=True)]
        for row, others in zip(bracket.tolist(), blinded, strict=True)
    ]
    return np.array(rows, dtype=np.float64).reshape(bracket.shape)


SEALED_RISK_SETS: Final = Sum(
    name="cox_sealed",
    disclosure="A",
    gives="score, information and log-likelihood over all hospitals; risk sets only blinded",
    lanes=_lanes,
    compute=_compute,
    reduce=_reduce,
    reduced_lanes=point_lanes,
    seal=_seal,
    split=_split,
)
