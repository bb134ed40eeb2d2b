"""Attack: least squares over all rounds.

A group of m patients who left between two death times is seen at every beta of the fit: the
differences D0, D1, D2 are sums over the group of r, r x, r x x', with r = exp((x - centre) beta).
m p unknowns, 1 + p + p (p + 1) / 2 equations a round. The unknowns are fitted from random
starts (Levenberg and Marquardt); a residual of nothing is a solution.

Against class A the coordinator has one group, all n patients, and of it the totals of each round:
log-likelihood, score, information, with everybody's time and status from a curve.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from scipy.optimize import least_squares

from tests.privacy.holding import Held, risk_set_rows
from tests.privacy.recovery import Floats

STARTS: Final = 30
STEPS: Final = 100
NOTHING: Final = 1e-9  # of the size of what is fitted


def moments(x: Floats, beta: Floats) -> Floats:
    """Sums over rows x (m, p), centred, of r, r x, r x x' packed."""
    r = np.exp(x @ beta)
    one, two = np.triu_indices(x.shape[1])
    return np.concatenate([[r.sum()], r @ x, r @ (x[:, one] * x[:, two])])


def group(seen: Sequence[Floats], betas: Sequence[Floats], m: int, *, spread: Floats) -> Floats:
    """The covariates (m, p) of a group, centred; none if no start leads to a solution."""
    draw, p = np.random.default_rng(m), len(spread)
    target = np.concatenate(seen)
    size = np.abs(target) + 1e-3 * np.abs(target).max()

    def residual(flat: Floats) -> Floats:
        x = flat.reshape(m, p) * spread
        told = np.concatenate([moments(x, beta) for beta in betas])
        return np.asarray((told - target) / size)

    for _ in range(STARTS):
        fit = solved(residual, draw.normal(0, 1, m * p))
        if fit is not None:
            return np.asarray(fit.reshape(m, p) * spread)
    return np.zeros((0, p))


def solved(residual: Callable[[Floats], Floats], start: Floats) -> Floats | None:
    """A solution near `start`, or None."""
    with np.errstate(all="ignore"):
        try:
            fit: Any = least_squares(
                residual, start, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=4000
            )
        except ValueError:  # a residual that is not finite
            return None
    return np.asarray(fit.x) if np.abs(fit.fun).max() < NOTHING else None


def from_open(rounds: Sequence[Held], spread: Floats, *, most: int) -> list[Floats]:
    """Covariates of the groups of up to `most` patients, out of all rounds of an open model."""
    centre = rounds[0].ask.floats["centre"]
    betas = [held.beta for held in rounds]
    sums = [risk_set_rows(held) for held in rounds]
    left = [s - np.vstack([s[1:], np.zeros_like(s[:1])]) for s in sums]
    found = []
    for k in range(len(left[0])):
        m = round(left[0][k][0])  # the first round is at beta = 0: S0 counts
        if 1 <= m <= most:
            found += list(group([d[k] for d in left], betas, m, spread=spread) + centre)
    return found


def totals(x: Floats, time: Floats, dies: Floats, beta: Floats) -> Floats:
    """Log-likelihood, score, information (Breslow, one covariate) of patients x (n,)."""
    r = np.exp(x * beta)
    risk = (time[None, :] >= time[dies][:, None]).astype(float)
    s0, s1, s2 = risk @ r, risk @ (r * x), risk @ (r * x * x)
    mean = s1 / s0
    return np.array(
        [
            (x[dies] * beta).sum() - np.log(s0).sum(),
            x[dies].sum() - mean.sum(),
            (s2 / s0 - mean**2).sum(),
        ]
    )


def from_totals(
    points: Sequence[tuple[float, Floats]], known: Floats, time: Floats, dies: Floats, *, seed: int
) -> Floats | None:
    """Patients x (n,) that have all totals of a model of one covariate, and these moments.

    points: beta and totals of each round, x in standard deviations from the mean; known: sum and
    sum of squares. By Newton's method; where equations are fewer than patients, with the least
    step, it ends at any of many solutions.
    """

    def residual(x: Floats) -> Floats:
        told = [totals(x, time, dies, np.array(beta)) - seen for beta, seen in points]
        return np.concatenate([*told, np.array([x.sum(), (x**2).sum()]) - known])

    draw = np.random.default_rng(seed)
    for _ in range(STARTS):
        x = draw.normal(0, 1, len(time))
        for _ in range(STEPS):
            off = residual(x)
            if np.abs(off).max() < 1e-7:
                return x
            slope = np.stack(
                [(residual(x + step) - off) / 1e-7 for step in 1e-7 * np.eye(len(x))], axis=1
            )
            step = np.linalg.lstsq(slope, -off, rcond=1e-7)[0]
            x = x + step * min(1.0, 0.5 / np.abs(step).max())
    return None
