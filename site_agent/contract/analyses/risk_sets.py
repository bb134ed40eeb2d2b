"""Sums over those at risk at each death, and what they make of a Cox model's likelihood.

Rows i with covariates x_i (centred), eta_i = x_i beta + offset, r_i = exp(eta_i), intervals
(entry, time]. At the k-th distinct death time of a stratum, R_k is at risk, D_k dies, d = |D_k|:

    S0 = sum over R_k of r,   S1 = sum of r x,   S2 = sum of r x x'
    T0, T1, T2 likewise over D_k

Efron (1977) lets the j-th of d tied deaths meet the risk set less j/d of the dying:

    log L = sum of eta over deaths - sum over k, j < d of log(S0 - (j/d) T0)
    U     = sum of x over deaths   - sum over k, j of E,       E = A1/A0
    I     = sum over k, j of (A2/A0 - E E'),                   Am = Sm - (j/d) Tm

With weights w every r, and every sum over the dying, has its w, and each of the d terms at a time
counts as the mean weight of its dying (the documentation of survival, Efron with weights).
Breslow (1974) is the same with j/d = 0. T is needed only where deaths tie. Symmetric matrices
travel as their upper triangle, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from site_agent.contract.frames import Floats, Integers, Rows
from site_agent.contract.sums import Arrays

DEATH: Final = 1


def triangle(p: int) -> int:
    """Return the number of elements of the upper triangle of a (p, p) matrix."""
    return p * (p + 1) // 2


def unpack(packed: Floats, p: int) -> Floats:
    """Return the symmetric (p, p) matrix of a packed upper triangle."""
    full = np.zeros((p, p))
    full[np.triu_indices(p)] = packed
    return np.asarray(full + np.triu(full, 1).T)


def moments(design: Floats, weights: Floats) -> Floats:
    """Return per row (w, w x, packed w x x'), shape (n, 1 + p + p(p+1)/2)."""
    n, p = design.shape
    one, two = np.triu_indices(p)
    out = np.empty((n, 1 + p + triangle(p)))
    out[:, 0] = weights
    np.multiply(design, weights[:, None], out=out[:, 1 : 1 + p])
    np.multiply(out[:, 1 + one], design[:, two], out=out[:, 1 + p :])
    return out


@dataclass(frozen=True, slots=True)
class Deaths:
    """The pooled death times: ascending ticks by stratum, and how many die at each.

    ties (K,) runs over all strata in order. weight (K,): the mean weight of those who die there;
    None where every row counts as one.
    """

    ticks: tuple[Integers, ...]
    ties: Integers
    weight: Floats | None = None

    @property
    def each(self) -> Floats:
        """Return what a death counts as at each death time, (K,)."""
        return np.ones(len(self.ties)) if self.weight is None else self.weight

    @property
    def tied(self) -> Integers:
        """Return the numbers k of the death times at which more than one dies."""
        return np.flatnonzero(self.ties > 1)


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the K death times, by what is added up with them: scores, information, 1/A0.

    score (T, K), information (U, K), ratio (V, K). Plain sums have weights of 1.
    """

    score: Floats
    information: Floats
    ratio: Floats

    def among(self, numbers: Integers) -> Weights:
        """Return the weights of some of the death times, in this order."""
        return Weights(self.score[:, numbers], self.information[:, numbers], self.ratio[:, numbers])


def risk_set_sums(
    rows: Rows,
    beta: Floats,
    centre: Floats,
    *,
    deaths: Deaths,
    efron: bool,
    weights: Weights | None = None,
) -> Arrays:
    """Return the sums of one hospital for all death times of all strata.

    `risk` is (K, M), K death times over all strata in order, M = 1 + p + p(p+1)/2; `tied` the
    same over the dying, where deaths tie (Efron) or of no rows; `eta` (1,) and
    `covariates` (p,) are sums over deaths; with weights one row for each set of scores, (T, p).
    """
    design = rows.design - centre
    eta = linear_predictor(rows, beta, centre)
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    per_row = moments(design, weight * np.exp(eta))
    offsets = np.concatenate([[0], np.cumsum([len(ticks) for ticks in deaths.ticks])])
    risk = np.zeros((offsets[-1], per_row.shape[1]))
    dying = np.zeros_like(risk)
    dies = rows.cause == DEATH
    for stratum, ticks in enumerate(deaths.ticks):
        inside = rows.stratum == stratum
        risk[offsets[stratum] : offsets[stratum + 1]] = _at_risk(rows, inside, per_row, ticks)
    numbers = death_numbers(rows, deaths)
    np.add.at(dying, numbers, per_row[dies])
    counted = weight[dies, None] * design[dies]
    covariates = counted.sum(axis=0)
    if weights is not None:
        covariates = weights.score[:, numbers] @ counted
    return {
        "risk": risk,
        "tied": dying[deaths.tied] if efron else dying[:0],
        "eta": np.array([weight[dies] @ eta[dies]]),
        "covariates": covariates,
    }


def linear_predictor(rows: Rows, beta: Floats, centre: Floats) -> Floats:
    """Return (x - centre) beta and the offset of each row, (n,)."""
    eta = (rows.design - centre) @ beta
    return np.asarray(eta if rows.offset is None else eta + rows.offset)


def death_numbers(rows: Rows, deaths: Deaths) -> Integers:
    """Return the number k of the death time of each row that dies, over all strata in order."""
    dies = rows.cause == DEATH
    numbers = np.zeros(len(rows), dtype=np.int64)
    offset = 0
    for stratum, ticks in enumerate(deaths.ticks):
        inside = dies & (rows.stratum == stratum)
        numbers[inside] = offset + np.searchsorted(ticks, rows.time[inside])
        offset += len(ticks)
    return np.asarray(numbers[dies])


def _at_risk(rows: Rows, inside: np.ndarray, per_row: Floats, times: Integers) -> Floats:
    """Return the sums over rows with entry < t <= time for each t of `times`.

    A row is at risk at the death times number first <= k < last. Nothing is ever subtracted: a
    row of great weight that has entered or left would leave its rounding error behind.
    """
    last = np.searchsorted(times, rows.time[inside], side="right")
    first = np.searchsorted(times, rows.entry[inside], side="right")
    values = per_row[inside]
    early = first == 0
    leaving = _binned(last[early], values[early], len(times) + 1)
    total = np.cumsum(leaving[::-1], axis=0)[::-1][1:]
    late = ~early & (first < last)
    if late.any():
        total = total + _interval_sums(first[late], last[late], values[late], len(times))
    return total


def _binned(bins: Integers, values: Floats, count: int) -> Floats:
    """Return the sums of values (n, M) by bin, (count, M)."""
    columns = [np.bincount(bins, values[:, m], minlength=count) for m in range(values.shape[1])]
    return np.stack(columns, axis=1)


def _interval_sums(first: Integers, last: Integers, values: Floats, count: int) -> Floats:
    """Return, for each k < count, the sum of the values whose first <= k < last.

    Each interval is cut into the nodes of a binary tree over 0 ... count - 1 that cover it, at
    most two a level; a leaf's sum is the sum of the nodes above it.
    """
    size = 1 << max(count - 1, 0).bit_length()
    nodes = np.zeros((2 * size, values.shape[1]))
    low, high = first + size, last + size
    while len(low):
        odd_low, odd_high = low % 2 == 1, high % 2 == 1
        nodes += _binned(low[odd_low], values[odd_low], 2 * size)
        nodes += _binned(high[odd_high] - 1, values[odd_high], 2 * size)
        low, high = (low + odd_low) // 2, (high - odd_high) // 2
        open_ = low < high
        low, high, values = low[open_], high[open_], values[open_]
    start = 1
    while start < size:
        nodes[2 * start : 4 * start] += np.repeat(nodes[start : 2 * start], 2, axis=0)
        start *= 2
    return nodes[size : size + count]


def likelihood(
    sums: Arrays, deaths: Deaths, p: int, *, efron: bool, weights: Weights | None = None
) -> Arrays:
    """Return log-likelihood (1,), score (p,) and packed information from pooled sums.

    With weights, `covariates` is (T, p), and a row for each set of them is returned: score (T, p),
    information (U, p(p+1)/2), and `ratio` (V,), sums of k/A0: with weights of 1 the increments of
    Breslow's or Efron's estimate of the baseline hazard.
    """
    step, fraction = pseudo_times(deaths.ties, efron=efron)
    pooled = sums["risk"][step]
    if efron:
        dying = np.zeros_like(sums["risk"])
        dying[deaths.tied] = sums["tied"]
        pooled = pooled - fraction[:, None] * dying[step]
    weight = pooled[:, :1]
    mean = pooled[:, 1 : 1 + p] / weight
    one, two = np.triu_indices(p)
    second = pooled[:, 1 + p :] / weight - mean[:, one] * mean[:, two]
    counts = deaths.each[step]
    point = {"loglik": sums["eta"] - counts @ np.log(weight)}
    if weights is None:
        score, information = sums["covariates"] - counts @ mean, counts @ second
        return {**point, "score": score, "information": information}
    each = weights.among(step)
    return {
        **point,
        "score": sums["covariates"] - (counts * each.score) @ mean,
        "information": (counts * each.information) @ second,
        "ratio": (counts * each.ratio) @ (1.0 / weight[:, 0]),
    }


def pseudo_times(ties: Integers, *, efron: bool) -> tuple[Integers, Floats]:
    """Return, for each single death, its death time's number and the part j/d of its ties."""
    step = np.repeat(np.arange(len(ties)), ties)
    if not efron:
        return step, np.zeros(len(step))
    first = np.concatenate([[0], np.cumsum(ties)])[:-1]
    rank = np.arange(len(step)) - np.repeat(first, ties)
    return step, rank / np.repeat(ties, ties)


def deaths_of(rows: Rows, strata: int) -> Deaths:
    """Return the death times of one hospital's own rows."""
    dies = rows.cause == DEATH
    found = [
        np.unique(rows.time[dies & (rows.stratum == stratum)], return_counts=True)
        for stratum in range(strata)
    ]
    deaths = Deaths(tuple(ticks for ticks, _ in found), np.concatenate([n for _, n in found]))
    if rows.weight is None:
        return deaths
    return replace(deaths, weight=death_weights(rows, deaths) / np.maximum(deaths.ties, 1))


def death_weights(rows: Rows, deaths: Deaths) -> Floats:
    """Return the sum of the weights of those who die at each death time, (K,)."""
    dies = rows.cause == DEATH
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    numbers = death_numbers(rows, deaths)
    return np.bincount(numbers, weight[dies], minlength=len(deaths.ties)).astype(np.float64)
