"""What a regression reports: coefficients, dispersion, deviances, likelihood, tests.

Intervals are Wald's, with quantiles of t on n - p degrees of freedom where the dispersion is
estimated, of the normal where it is 1. The log-likelihood is that of `logLik`: for the gaussian
family at the maximum likelihood estimate of the variance, RSS / n, which counts as a parameter:

    l = (sum of log w - n (log(2 pi) + 1 - log n + log(sum of w (y - mu)^2))) / 2
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy.special import fdtrc, xlogy

from site_agent.contract.analyses.coefficients import (
    Term,
    Test,
    term_of,
    terms_table,
    tests_table,
)
from site_agent.contract.analyses.glm_profile import COLUMNS as PROFILE_COLUMNS
from site_agent.contract.analyses.glm_profile import ProfileLimits
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.kind import Options
from site_agent.contract.analyses.newton import Maximum
from site_agent.contract.analyses.regression import Regression, uncentred
from site_agent.contract.analyses.results import Tidy, number, numbers
from site_agent.contract.analyses.risk_sets import unpack
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.frames import Floats
from site_agent.contract.sums import Arrays

PERFECT: Final = 1e-28  # of the fitted values' squares: what is left is rounding; R takes 1e-30
REMARK: Final = (
    "essentially perfect fit: what is left of the outcome is rounding, so that standard errors, "
    "tests and likelihood are not reliable"
)
RATIOS = {"gaussian": "", "binomial": "odds_ratio", "poisson": "rate_ratio"}


@dataclass(frozen=True, slots=True)
class Scaled:
    """How sums were formed: means taken off, the outcome's unit, where the fit began, moments."""

    centre: Floats
    scale: float
    start: Floats
    known: Arrays


@dataclass(frozen=True, slots=True)
class GlmFit:
    """A fitted regression; variance and naive_variance (1 + p, 1 + p), 0 for aliased ones.

    variance is the robust one where it was asked for. null_deviance is NaN with an offset. profile:
    limits by likelihood, where they were asked for.
    """

    family: str
    robust: str
    conf_level: float
    rows: int
    patients: int
    left_out: Mapping[str, int]
    terms: tuple[Term, ...]
    variance: Floats
    naive_variance: Floats
    dispersion: float
    residual_df: int
    loglik: float
    parameters: int
    deviance: float
    null_deviance: float
    pearson: float
    tests: tuple[Test, ...]
    evaluations: int
    profile: tuple[ProfileLimits, ...] = ()
    remark: str = ""

    @property
    def aic(self) -> float:
        """Return Akaike's criterion."""
        return -2 * self.loglik + 2 * self.parameters

    @property
    def bic(self) -> float:
        """Return the Bayesian criterion over rows."""
        return -2 * self.loglik + self.parameters * math.log(self.rows)

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "family": self.family,
            "robust": self.robust,
            "conf_level": self.conf_level,
            "rows": self.rows,
            "patients": self.patients,
            "left_out": dict(self.left_out),
            "terms": [term.document(RATIOS[self.family]) for term in self.terms],
            "variance": [numbers(row) for row in self.variance],
            "naive_variance": [numbers(row) for row in self.naive_variance],
            "dispersion": number(self.dispersion),
            "residual_df": self.residual_df,
            **{name: number(value) for name, value in self._criteria().items()},
            "tests": [test.document() for test in self.tests],
            "evaluations": self.evaluations,
            **({"profile": self._profile_document()} if self.profile else {}),
            **({"remark": self.remark} if self.remark else {}),
        }

    def _profile_document(self) -> list[dict[str, Any]]:
        return [one.document(RATIOS[self.family]) for one in self.profile]

    def _criteria(self) -> dict[str, float]:
        return {
            "loglik": self.loglik,
            "aic": self.aic,
            "bic": self.bic,
            "deviance": self.deviance,
            "null_deviance": self.null_deviance,
            "pearson": self.pearson,
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `terms`, `tests` and `summary`, and `profile` where it was asked for."""
        criteria = self._criteria()
        limits = Tidy(PROFILE_COLUMNS, tuple(one.cells() for one in self.profile))
        return {
            "terms": terms_table(self.terms),
            "tests": tests_table(self.tests),
            "summary": Tidy(
                ("rows", "patients", "dispersion", "residual_df", *criteria),
                (
                    (
                        *(self.rows, self.patients, number(self.dispersion), self.residual_df),
                        *(number(value) for value in criteria.values()),
                    ),
                ),
            ),
            **({"profile": limits} if self.profile else {}),
        }


def glm_fit(
    model: Regression,
    options: Options,
    maximum: Maximum,
    scaled: Scaled,
    behind: Arrays | None,
) -> GlmFit:
    """Return the fit at a maximum, with what was asked for behind it."""
    known, unit = scaled.known, scaled.scale
    rows, kept = int(known["rows"][0]), int((~maximum.aliased).sum())
    estimated, df = options["dispersion"] == "estimated", rows - kept
    pearson = -2 * maximum.last.loglik if behind is None else float(behind["pearson"][0])
    dispersion = (pearson / df if df else math.nan) if estimated else 1.0
    estimate = (maximum.estimate + scaled.start) * unit
    naive = dispersion * unit**2 * maximum.variance
    variance = naive
    if options["robust"] != "none" and behind is not None:
        middle = unpack(behind["middle"], len(estimate))
        variance = unit**2 * maximum.variance @ middle @ maximum.variance
    moved, variance = uncentred(estimate, variance, scaled.centre)
    level, of_t = options["conf_level"], df if estimated else None
    return GlmFit(
        family=model.family.name,
        robust=options["robust"],
        conf_level=level,
        rows=rows,
        patients=int(known["patients"][0]),
        left_out=left_out(known["left_out"]),
        terms=terms_of(model.names, moved, variance, level, of_t),
        variance=variance,
        naive_variance=uncentred(estimate, naive, scaled.centre)[1],
        dispersion=dispersion * unit**2 if model.family.name == "gaussian" else dispersion,
        residual_df=df,
        pearson=pearson * unit**2 if estimated else math.nan,
        remark=REMARK
        if model.family.name == "gaussian" and _perfect(maximum, scaled, dispersion)
        else "",
        evaluations=maximum.evaluations,
        **_likelihood(model, options, maximum, scaled, kept, dispersion),
    )


def _perfect(maximum: Maximum, scaled: Scaled, dispersion: float) -> bool:
    """Return whether residuals are rounding beside the fitted values, as `summary.lm` asks."""
    mean = float(scaled.known["outcome"][0] / scaled.known["weight"][0]) / scaled.scale
    spread = -2 * maximum.start.loglik / float(scaled.known["rows"][0])
    return dispersion <= PERFECT * (mean**2 + spread)


def terms_of(
    names: tuple[str, ...], estimate: Floats, variance: Floats, level: float, df: int | None
) -> tuple[Term, ...]:
    """Return the coefficients; df: degrees of freedom of t, None for the normal distribution."""
    std_error = np.where(np.isnan(estimate), np.nan, np.sqrt(np.diag(variance)))
    pairs = zip(names, estimate, std_error, strict=True)
    return tuple(term_of(*pair, level, df) for pair in pairs)


def _likelihood(
    model: Regression,
    options: Options,
    maximum: Maximum,
    scaled: Scaled,
    kept: int,
    dispersion: float,
) -> dict[str, Any]:
    """Return log-likelihood, its parameters, deviances, and the test against the null model."""
    known, gaussian = scaled.known, model.family.name == "gaussian"
    rows, saturated = int(known["rows"][0]), float(known["saturated"][0])
    deviance = 2 * (saturated - maximum.last.loglik) * scaled.scale**2
    null = math.nan if options["offset"] else _null_deviance(model, known, maximum, scaled.scale)
    loglik = maximum.last.loglik
    if gaussian:
        with np.errstate(divide="ignore"):
            loglik = (
                float(known["log_weight"][0])
                - rows * (math.log(2 * math.pi) + 1 - math.log(rows) + float(np.log(deviance)))
            ) / 2
    return {
        "loglik": loglik,
        "parameters": kept + gaussian,
        "deviance": deviance,
        "null_deviance": null,
        "tests": _tests(options, (null - deviance) / scaled.scale**2, dispersion, kept, rows),
    }


def _null_deviance(model: Regression, known: Arrays, maximum: Maximum, scale: float) -> float:
    """Return the deviance of the model of an intercept alone, without offset."""
    weight, total = float(known["weight"][0]), float(known["outcome"][0])
    mean = total / weight
    if model.family.name == "gaussian":
        start = maximum.start  # at the mean but for rounding
        return float((-2 * start.loglik - start.score[0] ** 2 / weight) * scale**2)
    if model.family.name == "binomial":
        return float(-2 * (xlogy(total, mean) + xlogy(weight - total, 1 - mean)))
    return float(2 * (known["y_log_y"][0] - total * math.log(mean)))


def _tests(
    options: Options, gained: float, dispersion: float, kept: int, rows: int
) -> tuple[Test, ...]:
    """Return the test of all coefficients but the intercept: F where a dispersion is estimated."""
    df, residual_df = kept - 1, rows - kept
    if not df or math.isnan(gained) or math.isnan(dispersion) or options["robust"] != "none":
        return ()
    if options["dispersion"] == "estimated":
        if not dispersion:
            return ()
        statistic = gained / df / dispersion
        return (Test("F", statistic, df, float(fdtrc(df, residual_df, statistic))),)
    return (Test("likelihood ratio", gained, df, chi_square_p(gained, df)),)
