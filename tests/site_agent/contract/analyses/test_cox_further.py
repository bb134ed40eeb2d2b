"""Robust errors, offsets, concordance and curves of whole models, and what is said of mistakes."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter

from tests.pooling import pool, split
from tests.studytext import issues

HEAD = """\
quorum: 1
study: further
title: What a Cox model is asked for beyond its fit
time: {unit: day, resolution: 1, horizon: 400}
tables:
  patients:
    key: patient
    columns:
      age: {type: number}
      arm: {type: category, levels: [old, new]}
      family: {type: integer}
      day: {type: day}
      dies: {type: boolean}
endpoints: {survival: {time: day, event: {death: dies}}}
disclosure: {classes: [A, B, C], compute: {sites: 3}}
analyses:
"""
MODEL = "kind: cox, endpoint: survival, covariates: [age, arm]"


def patients() -> pd.DataFrame:
    """Eighty patients, each of whom leaves on a day of its own."""
    draw = np.random.default_rng(11)
    return pd.DataFrame(
        {
            "patient": [f"p{n}" for n in range(80)],
            "age": np.round(draw.normal(60, 9, 80), 1),
            "arm": draw.choice(["old", "new"], 80),
            "family": draw.integers(0, 30, 80),
            "day": draw.permutation(80) + 5,
            "dies": draw.uniform(size=80) < 0.6,
        }
    )


@cache
def _documents(sites: int, *analyses: str) -> list[dict[str, Any]]:
    text = HEAD + "".join(f"  m{n}: {{{one}}}\n" for n, one in enumerate(analyses))
    parts = split(patients(), sites, seed=sites, patient="patient")
    outcome = pool(text, {f"s{n}": {"patients": part} for n, part in enumerate(parts)})
    return [result.document() for result in outcome.results.values()]


def _errors(document: dict[str, Any]) -> list[float]:
    return [term["std_error"] for term in document["terms"]]


def _table() -> pd.DataFrame:
    table = patients()
    return table.assign(arm=(table.arm == "new").astype(float), dies=table.dies.astype(float))


def test_lifelines_gives_the_same_robust_errors() -> None:
    """Without ties the two methods are one, and lifelines stops after six digits."""
    (ours,) = _documents(4, f"{MODEL}, risk_sets: open, robust: true")
    columns = ["age", "arm", "day", "dies"]
    fit = CoxPHFitter().fit(_table()[columns], "day", "dies", robust=True)
    assert _errors(ours) == pytest.approx(list(fit.standard_errors_), rel=1e-5)


def test_lifelines_gives_the_same_curve() -> None:
    """Predicted survival at days 30 and 60 of one who is 70 and gets the new arm."""
    curve = "risk_sets: open, predict: {one: {age: 70, arm: new}}, baseline_at: [30, 60]"
    (ours,) = _documents(4, f"{MODEL}, {curve}")
    fit = CoxPHFitter().fit(_table()[["age", "arm", "day", "dies"]], "day", "dies")
    theirs = fit.predict_survival_function(pd.DataFrame({"age": [70.0], "arm": [1.0]}), [30, 60])
    found = [row["estimate"] for row in ours["predicted_at"]]
    assert found == pytest.approx(list(theirs[0]), rel=1e-5)


def test_a_cluster_is_within_one_hospital() -> None:
    """With all rows in one hospital a family is one cluster wherever it is declared."""
    (ours,) = _documents(1, f"{MODEL}, baseline: by_site, cluster: family")
    assert ours["robust"]["clusters"] == patients().family.nunique()


def test_by_hospital_is_one_cluster_each() -> None:
    """Two hospitals of three have patients, and each is one."""
    (ours,) = _documents(3, f"{MODEL}, risk_sets: open, cluster: site")
    assert ours["robust"]["clusters"] == 2


def test_one_cluster_has_no_robust_errors() -> None:
    """All patients in one hospital, and hospitals as clusters."""
    (ours,) = _documents(1, f"{MODEL}, risk_sets: open, cluster: site")
    assert "need at least 2 clusters" in ours["because"]


def test_tests_of_proportionality_are_of_the_model() -> None:
    """They are the same with robust errors and without."""
    plain, robust = (
        f"{MODEL}, risk_sets: open, zph: [km]{more}" for more in ("", ", robust: true")
    )
    one, other = _documents(3, plain, robust)
    assert one["proportionality"] == other["proportionality"]


def test_an_offset_is_a_covariate_whose_coefficient_is_known() -> None:
    """With age's own coefficient as an offset, the arm's coefficient stays what it was."""
    (both,) = _documents(3, f"{MODEL}, risk_sets: open")
    beta = both["terms"][0]["estimate"]
    alone = f"kind: cox, endpoint: survival, covariates: [arm], offset: '{beta!r} * age'"
    (ours,) = _documents(3, alone)
    assert ours["terms"][0]["estimate"] == pytest.approx(both["terms"][1]["estimate"], rel=1e-9)


def test_an_offset_seals() -> None:
    """Sealed and open risk sets give the same with an offset."""
    alone = "kind: cox, endpoint: survival, covariates: [arm], offset: age / 20"
    sealed, opened = _documents(3, alone, f"{alone}, risk_sets: open")
    assert _errors(sealed) == pytest.approx(_errors(opened), rel=1e-12)


def test_no_pair_is_said_in_words() -> None:
    """One patient a hospital: nobody to be compared with, and the fit has no information."""
    parts = {f"s{n}": {"patients": patients().iloc[[n]]} for n in range(6)}
    text = HEAD + f"  m: {{{MODEL}, baseline: by_site, concordance: true}}\n"
    found = pool(text, parts).results["m"].document()
    assert "no pair of rows" in found.get("concordance_withheld", found.get("because", ""))


FEW = "model: {kind: cox, endpoint: trm, covariates: [age, sex, kps], baseline: by_site}"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (", robust: true", "robust standard errors need sums over pairs of times"),
        (", cluster: site", "or risk_sets: open, if the stewards accept class C"),
        (", baseline: by_site, cluster: sitee", "sitee"),
        (", baseline: by_site, robust: false, cluster: site", "take robust: false out"),
        (", offset: sex", "expected a number"),
        (", concordance: true", "compares patients one by one"),
        (", predict: {one: {age: 50}}", "at the times of 'baseline_at' only"),
        (", baseline_at: [30], predict: {one: {}}", "'age' is missing"),
        (", baseline_at: [30], predict: {one: {age: old}}", "expected a number"),
        (", baseline_at: [30], predict: {one: {age: 50, agee: 1}}", "'agee' is in no covariate"),
        (", baseline: by_site, predict: {one: {age: 50}}", "take 'predict' out"),
        (", baseline_curve: true", "it needs risk_sets: open"),
        (", baseline: by_site, offset: age / 10", "its offset can leave patients out"),
    ],
)
def test_what_is_said_of_a_mistake(fields: str, said: str) -> None:
    """What was found, what was expected, what to do."""
    change = FEW, f"model: {{kind: cox, endpoint: trm, covariates: [age]{fields}}}"
    assert [issue for issue in issues(change) if said in issue] != []


def test_a_screen_has_them_for_each_model() -> None:
    """A model of a screen is the model alone, robust errors and concordance included."""
    asked = "baseline: by_site, robust: true, concordance: true"
    alone, screen = _documents(
        3,
        f"kind: cox, endpoint: survival, covariates: [age], {asked}",
        f"kind: cox_screen, endpoint: survival, covariates: [age, arm], {asked}",
    )
    assert screen["models"]["age"] == alone


FAR = "predict: {far: {age: %s}, near: {age: 60}}, baseline_at: [30, 60]"
ALONE = "kind: cox, endpoint: survival, covariates: [age]"


def _far(age: float, how: str) -> list[dict[str, Any]]:
    """The predicted rows of a far age, and of 60."""
    (found,) = _documents(3, f"{ALONE}, {how}{FAR % age}")
    rows: list[dict[str, Any]] = found["predicted_at"]
    return rows


@pytest.mark.parametrize("how", ["", "risk_sets: open, "])
def test_a_far_prediction_is_the_limit(how: str) -> None:
    """With hazard ratios beyond all numbers survival is 0 or 1, and the other curve stays."""
    ends = {row["estimate"] for age in (-1e7, 1e7) for row in _far(age, how)[:2]}
    assert (ends, 0 < _far(1e7, how)[2]["estimate"] < 1) == ({0.0, 1.0}, True)


@pytest.mark.parametrize("how", ["", "risk_sets: open, "])
def test_covariates_far_from_0(how: str) -> None:
    """A million years later, ages and all, the same survival."""
    later = f"{ALONE}, {how}{FAR % 60}".replace("age]", "age + 1000000]")
    (found,) = _documents(3, later)
    estimates = [row["estimate"] for row in found["predicted_at"]]
    assert estimates == pytest.approx([row["estimate"] for row in _far(60, how)], rel=1e-6)


def test_a_baseline_beyond_all_numbers_ends_no_model() -> None:
    """At covariates 0, a million years before, there is no hazard to write down, or one of 0."""
    everywhere = "risk_sets: open, baseline_curve: true"
    (found,) = _documents(3, f"{ALONE}, {everywhere}".replace("age]", "age + 1000000]"))
    assert {row["cumulative_hazard"] for row in found["baseline_curve"]} <= {0.0, None}


def test_an_aliased_column_predicts_nothing() -> None:
    """With twice the age as a further covariate the curves and errors are those without."""
    asked = "risk_sets: open, robust: true, predict: {one: {age: 70}}, baseline_at: [30]"
    short, long = _documents(
        3,
        f"kind: cox, endpoint: survival, covariates: [age], {asked}",
        f"kind: cox, endpoint: survival, covariates: [age, 2 * age], {asked}",
    )
    one, other = (list(found["predicted_at"][0].values())[3:] for found in (short, long))
    assert one == pytest.approx(other, rel=1e-12)
