"""What each row adds to the score of a subdistribution hazard, and the variance from it.

With E = S1/S0 and dL = d/S0 at the K death times, the score at the estimate is a sum of

    eta_i = sum of (x_i - E) w_i dM_i,          dM_i = dN_i - r_i dL while N_i = 0
    psi_i = sum of q(u)/Y(u) dMc_i(u),          dMc_i(u) = [i is censored at u] - [T_i >= u] c/Y

over rows: eta as for known weights, M counted from the row's entry on, psi for the estimated curve
of censoring, with Y at risk and c censored at u, and

    q(u) = sum over competing T_i < u of r_i / G(T_i-) sum over t >= u of (x_i - E) G(t-) dL
         = A1(u) B0(u) - A0(u) B1(u)
    A_m(u) = sum over competing T_i < u of r_i x_i^m / G(T_i-)
    B0(u) = sum over t >= u of G(t-) dL,        B1(u) the same of E G(t-) dL

so that pooled E, dL and q suffice for a hospital to form eta and psi of its own rows. The variance
is I^- [sum of (eta + psi)(eta + psi)'] I^- (Fine and Gray 1999, section 3; `crr`), or without psi
(`finegray` and `coxph(cluster = id)`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from site_agent.contract.analyses.risk_sets import DEATH, Deaths
from site_agent.contract.analyses.subdistribution import (
    Censoring,
    Fading,
    cumulative,
    left_before,
)
from site_agent.contract.frames import Floats, Integers, Rows
from site_agent.contract.sums import Arrays


@dataclass(frozen=True, slots=True)
class Increments:
    """The pooled parts of every row's influence.

    mean (K, p) and hazard (K,) are E and dL at the death times. drift (J, p) is q/Y at the times of
    censoring, all 0 where the weights count as known; ticks (J,).
    """

    mean: Floats
    hazard: Floats
    drift: Floats
    ticks: Integers


def at_risk_sums(risk: Floats, left: Floats, p: int) -> Arrays:
    """Return S0, S1 from the sums over risk sets (K, M), and A0, A1 (J, 1 + p) as they are."""
    return {"risk": risk[:, : 1 + p], "left": left}


def left_sums(
    rows: Rows, beta: Floats, centre: Floats, *, faded: Fading, ticks: Integers
) -> Floats:
    """Return A0, A1 of a hospital's rows at the times of censoring, (J, 1 + p)."""
    gone = rows.cause > DEATH
    design = rows.design[gone] - centre
    weight = np.exp(design @ beta) / left_before(rows.time[gone], faded)
    values = np.concatenate([weight[:, None], weight[:, None] * design], axis=1)
    return cumulative(rows.time[gone], values, ticks)


def increments(
    sums: Arrays, deaths: Deaths, censoring: Censoring, faded: Fading, *, estimated: bool
) -> Increments:
    """Return E, dL and q/Y from pooled sums; `estimated`: whether the curve of censoring counts."""
    zeroth, first = sums["risk"][:, :1], sums["risk"][:, 1:]
    mean, hazard = first / zeroth, deaths.ties / zeroth[:, 0]
    ticks = censoring.tick
    if not estimated:
        return Increments(mean, hazard, np.zeros((len(ticks), mean.shape[1])), ticks)
    later = np.searchsorted(deaths.ticks[0], ticks, side="left")
    fades = (faded.staying * hazard)[:, None]
    b0, b1 = _from(fades, later), _from(fades * mean, later)
    left = sums["left"]
    drift = (left[:, 1:] * b0 - left[:, :1] * b1) / censoring.at_risk[:, None]
    return Increments(mean, hazard, drift, ticks)


def _from(values: Floats, first: Integers) -> Floats:
    """Return the sums of values (K, m) from each number of `first` on."""
    totals = np.cumsum(values[::-1], axis=0)[::-1]
    return np.asarray(np.concatenate([totals, np.zeros((1, values.shape[1]))])[first])


def influence(
    rows: Rows,
    beta: Floats,
    centre: Floats,
    *,
    deaths: Deaths,
    faded: Fading,
    pooled: Increments,
    compensator: Floats,
) -> Floats:
    """Return eta + psi of each row, (n, p); compensator (J, p) is the sum of q c/Y^2 so far."""
    design = rows.design - centre
    ratio, ticks = np.exp(design @ beta), deaths.ticks[0]
    met = np.searchsorted(ticks, rows.time, side="right")
    missed = np.searchsorted(ticks, rows.entry, side="right")
    hazard = pooled.hazard[:, None]
    taken = _between(hazard, missed, met) * design - _between(hazard * pooled.mean, missed, met)
    gone = rows.cause > DEATH
    fades = faded.staying[:, None] * hazard
    later = _from(fades, met[gone]) * design[gone] - _from(fades * pooled.mean, met[gone])
    taken[gone] += later / left_before(rows.time[gone], faded)[:, None]
    found = -ratio[:, None] * taken
    dies, censored = rows.cause == DEATH, rows.cause == 0
    found[dies] += design[dies] - pooled.mean[np.searchsorted(ticks, rows.time[dies])]
    found[censored] += pooled.drift[np.searchsorted(pooled.ticks, rows.time[censored])]
    return np.asarray(
        found - _until_of(compensator, np.searchsorted(pooled.ticks, rows.time, "right"))
    )


def compensator(pooled: Increments, censoring: Censoring) -> Floats:
    """Return the sum of q c / Y^2 up to and with each time of censoring, (J, p)."""
    return np.asarray(np.cumsum(pooled.drift * censoring.hazard[:, None], axis=0))


def _between(values: Floats, first: Integers, last: Integers) -> Floats:
    """Return the sums of values (K, m) from number `first` to before `last`."""
    totals = np.cumsum(values, axis=0)
    return _until_of(totals, last) - _until_of(totals, first)


def _until_of(totals: Floats, count: Integers) -> Floats:
    """Return cumulative sums (K, m) after the first `count` of them, 0 before the first."""
    return np.asarray(np.concatenate([np.zeros((1, totals.shape[1])), totals])[count])


def outer_products(found: Floats) -> Floats:
    """Return the packed sum over rows of the outer products of (n, p)."""
    product = found.T @ found
    return np.asarray(product[np.triu_indices(found.shape[1])])
