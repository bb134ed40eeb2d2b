"""Regressions and smoothed curves over 1, 3, 9 or 50 sites give the same numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import pandas as pd
import pytest

from site_agent.contract.analyses.results import Failure
from tests.oracle.reading import frame, study_text
from tests.pooling import pool, split

SAME: Final = 1e-11  # of 1 or of the number: iterations end where a step is below 1e-10
BINARY: Final = {"table": "visits", "outcome": "outcome", "family": "binomial"}
WAVES: Final = {"wave": "visit", "waves": [1, 4]}
ANALYSES: Final[dict[str, dict[str, Any]]] = {
    "glm": {"kind": "glm", **BINARY, "covariates": ["treat", "age"], "robust": "patient"},
    "profiled": {"kind": "glm", **BINARY, "covariates": ["treat", "age"], "intervals": "profile"},
    "linear": {"kind": "glm", "table": "visits", "outcome": "age", "family": "gaussian"},
    "gee": {
        "kind": "gee",
        **BINARY,
        **WAVES,
        "covariates": ["treat", "age"],
        "correlation": "exchangeable",
    },
    "loess": {
        "kind": "loess",
        "table": "visits",
        "outcome": "number(outcome)",
        "day": "visit",
        "days": [0, 9],
        "by": "treat",
        "span": 1,
        "degree": 1,
    },
}


def _documents(parts: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    sites = {site: {"visits": rows} for site, rows in parts.items()}
    found = pool(study_text("respiratory", ANALYSES), sites).results
    failed = [result.because for result in found.values() if isinstance(result, Failure)]
    assert not failed
    return {name: result.document() for name, result in found.items()}


def _rows() -> pd.DataFrame:
    rows = frame("respiratory")
    rows = rows.assign(center=rows.site.astype(str))
    return rows.astype({"baseline": bool, "outcome": bool})


@cache
def _pooled() -> dict[str, Any]:
    return _documents({"all": _rows()})


def _numbers(value: Any) -> list[float]:
    if isinstance(value, Mapping):
        return [number for inner in value.values() for number in _numbers(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in _numbers(inner)]
    return [float(value)] if isinstance(value, int | float) and value is not None else []


@pytest.mark.parametrize("name", ANALYSES)
@pytest.mark.parametrize("sites", [3, 9, 50])
def test_split_is_pooled(sites: int, name: str) -> None:
    """An empty site and sites of a single patient change nothing."""
    parts = split(_rows(), sites, seed=400 + sites)
    found = _documents({f"site{number:02d}": part for number, part in enumerate(parts)})[name]
    pairs = zip(_numbers(found), _numbers(_pooled()[name]), strict=True)
    assert max(abs(a - b) / max(1.0, abs(b)) for a, b in pairs if not math.isnan(b)) <= SAME


def test_sites_with_one_value() -> None:
    """A site of one treatment, one without the outcome, one whose ages are all alike."""
    rows = _rows()
    part = pd.Series("rest", index=rows.index)
    ids = rows.groupby("id")
    part[ids.outcome.transform("max") == 0] = "none"
    part[(part == "rest") & (rows.treat == "P")] = "placebo"
    part[(part == "rest") & (rows.age == rows.age.mode()[0])] = "alike"
    found = _documents({str(name): rows[part == name] for name in part.unique()})
    pairs = zip(_numbers(found), _numbers(_pooled()), strict=True)
    assert max(abs(a - b) / max(1.0, abs(b)) for a, b in pairs) <= SAME
