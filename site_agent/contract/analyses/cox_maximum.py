"""Which likelihood of a Cox model is maximised, and the limits that follow from its profile."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

import numpy as np

from site_agent.contract.analyses.cox_firth import maximise_penalised
from site_agent.contract.analyses.cox_model import Model
from site_agent.contract.analyses.cox_objective import Evaluator, Path
from site_agent.contract.analyses.cox_profile import Profile, profiles
from site_agent.contract.analyses.newton import Maximum, Monotone, maximise
from site_agent.contract.analyses.profile_limit import PROFILE_POINTS
from site_agent.contract.analyses.separation import Separated, monotone_words, refuse_separation
from site_agent.contract.frames import Floats
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Answer, Arrays, Ask

Asking = Callable[[Floats], Ask]


@dataclass(frozen=True, slots=True)
class Best:
    """A model's maximum; firth: whether it is penalised, because: why, if it was not asked for.

    path: how a penalised one was found.
    """

    maximum: Maximum
    firth: bool = False
    because: str = ""
    path: Path | None = None


def best(
    study: Study, model: Model, known: Arrays, ask: Asking, covariance: Floats
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Best]:
    """Return the maximum of the likelihood, or of Firth's; known: totals of cox_moments.

    AnalysisError in words if there is none.
    """
    because = ""
    if model.firth != "always":
        try:
            return Best((yield from _unpenalised(study, model, known, ask, covariance)))
        except Separated as separated:
            if model.firth == "never":
                raise
            because = str(separated)
    most, events = _most(model, known, firth=True), int(known["events"][0])
    maximum, path = yield from maximise_penalised(ask, covariance, events, most=most)
    return Best(maximum, True, because, path)


def _unpenalised(
    study: Study, model: Model, known: Arrays, ask: Asking, covariance: Floats
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Maximum]:
    refuse_separation(study, model.frame.table, model.columns, known)
    most, events = _most(model, known, firth=False), int(known["events"][0])
    try:
        return (yield from maximise(ask, covariance, events, most=most))
    except Monotone as monotone:
        raise Separated(monotone_words(model.terms, monotone)) from None


def _most(model: Model, known: Arrays, *, firth: bool) -> int:
    return model.together.most_points(int(known["patients"][0]), len(model.terms), firth=firth)


def profile_of(
    model: Model, known: Arrays, ask: Asking, covariance: Floats, found: Best
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], tuple[Profile, ...]]:
    """Return the profile limits of a model that asks for them; AnalysisError never ends it."""
    maximum = found.maximum
    kept = ~maximum.aliased
    if model.intervals != "profile" or not kept.any():
        return ()
    evaluate = Evaluator(ask, np.asarray(kept), firth=found.firth)
    left = _most(model, known, firth=found.firth) - maximum.evaluations
    return (
        yield from profiles(
            evaluate,
            maximum,
            found.path,
            covariance,
            model.terms,
            level=model.conf_level,
            most=max(left, PROFILE_POINTS * 3 * int(kept.sum())),
        )
    )
