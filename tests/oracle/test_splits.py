"""The same rows over 1, 3, 9 or 50 sites give the same numbers: split is pooled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import pandas as pd
import pytest

from site_agent.contract.analyses.results import Failure
from tests.oracle.entries import ENTRIES, Entry
from tests.oracle.reading import analyses_of, frame, in_the_open, study_text, table_of
from tests.pooling import pool, split

SAME: Final = 1e-12
STUDIES = ("lung", "heart", "edge_ties", "mgus2")
OPEN = ("lung", "mgus2")  # too many deaths to be sealed at 50 sites; see test_sealed.py
COUNTS = ("n_risk", "n_event", "n_censor", "n_enter", "n_competing", "rows", "events", "patients")
COUNTS += ("observed", "df", "left_out", "time")


def _over_all(entry: Entry) -> bool:
    """Return whether an entry has one risk set over all hospitals."""
    return entry.fields.get("baseline") != "by_site" and not entry.fields.get("by_site")


COVARIATES = ["age", "sex", "ph_ecog", "wt_loss", "log10(meal_cal)"]
SCREENS = {
    f"screen_{complete}": {
        "kind": "cox_screen",
        "endpoint": "survival",
        "covariates": COVARIATES,
        "complete": complete,
    }
    for complete in ("per_model", "common")
}


EVERYTHING: dict[str, Any] = {
    "kind": "cox",
    "risk_sets": "open",
    "robust": True,
    "concordance": True,
    "baseline_curve": True,
}
FURTHER: dict[str, dict[str, Any]] = {
    "lung": {
        "endpoint": "survival",
        "covariates": ["age", "sex", "ph_ecog"],
        "predict": {"one": {"age": 60, "sex": "male", "ph_ecog": 1}},
    },
    "heart": {
        "endpoint": "survival",
        "covariates": ["age", "transplant"],
        "predict": {"one": {"age": 0, "transplant": 1}},
    },
    "edge_ties": {"endpoint": "event_truncated", "covariates": ["x1"], "offset": "x2 / 10"},
    "mgus2": {"endpoint": "death_by_age", "covariates": ["sex", "hgb"], "ties": "breslow"},
}


def _text(study: str) -> str:
    screens = {"further": {**EVERYTHING, **FURTHER[study]}}
    screens |= SCREENS if study == "lung" else {}
    analyses = analyses_of(filter(_over_all, ENTRIES), study) | screens
    return study_text(study, in_the_open(analyses) if study in OPEN else analyses)


def _documents(study: str, parts: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    sites = {site: {table_of(study): rows} for site, rows in parts.items()}
    outcome = pool(_text(study), sites)
    failed = [result for result in outcome.results.values() if isinstance(result, Failure)]
    assert not failed
    return {name: result.document() for name, result in outcome.results.items()}


def _parts(study: str, sites: int) -> dict[str, pd.DataFrame]:
    parted = split(frame(study), sites, seed=1000 + sites)
    return {f"site{number:02d}": rows for number, rows in enumerate(parted)}


@cache
def _pooled(study: str) -> dict[str, Any]:
    return _documents(study, {"all": frame(study)})


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    else:
        yield path, value


def _differences(one: dict[str, Any], two: dict[str, Any]) -> list[str]:
    """Return the places where two sets of documents are not the same."""
    left, right = dict(_leaves(one)), dict(_leaves(two))
    places = [path for path in left if not _same(path, left[path], right.get(path, "absent"))]
    return places + [path for path in right if path not in left]


def _same(path: str, one: Any, two: Any) -> bool:
    counts = path.rpartition(".")[2].partition("[")[0] in COUNTS or ".left_out." in path
    if counts or not (isinstance(one, float) and isinstance(two, float)):
        return one == two
    return abs(one - two) <= SAME * max(1.0, abs(one)) or (math.isnan(one) and math.isnan(two))


@pytest.mark.parametrize("sites", [3, 9, 50])
@pytest.mark.parametrize("study", STUDIES)
def test_random_splits(study: str, sites: int) -> None:
    """Whatever the number of sites, an empty one included, all numbers are the pooled ones."""
    assert _differences(_documents(study, _parts(study, sites)), _pooled(study)) == []


@pytest.mark.parametrize(
    ("study", "column"),
    [
        ("lung", "sex"),
        ("lung", "ph_ecog"),
        ("lung", "event"),
        ("lung", "age"),
        ("mgus2", "sex"),
        ("mgus2", "event"),
        ("edge_ties", "time"),
        ("edge_ties", "x2"),
        ("edge_ties", "cr"),
        ("heart", "surgery"),
    ],
)
def test_sites_of_one_value(study: str, column: str) -> None:
    """Sites at which a column is constant change nothing: one level, no event, one time."""
    whole = frame(study)
    by_value = whole.groupby(whole[column].fillna(-1))
    parts = {f"site{number}": rows for number, (_, rows) in enumerate(by_value)}
    assert _differences(_documents(study, parts), _pooled(study)) == []


def test_a_site_for_each_patient() -> None:
    """Every patient may be a site: 72 of them."""
    parts = {f"site{row}": frame("edge_ties").iloc[[row]] for row in range(72)}
    assert _differences(_documents("edge_ties", parts), _pooled("edge_ties")) == []
