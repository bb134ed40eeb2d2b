"""Cox models against R's coxph, iterated to machine precision where R stops early."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from tests.oracle.comparing import P_VALUE, RELATIVE, STANDARD_ERRORS, deviation, in_errors
from tests.oracle.entries import Entry, entries
from tests.oracle.reading import call, document, expected

R_STOPS_EARLY = 1e-6  # coefficients in standard errors, where R's iteration has stopped

COX = entries("cox")
every_entry = pytest.mark.parametrize("entry", COX, ids=lambda entry: entry.id)


def _coefficients(entry: Entry) -> list[float | None]:
    """Return R's coefficients, iterated to the end where the entry has them; NA is None."""
    result = expected(entry)
    return list(result.get("tight", result)["coef"].values())


def _variance(entry: Entry) -> np.ndarray:
    """Return R's inverse information; not the robust variance, where R took that."""
    result = expected(entry)
    name = "naive_vcov" if result["robust"] else "vcov"
    return np.array(result.get("tight", result)[name], dtype=np.float64)


def _errors(entry: Entry) -> list[float]:
    return list(np.sqrt(np.diag(_variance(entry))))


def _loglik(entry: Entry) -> float:
    result = expected(entry)
    return result["tight"]["loglik_fit"] if "tight" in result else result["loglik"][1]


def _test(entry: Entry, name: str) -> dict[str, Any]:
    return next(test for test in document(entry)["tests"] if test["name"] == name)


@every_entry
def test_rows(entry: Entry) -> None:
    """Rows, events and incomplete rows left out are R's to the bit."""
    ours, theirs = document(entry), expected(entry)
    counts = (ours["rows"], ours["events"], sum(ours["left_out"].values()))
    if "data = et2" in call(entry):  # given to R without the three empty intervals
        counts = (*counts[:2], counts[2] - 3)
    assert (theirs["n"], theirs["nevent"], theirs["n_omitted"]) == counts


@every_entry
def test_coefficients(entry: Entry) -> None:
    """Coefficients are R's within a part of their standard error; R's NA is null."""
    ours = [term["estimate"] for term in document(entry)["terms"]]
    assert in_errors(ours, _coefficients(entry), _errors(entry)) <= STANDARD_ERRORS


@every_entry
def test_standard_errors(entry: Entry) -> None:
    """Standard errors are R's; a coefficient that is not estimable has none."""
    ours = [term["std_error"] for term in document(entry)["terms"]]
    theirs = [error or None for error in _errors(entry)]
    assert deviation(ours, theirs, relative=True) <= RELATIVE


@every_entry
def test_variance(entry: Entry) -> None:
    """The covariance matrix is R's; its elements in units of the standard errors."""
    errors = np.array([error or 1.0 for error in _errors(entry)])
    scale = np.outer(errors, errors)
    ours = np.array(document(entry)["variance"]) / scale
    assert np.abs(ours - _variance(entry) / scale).max() <= RELATIVE


@every_entry
def test_log_likelihoods(entry: Entry) -> None:
    """The log-likelihoods without and with covariates are R's."""
    ours = document(entry)
    theirs = [expected(entry)["loglik"][0], _loglik(entry)]
    assert deviation([ours["loglik_null"], ours["loglik"]], theirs, relative=True) <= RELATIVE


@every_entry
def test_score_test(entry: Entry) -> None:
    """The score test is R's."""
    ours, theirs = _test(entry, "score"), expected(entry)["score_test"]
    found = [ours["statistic"], ours["df"]]
    assert deviation(found, [theirs["stat"], theirs["df"]], relative=True) <= RELATIVE


@every_entry
def test_likelihood_ratio_test(entry: Entry) -> None:
    """The likelihood-ratio test is twice the difference of R's log-likelihoods."""
    theirs = 2 * (_loglik(entry) - expected(entry)["loglik"][0])
    ours = _test(entry, "likelihood ratio")["statistic"]
    assert deviation(ours, theirs, relative=True) <= RELATIVE


@every_entry
def test_wald_test(entry: Entry) -> None:
    """The Wald test is the quadratic form of R's coefficients and covariance matrix."""
    coefficients = np.array(_coefficients(entry), dtype=np.float64)
    kept = ~np.isnan(coefficients)
    variance = _variance(entry)[np.ix_(kept, kept)]
    theirs = coefficients[kept] @ np.linalg.solve(variance, coefficients[kept])
    ours = _test(entry, "Wald")["statistic"]
    assert deviation(ours, theirs, relative=True) <= RELATIVE


@pytest.mark.parametrize("entry", [e for e in COX if not expected(e)["robust"]], ids=lambda e: e.id)
def test_wald_test_as_printed(entry: Entry) -> None:
    """The Wald test is the printed one, which is of coefficients at which R stopped early."""
    ours, theirs = _test(entry, "Wald"), expected(entry)["wald_test"]
    assert deviation(ours["statistic"], theirs["stat"], relative=True) <= R_STOPS_EARLY


@every_entry
def test_p_values(entry: Entry) -> None:
    """P-values of the score and likelihood-ratio tests are R's."""
    ours = [_test(entry, name)["p_value"] for name in ("score", "likelihood ratio")]
    theirs = [expected(entry)[name]["p"] for name in ("score_test", "lr_test")]
    assert deviation(ours, theirs, relative=True) <= P_VALUE


@every_entry
def test_information_criteria(entry: Entry) -> None:
    """AIC and BIC are R's."""
    ours, theirs = document(entry), expected(entry)
    found = [ours["aic"], ours["bic"]]
    assert deviation(found, [theirs["AIC"], theirs["BIC"]], relative=True) <= RELATIVE


@every_entry
def test_wald_intervals(entry: Entry) -> None:
    """Intervals are the coefficient -+ 1.96 of R's standard errors, in units of these."""
    quantile, errors = 1.959963984540054, _errors(entry)
    pairs = list(zip(_coefficients(entry), errors, strict=True))
    theirs = [
        [None if b is None else b + side * quantile * se for b, se in pairs] for side in (-1, 1)
    ]
    terms = document(entry)["terms"]
    ours = [[term[name] for term in terms] for name in ("conf_low", "conf_high")]
    scale = [se or math.inf for se in errors]
    assert in_errors(ours, theirs, [scale, scale]) <= 3 * STANDARD_ERRORS
