"""Newton's method for a concave log-likelihood whose every evaluation is a round.

From beta = 0, with score U and information I at the present point, step = I^- U. A step that
lowers the log-likelihood is halved. Converged when the expected gain U' I^- U is below 1e-20:
the last step is then at most 1e-10 standard errors, so that I at the last point differs from I
at the maximum by as little, and the estimate, one step further, by its square.

I^- is by sweeping (Goodnight 1979), columns in order: a column whose pivot at beta = 0 is below
1e-9 of its diagonal is a linear combination of those before it, one with next to no
information is constant wherever somebody dies; neither has a coefficient.

A likelihood without a maximum (monotone: no event in a group, or a covariate that orders
the deaths) is recognised by steps that do not shrink while the gain they promise dies away: U and
I fall alike, as exp(-|beta|), so the step U/I stays and the gain U'U/I vanishes. Before a finite
maximum, however far, the gain lasts until the steps shrink (Heinze and Schemper 2001 describe
the case).

Where beta may go is bounded by the covariance of the covariates, which every site has added up
itself: a coordinator that lies about U and I can steer beta, but not to where one patient
outweighs all others beyond what an honest fit could ask for. A longer step is shortened.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Final

import numpy as np

from site_agent.contract.analyses.risk_sets import unpack
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats
from site_agent.contract.sums import Answer, Arrays, Ask

GAIN: Final = 1e-20
STEPS: Final = 50
HALVINGS: Final = 8
PIVOT: Final = 1e-9
STEADY: Final = 3  # steps in a row that must not shrink before a likelihood is called monotone
FADING: Final = 0.7  # a gain is dying away if each is at most this part of the one before
LITTLE: Final = 0.1  # and this little, in units of the log-likelihood
LONGEST: Final = 5.0  # of a step, as the standard deviation of the log hazard over the rows
FARTHEST: Final = 10.0  # of beta, likewise: e^10 between patients a standard deviation apart


@dataclass(frozen=True, slots=True)
class Point:
    """The log-likelihood at beta: value, score (p,), information (p, p)."""

    beta: Floats
    loglik: float
    score: Floats
    information: Floats


@dataclass(frozen=True, slots=True)
class Maximum:
    """Where Newton's method ended: the start, the last evaluated point, estimate and variance.

    aliased (p,): columns that are linear combinations of earlier ones; their estimate is NaN,
    their variance 0. evaluations: how often sums were asked for.
    """

    start: Point
    last: Point
    estimate: Floats
    variance: Floats
    aliased: np.ndarray
    evaluations: int


class Monotone(AnalysisError):
    """A likelihood without a maximum; `columns` are those whose coefficients run away."""

    def __init__(self, columns: tuple[int, ...], signs: tuple[int, ...]) -> None:
        self.columns = columns
        self.signs = signs
        super().__init__("the likelihood has no maximum")


def inverse(information: Floats, floor: Floats) -> tuple[Floats, np.ndarray]:
    """Return the inverse by sweeping in column order, and which columns are aliased.

    A column whose pivot is not above floor (p,) is aliased: its row and column are 0.
    """
    swept = information.copy()
    aliased = np.zeros(len(swept), dtype=bool)
    for k in range(len(swept)):
        pivot = swept[k, k]
        if not pivot > floor[k]:
            aliased[k] = True
            continue
        row, column = swept[k] / pivot, swept[:, k].copy()
        swept -= np.outer(column, row)
        swept[k] = row
        swept[:, k] = -column / pivot
        swept[k, k] = 1 / pivot
    kept = ~aliased
    variance = np.where(np.outer(kept, kept), swept, 0.0)
    return (variance + variance.T) / 2, aliased


def maximise(
    ask: Callable[[Floats], Ask],
    covariance: Floats,
    events: int,
    *,
    most: int,
    intercept: bool = False,
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Maximum]:
    """Return the maximum; `ask(beta)` is the question whose answer is the point at beta.

    covariance (p, p) is that of the columns over all rows: it makes steps comparable, and bounds
    them. most: how many points may be asked for. intercept: see estimable. Raises Monotone and
    AnalysisError (no convergence).
    """
    spread = np.sqrt(np.diag(covariance))
    start = present = yield from _evaluate(ask, np.zeros(len(spread)))
    refuse_overflow(start)
    evaluations = 1
    variance, aliased = estimable(start, events, spread, intercept=intercept)
    sizes: list[Floats] = []
    gains: list[float] = []
    for _ in range(STEPS):
        step = variance @ present.score
        gains.append(float(present.score @ step))
        if gains[-1] <= GAIN:
            estimate = np.where(aliased, np.nan, present.beta + step)
            return Maximum(start, present, estimate, variance, aliased, evaluations)
        sizes.append(step * spread)
        _refuse_monotone(sizes, gains)
        shortened = step / max(1.0, reach(step, covariance) / LONGEST)
        for halving in range(HALVINGS + 1):
            beta = present.beta + shortened / 2**halving
            if reach(beta, covariance) > FARTHEST:
                continue
            _refuse_more(evaluations, most)
            candidate = yield from _evaluate(ask, beta)
            evaluations += 1
            if candidate.loglik >= present.loglik - 1e-12 * abs(present.loglik):
                break
        else:
            raise AnalysisError(
                f"the model does not converge: no step raises the log-likelihood, within "
                f"log hazards that differ by a standard deviation of {FARTHEST:g} between patients"
            )
        present = candidate
        variance, _ = inverse(_without(present.information, aliased), np.zeros(len(spread)))
    raise AnalysisError(f"the model does not converge within {STEPS} steps of Newton's method")


def estimable(
    start: Point, events: int, spread: Floats, *, intercept: bool = False
) -> tuple[Floats, np.ndarray]:
    """Return the inverse information at beta = 0, and which columns are aliased.

    spread (p,): standard deviations of the columns over all rows. events: of a model of hazards.
    intercept: whether a column without spread may be one. In a model without it is aliased whatever
    its information: of sealed sums that is a rounding error, and not 0.
    """
    informative = np.maximum(np.diag(start.information), 1e-3 * events * spread**2)
    floor = PIVOT * informative
    return inverse(start.information, floor if intercept else np.where(spread == 0, np.inf, floor))


def refuse_overflow(start: Point) -> None:
    """Raise AnalysisError if numbers are too large for a sum at beta = 0 already."""
    if start.loglik == -math.inf:
        raise AnalysisError(
            "the covariates' numbers are too large to be summed; give them in larger units "
            "(age / 10, log10(ferritin))"
        )


def _refuse_more(evaluations: int, most: int) -> None:
    if evaluations >= most:
        raise AnalysisError(
            f"the model does not converge within {most} points of its likelihood: more would open "
            f"more numbers than the values of its covariates. Take fewer covariates, wait for more "
            f"patients, or have the stewards accept the analysis by name"
        )


def reach(beta: Floats, covariance: Floats) -> float:
    """Return the standard deviation of the log hazard x beta over all rows."""
    return math.sqrt(max(0.0, float(beta @ covariance @ beta)))


def _without(information: Floats, aliased: np.ndarray) -> Floats:
    """Return the information with aliased columns zeroed, so that they stay aliased."""
    kept = ~aliased
    return np.asarray(np.where(np.outer(kept, kept), information, 0.0))


def _evaluate(
    ask: Callable[[Floats], Ask], beta: Floats
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Point]:
    (answer,) = yield (ask(beta),)
    return point(answer.totals, answer.floats["beta"])


def point(totals: Arrays, beta: Floats) -> Point:
    """Return the totals of an evaluation as a point; minus infinity where a sum overflowed.

    AnalysisError if the log-likelihood or its information is not finite otherwise.
    """
    loglik = -math.inf if totals["overflow"][0] else float(totals["loglik"][0])
    information = unpack(totals["information"], len(beta))
    finite = np.isfinite(information).all() and np.isfinite(totals["score"]).all()
    if math.isnan(loglik) or not finite:
        raise AnalysisError("the model does not converge: the log-likelihood is not finite")
    return Point(beta, loglik, totals["score"], information)


def _refuse_monotone(sizes: list[Floats], gains: list[float]) -> None:
    """Raise Monotone if steps no longer shrink while the gain dies away."""
    if len(sizes) <= STEADY or gains[-1] > LITTLE:
        return
    recent, gain = np.stack(sizes[-STEADY - 1 :]), np.array(gains[-STEADY - 1 :])
    same_way = (recent > 0).all(axis=0) | (recent < 0).all(axis=0)
    steady = (np.abs(recent[1:]) > 0.8 * np.abs(recent[:-1])).all(axis=0)
    running = same_way & steady & (np.abs(recent[-1]) > 0.05)
    if running.any() and bool((gain[1:] < FADING * gain[:-1]).all()):
        columns = np.flatnonzero(running)
        raise Monotone(
            tuple(int(k) for k in columns), tuple(int(np.sign(sizes[-1][k])) for k in columns)
        )
