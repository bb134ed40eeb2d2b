"""A covariate that is the same in all rows has no coefficient, wherever it stands in the model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import tests.pooling
from tests.pooling import pool

STUDY = """\
quorum: 1
study: test
title: Test
time: {unit: day, resolution: 1, horizon: 100}
tables:
  patients:
    key: patient
    columns:
      days: {type: day}
      died: {type: category, levels: ["no", "yes"]}
      same: {type: number, range: [0, 10]}
      age:  {type: integer, range: [0, 110]}
endpoints:
  os: {time: days, event: {death: died == "yes"}}
analyses:
  alone: {kind: cox, endpoint: os, covariates: [age]}
  model: {kind: cox, endpoint: os, covariates: [same, age], FORM}
disclosure:
  classes: [A, B, C]
  compute: {sites: 3, patients: 3, others: 2}
  show: {cell: 0}
"""
FORMS = [
    "risk_sets: sealed",
    "risk_sets: open",
    "baseline: by_site",
    "firth: true",
    "ties: breslow",
]


def terms(form: str, same: float) -> list[Any]:
    """Estimates of the constant and of age, and that of age alone."""
    random = np.random.default_rng(4)
    n = 90
    table = pd.DataFrame(
        {
            "patient": [f"p{number}" for number in range(n)],
            "days": random.integers(1, 60, n),
            "died": random.choice(["no", "yes"], n),
            "same": np.full(n, same),
            "age": random.integers(20, 80, n),
        }
    )
    sites = {f"s{number}": {"patients": table.iloc[number::4]} for number in range(4)}
    found = pool(STUDY.replace("FORM", form), sites).results
    model = {term["term"]: term["estimate"] for term in found["model"].document()["terms"]}
    (alone,) = [term["estimate"] for term in found["alone"].document()["terms"]]
    return [model["same"], model["age"], alone]


@pytest.mark.parametrize("same", [3.0, 0.1, 0.0])
@pytest.mark.parametrize("secret", range(4))
def test_a_constant_before_sealed_covariates(
    secret: int, same: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What blinding leaves of its information is no information, whatever the secret."""
    monkeypatch.setattr(tests.pooling, "SECRET", bytes([secret]) * 32)
    constant, age, alone = terms("risk_sets: sealed", same)
    assert (constant, age) == (None, pytest.approx(alone, rel=1e-9))


@pytest.mark.parametrize("form", FORMS)
def test_a_constant_in_every_form(form: str) -> None:
    """It has no estimate, and age has one."""
    constant, age, _ = terms(form, 3.0)
    assert (constant, age is not None) == (None, True)
