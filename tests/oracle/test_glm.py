"""Regressions against R's lm and glm, iterated to machine precision where R stops early."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from site_agent.contract.analyses.results import Failure
from tests.oracle.comparing import RELATIVE, STANDARD_ERRORS, deviation, in_errors
from tests.oracle.reading import frame, result, study_text
from tests.pooling import pool

R_STOPS_EARLY = 1e-5  # a sandwich at the estimate where R's iteration has stopped
R_INTERPOLATES = 2e-4  # a profile limit, in standard errors: R draws a spline through its profile

FEMALE = '1 + number(sex == "female")'
NODES = {"outcome": "nodes", "covariates": ["rx", "age", "obstruct", "extent"]}
MODELS: dict[str, dict[str, Any]] = {
    "lung.logit.event": {
        "outcome": "event",
        "family": "binomial",
        "covariates": ["age", FEMALE, "ph_ecog", "wt_loss"],
    },
    "lung.lm.wt_loss": {
        "outcome": "wt_loss",
        "family": "gaussian",
        "covariates": ["age", FEMALE, "ecog"],
    },
    "colon.logit.node4": {
        "outcome": "node4",
        "family": "binomial",
        "covariates": ["rx", "sex", "age", "grade", "extent"],
    },
    "colon.poisson.nodes": {"family": "poisson", **NODES},
    "colon.quasipoisson.nodes": {"family": "poisson", "dispersion": "estimated", **NODES},
    "edge_sep.logit.ok": {"outcome": "y", "family": "binomial", "covariates": ["z"]},
}
every_model = pytest.mark.parametrize("model", MODELS)


@cache
def _results(data: str, robust: str = "none") -> dict[str, Any]:
    analyses = {
        name.replace(".", "_"): {"kind": "glm", "robust": robust, **fields}
        for name, fields in MODELS.items()
        if name.startswith(f"{data}.")
    }
    rows = frame(data)
    kinds = {"lung": {"event": bool}, "edge_sep": {"x": bool}}
    rows = rows.astype(kinds.get(data, {}))
    sites = {f"site{site}": {"patients": part} for site, part in rows.groupby("site")}
    return dict(pool(study_text(data, analyses), sites).results)


def _ours(model: str, robust: str = "none") -> dict[str, Any]:
    found = _results(model.split(".")[0], robust)[model.replace(".", "_")]
    assert not isinstance(found, Failure), found.because
    document: dict[str, Any] = found.document()
    return document


def _theirs(model: str) -> dict[str, Any]:
    """Return R's result, of the fit that was iterated on where there is one."""
    data, name = model.split(".", 1)
    found = result(f"{data}.glm", name)
    return {**found, **found.get("tight", {})}


@every_model
def test_rows(model: str) -> None:
    """Rows and residual degrees of freedom are R's to the bit."""
    ours, theirs = _ours(model), _theirs(model)
    assert (ours["rows"], ours["residual_df"]) == (theirs["n"], theirs["df_residual"])


@every_model
def test_coefficients(model: str) -> None:
    """Coefficients are R's within a part of their standard error."""
    ours, theirs = _ours(model), _theirs(model)
    errors = np.sqrt(np.diag(np.array(theirs["vcov"])))
    estimates = [term["estimate"] for term in ours["terms"]]
    assert in_errors(estimates, list(theirs["coef"].values()), list(errors)) <= STANDARD_ERRORS


@every_model
def test_variance(model: str) -> None:
    """The covariance matrix is R's, in units of the standard errors."""
    ours, theirs = np.array(_ours(model)["naive_variance"]), np.array(_theirs(model)["vcov"])
    scale = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
    assert np.abs(ours / scale - theirs / scale).max() <= RELATIVE


@every_model
def test_dispersion_and_likelihood(model: str) -> None:
    """Dispersion, log-likelihood, AIC, BIC and deviances are R's."""
    ours, theirs = _ours(model), _theirs(model)
    names = {"deviance": "deviance", "null_deviance": "null_deviance"}
    if "quasi" not in model:  # R gives a quasi-family no likelihood, and its dispersion early
        names |= {"dispersion": "dispersion", "loglik": "loglik", "aic": "AIC", "bic": "BIC"}
    pairs = [(ours[o], theirs[t]) for o, t in names.items() if theirs.get(t) is not None]
    assert deviation(*zip(*pairs, strict=True), relative=True) <= RELATIVE


def test_estimated_dispersion() -> None:
    """The dispersion of counts is Pearson's chi-square over the degrees of freedom, as R's."""
    model = "colon.quasipoisson.nodes"
    ours, theirs = _ours(model)["dispersion"], _theirs(model)["dispersion"]
    assert deviation([ours], [theirs], relative=True) <= R_STOPS_EARLY


@pytest.mark.parametrize("model", [model for model in MODELS if "quasi" not in model])
def test_limits(model: str) -> None:
    """Limits are Wald's with the quantiles of the normal, or of t for a linear model."""
    theirs = _theirs(model)
    expected = theirs["ci_profile_or_t" if ".lm." in model else "ci_wald"]
    errors = np.repeat(np.sqrt(np.diag(np.array(theirs["vcov"]))), 2)
    ours = [[term["conf_low"], term["conf_high"]] for term in _ours(model)["terms"]]
    early = ".lm." not in model
    assert in_errors(ours, expected, list(errors)) <= (R_STOPS_EARLY if early else STANDARD_ERRORS)


@pytest.mark.parametrize("model", [model for model in MODELS if "edge" not in model])
def test_robust_variance(model: str) -> None:
    """With each row a cluster the covariance is the sandwich's HC0."""
    ours, theirs = np.array(_ours(model, "row")["variance"]), np.array(_theirs(model)["vcov_HC0"])
    scale = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
    assert np.abs(ours / scale - theirs / scale).max() <= R_STOPS_EARLY


def test_hospitals_as_clusters() -> None:
    """With each hospital a cluster the covariance is the sandwich's over sites."""
    ours = np.array(_ours("colon.logit.node4", "site")["variance"])
    theirs = np.array(_theirs("colon.logit.node4")["vcov_cluster"])
    scale = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
    assert np.abs(ours / scale - theirs / scale).max() <= R_STOPS_EARLY


PROFILED = [model for model in MODELS if "lm." not in model and "quasi" not in model]


@cache
def _profiled(model: str) -> dict[str, Any]:
    """The fit of a model with its profile limits."""
    data = model.split(".")[0]
    rows = frame(data).astype({"lung": {"event": bool}, "edge_sep": {"x": bool}}.get(data, {}))
    sites = {f"site{site}": {"patients": part} for site, part in rows.groupby("site")}
    wanted = {"model": {"kind": "glm", "intervals": "profile", **MODELS[model]}}
    found = pool(study_text(data, wanted), sites).results["model"]
    assert not isinstance(found, Failure), found.because
    document: dict[str, Any] = found.document()
    return document


@pytest.mark.parametrize("model", PROFILED)
def test_profile_limits(model: str) -> None:
    """The limits are confint(glm)'s, as near as its spline is to the profile."""
    theirs = _theirs(model)
    errors = np.repeat(np.sqrt(np.diag(np.array(theirs["vcov"]))), 2)
    ours = [[limits["conf_low"], limits["conf_high"]] for limits in _profiled(model)["profile"]]
    assert in_errors(ours, theirs["ci_profile_or_t"], list(errors)) <= R_INTERPOLATES


def _maximum(y: Any, x: Any, offset: Any, family: str) -> float:
    """The log-likelihood at its maximum over coefficients, by Newton's method."""
    beta = np.zeros(x.shape[1])
    for _ in range(60):
        eta = offset + x @ beta
        mean = 1 / (1 + np.exp(-eta)) if family == "binomial" else np.exp(eta)
        weight = mean * (1 - mean) if family == "binomial" else mean
        if x.shape[1]:
            beta = beta + np.linalg.solve(x.T @ (weight[:, None] * x), x.T @ (y - mean))
    eta = offset + x @ beta
    log_sum = np.logaddexp(0, eta) if family == "binomial" else np.exp(eta)
    return float(y @ eta - log_sum.sum())


def _colon() -> tuple[Any, Any]:
    """Rows of the model of node counts with all values: outcome, and design with an intercept."""
    rows = frame("colon").dropna(subset=["nodes"])
    arms = [(rows.rx == level).to_numpy(float) for level in ("Lev", "Lev_5FU")]
    plain = [rows[name].to_numpy(float) for name in ("age", "obstruct", "extent")]
    return rows.nodes.to_numpy(float), np.column_stack([np.ones(len(rows)), *arms, *plain])


@pytest.mark.parametrize("end", ["conf_low", "conf_high"])
def test_profile_limits_are_roots(end: str) -> None:
    """With a coefficient held at its limit the maximum has fallen by half of 3.841, to rounding."""
    y, x = _colon()
    top = _maximum(y, x, np.zeros(len(y)), "poisson")
    falls = [
        2 * (top - _maximum(y, np.delete(x, j, axis=1), x[:, j] * limits[end], "poisson"))
        for j, limits in enumerate(_profiled("colon.poisson.nodes")["profile"])
    ]
    assert falls == pytest.approx([3.841458820694124] * x.shape[1], abs=1e-8)


def test_f_test() -> None:
    """The test of a linear model is R's F."""
    ours, theirs = _ours("lung.lm.wt_loss")["tests"][0], _theirs("lung.lm.wt_loss")["fstat"]
    assert deviation([ours["statistic"]], [theirs["value"]], relative=True) <= RELATIVE


def test_separation() -> None:
    """Where all with x have the outcome, R gives a coefficient of 20; here it says so in words."""
    rows = frame("edge_sep").astype({"x": bool})
    sites = {f"site{site}": {"patients": part} for site, part in rows.groupby("site")}
    model = {"kind": "glm", "outcome": "y", "family": "binomial", "covariates": ["x", "z"]}
    found = pool(study_text("edge_sep", {"model": model}), sites).results["model"]
    assert isinstance(found, Failure) and found.because.startswith("separated:")
    assert "x (upwards)" in found.because
