"""Fine and Gray's estimator as plainly as it can be written: every row at every time, pooled.

It serves where R's crr stops before machine precision: from R's coefficients one step of Newton's
method leads to the maximum, and at R's coefficients the variance must be R's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class SlowPoint:
    """What crr has at a vector of coefficients."""

    score: Floats
    information: Floats
    variance: Floats

    @property
    def step(self) -> Floats:
        """The step of Newton's method."""
        return np.linalg.solve(self.information, self.score)


def slow_point(time: Floats, cause: Floats, x: Floats, beta: Floats) -> SlowPoint:
    """Score, information and sandwich at beta; cause 1 of interest, 0 censored."""
    dies, competing = cause == 1, cause > 1
    weights, ticks = _weights(time, cause)
    ratio = np.exp(x @ beta)
    at_risk = weights * ratio
    mean = at_risk @ x / at_risk.sum(axis=1)[:, None]
    ties = np.array([(dies & (time == t)).sum() for t in ticks])
    hazard = ties / at_risk.sum(axis=1)
    second = np.stack([(x * r[:, None]).T @ x / r.sum() for r in at_risk])
    spread = second - mean[:, :, None] * mean[:, None, :]
    information = np.einsum("t,tij->ij", ties, spread)
    own = np.zeros_like(x)
    for k, t in enumerate(ticks):
        jumps = (dies & (time == t)).astype(float) - at_risk[k] * hazard[k]
        own += jumps[:, None] * (x - mean[k])
    found = own + _censoring(time, cause, competing, at_risk, x, mean, hazard, ticks)
    inverse = np.linalg.inv(information)
    return SlowPoint(own.sum(axis=0), information, inverse @ found.T @ found @ inverse)


def _weights(time: Floats, cause: Floats) -> tuple[Floats, Floats]:
    """Weights of every row at every event of interest, and the times of these."""
    ticks, lost = np.unique(time[cause == 1]), np.unique(time[cause == 0])
    left = [1 - ((time == u) & (cause == 0)).sum() / (time >= u).sum() for u in lost]
    known = {t: np.prod([f for f, u in zip(left, lost, strict=True) if u < t or u == t == 0])
             for t in np.unique(time)}  # fmt: skip
    own = np.array([known[t] for t in time])
    later = np.array([[known[t]] for t in ticks]) / own
    weights = np.where(time >= ticks[:, None], 1.0, np.where(cause > 1, later, 0.0))
    return weights, ticks


def _censoring(
    time: Floats,
    cause: Floats,
    competing: Any,
    at_risk: Floats,
    x: Floats,
    mean: Floats,
    hazard: Floats,
    ticks: Floats,
) -> Floats:
    """What each row adds because the curve of censoring is an estimate."""
    found = np.zeros_like(x)
    for u in np.unique(time[cause == 0]):
        gone, later = competing & (time < u), ticks >= u
        weight = at_risk[later][:, gone] * hazard[later][:, None]
        q = (weight.sum(axis=0)[:, None] * x[gone]).sum(axis=0) - weight.sum(axis=1) @ mean[later]
        followed = time >= u
        censored = (time == u) & (cause == 0)
        jumps = censored - followed * (censored.sum() / followed.sum())
        found += jumps[:, None] * q / followed.sum()
    return found
