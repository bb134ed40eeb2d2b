"""Sums over those at risk at each death, and what they make of a Cox model's likelihood.

Rows i with covariates x_i (centred), eta_i = x_i beta + offset, r_i = exp(eta_i), intervals
(entry, time]. At the k-th distinct death time of a stratum, R_k is at risk, D_k dies, d = |D_k|:

    S0 = sum over R_k of r,   S1 = sum of r x,   S2 = sum of r x x'
    T0, T1, T2 likewise over D_k

Efron (1977) lets the j-th of d tied deaths meet the risk set less j/d of the dying:

    log L = sum of eta over deaths - sum over k, j < d of log(S0 - (j/d) T0)
    U     = sum of x over deaths   - sum over k, j of E,       E = A1/A0
    I     = sum over k, j of (A2/A0 - E E'),                   Am = Sm - (j/d) Tm

The d terms at a time need no pass over p(p+1)/2 numbers each. With E_S = S1/S0, V_S = S2/S0 -
E_S E_S', likewise of T, and l_j = (j/d) T0 / A0 >= 0, the risk set left over is a mixture of S and
T with weights 1 + l and -l, so that

    E = E_S + l (E_S - E_T),   V = (1 + l) V_S - l V_T - l (1 + l) (E_S - E_T)(E_S - E_T)'

and only the sums over j of log A0, 1/A0, l and l(1 + l) are formed death by death.

With weights w every r, and every sum over the dying, has its w, and each of the d terms at a time
counts as the mean weight of its dying (the documentation of survival, Efron with weights).
Breslow (1974) is the same with j/d = 0. T is needed only where deaths tie. Symmetric matrices
travel as their upper triangle, row by row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from site_agent.contract.analyses.at_risk import DEATH as DEATH
from site_agent.contract.analyses.at_risk import death_numbers, ordered
from site_agent.contract.frames import Floats, Integers, Rows
from site_agent.contract.sums import Arrays

SMALLEST: Final = 2.0**-128  # of a number in a share; who weighs less than it counts as nothing


def triangle(p: int) -> int:
    """Return the number of elements of the upper triangle of a (p, p) matrix."""
    return p * (p + 1) // 2


def unpack(packed: Floats, p: int) -> Floats:
    """Return the symmetric (p, p) matrix of a packed upper triangle."""
    full = np.zeros((p, p))
    full[np.triu_indices(p)] = packed
    return np.asarray(full + np.triu(full, 1).T)


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
    own = ordered(rows, centre, deaths.ticks, tied=efron)
    risk, dying = own.at_risk(beta, tied=efron)
    covariates = own.of_deaths.sum(axis=0)
    return {
        "risk": risk,
        "tied": dying[deaths.tied] if efron else dying[:0],
        "eta": np.array([covariates @ beta + own.offset]),
        "covariates": covariates if weights is None else weights.score @ own.of_deaths,
    }


def linear_predictor(rows: Rows, beta: Floats, centre: Floats) -> Floats:
    """Return (x - centre) beta and the offset of each row, (n,)."""
    eta = (rows.design - centre) @ beta
    return np.asarray(eta if rows.offset is None else eta + rows.offset)


def likelihood(
    sums: Arrays, deaths: Deaths, p: int, *, efron: bool, weights: Weights | None = None
) -> Arrays:
    """Return log-likelihood (1,), score (p,) and packed information from pooled sums.

    With weights, `covariates` is (T, p), and a row for each set of them is returned: score (T, p),
    information (U, p(p+1)/2), and `ratio` (V,), sums of k/A0: with weights of 1 the increments of
    Breslow's or Efron's estimate of the baseline hazard.
    """
    risk, tied = _spread(sums["risk"], p), deaths.tied
    terms = _breslow(risk, deaths.ties)
    mean, second = terms.count[:, None] * risk.mean, terms.count[:, None] * risk.variance
    if efron and len(tied):
        dying = _spread(sums["tied"], p, nothing=SMALLEST)
        terms = _efron(risk, dying, deaths)
        apart = risk.mean[tied] - dying.mean
        one, two = np.triu_indices(p)
        beyond, square = terms.beyond[tied, None], terms.square[tied, None]
        mean[tied] += beyond * apart
        second[tied] += beyond * (risk.variance[tied] - dying.variance)
        second[tied] -= square * (apart[:, one] * apart[:, two])
    counts = deaths.each
    point = {"loglik": sums["eta"] - counts @ terms.log}
    if weights is None:
        score, information = sums["covariates"] - counts @ mean, counts @ second
        return {**point, "score": score, "information": information}
    return {
        **point,
        "score": sums["covariates"] - (counts * weights.score) @ mean,
        "information": (counts * weights.information) @ second,
        "ratio": (counts * weights.ratio) @ terms.ratio,
    }


@dataclass(frozen=True, slots=True)
class _Spread:
    """Sums of r over K sets of rows, and mean and variance of the covariates with weights r.

    total (K,), mean (K, p), variance packed (K, p(p+1)/2).
    """

    total: Floats
    mean: Floats
    variance: Floats


def _spread(sums: Floats, p: int, *, nothing: float = 0.0) -> _Spread:
    """Return the means of sums (K, M); a total of 0 counts as `nothing` in them."""
    total = sums[:, 0]
    each = np.where(total == 0, nothing, total)[:, None]
    mean = sums[:, 1 : 1 + p] / each
    one, two = np.triu_indices(p)
    return _Spread(total, mean, sums[:, 1 + p :] / each - mean[:, one] * mean[:, two])


@dataclass(frozen=True, slots=True)
class _Terms:
    """Sums over the d single deaths at each of K times: of 1, log A0, l, l(1 + l), 1/A0; (K,)."""

    count: Floats
    log: Floats
    beyond: Floats
    square: Floats
    ratio: Floats


def _breslow(risk: _Spread, ties: Integers) -> _Terms:
    count = ties.astype(np.float64)
    nothing = np.zeros(len(ties))
    return _Terms(count, count * np.log(risk.total), nothing, nothing, count / risk.total)


def _efron(risk: _Spread, dying: _Spread, deaths: Deaths) -> _Terms:
    step, fraction = pseudo_times(deaths.ties, efron=True)
    total = np.zeros(len(deaths.ties))
    total[deaths.tied] = dying.total
    taken = fraction * total[step]
    left = risk.total[step] - taken
    beyond = taken / left
    added = (np.log(left), beyond, beyond * (1.0 + beyond), 1.0 / left)
    count = deaths.ties.astype(np.float64)
    summed = (np.bincount(step, each, minlength=len(count)) for each in added)
    return _Terms(count, *(each.astype(np.float64) for each in summed))


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
    numbers = death_numbers(rows, deaths.ticks)
    return np.bincount(numbers, weight[dies], minlength=len(deaths.ties)).astype(np.float64)
