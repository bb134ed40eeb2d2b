"""Proportions over sites: groups, conditions, limits, nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from site_agent.contract.analyses.binomial import clopper_pearson
from tests.pooling import pool

STUDY = """\
quorum: 1
study: table
title: A table
time: {unit: day, horizon: 100}
tables:
  patients:
    key: patient
    columns:
      arm:   {type: category, levels: [old, new]}
      grade: {type: category, levels: [none, some, all], missing: allowed}
analyses:
  part: {kind: proportion, variables: ['grade == "all"', grade], by: arm}
disclosure: {classes: [A], compute: {sites: 3}}
"""
ROWS = pd.DataFrame(
    {
        "patient": [f"p{n}" for n in range(8)],
        "arm": ["old"] * 4 + ["new"] * 4,
        "grade": ["all", "all", "none", None, "all", "none", "none", "some"],
    }
)


def models(rows: pd.DataFrame, site: list[int]) -> dict[str, Any]:
    sites = {f"s{n}": {"patients": rows[np.array(site) == n]} for n in range(4)}
    found: dict[str, Any] = pool(STUDY, sites).results["part"].document()["models"]
    return found


def test_a_condition_by_hand() -> None:
    """Of the known: 2 of 3 on the old arm, 1 of 4 on the new, 3 of 7 in all."""
    groups = models(ROWS, [0, 1, 2] * 2 + [0, 1])['grade == "all"']["groups"]
    found = [(g["stratum"], g["levels"][1]["count"], g["rows"]) for g in groups]
    assert found == [("old", 2, 3), ("new", 1, 4), ("", 3, 7)]


def test_limits_of_a_level() -> None:
    """The exact limits of 1 of 4."""
    level = models(ROWS, [0, 1, 2] * 2 + [0, 1])["grade"]["groups"][1]["levels"][2]
    low, high = clopper_pearson(1, 4, 0.95)
    assert level == dict(name="all", count=1, proportion=0.25, conf_low=low, conf_high=high)


@pytest.mark.parametrize("seed", range(5))
def test_any_split_gives_the_same(seed: int) -> None:
    """Patients spread at random over sites."""
    rng = np.random.default_rng(seed)
    assert models(ROWS, rng.integers(0, 3, 8).tolist()) == models(ROWS, [3] * 8)


def test_an_empty_group_has_no_proportion() -> None:
    """Nobody on the new arm: counts of 0, no proportion and no limits."""
    group = models(ROWS[ROWS.arm == "old"], [0, 1, 2, 0])["grade"]["groups"][1]
    assert [level["proportion"] for level in group["levels"]] == [None, None, None]


def test_all_missing_is_said_in_words() -> None:
    """Nobody has the variable."""
    found = models(ROWS.assign(grade=pd.Series([None] * 8, dtype=object)), [0, 1, 2] * 2 + [0, 1])
    assert found["grade"]["because"].startswith("no row has the variable and a group")
