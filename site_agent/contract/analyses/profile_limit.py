"""One limit of a coefficient by its profile: where the objective has fallen by a given amount.

A coefficient's profile is the objective (a log-likelihood) maximised over all other coefficients.
Its limits of a level are where it has fallen from the maximum by half of chi-square's quantile with
one degree of freedom. A limit is the root of: objective = target, U_i = 0 for i other than j.
Venzon and Moolgavkar (1988), Applied Statistics 37:87-94: with V = J^-1 the step V (U - s e_j), and

    s = -+ sqrt((2 (objective - target) + U' V U) / V_jj)

(- for the upper limit) solves both in the quadratic approximation. It ends when a step is below
1e-10 in units of J, or as climb() does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.cox_climb import settled
from site_agent.contract.analyses.cox_objective import Asks, Path
from site_agent.contract.analyses.intervals import normal_quantile
from site_agent.contract.analyses.newton import FARTHEST, reach
from site_agent.contract.analyses.results import Failure
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats
from site_agent.contract.sums import Answer, Ask

MOST: Final = 25  # points on the way to one limit
LONGEST: Final = 3.0  # of a step, in standard errors
SIDES: Final = (-1, 1)
INTERVALS: Final = ("wald", "profile")  # the option by which limits are chosen
PROFILE_POINTS: Final = 5  # that the budget counts for an end of a profile, or its value at 0


def target_of(top: float, level: float) -> float:
    """Return the objective at the limits of a level, `top` being its maximum."""
    return top - normal_quantile(level) ** 2 / 2


def end_of(found: Any) -> float:
    """Return what a search for a limit in lockstep found; NaN where it failed."""
    return math.nan if isinstance(found, Failure) else float(found)


def limit(
    evaluate: Callable[[Floats], Asks],
    path: Path,
    covariance: Floats,
    end: tuple[int, int],
    *,
    target: float,
    most: int,
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], float]:
    """Return the limit of coefficient j on one side: end is (j, -1 or 1).

    covariance (p, p) of the columns bounds where the search may go. AnalysisError if there is no
    limit within these bounds, or within `most` points.
    """
    sizes: list[float] = []
    for _ in range(most):
        curvature = path.curvature
        step = _towards(path, np.asarray(np.linalg.inv(curvature), dtype=np.float64), end, target)
        sizes.append(float(step @ curvature @ step))
        if settled(sizes):
            return float(path.present.at[end[0]] + step[end[0]])
        shortened = step / max(1.0, math.sqrt(sizes[-1]) / LONGEST)
        at = path.present.at + shortened
        if reach(at, covariance) > FARTHEST:
            raise AnalysisError("no limit within the bounds of a fit")
        there = yield from evaluate(at)
        if there.value == -math.inf:
            raise AnalysisError("no limit where numbers can be summed")
        path.move(there)
    raise AnalysisError(f"no limit within {most} points")


def _towards(path: Path, variance: Floats, end: tuple[int, int], target: float) -> Floats:
    """Return the step of Venzon and Moolgavkar; if there is none, half a step to the maximum."""
    (j, side), here = end, path.present
    back = variance @ here.score
    square = (2 * (here.value - target) + here.score @ back) / variance[j, j]
    if square < 0:
        return np.asarray(back / 2)
    return np.asarray(back + side * math.sqrt(square) * variance[:, j])
