"""Weights by time: what those who leave at each time count as, and the jackknife they give.

Rows have weights w. At the k-th time Y is the weight at risk, D of it has the event. With
a = 1 / (Y - D), A(t) = sum over t_k <= t of D / (Y (Y - D)), and d_i = 1 for an event, the
derivative of the weighted curve S = product of (1 - D/Y) by the weight of row i, which leaves at
t_i, and that of the cumulative hazard H = sum of D/Y, are

    U_i(t) = S(t) (A(min(t, t_i)) - d_i a(t_i) [t_i <= t])
    V_i(t) = d_i [t_i <= t] / Y(t_i) - B(min(t, t_i)),      B(t) = sum of D / Y^2

and the variances are the sums of w_i^2 U_i^2 and w_i^2 V_i^2, the infinitesimal jackknife, as
`survfit(weights, robust = TRUE)` gives them. Rows that leave at one time in one way have equal
derivatives, so sums of w and of w^2 by time are enough. The area under S up to tau has the
derivative

    sum over t_k <= min(tau, t_i) of R(t_k) D / (Y (Y - D)) - d_i a(t_i) R(t_i),

R(t) the area from t to tau. With weights of 1 the first and the last are Greenwood's.

A sum of weights at a time at which one patient leaves is that patient's weight, a number made of
covariates: class C.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from site_agent.contract.analyses.counts import COUNTS
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import REAL
from site_agent.contract.sums import Arrays, Ask, Lane, Sum


@dataclass(frozen=True, slots=True)
class Weights:
    """One group over K times: weights (causes + 1, K) of those who leave, and their squares."""

    sums: Floats
    squares: Floats


@dataclass(frozen=True, slots=True)
class Jackknife:
    """One weighted curve over K times: weight at risk and with the event, squares that leave."""

    risk: Floats
    event: Floats
    event_squares: Floats
    other_squares: Floats

    @property
    def _remaining(self) -> Floats:
        """Return the squares of those who leave after each time."""
        leaving = self.event_squares + self.other_squares
        return np.asarray(np.cumsum(leaving[::-1])[::-1] - leaving)

    def variance(self, own: Floats, steps: Floats) -> Floats:
        """Return the sum over rows of w^2 (d_i own(t_i) - sum of steps until min(t, t_i))^2."""
        until = np.cumsum(steps)
        gone = self.event_squares * (own - until) ** 2 + self.other_squares * until**2
        return np.asarray(np.cumsum(gone) + self._remaining * until**2)

    @property
    def _steps(self) -> tuple[Floats, Floats]:
        """Return a and the steps of A; infinite where everybody at risk has the event."""
        left = self.risk - self.event
        return 1 / left, self.event / (self.risk * left)

    def of_log(self) -> Floats:
        """Return the variance of log S; not a number once S is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.variance(*self._steps)

    def of_hazard(self) -> Floats:
        """Return the variance of the cumulative hazard."""
        return self.variance(1 / self.risk, self.event / self.risk**2)

    def of_area(self, to_the_right: Floats) -> float:
        """Return the variance of the area; to_the_right: R at the times up to tau, the first."""
        inside = len(to_the_right)
        right = np.zeros(len(self.risk))
        right[:inside] = to_the_right
        with np.errstate(divide="ignore", invalid="ignore"):
            own, steps = (np.where(right > 0, right * part, 0.0) for part in self._steps)
        return float(self.variance(own, steps)[-1])


def jackknife(weights: Weights, *, reverse: bool) -> Jackknife:
    """Return the curve's weights; reverse: censoring is the event."""
    row = 0 if reverse else 1
    leaving = weights.sums.sum(axis=0)
    return Jackknife(
        risk=np.cumsum(leaving[::-1])[::-1],  # from the end, so that the last is exact
        event=weights.sums[row],
        event_squares=weights.squares[row],
        other_squares=np.delete(weights.squares, row, axis=0).sum(axis=0),
    )


def _lanes(ask: Ask) -> tuple[Lane, ...]:
    shape = (ask.fixed["causes"] + 1, ask.fixed["by"] * ask.fixed["strata"], ask.fixed["ticks"])
    return (*COUNTS.lanes(ask), Lane("weight", shape, REAL), Lane("square", shape, REAL))


def _compute(rows: Rows, ask: Ask) -> Arrays:
    assert rows.weight is not None
    counted = COUNTS.compute(rows, ask)
    group = rows.stratum * ask.fixed["by"] + rows.group
    sums = {name: np.zeros_like(counted["left"]) for name in ("weight", "square")}
    np.add.at(sums["weight"], (rows.cause, group, rows.time), rows.weight)
    np.add.at(sums["square"], (rows.cause, group, rows.time), rows.weight**2)
    return {**counted, **sums}


WEIGHTED_COUNTS: Final = Sum(
    name="weighted_counts_by_time",
    disclosure="C",
    gives="the weights of those who leave at each time, added up with their squares, by cause and "
    "group",
    lanes=_lanes,
    compute=_compute,
)
