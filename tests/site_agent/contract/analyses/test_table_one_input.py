"""The table of the cohort from awkward rows: nobody, one group, one level; and over any sites."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

from site_agent.contract.analyses.results import Result
from tests.pooling import pool, split

STUDY: Final = """\
quorum: 1
study: table
title: A table
time: {unit: day, horizon: 100}
tables:
  patients:
    key: patient
    columns:
      age:   {type: number, range: [0, 110], resolution: 0.1, missing: allowed}
      dose:  {type: number, missing: allowed}
      arm:   {type: category, levels: [old, new, other], missing: allowed}
      grade: {type: category, levels: [none, some, all], missing: allowed}
      sick:  {type: boolean, missing: allowed}
cohorts:
  nobody: age > 109
analyses:
  cohort: {kind: table_one, variables: [age, dose, grade, sick], by: arm, tests: true, smd: true}
  whole:  {kind: table_one, variables: [age, dose, grade, sick]}
  empty:  {kind: table_one, cohort: nobody, variables: [age, grade], by: arm, tests: true}
disclosure: {classes: [A, V], compute: {sites: 3}}
"""
ROWS: Final = 120
NUMBERS: Final = ("mean", "median", "std_dev", "first_quartile")


def _some(values: Any, seed: int) -> list[Any]:
    """Return values of which about one in eight is missing."""
    lost = np.random.default_rng(seed).random(len(values)) < 1 / 8
    return [None if gone else value for value, gone in zip(values, lost, strict=True)]


@cache
def patients() -> pd.DataFrame:
    """Return patients with tied ages, doses off any grid, and some values missing."""
    random = np.random.default_rng(7)
    ages = random.normal(55, 15, ROWS).clip(0, 109).round(1)
    return pd.DataFrame(
        {
            "patient": [f"p{number}" for number in range(ROWS)],
            "age": pd.array(_some(ages, 1), dtype="Float64"),
            "dose": pd.array(_some(random.lognormal(0, 2, ROWS), 2), dtype="Float64"),
            "arm": _some(random.choice(["old", "new", "other"], ROWS), 3),
            "grade": _some(random.choice(["none", "some", "all"], ROWS), 4),
            "sick": pd.array(_some(random.random(ROWS) < 0.3, 5), dtype="boolean"),
        }
    )


def results(parts: list[pd.DataFrame]) -> dict[str, Result]:
    sites = {f"s{number:02d}": {"patients": part} for number, part in enumerate(parts)}
    return dict(pool(STUDY, sites).results)


def written(parts: list[pd.DataFrame]) -> str:
    """Return all results as JSON, which has no NaN."""
    found = {name: result.document() for name, result in results(parts).items()}
    return json.dumps(found, allow_nan=False)


@cache
def pooled() -> str:
    """Return the results of all patients at one hospital."""
    return written([patients()])


@pytest.mark.parametrize("sites", [3, 9, 50])
def test_random_splits(sites: int) -> None:
    """However patients are spread, empty hospitals included, nothing changes in any bit."""
    assert written(split(patients(), sites, sites, "patient")) == pooled()


@pytest.mark.parametrize("column", ["arm", "grade", "sick"])
def test_sites_of_one_value(column: str) -> None:
    """Hospitals that have one group or one level only, or miss it in all rows."""
    whole = patients()
    value = whole[column].astype(object).where(whole[column].notna(), "nothing")
    assert written([rows for _, rows in whole.groupby(value.astype(str))]) == pooled()


def test_a_site_that_lacks_all() -> None:
    """The dose is known at one hospital alone."""
    known = patients().dose.notna()
    assert written([patients()[known], patients()[~known]]) == pooled()


def lacking(column: str) -> pd.DataFrame:
    whole = patients()
    return whole.assign(**{column: pd.array([None] * ROWS, dtype=whole[column].dtype)})


AWKWARD: Final = {
    "no age": lambda: lacking("age"),
    "no dose": lambda: lacking("dose"),
    "no grade": lambda: lacking("grade"),
    "no group": lambda: lacking("arm"),
    "one group": lambda: patients().assign(arm="new"),
    "an empty group": lambda: patients()[patients().arm != "other"],
    "one level": lambda: patients().assign(grade="some"),
    "one age": lambda: patients().assign(age=pd.array([40.0] * ROWS, dtype="Float64")),
    "one patient": lambda: patients()[:1],
}


@pytest.mark.parametrize("name", AWKWARD)
def test_no_result_is_nan(name: str) -> None:
    """Documents are JSON, and tables have nulls, whatever is missing."""
    parts = split(AWKWARD[name](), 3, 1, "patient")
    assert written(parts)
    tables = [table for result in results(parts).values() for table in result.tables().values()]
    cells = [cell for table in tables for row in table.rows for cell in row]
    assert all(math.isfinite(cell) for cell in cells if isinstance(cell, float))


@pytest.mark.parametrize(
    ("name", "variable", "because"),
    [
        ("no age", "age", "no row has both the variable and a group"),
        ("no grade", "grade", "no groups have rows with the variable known"),
        ("no group", "age", "no row has both the variable and a group"),
        ("one group", "age", "1 group has rows with the variable known"),
        ("one level", "grade", "all patients are in one group, or have one level"),
        ("one age", "age", "all values are equal"),
    ],
)
def test_why_there_is_no_test(name: str, variable: str, because: str) -> None:
    """What was found is said in words, of this variable alone."""
    models = results([AWKWARD[name]()])["cohort"].document()["models"]
    assert models[variable]["test"]["because"].startswith(because)


@pytest.mark.parametrize("variable", ["age", "grade"])
def test_the_other_variables_are_described(variable: str) -> None:
    """A variable that everybody lacks changes nothing about the others."""
    found = results([lacking(variable)])["cohort"].document()["models"]
    expected = json.loads(pooled())["cohort"]["models"]
    others = expected.keys() - {variable}
    assert {name: found[name] for name in others} == {name: expected[name] for name in others}


def test_an_empty_group_has_no_numbers() -> None:
    """It has no rows, nulls for numbers, and the others are compared."""
    models = results([AWKWARD["an empty group"]()])["cohort"].document()["models"]
    other = models["age"]["groups"][2]
    assert [other[name] for name in ("rows", "missing", *NUMBERS)] == [0, 0, *(None,) * 4]
    assert models["age"]["test"]["test"] == "wilcoxon"


def test_nobody() -> None:
    """A cohort of nobody has no numbers, and says why there is no test."""
    models = json.loads(pooled())["empty"]["models"]
    assert [models[name]["groups"][-1]["rows"] for name in ("age", "grade")] == [0, 0]
    assert models["age"]["test"]["because"].startswith("no row has both the variable and a group")
