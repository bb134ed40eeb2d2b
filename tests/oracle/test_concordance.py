"""Concordance against that of R's summary.coxph: of hospitals as strata, and over all of them."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.oracle.comparing import RELATIVE, deviation
from tests.oracle.entries import ENTRIES, Entry
from tests.oracle.reading import entry_of_file, frame, names_of_file, study_text, table_of
from tests.pooling import pool

R_STOPS_EARLY = 1e-6
COUNTS = {name.replace("_", "."): name for name in
          ("concordant", "discordant", "tied_x", "tied_y", "tied_xy")}  # fmt: skip
DATA = ("lung", "cgd", "heart", "mgus2", "rotterdam", "colon", "edge_ties")


def fit_of(data: str, name: str) -> Entry:
    """The entry of a fit of a data set."""
    return next(e for e in ENTRIES if (e.study, e.topic, e.name) == (data, "cox", name))


def is_weighted_and_pooled(data: str, name: str) -> bool:
    """Whether a fit has no concordance here: weights, over all hospitals."""
    fields = fit_of(data, name).fields
    return "weights" in fields and fields["baseline"] == "pooled"


CASES = [
    (data, name)
    for data in DATA
    for name in names_of_file(f"{data}.concordance")
    if not is_weighted_and_pooled(data, name)
]
each_case = pytest.mark.parametrize(("data", "name"), CASES)


def _as_clustered(data: str, name: str) -> dict[str, Any]:
    """The analysis of a fit with its concordance, by cluster where R took one."""
    fields = dict(fit_of(data, name).fields)
    fields |= {} if fields["baseline"] == "by_site" else {"risk_sets": "open"}
    call = entry_of_file(f"{data}.concordance", name)["call"]
    if "cluster = " in call:
        fields["cluster"] = "site" if "cluster = site" in call else "patient"
    return {**fields, "concordance": True}


@cache
def _documents(data: str) -> dict[str, dict[str, Any]]:
    names = [name for where, name in CASES if where == data]
    analyses = {name.replace(".", "_"): _as_clustered(data, name) for name in names}
    sites = {f"site{s}": {table_of(data): rows} for s, rows in frame(data).groupby("site")}
    outcome = pool(study_text(data, analyses), sites)
    return {name: result.document() for name, result in outcome.results.items()}


def _ours(data: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = _documents(data)[name.replace(".", "_")]["concordance"]
    return found


@each_case
def test_counts_of_pairs(data: str, name: str) -> None:
    """The five counts of pairs are R's to the bit."""
    theirs = entry_of_file(f"{data}.concordance", name)["result"]
    ours = _ours(data, name)
    assert {r: ours[own] for r, own in COUNTS.items()} == {r: theirs[r] for r in COUNTS}


@each_case
def test_concordance(data: str, name: str) -> None:
    """C and its standard error are R's."""
    theirs = entry_of_file(f"{data}.concordance", name)["result"]
    ours = _ours(data, name)
    assert deviation(
        [ours["concordance"], ours["std_error"]],
        [theirs["concordance"], theirs["std"]],
        relative=True,
    ) <= RELATIVE  # fmt: skip
