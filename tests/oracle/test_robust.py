"""Robust variances against R's coxph with cluster, robust or weights, iterated to the end."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.oracle.comparing import P_VALUE, RELATIVE, deviation
from tests.oracle.entries import ENTRIES, Entry
from tests.oracle.reading import entry_of_file, frame, names_of_file, study_text, table_of
from tests.pooling import pool

R_STOPS_EARLY = 1e-6
DATA = ("lung", "cgd", "heart", "mgus2", "rotterdam", "colon", "edge_ties")
CASES = [(data, name) for data in DATA for name in names_of_file(f"{data}.robust")]
each_case = pytest.mark.parametrize(("data", "name"), CASES)


def fit_of(data: str, name: str) -> Entry:
    """The entry of a fit of a data set."""
    return next(e for e in ENTRIES if (e.study, e.topic, e.name) == (data, "cox", name))


def as_robust(data: str, name: str) -> dict[str, Any]:
    """The analysis of a fit with robust errors: by hospital, or by patient."""
    fields = dict(fit_of(data, name).fields)
    how = {"cluster": "site"} if "cluster_site" in name else {"robust": True}
    opened = {} if fields["baseline"] == "by_site" else {"risk_sets": "open"}
    return {**fields, **opened, **how}


@cache
def _documents(data: str) -> dict[str, dict[str, Any]]:
    analyses = {n.replace(".", "_"): as_robust(data, n) for n in names_of_file(f"{data}.robust")}
    sites = {f"site{s}": {table_of(data): rows} for s, rows in frame(data).groupby("site")}
    outcome = pool(study_text(data, analyses), sites)
    return {name: result.document() for name, result in outcome.results.items()}


def _document(data: str, name: str) -> dict[str, Any]:
    return _documents(data)[name.replace(".", "_")]


def _expected(data: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = entry_of_file(f"{data}.robust", name)["result"]
    return found


def _test(data: str, name: str, test: str) -> dict[str, Any]:
    return next(one for one in _document(data, name)["tests"] if one["name"] == test)


@each_case
def test_variance(data: str, name: str) -> None:
    """The robust covariance matrix is R's; its elements in units of the standard errors."""
    theirs = np.array(_expected(data, name)["vcov"], dtype=np.float64)
    errors = np.sqrt(np.diag(theirs))
    ours = np.array(_document(data, name)["variance"])
    assert np.abs((ours - theirs) / np.outer(errors, errors)).max() <= RELATIVE


@each_case
def test_standard_errors(data: str, name: str) -> None:
    """The standard errors of the terms are the robust ones."""
    theirs = [math.sqrt(row[k]) for k, row in enumerate(_expected(data, name)["vcov"])]
    ours = [term["std_error"] for term in _document(data, name)["terms"]]
    assert deviation(ours, theirs, relative=True) <= RELATIVE


@each_case
def test_robust_score_test(data: str, name: str) -> None:
    """The robust score test is R's, with its p-value."""
    ours, theirs = _test(data, name, "robust score"), _expected(data, name)["robust_score_test"]
    assert deviation(ours["statistic"], theirs["stat"], relative=True) <= RELATIVE
    assert deviation(ours["p_value"], theirs["p"]) <= P_VALUE


@each_case
def test_wald_test(data: str, name: str) -> None:
    """The Wald test is the printed one, which is of coefficients at which R stopped early."""
    ours, theirs = _test(data, name, "Wald"), _expected(data, name)["wald_test"]
    assert deviation(ours["statistic"], theirs["stat"], relative=True) <= R_STOPS_EARLY
    assert ours["df"] == theirs["df"]
