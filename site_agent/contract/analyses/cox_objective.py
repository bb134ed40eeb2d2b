"""What is maximised, and climbed along: a log-likelihood, with Firth's penalty or without.

Firth (1993), for Cox models Heinze and Schemper (2001): with l the log-likelihood of p estimable
coefficients, U its score, I its information, K_r = dI/dbeta_r (cox_thirds.py),

    l*  = l + log|I| / 2
    U*_r = U_r + trace(I^-1 K_r) / 2
    J*_rs = -dU*_r/dbeta_s
          = I_rs + trace(I^-1 K_r I^-1 K_s) / 2 - trace(I^-1 d2I/dbeta_r dbeta_s) / 2

l* has a finite maximum where l has none. U* is exact. The last term of J* would need fourth
moments over the risk sets; it is learnt instead from how U* changed over the steps already taken:
D is changed by the least symmetric change, in the metric of the rest of J*, after which J* maps
the last step to the change seen (Powell's symmetric Broyden update in the structured form of
Dennis and Walker 1981). The estimate is where U* is 0, whatever J* is; J* tells how soon it is
found. The variance is I^-1 at the estimate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace

import numpy as np

from site_agent.contract.analyses.cox_thirds import THIRDS, unpack_cubes
from site_agent.contract.analyses.newton import Point, point
from site_agent.contract.frames import Floats
from site_agent.contract.sums import Answer, Ask

Asks = Generator[tuple[Ask, ...], tuple[Answer, ...], "Objective"]


@dataclass(frozen=True, slots=True)
class Objective:
    """The objective at a point, over the p estimable coefficients.

    at (p,); value; score (p,); curvature (p, p), without the part that is learnt; information
    (p, p), and how it changes with each coefficient (p, p, p), 0 without the penalty. A value of
    minus infinity is no point.
    """

    at: Floats
    value: float
    score: Floats
    curvature: Floats
    information: Floats
    changes: Floats


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Asks for an objective: `ask(beta)` for a point of the likelihood; kept: estimable columns."""

    ask: Callable[[Floats], Ask]
    kept: np.ndarray
    firth: bool

    def __call__(self, at: Floats) -> Asks:
        """Return the objective at coefficients (p,); one round."""
        beta = np.zeros(len(self.kept))
        beta[self.kept] = at
        question = self.ask(beta)
        if not self.firth:
            (answer,) = yield (question,)
            return self.plain(point(answer.totals, answer.floats["beta"]))
        answer, thirds = yield (question, third_ask(question))
        return self.penalised(point(answer.totals, answer.floats["beta"]), thirds)

    def plain(self, found: Point) -> Objective:
        """Return a point of the likelihood as an objective."""
        kept = np.flatnonzero(self.kept)
        information = found.information[np.ix_(kept, kept)]
        none = np.zeros((len(kept),) * 3)
        at, score = found.beta[kept], found.score[kept]
        return Objective(at, found.loglik, score, information, information, none)

    def penalised(self, found: Point, thirds: Answer) -> Objective:
        """Return a point of the likelihood with Firth's penalty."""
        bare = self.plain(found)
        changes = unpack_cubes(thirds.totals["third"], len(self.kept))
        kept = np.flatnonzero(self.kept)
        changes = changes[np.ix_(kept, kept, kept)]
        sign, log_size = np.linalg.slogdet(bare.curvature)
        if thirds.totals["overflow"][0] or bare.value == -math.inf or sign <= 0:
            return replace(bare, value=-math.inf)
        rates = np.linalg.solve(bare.curvature, changes.transpose(2, 0, 1))  # I^-1 K_r, by r
        score = bare.score + np.trace(rates, axis1=1, axis2=2) / 2
        curvature = bare.curvature + np.einsum("rij,sji->rs", rates, rates) / 2
        value = bare.value + float(log_size) / 2
        return replace(bare, value=value, score=score, curvature=curvature, changes=changes)


def third_ask(question: Ask) -> Ask:
    """Return the ask for third cumulants at the point that an ask is for."""
    return Ask(THIRDS[question.sum].name, question.frame, question.fixed, question.floats)


@dataclass(slots=True)
class Path:
    """Points on the way to one goal: the present one, and what was learnt of the curvature."""

    present: Objective
    learnt: Floats
    learns: bool

    @classmethod
    def of(cls, start: Objective, *, learns: bool) -> Path:
        """Return a path that begins at a point; `learns`: there is a part to be learnt."""
        return cls(start, np.zeros_like(start.curvature), learns)

    def branch(self) -> Path:
        """Return a path of its own from the present point, with what has been learnt."""
        return Path(self.present, self.learnt.copy(), self.learns)

    @property
    def curvature(self) -> Floats:
        """Return J; no less than a thousandth of its known part in any direction."""
        known = self.present.curvature
        if not self.learns:
            return known
        root = np.asarray(np.linalg.cholesky(known), dtype=np.float64)
        scaled = _scaled(self.learnt, root)
        values, vectors = np.linalg.eigh(np.eye(len(known)) - scaled)
        safe = (vectors * np.maximum(values, 1e-3)) @ vectors.T
        return np.asarray(root @ safe @ root.T)

    def move(self, to: Objective) -> None:
        """Go to another point, and learn from the way there."""
        if self.learns:
            self._learn(to)
        self.present = to

    def _learn(self, to: Objective) -> None:
        step = to.at - self.present.at
        known = (to.curvature + self.present.curvature) / 2
        root = np.linalg.cholesky(known)
        way = root.T @ step
        length = float(way @ way)
        if length <= 1e-24:  # rounding errors only
            return
        missing = known @ step + (to.score - self.present.score) - self.learnt @ step
        lack = np.linalg.solve(root, missing)
        change = (
            np.outer(lack, way) + np.outer(way, lack) - (lack @ way) / length * np.outer(way, way)
        ) / length
        self.learnt = self.learnt + root @ change @ root.T


def _scaled(matrix: Floats, root: Floats) -> Floats:
    """Return root^-1 matrix root'^-1."""
    half = np.linalg.solve(root, matrix)
    return np.asarray(np.linalg.solve(root, half.T))
