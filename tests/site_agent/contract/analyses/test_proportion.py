"""Proportions over sites: groups, conditions, limits, nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from site_agent.contract.analyses.binomial import clopper_pearson, exact_p, wilson_cc
from site_agent.contract.errors import StudyError
from site_agent.contract.study.read import read_study
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


def models(rows: pd.DataFrame, site: list[int], text: str = STUDY) -> dict[str, Any]:
    sites = {f"s{n}": {"patients": rows[np.array(site) == n]} for n in range(4)}
    found: dict[str, Any] = pool(text, sites).results["part"].document()["models"]
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
    assert level == dict(
        name="all", count=1, proportion=0.25, conf_low=low, conf_high=high, p_value=None
    )


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


def test_a_condition_against_a_probability() -> None:
    """1 of 4 holds, against 0.3, and 3 of 4 do not, against 0.7: the same p."""
    text = STUDY.replace("by: arm", "by: arm, against: 0.3")
    levels = models(ROWS, [0, 1, 2] * 2 + [0, 1], text)['grade == "all"']["groups"][1]["levels"]
    assert [level["p_value"] for level in levels] == pytest.approx([exact_p(1, 4, 0.3)] * 2)


def test_corrected_limits_go_with_the_probability() -> None:
    """As in prop.test the correction is about n p0."""
    text = STUDY.replace("by: arm", "by: arm, against: 0.3, method: wilson_cc")
    levels = models(ROWS, [0, 1, 2] * 2 + [0, 1], text)['grade == "all"']["groups"][1]["levels"]
    found = (levels[1]["conf_low"], levels[1]["conf_high"])
    assert found == wilson_cc(1, 4, 0.95, 0.3)


def test_a_probability_lies_between_0_and_1() -> None:
    """Found, and what is expected."""
    with pytest.raises(StudyError, match="expected a number between 0 and 1"):
        read_study(STUDY.replace("by: arm", "against: 1"), "test")
