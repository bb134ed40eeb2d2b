"""The kind `glm`: linear, logistic and Poisson regression by Newton's method over totals.

    beta     maximises the log-likelihood of the family (families.py); the information is X' W X
    phi      gaussian, and `dispersion: estimated`: Pearson's chi-square over n - p; else 1
    naive    phi (X' W X)^-1                                  `lm`, `glm`
    robust   (X' W X)^-1 M (X' W X)^-1, M over clusters       White 1980, Liang and Zeger 1986;
             no small-sample factor (HC0, `sandwich::vcovCL(cadjust = FALSE, type = "HC0")`)

With `intervals: profile` the profile-likelihood limits come with them (glm_profile.py).

Newton's method begins at the intercept of the mean outcome. Covariates are centred and a gaussian
outcome is divided by a power of 2 near its standard deviation while sums are formed; both are taken
back at the end.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.glm_profile import Reported, profile_limits
from site_agent.contract.analyses.glm_results import GlmFit, Scaled, glm_fit
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld
from site_agent.contract.analyses.newton import Monotone, maximise
from site_agent.contract.analyses.profile_limit import INTERVALS
from site_agent.contract.analyses.regression import (
    Regression,
    centre_and_covariance,
    frame_of_regression,
    limits_of_regression,
    read_regression,
    refuse_constant,
    refuse_outcomes,
    regression_of,
    scalars_of_regression,
    scale_of,
    start_of,
)
from site_agent.contract.analyses.regression_sums import BEHIND, CLUSTERS, MOMENTS, POINT
from site_agent.contract.analyses.separation import running_away
from site_agent.contract.analyses.weights import WEIGHTING, read_weights, weighting_of
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Frame
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Disclosure, Estimator

DISPERSIONS: Final = ("fixed", "estimated")
MOST_POINTS: Final = 40


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    options = read_regression(fields, context)
    weights = read_weights(fields, context, options["table"])
    gaussian = options["family"] == "gaussian"
    dispersion = fields.choice(
        "dispersion", DISPERSIONS, default="estimated" if gaussian else "fixed"
    )
    if gaussian and dispersion == "fixed":
        node = fields.named.get("dispersion")
        fields.issue("family gaussian estimates its dispersion; take 'dispersion' out", node)
    usual = "patient" if WEIGHTING in weights else "none"
    robust = fields.choice("robust", ("none", *CLUSTERS), default=usual)
    intervals = fields.choice("intervals", INTERVALS, default="wald")
    if intervals == "profile" and (robust != "none" or dispersion == "estimated"):
        fields.issue(
            "intervals: profile needs a likelihood, so family binomial or poisson, fixed "
            "dispersion and no robust errors; take 'intervals' out",
            fields.named["intervals"],
        )
    more = {"dispersion": dispersion, "robust": robust, "intervals": intervals}
    return {**options, **weights, **more}


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    opened = (MOMENTS, POINT, *((BEHIND,) if _asks_behind(options) else ()))
    return tuple((one.disclosure, one.gives) for one in opened)


def _asks_behind(options: Options) -> bool:
    """Return whether one more round follows the fit: gaussian residuals are known from it."""
    estimated = options["dispersion"] == "estimated" and options["family"] != "gaussian"
    return bool(options["robust"] != "none" or estimated)


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    weighting = weighting_of(study, analysis.options)
    return (replace(frame_of_regression(analysis.options), weighting=weighting),)


def _glm(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    options = analysis.options
    (frame,) = _frames(study, analysis)
    model = regression_of(study, options, frame)
    return (yield from fit(model, options))


def fit(
    model: Regression, options: Options
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], GlmFit]:
    """Fit one model; AnalysisError in words if it has no estimate."""
    known = yield from moments_of(model)
    refuse_outcomes(model, known)
    try:
        return (yield from fit_with(model, options, known))
    except Monotone as monotone:
        raise AnalysisError(_separated(model, monotone)) from None


def moments_of(model: Regression) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Arrays]:
    """Return the totals of regression_moments."""
    (answer,) = yield (Ask(MOMENTS.name, model.frame, _fixed(model), {}),)
    return answer.totals


def _fixed(model: Regression) -> dict[str, Any]:
    return {"columns": len(model.terms), "family": model.family.name}


def fit_with(
    model: Regression, options: Options, known: Arrays
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], GlmFit]:
    """Fit a model whose moments are known; Monotone if its likelihood has no maximum."""
    fixed = _fixed(model)
    centre, covariance = centre_and_covariance(known, len(model.terms))
    scale = scale_of(model, known)
    public = {
        "centre": centre,
        "scale": np.array([scale]),
        "start": start_of(model, known, scale),
    }

    def ask(beta: Floats) -> Ask:
        return Ask(POINT.name, model.frame, fixed, {"beta": beta, **public})

    maximum = yield from maximise(ask, covariance, 0, most=MOST_POINTS, intercept=True)
    refuse_constant(model, known, maximum.start.score[0], -2 * maximum.start.loglik)
    behind = None
    if _asks_behind(options):
        at = ask(np.where(maximum.aliased, 0.0, maximum.estimate))
        more = {**fixed, "cluster": options["robust"]}
        (answer,) = yield (Ask(BEHIND.name, model.frame, more, at.floats),)
        behind = answer.totals
    scaled = Scaled(centre, scale, public["start"], known)
    fitted = glm_fit(model, options, maximum, scaled, behind)
    if options["intervals"] != "profile":
        return fitted
    reported = Reported(ask, ~maximum.aliased, centre, public["start"])
    level = options["conf_level"]
    limits = yield from profile_limits(reported, maximum, covariance, model.names, level=level)
    return replace(fitted, profile=limits)


def _separated(model: Regression, monotone: Monotone) -> str:
    return (
        f"{running_away(model.names, monotone)}; in some group all outcomes are alike, so no "
        f"finite estimate exists. Join groups or leave the covariate out"
    )


GLM: Final = Kind(
    "glm",
    _read,
    _uses,
    _frames,
    _glm,
    (MOMENTS, POINT, BEHIND),
    scalars=scalars_of_regression,
    limits=limits_of_regression,
)
