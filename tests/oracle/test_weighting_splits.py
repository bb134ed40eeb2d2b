"""A weighting and what names it over 1, 3, 9 or 50 sites give the same numbers."""

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

SAME: Final = 1e-10  # of 1 or of the number: iterations end where a step is below 1e-10
MODEL: Final = {"kind": "cox", "endpoint": "relapse_free", "covariates": ["hormon"], "weights": "w"}
ANALYSES: Final[dict[str, dict[str, Any]]] = {
    "w": {
        "kind": "weighting",
        "treatment": "hormon",
        "covariates": ["age", "size", "log10(nodes + 1)"],
        "variant": "stabilised",
        "truncate": [0.2, 5],
    },
    "curve": {
        "kind": "survival",
        "endpoint": "relapse_free",
        "by": "hormon",
        "weights": "w",
        "restricted_mean": [1826],
    },
    "open": {**MODEL, "risk_sets": "open"},
    "odds": {
        "kind": "glm",
        "outcome": "death",
        "family": "binomial",
        "covariates": ["hormon"],
        "weights": "w",
    },
}


def _documents(parts: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    sites = {site: {"patients": rows} for site, rows in parts.items()}
    found = pool(study_text("rotterdam", ANALYSES), sites).results
    failed = [result.because for result in found.values() if isinstance(result, Failure)]
    assert not failed
    return {name: result.document() for name, result in found.items()}


def _rows() -> pd.DataFrame:
    rows = frame("rotterdam").iloc[:600]
    return rows.astype({name: bool for name in ("hormon", "chemo", "death", "rfs")})


@cache
def _pooled() -> dict[str, Any]:
    return _documents({"all": _rows()})


def _numbers(value: Any) -> list[float]:
    if isinstance(value, Mapping):
        return [number for inner in value.values() for number in _numbers(inner)]
    if isinstance(value, list):
        return [number for inner in value for number in _numbers(inner)]
    return [float(value)] if isinstance(value, int | float) and value is not None else []


def _apart(found: Any, expected: Any) -> float:
    pairs = zip(_numbers(found), _numbers(expected), strict=True)
    return max(abs(a - b) / max(1.0, abs(b)) for a, b in pairs if not math.isnan(b))


@pytest.mark.parametrize("sites", [3, 9, 50])
def test_split_is_pooled(sites: int) -> None:
    """An empty site and sites of a single patient change nothing."""
    parts = split(_rows(), sites, seed=700 + sites)
    found = _documents({f"site{number:02d}": part for number, part in enumerate(parts)})
    assert {name: _apart(found[name], _pooled()[name]) <= SAME for name in ANALYSES} == (
        dict.fromkeys(ANALYSES, True)
    )


def test_sites_with_one_arm() -> None:
    """A site of treated patients alone, one without events, one of a single level of a factor."""
    rows = _rows()
    part = pd.Series("rest", index=rows.index)
    part[rows.hormon] = "treated"
    part[~rows.hormon & ~rows.rfs] = "no events"
    part[(part == "rest") & (rows["size"] == "gt50")] = "large"
    found = _documents({str(name): rows[part == name] for name in part.unique()})
    assert {name: _apart(found[name], _pooled()[name]) <= SAME for name in ANALYSES} == (
        dict.fromkeys(ANALYSES, True)
    )
