"""Profile-likelihood limits, and tests of single coefficients, of a Cox model.

A coefficient's profile is the objective (log-likelihood, or Firth's) maximised over all other
coefficients. Its limits are found as profile_limit.py has it; the test of beta_j = 0 is twice its
fall at 0 (Heinze and Schemper 2001 take both for Firth's fit, because Wald's are far from symmetric
there). All limits and tests go in lockstep.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.cox_climb import climb
from site_agent.contract.analyses.cox_objective import Evaluator, Path
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.newton import Maximum
from site_agent.contract.analyses.profile_limit import MOST, SIDES, end_of, limit, target_of
from site_agent.contract.analyses.results import Cell, Failure, number
from site_agent.contract.frames import Floats
from site_agent.contract.lockstep import lockstep
from site_agent.contract.sums import Answer, Ask

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
    target = target_of(top, level)
    searches: dict[str, Any] = {}
    for j, _ in enumerate(chosen):
        for side in SIDES:
            searches[f"{j} {side}"] = limit(
                evaluate, path.branch(), within, (j, side), target=target, most=each
            )
        searches[f"{j} at 0"] = _at_zero(evaluate, path.branch(), within, maximum, j, each)
    found = yield from lockstep(searches)
    return tuple(_profile(name, j, found, top) for j, name in enumerate(chosen))


def _profile(name: str, j: int, found: Mapping[str, Any], top: float) -> Profile:
    low, high, null = (found[f"{j} {end}"] for end in (-1, 1, "at 0"))
    lower, upper = end_of(low), end_of(high)
    statistic = math.nan if isinstance(null, Failure) else max(2 * (top - null), 0.0)
    p_value = math.nan if math.isnan(statistic) else chi_square_p(statistic, 1)
    return Profile(name, lower, upper, statistic, 1, p_value)


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
