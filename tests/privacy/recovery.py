"""How much an attack has found: the fraction of patients whose covariates it gives back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tests.privacy.holding import Held

Floats = NDArray[np.float64]
CLOSE: Final = 1e-6  # of a covariate's standard deviation


def fraction_recovered(found: Sequence[Floats] | Floats, truth: Floats) -> float:
    """Which part of the patients (n, p) stands among the rows that were found (m, p)."""
    rows = np.asarray(found, dtype=np.float64).reshape(-1, truth.shape[1])
    if not len(rows):
        return 0.0
    scale = truth.std(axis=0)
    distance = np.abs(truth[:, None, :] - rows[None, :, :]) / scale
    return float((distance.max(axis=2) < CLOSE).any(axis=1).mean())


def deaths_at(held: Held) -> NDArray[np.int64]:
    """The death times of an unstratified model, ascending."""
    (ticks,) = held.ask.fixed["deaths"]
    return np.array(ticks, dtype=np.int64)


def at_risk(counts: Held, ticks: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many are at risk at each time, from the counts that a curve opens (class B)."""
    left = counts.opened["left"].sum(axis=(0, 1))
    return np.array([left[tick:].sum() for tick in ticks], dtype=np.int64)


def steps(held: Held) -> list[int]:
    """The number of each pseudo-time's death time."""
    ties = held.ask.fixed["ties"]
    if not held.ask.fixed["efron"]:
        return list(range(len(ties)))
    return [k for k, n in enumerate(ties) for _ in range(n)]
