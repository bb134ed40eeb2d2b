"""Tests of proportional hazards and baseline hazards against R's cox.zph and basehaz."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest

from site_agent.contract.analyses.proportionality import GLOBAL, TRANSFORMS
from tests.oracle.comparing import P_VALUE, deviation
from tests.oracle.entries import ENTRIES, Entry
from tests.oracle.reading import entry_of_file, frame, names_of_file, study_text, table_of
from tests.pooling import pool

R_STOPS_EARLY = 1e-6  # cox.zph is at the coefficients where coxph's iteration has stopped
DATA = ("lung", "cgd", "heart", "mgus2", "edge_ties")
LONG = ("rotterdam", "colon")  # 1,272 and 430 deaths, sealed at each point of each fit
CASES = [
    pytest.param(data, name, marks=[pytest.mark.campaign] if data in LONG else [])
    for data in (*DATA, *LONG)
    for name in names_of_file(f"{data}.zph")
]
each_case = pytest.mark.parametrize(("data", "name"), CASES)


def _fit(data: str, fit: str) -> Entry:
    return next(e for e in ENTRIES if (e.study, e.topic, e.name) == (data, "cox", fit))


@cache
def _documents(data: str) -> dict[str, dict[str, Any]]:
    """Return our documents by entry, all of a data set from one run over its hospitals."""
    analyses = {}
    for name in names_of_file(f"{data}.zph"):
        kept = entry_of_file(f"{data}.zph", name)
        fields = {**_fit(data, kept["fit"]).fields, "zph": list(TRANSFORMS)}
        if fields["baseline"] == "pooled" and kept["baseline"]["at"]:
            fields["baseline_at"] = kept["baseline"]["at"]["times"]
        analyses[name.replace(".", "_")] = fields
    sites = {f"site{s}": {table_of(data): rows} for s, rows in frame(data).groupby("site")}
    outcome = pool(study_text(data, analyses), sites)
    return {name: outcome.results[name.replace(".", "_")].document() for name in analyses_of(data)}


def analyses_of(data: str) -> list[str]:
    """Return R's entries of a data set."""
    return list(names_of_file(f"{data}.zph"))


def _expected(data: str, name: str, transform: str) -> list[list[float]]:
    found = entry_of_file(f"{data}.zph", name)["result"][transform]
    return found.get("data", [])  # an error in R: a death at time 0 has no logarithm


def _ours(data: str, name: str, transform: str) -> list[dict[str, Any]]:
    found = _documents(data)[name]["proportionality"]
    return [test for test in found if test["transform"] == transform]


@each_case
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_chi_squares(data: str, name: str, transform: str) -> None:
    """Each covariate's chi-square, and that of all, is R's."""
    ours = [test["statistic"] for test in _ours(data, name, transform)]
    theirs = [row[0] for row in _expected(data, name, transform)]
    assert deviation(ours, theirs, relative=True) <= R_STOPS_EARLY


@each_case
def test_degrees_of_freedom(data: str, name: str) -> None:
    """A covariate has as many as it has columns."""
    ours = [test["df"] for test in _ours(data, name, "km")]
    assert [row[1] for row in _expected(data, name, "km")] == ours


@each_case
def test_p_values(data: str, name: str) -> None:
    """The p-values are R's."""
    ours = [test["p_value"] for test in _ours(data, name, "identity")]
    theirs = [row[2] for row in _expected(data, name, "identity")]
    assert deviation(ours, theirs) <= P_VALUE


@each_case
def test_the_last_is_of_all(data: str, name: str) -> None:
    """The last test of a transform is of all covariates together."""
    assert _ours(data, name, "rank")[-1]["term"] == GLOBAL


@each_case
def test_baseline_hazards(data: str, name: str) -> None:
    """The cumulative baseline hazard is R's at each time that is not left out.

    R codes lung's sex as 1 and 2, the study as 0 and 1: its zero lies one below ours.
    """
    at = entry_of_file(f"{data}.zph", name)["baseline"]["at"] or {}
    theirs = dict(zip(at.get("times", ()), at.get("all", ()), strict=False))
    found = _documents(data)[name].get("baseline_hazard", ())
    ours = {row["time"]: row["cumulative_hazard"] for row in found}
    terms = {term["term"]: term["estimate"] for term in _documents(data)[name]["terms"]}
    coded = math.exp(-terms["sex=female"]) if data == "lung" else 1.0
    kept = [theirs[time] for time in ours]
    deviates = deviation([coded * hazard for hazard in ours.values()], kept, relative=True)
    assert deviates <= R_STOPS_EARLY
