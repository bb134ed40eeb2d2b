"""Profile-likelihood limits, and tests of single coefficients, of a Cox model.

A coefficient's profile is the objective (log-likelihood, or Firth's) maximised over all other
coefficients. Its limits of a level are where it has fallen from the maximum by half of chi-square's
quantile with one degree of freedom; the test of beta_j = 0 is twice its fall at 0 (Heinze and
Schemper 2001 take both for Firth's fit, because Wald's are far from symmetric there).

A limit is the root of: objective = target, U_i = 0 for i other than j. Venzon and Moolgavkar
(1988), Applied Statistics 37:87-94: with V = J^-1, the step V (U - s e_j) with

    s = -+ sqrt((2 (objective - target) + U' V U) / V_jj)

(- for the upper limit) solves both in the quadratic approximation. It ends when a step is below
1e-10 in units of J, or as climb() does. All limits and tests go in lockstep.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.cox_climb import climb, settled
from site_agent.contract.analyses.cox_objective import Evaluator, Path
from site_agent.contract.analyses.intervals import chi_square_p, normal_quantile
from site_agent.contract.analyses.newton import FARTHEST, Maximum, reach
from site_agent.contract.analyses.results import Cell, Failure, number
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats
from site_agent.contract.lockstep import lockstep
from site_agent.contract.sums import Answer, Ask

MOST: Final = 25  # points on the way to one limit
LONGEST: Final = 3.0  # of a step, in standard errors
COLUMNS: Final = ("term", "conf_low", "conf_high", "statistic", "df", "p_value")


@dataclass(frozen=True, slots=True)
class Profile:
    """Profile limits and test of one coefficient, log scale; NaN where there is no limit."""

    term: str
    conf_low: float
    conf_high: float
    statistic: float
    df: int
    p_value: float

    def cells(self) -> tuple[Cell, ...]:
        """Return it as a row of COLUMNS."""
        known = (number(value) for value in (self.conf_low, self.conf_high, self.statistic))
        return (self.term, *known, self.df, number(self.p_value))

    def document(self) -> dict[str, Any]:
        """Return it as JSON, with the limits of the hazard ratio."""
        found: dict[str, Any] = dict(zip(COLUMNS, self.cells(), strict=True))
        with np.errstate(over="ignore"):
            ratios = np.exp([self.conf_low, self.conf_high])
        return {
            **found,
            "hazard_ratio_low": number(ratios[0]),
            "hazard_ratio_high": number(ratios[1]),
        }


def profiles(
    evaluate: Evaluator,
    maximum: Maximum,
    path: Path | None,
    covariance: Floats,
    terms: tuple[str, ...],
    *,
    level: float,
    most: int,
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], tuple[Profile, ...]]:
    """Return limits and tests of all coefficients.

    path: how the maximum was found, if something was learnt of the curvature on the way.
    covariance (all, all) of the columns; most: points that may still be asked for, in all.
    """
    kept = evaluate.kept
    path = path or Path.of(evaluate.plain(maximum.last), learns=False)
    within = covariance[np.ix_(kept, kept)]
    chosen = [terms[k] for k in np.flatnonzero(kept)]
    each = min(MOST, max(most // (3 * len(chosen)), 1))
    top = maximum.last.loglik
    target = top - normal_quantile(level) ** 2 / 2
    searches: dict[str, Any] = {}
    for j, _ in enumerate(chosen):
        for side in (-1, 1):
            searches[f"{j} {side}"] = _limit(
                evaluate, path.branch(), within, (j, side), target=target, most=each
            )
        searches[f"{j} at 0"] = _at_zero(evaluate, path.branch(), within, maximum, j, each)
    found = yield from lockstep(searches)
    return tuple(_profile(name, j, found, top) for j, name in enumerate(chosen))


def _profile(name: str, j: int, found: Mapping[str, Any], top: float) -> Profile:
    low, high, null = (found[f"{j} {end}"] for end in (-1, 1, "at 0"))
    lower, upper = (math.nan if isinstance(end, Failure) else float(end) for end in (low, high))
    statistic = math.nan if isinstance(null, Failure) else max(2 * (top - null), 0.0)
    p_value = math.nan if math.isnan(statistic) else chi_square_p(statistic, 1)
    return Profile(name, lower, upper, statistic, 1, p_value)


def _limit(
    evaluate: Evaluator,
    path: Path,
    covariance: Floats,
    end: tuple[int, int],
    *,
    target: float,
    most: int,
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], float]:
    """Return the limit of coefficient j on one side: end is (j, -1 or 1)."""
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


def _at_zero(
    evaluate: Evaluator, path: Path, covariance: Floats, maximum: Maximum, j: int, most: int
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], float]:
    """Return the objective's maximum with coefficient j held at 0."""
    if len(covariance) == 1:
        return maximum.start.loglik
    here = path.present.at
    free = np.arange(len(covariance)) != j
    variance = np.linalg.inv(path.curvature)
    at = here - variance[:, j] / variance[j, j] * here[j]
    at[j] = 0.0
    path.move((yield from evaluate(at)))
    summit = yield from climb(evaluate, path, covariance, free=free, most=most)
    return summit.value
