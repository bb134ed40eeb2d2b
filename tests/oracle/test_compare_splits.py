"""Tests of groups and of pairs over any sites: split is pooled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd
import pytest

from tests.oracle.reading import frame, study_text
from tests.oracle.test_splits import SAME, _leaves
from tests.pooling import pool, split

NUMBERS = ["age", "ph_karno", "log10(meal_cal)"]
ANALYSES: dict[str, dict[str, Any]] = {
    "auto": {"kind": "compare", "variables": [*NUMBERS, "event"], "by": "sex", "shift": True},
    "many": {"kind": "compare", "variables": ["age", "sex"], "by": "ecog"},
    "means": {"kind": "compare", "variables": NUMBERS, "by": "sex", "test": "welch"},
    "anova": {"kind": "compare", "variables": NUMBERS, "by": "ecog", "test": "anova"},
    "within": {
        "kind": "compare",
        "variables": ["event"],
        "by": "sex",
        "test": "mantel_haenszel",
        "strata": ["ecog"],
    },
    "pairs": {
        "kind": "paired",
        "before": "pat_karno",
        "after": "ph_karno",
        "tests": ["t", "ratio_t", "signed_rank"],
    },
}


def _documents(parts: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    sites = {site: {"patients": rows} for site, rows in parts.items()}
    results = pool(study_text("lung", ANALYSES), sites).results
    return {name: found.document() for name, found in results.items()}


def _apart(split: dict[str, Any], pooled: dict[str, Any]) -> list[str]:
    """Return where two sets of documents differ: whole numbers at all, others by 1e-12."""
    left, right = dict(_leaves(split)), dict(_leaves(pooled))
    assert left.keys() == right.keys()
    return [path for path in left if not _same(left[path], right[path])]


def _same(one: Any, two: Any) -> bool:
    if not (isinstance(one, float) and isinstance(two, float)):
        return bool(one == two)
    return abs(one - two) <= SAME * max(1.0, abs(two))


@cache
def _pooled() -> dict[str, Any]:
    return _documents({"all": frame("lung")})


def test_nothing_failed() -> None:
    """Every variable of every analysis has a test."""
    failed = [
        model
        for document in _pooled().values()
        for model in document.get("models", {}).values()
        if model.get("failed")
    ]
    assert failed == []


@pytest.mark.parametrize("sites", [3, 9])
def test_random_splits(sites: int) -> None:
    """Whatever the number of sites, an empty one included, all numbers are the pooled ones."""
    parts = split(frame("lung"), sites, seed=2000 + sites)
    named = {f"site{number:02d}": rows for number, rows in enumerate(parts)}
    assert _apart(_documents(named), _pooled()) == []


@pytest.mark.parametrize("column", ["sex", "ph_ecog", "event"])
def test_sites_of_one_value(column: str) -> None:
    """Sites that have one group, one level or one outcome only change nothing."""
    whole = frame("lung")
    by_value = whole.groupby(whole[column].fillna(-1))
    parts = {f"site{number}": rows for number, (_, rows) in enumerate(by_value)}
    assert _apart(_documents(parts), _pooled()) == []
