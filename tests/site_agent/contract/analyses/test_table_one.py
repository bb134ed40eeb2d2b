"""The table of the cohort over sites: options, groups, what is missing, any split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

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
      age:  {type: integer, range: [0, 110], missing: allowed}
      arm:  {type: category, levels: [old, new]}
      sick: {type: boolean, missing: allowed}
analyses:
  cohort: {kind: table_one, variables: [age, sick], by: arm, tests: true}
disclosure: {classes: [A, V], compute: {sites: 3}}
"""
PATIENTS = pd.DataFrame(
    {
        "patient": [f"p{n}" for n in range(8)],
        "age": pd.array([30, 40, 40, None, 50, 60, 70, 80], dtype="Int64"),
        "arm": ["old"] * 4 + ["new"] * 4,
        "sick": pd.array([True, False, False, True, True, None, True, True], dtype="boolean"),
    }
)


def models(rows: pd.DataFrame, site: list[int], text: str = STUDY) -> dict[str, Any]:
    sites = {f"s{n}": {"patients": rows[np.array(site) == n]} for n in range(4)}
    document = pool(text, sites).results["cohort"].document()
    found: dict[str, Any] = document["models"]
    return found


def test_a_number_by_hand() -> None:
    """Old: 30, 40, 40 and one unknown; new: 50, 60, 70, 80."""
    groups = models(PATIENTS, [0, 1, 2, 0, 1, 2, 0, 1])["age"]["groups"]
    found = [(g["stratum"], g["rows"], g["missing"], g["median"]) for g in groups]
    assert found == [("old", 3, 1, 40), ("new", 4, 0, 65), ("", 7, 1, 50)]


def test_a_condition_by_hand() -> None:
    """Two of four are sick on the old arm, and all three known on the new."""
    groups = models(PATIENTS, [0, 1, 2, 0, 1, 2, 0, 1])["sick"]["groups"]
    found = [(g["levels"][1]["count"], g["levels"][1]["proportion"], g["missing"]) for g in groups]
    assert found == [(2, 0.5, 0), (3, 1.0, 1), (5, 5 / 7, 1)]


def test_extremes_are_not_told_unasked() -> None:
    """Smallest and largest value are those of single patients."""
    group = models(PATIENTS, [0, 1, 2, 0, 1, 2, 0, 1])["age"]["groups"][0]
    assert (group["minimum"], group["maximum"]) == (None, None)


def test_without_groups_there_is_one_column() -> None:
    """Without `by` all rows stand once."""
    text = STUDY.replace(", by: arm, tests: true", "")
    found = models(PATIENTS, [0, 1, 2, 0, 1, 2, 0, 1], text)
    assert [g["stratum"] for g in found["age"]["groups"]] == [""]


@pytest.mark.parametrize("seed", range(5))
def test_any_split_gives_the_same(seed: int) -> None:
    """Patients spread at random over sites, one of them with nobody at times."""
    rng = np.random.default_rng(seed)
    assert models(PATIENTS, rng.integers(0, 3, 8).tolist()) == models(PATIENTS, [3] * 8)


def test_all_missing_is_said_in_words() -> None:
    """Nobody has the variable: no numbers, and a test that says why there is none."""
    rows = PATIENTS.assign(age=pd.array([None] * 8, dtype="Int64"))
    found = models(rows, [0, 1, 2, 0, 1, 2, 0, 1])["age"]
    assert [g["median"] for g in found["groups"]] == [None, None, None]
    assert found["test"]["because"].startswith("no row has both the variable and a group")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[age, sick], by: arm", "[age, age], by: arm", "variable 'age' stands twice"),
        (", by: arm", "", "'tests' compares groups; name them with 'by'"),
        ("tests: true", "extremes: true", "or have the stewards accept the analysis by name"),
        ("tests: true", "quantiles: type_6", "expected one of type_7, type_2"),
    ],
)
def test_a_wrong_table_is_refused(old: str, new: str, message: str) -> None:
    """Found, expected, and what to do."""
    with pytest.raises(StudyError, match=message):
        read_study(STUDY.replace(old, new), "test")


def test_differences_of_groups() -> None:
    """Ages 30, 40, 40 and 50 to 80: 28 1/3 over the root of (100/3 + 500/3) / 2."""
    text = STUDY.replace("tests: true", "smd: true")
    found = models(PATIENTS, [0, 1, 2, 0, 1, 2, 0, 1], text)["age"]["smd"]
    assert found == pytest.approx((65 - 110 / 3) / 10, rel=1e-14)


def named(*head: Any, text: str = STUDY) -> dict[str, Any]:
    """Return the statistics of a group, its level, a variable and its level, by their names."""
    sites = {f"s{n}": {"patients": PATIENTS[n::3]} for n in range(3)}
    table = pool(text, sites).results["cohort"].tables()["ard"]
    return {str(row[5]): row[7] for row in table.rows if row[:4] == head}


def test_statistics_of_a_number() -> None:
    """Counts, quantiles and missing ones under the names of cards."""
    moments = {"N": 3, "mean": 110 / 3, "sd": (100 / 3) ** 0.5, "median": 40, "p25": 35, "p75": 40}
    missing = {"N_obs": 4, "N_miss": 1, "N_nonmiss": 3, "p_miss": 0.25, "p_nonmiss": 0.75}
    found = named("arm", "old", "age", None)
    assert found == pytest.approx(moments | missing, rel=1e-14)


def test_statistics_of_a_level() -> None:
    """Five of the seven whose sickness is known, in all rows."""
    assert named(None, None, "sick", "true") == {"n": 5, "N": 7, "p": 5 / 7}


def test_statistics_of_the_groups() -> None:
    """Four of eight on each arm, those who lack a variable too."""
    assert named(None, None, "arm", "new") == {"n": 4, "N": 8, "p": 0.5}


def test_statistics_without_groups() -> None:
    """All seven ages stand without a group, and no group is counted."""
    text = STUDY.replace(", by: arm, tests: true", "")
    assert named(None, None, "age", None, text=text)["N"] == 7
    assert named(None, None, "", None, text=text) == {}


def test_statistics_tell_extremes_only_if_asked() -> None:
    """Smallest and largest age of an accepted analysis."""
    accepted = "accepted: [{analysis: cohort, because: tested}], compute:"
    text = STUDY.replace("tests: true", "extremes: true").replace("compute:", accepted)
    found = named("arm", "old", "age", None, text=text)
    assert (found["min"], found["max"]) == (30, 40)
    assert "min" not in named("arm", "old", "age", None)


def test_all_missing() -> None:
    """A number that nobody has is described without any, the other variables as before."""
    rows = PATIENTS.assign(age=pd.array([None] * 8, dtype="Int64"))
    found = models(rows, [0, 1, 2, 0, 1, 2, 0, 1])
    ages = found["age"].get("groups", [])
    assert [group["mean"] for group in ages] == [None] * len(ages)
    assert found["sick"]["groups"][-1]["rows"] == 7
