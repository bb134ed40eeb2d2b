"""Third cumulants of the covariates over the risk sets: how a Cox model's information changes.

With E and raw moments M over a risk set, in the weights of risk_sets.py (Efron's A, as there),

    dI_ij / dbeta_k = sum over deaths of K_ijk
    K_ijk = M_ijk - E_i M_jk - E_j M_ik - E_k M_ij + 2 E_i E_j E_k

symmetric in i, j, k, packed i <= j <= k. Firth's penalty (cox_firth.py) needs the total over all
deaths, p (p + 1) (p + 2) / 6 numbers, at each point of a fit; no estimator sees any one death's.
Third moments are second moments in which each row counts as its covariate i, times its weight: one
more pass over the risk sets for each covariate. The ask is that of a plain point (cox_points.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from site_agent.contract.analyses.cox_points import deaths_in, exceeds, overflow, risk_sets_of
from site_agent.contract.analyses.risk_sets import (
    DEATH,
    Deaths,
    deaths_of,
    linear_predictor,
    pseudo_times,
    triangle,
)
from site_agent.contract.frames import Floats, Integers, Rows
from site_agent.contract.securesum.cubes import (
    BLIND_POINT,
    QUOTIENT,
    Moments,
    blindings,
    opened_cumulant,
    pairs,
    sealed,
    triples,
    unblinding,
)
from site_agent.contract.securesum.fixedpoint import COUNT, REAL, SEALED
from site_agent.contract.securesum.sealing import POINT, WEIGHT_POINT, Sealer, from_point, to_point
from site_agent.contract.sums import Arrays, Ask, Lane, Sum

LARGEST: Final = 2.0**60  # of a number before blinding
LARGEST_OPEN: Final = 2.0**100  # of a number in a share in the clear
SMALLEST_LOG: Final = -34.0  # as in cox_sealed.py


def cubes(p: int) -> int:
    """Return how many third cumulants p columns have."""
    return p * (p + 1) * (p + 2) // 6


def unpack_cubes(packed: Floats, p: int) -> Floats:
    """Return the symmetric (p, p, p) array of packed third cumulants."""
    return np.asarray(packed)[_place_of(p)]


@cache
def _place_of(p: int) -> Integers:
    number = {place: n for n, place in enumerate(triples(p))}
    every = [number[i, j, k] for i, j, k in np.sort(list(np.ndindex(p, p, p)), axis=1).tolist()]
    return np.array(every, dtype=np.int64).reshape(p, p, p)


def _moments_at_deaths(rows: Rows, ask: Ask, deaths: Deaths) -> Floats:
    """Return S0, S1, S2, S3 at each pseudo-time, Efron's share of the dying taken off."""
    p = ask.fixed["columns"]
    risk, tied = _risk_and_tied(rows, ask, deaths)
    step, fraction = pseudo_times(deaths.ties, efron=ask.fixed["efron"])
    if not ask.fixed["efron"]:
        return np.asarray(risk[step])
    dying = np.zeros((len(deaths.ties), _width(p)))
    dying[deaths.tied] = tied
    return np.asarray(risk[step] - fraction[:, None] * dying[step])


def _risk_and_tied(rows: Rows, ask: Ask, deaths: Deaths) -> tuple[Floats, Floats]:
    """Return S0, S1, S2, S3 over those at risk at each death time, and over the dying of ties."""
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    parts = [risk_sets_of(rows, ask, deaths, None)]
    for column in (rows.design - ask.floats["centre"]).T:
        parts.append(risk_sets_of(replace(rows, weight=weight * column), ask, deaths, None))
    plain, *times_one = parts
    first, second, third = (
        list(places) for places in zip(*triples(ask.fixed["columns"]), strict=True)
    )
    at = {place: n for n, place in enumerate(pairs(ask.fixed["columns"]))}
    start = 1 + ask.fixed["columns"]
    place = [start + at[j, k] for j, k in zip(second, third, strict=True)]
    found = []
    for name in ("risk", "tied"):
        cubed = np.stack([part[name] for part in times_one], axis=-1)[:, place, first]
        found.append(np.concatenate([plain[name], cubed], axis=1))
    return found[0], found[1]


def third_cumulants(moments: Floats, counts: Floats, p: int) -> Floats:
    """Return the packed total of third cumulants from S0 ... S3 (K', M), each times its count."""
    raw = moments[:, 1:] / moments[:, :1]
    first, second, third = np.split(raw, [p, p + triangle(p)], axis=1)
    at = {place: n for n, place in enumerate(pairs(p))}
    i, j, k = np.array(triples(p), dtype=np.int64).T

    def moment(one: Integers, other: Integers) -> Floats:
        return second[:, [at[a, b] for a, b in zip(one.tolist(), other.tolist(), strict=True)]]

    cumulant = (
        third
        - first[:, i] * moment(j, k)
        - first[:, j] * moment(i, k)
        - first[:, k] * moment(i, j)
        + 2 * first[:, i] * first[:, j] * first[:, k]
    )
    return np.asarray(counts @ cumulant)


def _third_lanes(ask: Ask) -> tuple[Lane, ...]:
    return Lane("third", (cubes(ask.fixed["columns"]),), REAL), Lane("overflow", (1,), COUNT)


def _none(ask: Ask, totals: Arrays) -> Arrays:
    return {"third": np.zeros(cubes(ask.fixed["columns"])), **overflow(totals)}


def _within_site(rows: Rows, ask: Ask) -> Arrays:
    deaths = deaths_of(rows, ask.fixed["strata"])
    moments, p = _moments_at_deaths(rows, ask, deaths), ask.fixed["columns"]
    step, _ = pseudo_times(deaths.ties, efron=ask.fixed["efron"])
    with np.errstate(over="ignore", invalid="ignore"):
        third = third_cumulants(moments, deaths.each[step], p)
    large = exceeds((third,), LARGEST_OPEN)
    return {
        "third": np.zeros(cubes(p)) if large else third,
        "overflow": np.array([float(large)]),
    }


def _width(p: int) -> int:
    return 1 + p + triangle(p) + cubes(p)


def _open_lanes(ask: Ask) -> tuple[Lane, ...]:
    shape = (sum(ask.fixed["ties"]), _width(ask.fixed["columns"]))
    return Lane("moments", shape, REAL), Lane("overflow", (1,), COUNT)


def _open(rows: Rows, ask: Ask) -> Arrays:
    moments = _moments_at_deaths(rows, ask, deaths_in(ask))
    large = exceeds((moments,), LARGEST_OPEN)
    return {
        "moments": np.zeros_like(moments) if large else moments,
        "overflow": np.array([float(large)]),
    }


def _reduce_open(totals: Arrays, ask: Ask) -> Arrays:
    if totals["overflow"][0]:
        return _none(ask, totals)
    deaths = deaths_in(ask)
    step, _ = pseudo_times(deaths.ties, efron=ask.fixed["efron"])
    third = third_cumulants(totals["moments"], deaths.each[step], ask.fixed["columns"])
    return {"third": third, **overflow(totals)}


def _sealed_times(ask: Ask) -> tuple[Integers, list[int]]:
    """Return the pseudo-times that are sealed, and what each counts as at WEIGHT_POINT.

    Under Breslow's ties all deaths of a time meet the same sums, which are sealed once.
    """
    ties = np.array(ask.fixed["ties"], dtype=np.int64)
    each = deaths_in(ask).each
    if ask.fixed["efron"]:
        times, counts = np.arange(int(ties.sum())), np.repeat(each, ties)
    else:
        times, counts = np.cumsum(ties) - ties, each * ties
    return times, [to_point(count, WEIGHT_POINT) for count in counts.tolist()]


def _sealed_lanes(ask: Ask) -> tuple[Lane, ...]:
    p, times = ask.fixed["columns"], len(_sealed_times(ask)[0])
    return (
        Lane("c", (times,), SEALED),
        Lane("g", (times, p), SEALED),
        Lane("q", (times, triangle(p)), SEALED),
        Lane("t", (times, cubes(p)), SEALED),
        Lane("third", (cubes(p),), SEALED),
        Lane("overflow", (1,), COUNT),
    )


def _before_blinding(rows: Rows, ask: Ask) -> tuple[Floats, bool]:
    """Return a hospital's sums at each sealed pseudo-time; zeros and True if they do not fit."""
    times, _ = _sealed_times(ask)
    moments = _moments_at_deaths(rows, ask, deaths_in(ask))[times]
    eta = linear_predictor(rows, ask.floats["beta"], ask.floats["centre"])[rows.cause == DEATH]
    large = exceeds((moments,), LARGEST) or bool((eta < SMALLEST_LOG).any())
    return (np.zeros_like(moments) if large else moments), large


def _whole(moments: Floats) -> list[list[int]]:
    return [[int(v) for v in row] for row in np.rint(moments * 2.0**POINT).tolist()]


def _seal(rows: Rows, ask: Ask, sealer: Sealer) -> Arrays:
    """Return a hospital's share: its sums blinded; the leader's with the bracket."""
    p = ask.fixed["columns"]
    moments, large = _before_blinding(rows, ask)
    arrays: dict[str, NDArray[Any]] = {
        lane.name: np.zeros(lane.shape, dtype=object) for lane in _sealed_lanes(ask)[:-1]
    }
    arrays["overflow"] = np.array([float(large)])
    blinds = blindings(sealer, ask.identity(), p)
    if blinds is None:
        return arrays
    sums = [Moments.of(numbers, p) for numbers in _whole(moments)]
    given, width = sealer.given.get(ask.identity()), _width(p)
    if given is not None:
        sums = [one.plus(given[n * width : (n + 1) * width]) for n, one in enumerate(sums)]
    drawn = [blinding for blinding, _ in zip(blinds, sums, strict=False)]
    fuzz = sealer.stream(ask.identity())
    for n, (one, blinding) in enumerate(zip(sums, drawn, strict=True)):
        opened = sealed(one, blinding, fuzz)
        arrays["c"][n] = opened.zeroth
        arrays["g"][n, :], arrays["q"][n, :] = opened.first, opened.second
        arrays["t"][n, :] = opened.third
    if sealer.leader:
        bracket = _weighted(_sealed_times(ask)[1], [unblinding(one) for one in drawn], cubes(p))
        arrays["third"][:] = bracket
    return arrays


def _weighted(weights: Sequence[int], rows: Sequence[Sequence[int]], size: int) -> list[int]:
    """Return the sum over pseudo-times of weight times each of `size` numbers."""
    return [sum(w * row[n] for w, row in zip(weights, rows, strict=True)) for n in range(size)]


def _split(rows: Rows, ask: Ask) -> list[int]:
    """Return the numbers that are blinded, flat, for others to blind them in parts."""
    moments, _ = _before_blinding(rows, ask)
    return [number for numbers in _whole(moments) for number in numbers]


def _compute(rows: Rows, ask: Ask) -> Arrays:
    """Return what a hospital puts in, before blinding."""
    moments, large = _before_blinding(rows, ask)
    p = ask.fixed["columns"]
    cuts = [1, 1 + p, 1 + p + triangle(p)]
    shown = dict(zip(("S0", "S1", "S2", "S3"), np.split(moments, cuts, axis=1), strict=True))
    return {**shown, "overflow": np.array([float(large)])}


def _reduce_sealed(totals: Arrays, ask: Ask) -> Arrays:
    """Return the unblinded total, each number rounded once."""
    if totals["overflow"][0]:
        return _none(ask, totals)
    p = ask.fixed["columns"]
    opened = [
        opened_cumulant(Moments(c, g, q, t))
        for c, g, q, t in zip(*(totals[name].tolist() for name in "cgqt"), strict=True)
    ]
    blinded = _weighted(_sealed_times(ask)[1], opened, cubes(p))
    up = 3 * (QUOTIENT - BLIND_POINT)
    third = [
        from_point(own - (bracket << up), 3 * QUOTIENT + WEIGHT_POINT)
        for own, bracket in zip(blinded, totals["third"].tolist(), strict=True)
    ]
    return {"third": np.array(third), **overflow(totals)}


THIRDS_WITHIN_SITE: Final = Sum(
    name="cox_thirds_within_site",
    disclosure="A",
    gives="how the information of a model changes with its coefficients, within hospitals",
    lanes=_third_lanes,
    compute=_within_site,
)
OPEN_THIRDS: Final = Sum(
    name="cox_thirds",
    disclosure="C",
    gives="sums of covariates, their squares and cubes over those at risk at each event: close to "
    "the covariates of single patients in a small study",
    lanes=_open_lanes,
    compute=_open,
    reduce=_reduce_open,
    reduced_lanes=_third_lanes,
)
SEALED_THIRDS: Final = Sum(
    name="cox_sealed_thirds",
    disclosure="A",
    gives="how the information of a model changes with its coefficients; risk sets only blinded",
    lanes=_sealed_lanes,
    compute=_compute,
    reduce=_reduce_sealed,
    reduced_lanes=_third_lanes,
    seal=_seal,
    split=_split,
)
# The sum that gives third cumulants, by that which gives a point of the likelihood.
THIRDS: Final = {
    "cox_within_site": THIRDS_WITHIN_SITE,
    "cox_risk_sets": OPEN_THIRDS,
    "cox_sealed": SEALED_THIRDS,
}
