"""Profile-likelihood limits of the coefficients of a regression, as `confint(glm)` means them.

R follows each profile at some points and interpolates; here every limit is the root itself
(profile_limit.py), and all limits go in lockstep. Sums are formed with covariates centred and from
where the fit began, so they are asked for at

    beta = T theta - start,   T the identity but for its first row, (1, centre')

with theta the coefficients that are reported. The score of theta is T' U, its information T' I T.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.cox_objective import Asks, Objective, Path
from site_agent.contract.analyses.newton import Maximum, Point, point
from site_agent.contract.analyses.profile_limit import MOST, SIDES, end_of, limit, target_of
from site_agent.contract.analyses.results import number
from site_agent.contract.frames import Floats
from site_agent.contract.lockstep import lockstep
from site_agent.contract.sums import Answer, Ask

COLUMNS: Final = ("term", "conf_low", "conf_high")


@dataclass(frozen=True, slots=True)
class ProfileLimits:
    """The limits of one coefficient by its profile; NaN where none is within reach."""

    term: str
    conf_low: float
    conf_high: float

    def cells(self) -> tuple[str, float | None, float | None]:
        """Return it as a row of COLUMNS."""
        return self.term, number(self.conf_low), number(self.conf_high)

    def document(self, ratio: str) -> dict[str, Any]:
        """Return it as JSON, with the limits of its ratio of this name."""
        with np.errstate(over="ignore"):
            low, high = (number(value) for value in np.exp([self.conf_low, self.conf_high]))
        named = dict(zip(COLUMNS, self.cells(), strict=True))
        return {**named, f"{ratio}_low": low, f"{ratio}_high": high}


@dataclass(frozen=True, slots=True)
class Reported:
    """Asks for points of the likelihood by the coefficients that are reported.

    kept (1 + p,): which can be estimated, the intercept first; centre (p,), start (1 + p,).
    """

    ask: Callable[[Floats], Ask]
    kept: np.ndarray
    centre: Floats
    start: Floats

    def __call__(self, at: Floats) -> Asks:
        """Return the log-likelihood at coefficients theta of the kept columns; one round."""
        theta = np.zeros(len(self.kept))
        theta[self.kept] = at
        (answer,) = yield (self.ask(self._moved @ theta - self.start),)
        return self.objective(point(answer.totals, answer.floats["beta"]))

    def objective(self, found: Point) -> Objective:
        """Return a point of the likelihood as one of theta."""
        kept = np.flatnonzero(self.kept)
        back = np.linalg.inv(self._moved)
        theta = back @ (found.beta + self.start)
        score = (self._moved.T @ found.score)[kept]
        information = (self._moved.T @ found.information @ self._moved)[np.ix_(kept, kept)]
        none = np.zeros((len(kept),) * 3)
        return Objective(theta[kept], found.loglik, score, information, information, none)

    @property
    def _moved(self) -> Floats:
        moved = np.eye(len(self.kept))
        moved[0, 1:] = np.where(self.kept[1:], self.centre, 0.0)
        return moved


def profile_limits(
    evaluate: Reported,
    maximum: Maximum,
    covariance: Floats,
    names: tuple[str, ...],
    *,
    level: float,
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], tuple[ProfileLimits, ...]]:
    """Return the limits of every coefficient that can be estimated.

    covariance (1 + p, 1 + p) of the columns, 0 for the intercept, bounds the search.
    """
    kept = np.flatnonzero(evaluate.kept)
    path = Path.of(evaluate.objective(maximum.last), learns=False)
    within, target = covariance[np.ix_(kept, kept)], target_of(maximum.last.loglik, level)
    found = yield from lockstep(
        {
            f"{j} {side}": limit(
                evaluate, path.branch(), within, (j, side), target=target, most=MOST
            )
            for j in range(len(kept))
            for side in SIDES
        }
    )
    return tuple(
        ProfileLimits(names[k], *(end_of(found[f"{j} {side}"]) for side in SIDES))
        for j, k in enumerate(kept)
    )
