"""Subdistribution hazards against R's crr (cmprsk), and finegray with coxph (survival)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
import pytest

from tests.oracle.comparing import RELATIVE, STANDARD_ERRORS, deviation, in_errors
from tests.oracle.entries import Entry, entries
from tests.oracle.reading import document, expected, frame
from tests.oracle.slow_crr import SlowPoint, slow_point

EVERY = entries("crr")
CRR = [entry for entry in EVERY if entry.name.startswith("crr")]
FINEGRAY = [entry for entry in EVERY if "finegray" in entry.name]
CLUSTERED = [entry for entry in FINEGRAY if "efron" not in entry.name]

every_entry = pytest.mark.parametrize("entry", EVERY, ids=lambda entry: entry.id)
of_crr = pytest.mark.parametrize("entry", CRR, ids=lambda entry: entry.id)
of_finegray = pytest.mark.parametrize("entry", FINEGRAY, ids=lambda entry: entry.id)
EARLY: Final = 1e-6  # crr stops where its objective no longer rises in double precision


DESIGNS: Final[dict[str, Callable[[Any], list[Any]]]] = {
    "edge_ties": lambda rows: [rows.x1, rows.x2],
    "mgus2": lambda rows: [
        *(rows.age / 10, rows.sex == "M", rows.hgb),
        *(np.log10(rows.creat), rows.mspike),
    ],
    "rotterdam": lambda rows: [
        *(rows.age / 10, rows["size"] == "20_50", rows["size"] == "gt50"),
        *(np.log10(rows.nodes + 1), rows.grade == 3, rows.hormon),
    ],
}
COLUMNS: Final = {
    "edge_ties": ("time", "cr"),
    "mgus2": ("etime", "event"),
    "rotterdam": ("rfstime", "crstat"),
}


def _tight(entry: Entry) -> dict[str, Any]:
    """R's result with the numbers of the fit iterated to the end where there are such."""
    found: dict[str, Any] = {**expected(entry), **expected(entry)["tight"]}
    return found


def _coefficients(entry: Entry) -> list[float]:
    return list(_tight(entry)["coef"].values())


@cache
def _slow(entry_id: str, *, moved: bool) -> SlowPoint:
    """The slow estimator at R's coefficients, or one step of Newton's method further."""
    (entry,) = [one for one in CRR if one.id == entry_id]
    rows = frame(entry.data)
    rows = rows[rows.time > 0] if entry.fields.get("cohort") else rows
    rows = rows.dropna(subset=["hgb", "creat", "mspike"]) if entry.data == "mgus2" else rows
    time, cause = (rows[name].to_numpy(dtype=float) for name in COLUMNS[entry.data])
    if entry.name.endswith("death"):
        cause = np.where(cause > 0, 3 - cause, 0)
    x = np.stack([np.asarray(c, dtype=float) for c in DESIGNS[entry.data](rows)], axis=1)
    found = slow_point(time, cause, x, np.array(_coefficients(entry)))
    if not moved:
        return found
    return slow_point(time, cause, x, np.array(_coefficients(entry)) + found.step)


def _terms(entry: Entry, column: str) -> list[float]:
    return [term[column] for term in document(entry)["terms"]]


def _null_and_fit(result: dict[str, Any]) -> list[float]:
    """crr has its log-likelihoods apart, coxph in one vector."""
    loglik = result["loglik"]
    return loglik if isinstance(loglik, list) else [result["loglik_null"], loglik]


def _apart(ours: list[list[float]], theirs: dict[str, Any]) -> float:
    """How far variances are apart, in units of the variances on the diagonal."""
    rows = theirs["data"]
    sizes = [rows[k][k] ** 0.5 for k in range(len(rows))]

    def scaled(values: list[list[float]]) -> list[list[float]]:
        return [
            [value / (sizes[i] * sizes[j]) for j, value in enumerate(row)]
            for i, row in enumerate(values)
        ]

    return deviation(scaled(ours), scaled(rows))


@of_crr
def test_coefficients_of_crr(entry: Entry) -> None:
    """Coefficients are crr's, moved on by a step where crr stopped early, and within 1e-6."""
    errors = list(_tight(entry)["se"].values())
    moved = (np.array(_coefficients(entry)) + _slow(entry.id, moved=False).step).tolist()
    assert in_errors(_terms(entry, "estimate"), moved, errors) <= STANDARD_ERRORS
    assert in_errors(_terms(entry, "estimate"), _coefficients(entry), errors) <= EARLY


@of_finegray
def test_coefficients_of_finegray(entry: Entry) -> None:
    """Coefficients are those of coxph on finegray's data."""
    ours, errors = _terms(entry, "estimate"), expected(entry)["se"]
    errors = list(errors.values()) if isinstance(errors, dict) else errors
    assert in_errors(ours, _coefficients(entry), errors) <= STANDARD_ERRORS


@every_entry
def test_log_likelihoods(entry: Entry) -> None:
    """Weighted log-likelihoods at 0 and at the maximum are R's."""
    ours = [document(entry)[name] for name in ("loglik_null", "loglik")]
    assert deviation(ours, _null_and_fit(_tight(entry)), relative=True) <= RELATIVE


@of_crr
def test_variance_of_crr(entry: Entry) -> None:
    """At R's own coefficients Fine and Gray's sandwich is crr's."""
    variance = _slow(entry.id, moved=False).variance.tolist()
    assert _apart(variance, _tight(entry)["vcov"]) <= RELATIVE


@of_crr
def test_variance(entry: Entry) -> None:
    """Ours is that sandwich at the maximum, and within 1e-6 crr's."""
    ours = document(entry)["variance"]
    slow = {"data": _slow(entry.id, moved=True).variance.tolist()}
    assert _apart(ours, slow) <= RELATIVE
    assert _apart(ours, _tight(entry)["vcov"]) <= EARLY


@pytest.mark.parametrize("entry", CLUSTERED, ids=lambda entry: entry.id)
def test_variance_of_finegray(entry: Entry) -> None:
    """With the weights as known the sandwich is that of coxph(cluster = id)."""
    assert _apart(document(entry)["variance"], expected(entry)["vcov"]) <= RELATIVE


@of_finegray
def test_variance_of_the_model(entry: Entry) -> None:
    """The inverse information is coxph's without cluster."""
    theirs = expected(entry)["naive_vcov"]
    assert _apart(document(entry)["model_variance"], theirs) <= RELATIVE


@of_crr
def test_wald_statistics(entry: Entry) -> None:
    """Each coefficient over its error is crr's as far as crr goes."""
    theirs = _tight(entry)
    z = [c / theirs["se"][name] for name, c in theirs["coef"].items()]
    assert deviation(_terms(entry, "statistic"), z) <= EARLY
