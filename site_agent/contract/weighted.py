"""An analysis that names a weighting: the propensity score is fitted first, in the same release.

The fit asks what the weighting itself asks, so the two share its rounds: equal questions are asked
once. Then every question over weighted rows carries the coefficients.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from site_agent.contract.analyses.weighting import propensity
from site_agent.contract.analyses.weights import WEIGHTING
from site_agent.contract.declared import as_declared
from site_agent.contract.errors import AnalysisError
from site_agent.contract.lockstep import passed
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Estimator


def weighted(study: Study, analysis: Analysis, estimator: Estimator) -> Estimator:
    """Return the estimator of an analysis, behind the fit of the weights that it names, if any."""
    if WEIGHTING not in analysis.options:
        return estimator
    return _behind(study, study.analyses[analysis.options[WEIGHTING]], estimator)


def _behind(
    study: Study, named: Analysis, estimator: Estimator
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Any]:
    try:
        found = yield from as_declared(study, named, {}, propensity(study, named))
    except AnalysisError as error:
        raise AnalysisError(f"there are no weights '{named.name}': {error}") from None

    def weighed(asks: tuple[Ask, ...]) -> tuple[Ask, ...]:
        return tuple(_with(ask, found.floats) for ask in asks)

    return (yield from passed(estimator, weighed))


def _with(ask: Ask, floats: Arrays) -> Ask:
    """Return an ask with the coefficients, if it is over weighted rows."""
    if ask.frame.weighting is None:
        return ask
    return replace(ask, floats={**ask.floats, **floats})
