"""Working correlations of repeated measurements, by the moments of `geepack`.

With phi the mean of r^2 over all N rows (no degrees of freedom taken off), z_jk = p_jk / phi and
n_jk over the pairs of waves j < k (clusters.py):

    independence   C = 1
    exchangeable   a = sum of z_jk / sum of n_jk, over all pairs together
    ar1            C_jk = a^(k - j), with a the root of
                   sum over j < k of (k - j) a^(k - j - 1) (z_jk - n_jk a^(k - j)) = 0
    unstructured   C_jk = z_jk / n_jk

These are least squares of the products r_j r_k / phi on their expectation (Prentice 1988; Halekoh,
Hojsgaard and Yan 2006). For ar1 all lags count, as they do there, not the first alone. Lags are
counted in waves.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from site_agent.contract.analyses.roots import crossing
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats

STRUCTURES: Final = ("independence", "exchangeable", "ar1", "unstructured")
NEAREST: Final = 1e-6  # a correlation is at least this far from 1
POINTS: Final = 2001  # at which the equation of ar1 is looked at for changes of sign


def estimated(structure: str, z: Floats, n: Floats, waves: int) -> Floats:
    """Return the parameters of a structure; z and n over the pairs of waves, row by row.

    (0,) for independence, (1,) for exchangeable and ar1, (W (W - 1) / 2,) for unstructured.
    AnalysisError if no patient has two waves, or for unstructured, not every two waves.
    """
    if structure == "independence":
        return np.zeros(0)
    if structure == "unstructured":
        if not (n > 0).all():
            raise AnalysisError(
                "some two waves are never seen in one patient, so their correlation has no "
                "estimate; declare fewer waves, or take another correlation"
            )
        return np.asarray(z / n)
    if not n.sum() > 0:
        raise AnalysisError(
            "no patient has two waves, so there is no correlation; take correlation: independence"
        )
    if structure == "exchangeable":
        return np.array([z.sum() / n.sum()])
    return np.array([_first_order(z, n, waves)])


def _first_order(z: Floats, n: Floats, waves: int) -> float:
    """Return the root of the equation of ar1 with the smallest sum of squares.

    The positive one where no patient has an odd lag: of a and -a, rounding would choose.
    """
    first, second = np.triu_indices(waves, 1)
    lag = (second - first).astype(np.float64)

    def equation(a: float) -> float:
        return float((lag * a ** (lag - 1) * (z - n * a**lag)).sum())

    def misfit(a: float) -> float:
        return float((n * a ** (2 * lag) - 2 * z * a**lag).sum())

    grid = np.linspace(NEAREST - 1, 1 - NEAREST, POINTS)
    values = np.array([equation(float(a)) for a in grid])
    crossings = np.flatnonzero(np.sign(values[1:]) != np.sign(values[:-1]))
    roots = [crossing(equation, float(grid[k]), float(grid[k + 1])) for k in crossings]
    found = min([*roots, float(grid[0]), float(grid[-1])], key=misfit)
    return found if (lag[n > 0] % 2).any() else abs(found)


def matrix(structure: str, parameters: Floats, waves: int) -> Floats:
    """Return the working correlation (W, W)."""
    if structure == "independence":
        return np.eye(waves)
    if structure == "unstructured":
        full = np.zeros((waves, waves))
        full[np.triu_indices(waves, 1)] = parameters
        return np.asarray(full + full.T + np.eye(waves))
    steps = np.abs(np.subtract.outer(np.arange(waves), np.arange(waves)))
    power = np.minimum(steps, 1) if structure == "exchangeable" else steps
    return np.asarray(float(parameters[0]) ** power)


def refuse_indefinite(correlation: Floats) -> None:
    """AnalysisError if a working correlation is not positive definite."""
    if np.linalg.eigvalsh(correlation)[0] <= NEAREST:
        raise AnalysisError(
            "the estimated working correlation is not positive definite, so no correlation of "
            "this structure fits the data; take exchangeable or independence, or fewer waves"
        )
