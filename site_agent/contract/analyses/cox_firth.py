"""Firth's penalised fit of a Cox model: finite coefficients where groups have no event.

Heinze and Schemper (2001), "A solution to the problem of monotone likelihood in Cox regression",
Biometrics 57:114-119. The penalty is over the columns that are estimable at beta = 0; the
objective is that of cox_objective.py. The likelihood-ratio test compares penalised
log-likelihoods, the one at 0 with the penalty of all columns, as coxphf does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator

import numpy as np

from site_agent.contract.analyses.cox_climb import climb
from site_agent.contract.analyses.cox_objective import Evaluator, Path, third_ask
from site_agent.contract.analyses.newton import (
    Maximum,
    Point,
    estimable,
    inverse,
    point,
    refuse_overflow,
)
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats
from site_agent.contract.sums import Answer, Ask


def maximise_penalised(
    ask: Callable[[Floats], Ask], covariance: Floats, events: int, *, most: int
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], tuple[Maximum, Path]]:
    """Return the maximum of the penalised likelihood, and the path that led there.

    As newton.maximise; log-likelihoods are penalised, scores modified.
    """
    question = ask(np.zeros(len(covariance)))
    answer, thirds = yield (question, third_ask(question))
    start = point(answer.totals, answer.floats["beta"])
    refuse_overflow(start)
    _, aliased = estimable(start, events, np.sqrt(np.diag(covariance)))
    kept = ~aliased
    if not kept.any():
        raise AnalysisError("no covariate varies where somebody dies; the model has no estimate")
    evaluate = Evaluator(ask, kept, firth=True)
    first = evaluate.penalised(start, thirds)
    if first.value == -math.inf:
        raise AnalysisError(
            "the cubes of covariates are too large to be summed; give them in larger units "
            "(age / 10, log10(ferritin))"
        )
    path = Path.of(first, learns=True)
    within = covariance[np.ix_(kept, kept)]
    free = np.ones(int(kept.sum()), dtype=bool)
    summit = yield from climb(evaluate, path, within, free=free, most=most - 1)
    beta, information = _spread(summit.at, kept), _spread(summit.information, kept)
    variance, _ = inverse(information, np.zeros(len(kept)))
    begin = Point(start.beta, first.value, _spread(first.score, kept), start.information)
    last = Point(beta, summit.value, np.zeros(len(kept)), information)
    estimate = np.where(aliased, np.nan, beta)
    return Maximum(begin, last, estimate, variance, aliased, summit.points + 1), path


def _spread(values: Floats, kept: np.ndarray) -> Floats:
    """Return a vector or matrix over kept columns as one over all, 0 elsewhere."""
    full = np.zeros((len(kept),) * values.ndim)
    full[np.ix_(*(kept,) * values.ndim)] = values
    return full
