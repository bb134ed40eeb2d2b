"""The kind `weighting`: a propensity score, the weights that it gives, balance before and after.

The score is a logistic regression of the treatment on the covariates (glm.py); propensity.py has
the weights. With arms a = 1 treated, 0 not, means m_a, variances s_a^2 (divisor n - 1), weighted
means M_a:

    before   (m_1 - m_0) / sqrt((s_1^2 + s_0^2) / 2)       Austin 2009
    after    (M_1 - M_0) / sqrt((s_1^2 + s_0^2) / 2)       the variances are the unweighted ones
    ess      (sum of w)^2 / (sum of w^2)                   Kish 1965

One variance for both makes the two comparable: weights move means, not the unit. Everything is a
total over all hospitals in one of the two arms (class A). The smallest and the largest weight are
those of single patients and are not asked for.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.glm import fit_with, moments_of
from site_agent.contract.analyses.glm_results import GlmFit
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld
from site_agent.contract.analyses.newton import Monotone
from site_agent.contract.analyses.regression import (
    Regression,
    frame_of_regression,
    limits_of_regression,
    regression_of,
    scalars_of_regression,
)
from site_agent.contract.analyses.regression_sums import MOMENTS, POINT
from site_agent.contract.analyses.separation import running_away
from site_agent.contract.analyses.weighting_results import WeightingFit, weighting_fit
from site_agent.contract.analyses.weighting_sums import ARMS, BALANCE, BY_ARM, BY_COLUMN
from site_agent.contract.analyses.weights import as_named
from site_agent.contract.errors import AnalysisError
from site_agent.contract.expressions import Boolean, Category, Number, infer, parse
from site_agent.contract.frames import Frame
from site_agent.contract.propensity import COEFFICIENTS, SHARE, VARIANTS
from site_agent.contract.rows import levels_of
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Disclosure

LOGISTIC: Final = {
    "family": "binomial",
    "dispersion": "fixed",
    "robust": "none",
    "intervals": "wald",
    "offset": None,
}


@dataclass(frozen=True, slots=True)
class Propensity:
    """A fitted score: its model, the moments of its rows, and what every question carries."""

    fit: GlmFit
    known: Arrays
    floats: Arrays


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    table = context.table(fields)
    treatment = _read_treatment(fields, context, table)
    explained = (treatment,) if treatment else ()
    covariates = context.covariates(fields, table, explained=explained, what="the treatment")
    return {
        "table": table,
        "cohort": context.cohort(fields, table),
        "treatment": treatment,
        "covariates": covariates,
        "variant": fields.choice("variant", VARIANTS, default="ate"),
        "truncate": _read_limits(fields),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }


def _read_treatment(fields: Fields, context: Context, table: str) -> str:
    """Read `treatment`: a condition, a number of 0 and 1, or a category of two levels."""
    node = fields.node_of("treatment", required=True)
    if node is None:
        return ""
    expected = "a condition, a number of 0 and 1, or a category of two levels"
    accept = (Boolean, Number, Category)
    text = context.expression(fields, node, table, accept=accept, expected=expected)
    if text is None:
        return ""
    kind = infer(parse(text), context.scopes[table])
    if isinstance(kind, Category) and len(kind.levels) != len(ARMS):
        fields.issue(f"'{node.value}' has {len(kind.levels)} levels; expected {expected}", node)
    return text


def _read_limits(fields: Fields) -> list[float]:
    """Read `truncate`: the largest weight, or the smallest and the largest."""
    found = fields.numbers("truncate", least=0)
    if not found:
        return []
    low, high = found if len(found) == 2 else (0.0, found[0])
    if len(found) > 2 or low >= high:
        fields.issue(
            "truncate: expected the largest weight, or the smallest and the largest",
            fields.named["truncate"],
        )
    return [low, high]


def _uses(_: Options) -> tuple[tuple[Disclosure, str], ...]:
    return tuple((one.disclosure, one.gives) for one in (MOMENTS, POINT, BALANCE))


def _options(options: Options) -> dict[str, Any]:
    """Return the options of the regression that is the score."""
    return {**options, **LOGISTIC, "outcome": options["treatment"]}


def _frames(_: Study, analysis: Analysis) -> tuple[Frame, ...]:
    """Return the rows of the score, and the same with their weights."""
    frame = frame_of_regression(_options(analysis.options))
    return frame, replace(frame, weighting=as_named(analysis.options))


def _scalars(study: Study, analysis: Analysis, frame: Frame) -> int:
    model = replace(analysis, options=_options(analysis.options))
    if frame.weighting is None:
        return scalars_of_regression(study, model, frame)
    columns = len(regression_of(study, model.options, frame).terms)
    return len(ARMS) * (len(BY_ARM) + len(BY_COLUMN) * columns)


def propensity(
    study: Study, analysis: Analysis
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Propensity]:
    """Fit the score of a weighting; AnalysisError in words if it has none."""
    options = _options(analysis.options)
    model = regression_of(study, options, _frames(study, analysis)[0])
    known = yield from moments_of(model)
    _refuse_treatments(options["treatment"], known)
    try:
        fit = yield from fit_with(model, options, known)
    except Monotone as monotone:
        raise AnalysisError(_separated(model, monotone)) from None
    coefficients = np.nan_to_num([term.estimate for term in fit.terms])
    share = known["above_zero"] / known["rows"]
    return Propensity(fit, known, {COEFFICIENTS: coefficients, SHARE: share})


def _refuse_treatments(treatment: str, known: Arrays) -> None:
    """AnalysisError if there are no rows, no treatment of 0 and 1, or one arm only."""
    rows, wrong, treated = (int(known[n][0]) for n in ("rows", "not_allowed", "above_zero"))
    if not rows:
        raise AnalysisError("no row has the treatment and all covariates; there is no score")
    if wrong:
        raise AnalysisError(
            f"the treatment '{treatment}' of {wrong} of {rows} rows is not 0 or 1; correct it, or "
            f"take a condition"
        )
    if treated in (0, rows):
        who = "nobody" if not treated else "everybody"
        raise AnalysisError(
            f"{who} of {rows} rows is treated ({treatment}); weights need both arms"
        )


def _separated(model: Regression, monotone: Monotone) -> str:
    return (
        f"{running_away(model.names, monotone)}; in some group everybody is treated, or nobody, so "
        f"the others have no weights. Join groups, leave the covariate out, or take a cohort in "
        f"which both happen"
    )


def _weighting(
    study: Study, analysis: Analysis, _withheld: Withheld
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], WeightingFit]:
    options = analysis.options
    found = yield from propensity(study, analysis)
    frame = _frames(study, analysis)[1]
    columns = len(found.fit.terms) - 1
    centre = {"centre": found.known["sum"] / found.known["weight"]}
    ask = Ask(BALANCE.name, frame, {"columns": columns}, {**centre, **found.floats})
    (answer,) = yield (ask,)
    return weighting_fit(found.fit, options, _arms(study, options), answer)


def _arms(study: Study, options: Options) -> tuple[str, str]:
    """Return the names of the arms, not treated and treated."""
    try:
        first, second = levels_of(study, options["table"], options["treatment"])
    except AnalysisError:  # a number of 0 and 1
        return "0", "1"
    return first, second


WEIGHTING: Final = Kind(
    "weighting",
    _read,
    _uses,
    _frames,
    _weighting,
    (MOMENTS, POINT, BALANCE),
    scalars=_scalars,
    limits=lambda options, frame: limits_of_regression(_options(options), frame),
    further=("balance",),
)
