"""Estimating equations against R's geeglm, iterated to machine precision."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from site_agent.contract.analyses.results import Failure
from tests.oracle.comparing import RELATIVE, STANDARD_ERRORS, deviation, in_errors
from tests.oracle.reading import frame, result, study_text
from tests.pooling import pool

RESPIRATORY = {
    "main": {"covariates": ["center", "treat", "age", "baseline"]},
    "visit": {"covariates": ["treat", "visit", "baseline", "interaction(treat, visit)"]},
}
SEIZURE = {
    "poisson": {
        "outcome": "count",
        "family": "poisson",
        "offset": "log(weeks)",
        "covariates": ["post", "trt", "post * trt"],
    },
    "gaussian_log": {
        "outcome": "log(count / weeks + 1)",
        "family": "gaussian",
        "covariates": ["post", "trt", "age", "post * trt"],
    },
}
STRUCTURES = ("independence", "exchangeable", "ar1", "unstructured")
NAMES = [
    *((f"respiratory.{model}", s) for model in RESPIRATORY for s in STRUCTURES),
    *((f"seizure.{model}", s) for model in SEIZURE for s in STRUCTURES),
]
NAMES.remove(("seizure.poisson", "unstructured"))  # geepack does not fit it
every_model = pytest.mark.parametrize(("model", "structure"), NAMES)


def _analyses(data: str) -> dict[str, dict[str, Any]]:
    models = RESPIRATORY if data == "respiratory" else SEIZURE
    shared: dict[str, Any] = {"kind": "gee", "table": "visits", "wave": "visit", "qic": True}
    if data == "respiratory":
        shared |= {"outcome": "outcome", "family": "binomial", "waves": [1, 4]}
    else:
        shared |= {"waves": [0, 4]}
    return {
        f"{model}_{structure}": {**shared, **fields, "correlation": structure}
        for model, fields in models.items()
        for structure in STRUCTURES
        if (f"{data}.{model}", structure) in NAMES
    }


@cache
def _results(data: str) -> dict[str, Any]:
    rows = frame(data)
    if data == "respiratory":
        rows = rows.assign(center=rows.site.astype(str))
        rows = rows.astype({"baseline": bool, "outcome": bool})
    sites = {f"site{site}": {"visits": part} for site, part in rows.groupby("site")}
    return dict(pool(study_text(data, _analyses(data)), sites).results)


def _ours(model: str, structure: str) -> dict[str, Any]:
    data, name = model.split(".")
    found = _results(data)[f"{name}_{structure}"]
    assert not isinstance(found, Failure), found.because
    document: dict[str, Any] = found.document()
    return document


def _theirs(model: str, structure: str) -> dict[str, Any]:
    data, name = model.split(".")
    found: dict[str, Any] = result(f"{data}.gee", f"{name}.{structure}")["tight"]
    return found


@every_model
def test_counts(model: str, structure: str) -> None:
    """Rows and patients are R's to the bit."""
    ours, theirs = _ours(model, structure), _theirs(model, structure)
    assert (ours["rows"], ours["patients"]) == (theirs["n_obs"], theirs["n_clusters"])


@every_model
def test_coefficients(model: str, structure: str) -> None:
    """Coefficients are R's within a part of their standard error."""
    ours, theirs = _ours(model, structure), _theirs(model, structure)
    estimates = [term["estimate"] for term in ours["terms"]]
    errors = list(theirs["se_robust"].values())
    assert in_errors(estimates, list(theirs["coef"].values()), errors) <= STANDARD_ERRORS


@every_model
@pytest.mark.parametrize(
    ("own", "name"), [("variance", "vcov_robust"), ("naive_variance", "vcov_naive")]
)
def test_variances(model: str, structure: str, own: str, name: str) -> None:
    """Robust and naive covariances are R's, in units of the standard errors."""
    ours, theirs = np.array(_ours(model, structure)[own]), np.array(_theirs(model, structure)[name])
    scale = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
    assert np.abs(ours / scale - theirs / scale).max() <= RELATIVE


@every_model
def test_scale_and_correlation(model: str, structure: str) -> None:
    """Scale and working correlation are geepack's moments."""
    ours, theirs = _ours(model, structure), _theirs(model, structure)
    own = [ours["scale"], *(item["estimate"] for item in ours["working_correlation"])]
    expected = [theirs["phi"], *(theirs["alpha"] or {}).values()]
    assert deviation(own, expected, relative=True) <= RELATIVE


@every_model
def test_criteria(model: str, structure: str) -> None:
    """QIC, QICu, QICC, the quasi-likelihood and CIC are R's."""
    ours, theirs = _ours(model, structure)["criteria"], _theirs(model, structure)["QIC"]
    names = ("QIC", "QICu", "QICC", "CIC")
    own = [ours["quasi_likelihood"], *(ours[name] for name in names)]
    expected = [theirs["Quasi Lik"], *(theirs[name] for name in names)]
    assert deviation(own, expected, relative=True) <= RELATIVE
