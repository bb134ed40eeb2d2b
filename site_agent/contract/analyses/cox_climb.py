"""Going up an objective to its maximum, over all of its coefficients or with some held.

Steps J^-1 U, halved where they lower the objective, within the bounds of newton.py. The end is
where the gain that the next step promises, g = U' J^-1 U, is below 1e-20; or below 1e-12 and, as
steps have begun to shrink faster than they did, so small that what is left behind the next one is
below 1e-11 standard errors: sqrt(g) sqrt(g / g of the step before). The estimate is one step
further, the value g / 2 higher, and the information is carried on by its known change.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Final

import numpy as np

from site_agent.contract.analyses.cox_objective import Evaluator, Objective, Path
from site_agent.contract.analyses.newton import (
    FARTHEST,
    GAIN,
    HALVINGS,
    LONGEST,
    STEPS,
    reach,
)
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats
from site_agent.contract.sums import Answer, Ask

NEAR: Final = 1e-12  # a gain
BEHIND: Final = 1e-11  # standard errors that may be left behind the last step

FAR: Final = (
    f"the model does not converge: no step raises the log-likelihood, within log hazards that "
    f"differ by a standard deviation of {FARTHEST:g} between patients"
)


@dataclass(frozen=True, slots=True)
class Summit:
    """The maximum: coefficients (p,), value, information (p, p), points asked for."""

    at: Floats
    value: float
    information: Floats
    points: int


def climb(
    evaluate: Evaluator, path: Path, covariance: Floats, *, free: np.ndarray, most: int
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Summit]:
    """Return the maximum from where a path stands; coefficients that are not `free` (p,) stay.

    covariance (p, p) of the columns bounds the steps. AnalysisError if more than `most` points
    would be asked for, or none is higher.
    """
    gains: list[float] = []
    points = 0
    for _ in range(STEPS):
        step = _step(path, free)
        gains.append(float(path.present.score @ step))
        if settled(gains):
            return _summit(path.present, step, gains[-1], points)
        shortened = step / max(1.0, reach(step, covariance) / LONGEST)
        for halving in range(HALVINGS + 1):
            at = path.present.at + shortened / 2**halving
            if reach(at, covariance) > FARTHEST:
                continue
            if points >= most:
                raise AnalysisError(f"the model does not converge within {most} points")
            there = yield from evaluate(at)
            points += 1
            if there.value >= path.present.value - 1e-12 * abs(path.present.value):
                break
        else:
            raise AnalysisError(FAR)
        path.move(there)
    raise AnalysisError(f"the model does not converge within {STEPS} steps")


def _step(path: Path, free: np.ndarray) -> Floats:
    step = np.zeros(len(free))
    if free.any():
        block = path.curvature[np.ix_(free, free)]
        step[free] = np.linalg.solve(block, path.present.score[free])
    return step


def settled(gains: list[float]) -> bool:
    """Return whether the last of these gains leaves nothing worth another point."""
    if gains[-1] <= GAIN:
        return True
    shrinking = len(gains) > 1 and gains[-1] <= BEHIND * math.sqrt(max(gains[-2], 0.0))
    return shrinking and gains[-1] <= NEAR


def _summit(last: Objective, step: Floats, gain: float, points: int) -> Summit:
    return Summit(
        last.at + step,
        last.value + max(gain, 0.0) / 2,
        last.information + last.changes @ step,
        points,
    )
