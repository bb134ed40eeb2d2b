"""Reads the data sets, the studies and R's numbers, and runs each study once over its sites."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import pandas as pd
import yaml

from site_agent.contract.analyses.results import Failure
from site_agent.contract.conductor import Outcome
from tests.oracle.entries import ENTRIES, Entry
from tests.pooling import pool

HERE: Final = Path(__file__).parent
FILES: Final = {
    "km": "km",
    "logrank": "km",
    "cuminc": "cif",
    "ms": "cif",
    "etm": "cif",
    "cox": "cox",
    "crr": "cif",
}


# Pooled models of many deaths and columns, seconds when sealed. They are compared with R in their
# open form, and with that when sealed in test_sealed.py.
HEAVY: Final = {
    "colon": ("cox_os_efron",),
    "mgus2": ("cox_os_efron", "cox_cs_death"),
    "rotterdam": (
        *("cox_os_efron", "cox_os_breslow", "cox_os_cluster_site", "cox_cs_relapse"),
        *("crr_crr_relapse", "crr_crr_death"),
    ),
}


@cache
def frame(data: str) -> pd.DataFrame:
    """Return the pooled rows of a data set; `site` says whose they are."""
    return pd.read_parquet(HERE / "data" / f"{data}.parquet")


@cache
def _file(name: str) -> dict[str, Any]:
    return json.loads((HERE / "results" / f"{name}.json").read_text())


def result(file: str, name: str) -> Any:
    """Return R's result under a name of one of the files."""
    return _file(file)[name]["result"]


def names_of_file(file: str) -> tuple[str, ...]:
    """Return the names of all entries of one of the files."""
    return tuple(name for name in _file(file) if name != "_meta")


def entry_of_file(file: str, name: str) -> dict[str, Any]:
    """Return an entry of one of the files."""
    found: dict[str, Any] = _file(file)[name]
    return found


def expected(entry: Entry) -> Any:
    """Return R's result of an entry."""
    return result(f"{entry.data}.{FILES[entry.topic]}", entry.name)


def call(entry: Entry) -> str:
    """Return the call in R that gave an entry's result."""
    return str(_file(f"{entry.data}.{FILES[entry.topic]}")[entry.name]["call"])


def study_text(study: str, analyses: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a study of tests/oracle/studies with some analyses."""
    head = (HERE / "studies" / f"{study}.yaml").read_text()
    unshared = json.loads(json.dumps({"analyses": analyses}))  # a study has no YAML aliases
    return f"{head}\n{yaml.safe_dump(unshared, sort_keys=False)}"


def analyses_of(entries: Iterable[Entry], study: str) -> dict[str, dict[str, Any]]:
    """Return the analyses of all `entries` that run under a study."""
    analyses: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if entry.study == study:
            made = entry.analyses(expected(entry))
            assert not analyses.keys() & made.keys()
            analyses |= made
    return analyses


def in_the_open(
    analyses: Mapping[str, dict[str, Any]], names: Iterable[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return analyses of which pooled Cox models (those of `names`) have open risk sets."""
    chosen = analyses if names is None else set(names)
    return {
        name: fields | {"risk_sets": "open"} if name in chosen and is_pooled(fields) else fields
        for name, fields in analyses.items()
    }


def is_pooled(fields: Mapping[str, Any]) -> bool:
    """Return whether an analysis is a model with one risk set over all hospitals."""
    models = ("cox", "cox_screen", "fine_gray")
    return fields["kind"] in models and fields.get("baseline") != "by_site"


def table_of(study: str) -> str:
    """Return the name of the one table of a study."""
    head = yaml.safe_load((HERE / "studies" / f"{study}.yaml").read_text())
    (table,) = head["tables"]
    return str(table)


@cache
def pooled(study: str) -> Outcome:
    """Return the outcome of all entries of a study over the sites of its data set."""
    analyses = in_the_open(analyses_of(ENTRIES, study), HEAVY.get(study, ()))
    return pool(study_text(study, analyses), sites_of(study))


def sites_of(study: str) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the rows of a study's data set by site and table."""
    (data,) = {entry.data for entry in ENTRIES if entry.study == study}
    by_site = frame(data).groupby("site")
    return {f"site{site}": {table_of(study): rows} for site, rows in by_site}


def document(entry: Entry, conf_type: str = "") -> dict[str, Any]:
    """Return the document of an entry's analysis."""
    found = pooled(entry.study).results[entry.analysis(conf_type)]
    assert not isinstance(found, Failure), found.because
    return found.document()
