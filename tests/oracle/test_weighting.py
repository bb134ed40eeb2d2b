"""Propensity score, weights, balance, weighted Cox models and curves against R on Rotterdam.

R's Wald test of an iterated fit is one against its start, so it is made here from R's coefficient
and its error.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import pytest

from site_agent.contract.analyses.results import Failure
from tests.oracle.comparing import CURVE, RELATIVE, STANDARD_ERRORS, deviation, in_errors
from tests.oracle.reading import frame, names_of_file, result, study_text
from tests.pooling import pool

R_STOPS_EARLY: Final = 1e-9
COVARIATES: Final = (
    *("age", "meno", "size", "grade"),
    *("log10(nodes + 1)", "log10(pgr + 1)", "log10(er + 1)", "chemo"),
)
VARIANTS: Final = {
    "ate": "ate",
    "stab": "stabilised",
    "att": "att",
    "overlap": "overlap",
    "ate_trim": "ate",
}
TIMES: Final = [365, 1826, 3652]
MODELS: Final = {
    "robust": {"risk_sets": "open"},
    "cluster_site": {"risk_sets": "open", "cluster": "site"},
    "strata_site": {"baseline": "by_site"},
}
FITS: Final = [name for name in names_of_file("rotterdam.iptw") if name.startswith("cox.")]
every_variant = pytest.mark.parametrize("name", VARIANTS)
every_fit = pytest.mark.parametrize("name", FITS)


def _analyses() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, variant in VARIANTS.items():
        found[f"weights_{name}"] = {
            "kind": "weighting",
            "treatment": "hormon",
            "covariates": list(COVARIATES),
            "variant": variant,
        }
        found[f"km_{name}"] = {
            "kind": "survival",
            "endpoint": "relapse_free",
            "by": "hormon",
            "weights": f"weights_{name}",
            "at": TIMES,
        }
    # R's trimmed weights end at the 99th percentile of all; here the study declares the number.
    largest = result("rotterdam.iptw", "weights.ate_trim")["max"]
    found["weights_ate_trim"]["truncate"] = largest
    for fit in FITS:
        _, name, ties, model = fit.split(".")
        found[fit.replace(".", "_")] = {
            "kind": "cox",
            "endpoint": "relapse_free",
            "covariates": ["hormon"],
            "ties": ties,
            "weights": f"weights_{name}",
            **MODELS[model],
        }
    return found


@cache
def _results() -> dict[str, Any]:
    rows = frame("rotterdam").astype({n: bool for n in ("hormon", "chemo", "death", "rfs")})
    sites = {f"site{site}": {"patients": part} for site, part in rows.groupby("site")}
    return dict(pool(study_text("rotterdam", _analyses()), sites).results)


def _ours(name: str) -> dict[str, Any]:
    found = _results()[name.replace(".", "_")]
    assert not isinstance(found, Failure), found.because
    document: dict[str, Any] = found.document()
    return document


def _theirs(name: str) -> Any:
    return result("rotterdam.iptw", name)


def _test(fit: dict[str, Any], name: str) -> float:
    return float(next(test["statistic"] for test in fit["tests"] if test["name"] == name))


def test_the_score() -> None:
    """Coefficients, covariance and deviance of the propensity score are R's."""
    ours, theirs = _ours("weights_ate"), _theirs("ps_model")
    errors = np.sqrt(np.diag(np.array(theirs["vcov"])))
    estimates = [term["estimate"] for term in ours["terms"]]
    variance = np.array(ours["variance"]) / np.outer(errors, errors)
    expected = np.array(theirs["vcov"]) / np.outer(errors, errors)
    assert (
        in_errors(estimates, list(theirs["coef"].values()), list(errors)) <= STANDARD_ERRORS,
        bool(np.abs(variance - expected).max() <= R_STOPS_EARLY),
        deviation([ours["deviance"]], [theirs["deviance"]], relative=True) <= RELATIVE,
    ) == (True, True, True)


def test_the_scores_of_all() -> None:
    """Sum and sum of squares of the fitted scores, from the mean and the deviation of each arm."""
    arms, theirs = _ours("weights_ate")["arms"], _theirs("ps_model")["ps_summary"]
    total = sum(arm["rows"] * arm["score_mean"] for arm in arms)
    squares = sum(
        (arm["rows"] - 1) * arm["score_sd"] ** 2 + arm["rows"] * arm["score_mean"] ** 2
        for arm in arms
    )
    expected = [theirs["sum"], theirs["sumsq"]]
    assert deviation([total, squares], expected, relative=True) <= RELATIVE


@every_variant
def test_weights(name: str) -> None:
    """Sums of weights and of their squares, and effective sizes, in all and by arm, are R's."""
    ours, theirs = _ours(f"weights_{name}"), _theirs(f"weights.{name}")
    untreated, treated = ours["arms"]
    actual = [
        *(untreated["weight"], treated["weight"]),
        *(untreated["weight_square"] + treated["weight_square"], ours["ess"]),
        *(untreated["ess"], treated["ess"]),
    ]
    names = ("sum_control", "sum_treated", "sumsq", "ess", "ess_control", "ess_treated")
    assert deviation(actual, [theirs[n] for n in names], relative=True) <= RELATIVE


@every_variant
def test_balance(name: str) -> None:
    """Weighted means and standardized differences, over unweighted variances, are R's."""
    columns = ("weighted_mean_treated", "weighted_mean_untreated", "weighted_smd")
    actual = [[row[column] for column in columns] for row in _ours(f"weights_{name}")["balance"]]
    assert deviation(actual, _theirs(f"balance.{name}")) <= CURVE


@every_fit
def test_estimate(name: str) -> None:
    """A weighted hazard ratio is R's, whatever ties, baseline and weights."""
    ours, theirs = _ours(name)["terms"][0], _theirs(name)
    error = theirs["se_robust"]["hormon"]
    assert in_errors([ours["estimate"]], [theirs["coef"]["hormon"]], [error]) <= STANDARD_ERRORS


@every_fit
def test_robust_error(name: str) -> None:
    """Its robust error, by patient or by hospital, is R's."""
    ours, theirs = _ours(name)["terms"][0], _theirs(name)
    expected = [theirs["se_robust"]["hormon"]]
    assert deviation([ours["std_error"]], expected, relative=True) <= RELATIVE


@every_fit
def test_tests(name: str) -> None:
    """Score, robust score and Wald test are R's."""
    ours, theirs = _ours(name), _theirs(name)
    actual = [_test(ours, test) for test in ("score", "robust score", "Wald")]
    wald = (theirs["coef"]["hormon"] / theirs["se_robust"]["hormon"]) ** 2
    expected = [theirs["score"], theirs["robust_score"], wald]
    assert deviation(actual, expected, relative=True) <= RELATIVE


@every_fit
def test_likelihood_and_naive_error(name: str) -> None:
    """The log-likelihoods, and the error that takes weights for known counts, are R's."""
    ours, theirs = _ours(name), _theirs(name)
    actual = [ours["loglik_null"], ours["loglik"], ours["robust"]["std_error_model"][0]]
    expected = [*theirs["loglik"], theirs["naive_se"]["hormon"]]
    assert deviation(actual, expected, relative=True) <= RELATIVE


@every_variant
def test_curve(name: str) -> None:
    """A weighted Kaplan-Meier curve, its jackknife errors and its limits are survfit's."""
    at = [row for curve in _ours(f"km_{name}")["curves"] for row in curve["at"]]
    columns = {
        "estimate": "surv",
        "std_error": "std_err_IJ",
        "conf_low": "lower_log",
        "conf_high": "upper_log",
    }
    theirs = _theirs(f"km.{name}")
    assert (
        max(deviation([r[o] for r in at], theirs[t]) for o, t in columns.items()) <= CURVE
    ) is True


@every_variant
def test_at_risk(name: str) -> None:
    """The weight at risk is survfit's n.risk, and the medians are its."""
    curves, theirs = _ours(f"km_{name}")["curves"], _theirs(f"km.{name}")
    actual = [
        curve["weight_risk"][int(np.searchsorted(curve["time"], time))]
        for curve in curves
        for time in TIMES
    ]
    medians = [curve["median"]["estimate"] for curve in curves]
    assert (
        deviation(actual, theirs["n_risk"], relative=True) <= RELATIVE,
        medians,
    ) == (True, theirs["median"])
