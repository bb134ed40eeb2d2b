"""Subdistribution hazards through a whole release without masks: options, words, hospitals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from site_agent.contract.analyses.guard_limits import Budget
from site_agent.contract.analyses.guard_openings import openings
from site_agent.contract.analyses.results import Failure
from site_agent.contract.catalogue import KINDS, SUMS
from site_agent.contract.study.read import read_study
from tests.pooling import pool
from tests.studytext import issues, study

STUDY = """\
quorum: 1
study: small
title: Made-up rows with two causes
time: {unit: day, resolution: 1, horizon: 30}
tables:
  patients:
    key: id
    columns:
      day:  {type: day, range: [0, 30]}
      ends: {type: category, levels: [censored, relapse, death]}
      x:    {type: number}
      arm:  {type: boolean}
endpoints:
  relapse: {time: day, event: {relapse: ends == "relapse"}, competing: {death: ends == "death"}}
disclosure: {classes: [A, B, C], compute: {sites: 3}}
analyses:
"""
SMALL_STUDY = "model: {kind: cox, endpoint: trm, covariates: [age, sex, kps], baseline: by_site}"


def patients(n: int = 60, seed: int = 5) -> pd.DataFrame:
    """Made-up rows with many ties."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=n)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "day": np.minimum(draw.exponential(8, n) * np.exp(-0.4 * x), 29).astype(int),
            "ends": draw.choice(["censored", "relapse", "death"], n, p=[0.4, 0.35, 0.25]),
            "x": x,
            "arm": draw.random(n) < 0.5,
        }
    )


def documents(parts: list[pd.DataFrame], **models: str) -> dict[str, dict[str, Any]]:
    """The results of models over hospitals, each given by its further fields."""
    lines = [
        f"  {name}: {{kind: fine_gray, endpoint: relapse, covariates: [x, arm]{fields}}}"
        for name, fields in models.items()
    ]
    sites = {f"site{number}": {"patients": rows} for number, rows in enumerate(parts)}
    outcome = pool(STUDY + "\n".join(lines), sites)
    return {name: result.document() for name, result in outcome.results.items()}


def numbers(document: dict[str, Any], *names: str) -> list[float]:
    """Estimates and errors of a model, and further numbers of its result."""
    terms = [term[name] for term in document["terms"] for name in ("estimate", "std_error")]
    return [*terms, *(document[name] for name in ("loglik_null", "loglik", *names))]


def because(rows: pd.DataFrame) -> str:
    (found,) = documents([rows], model="").values()
    return str(found["because"])


def test_sealed_is_open() -> None:
    """Sealed risk sets give what open ones give, with either ties."""
    parts = [rows for _, rows in patients().groupby(patients().id % 4)]
    for ties in ("breslow", "efron"):
        fields = f", ties: {ties}, variance: model"
        found = documents(parts, sealed=fields, opened=fields + ", risk_sets: open")
        assert numbers(found["sealed"]) == pytest.approx(numbers(found["opened"]), rel=1e-12)


@pytest.mark.parametrize("variance", ["fine_gray", "robust"])
def test_a_single_hospital_by_site(variance: str) -> None:
    """A hospital alone has the pooled curve of censoring, risk sets and variance."""
    fields = f", variance: {variance}"
    found = documents(
        [patients()], own=fields + ", baseline: by_site", pooled=fields + ", risk_sets: open"
    )
    assert numbers(found["own"]) == pytest.approx(numbers(found["pooled"]), rel=1e-12)


def test_hospitals_by_site_add_up() -> None:
    """Twice the same hospital has the same estimate, and half its variance."""
    one, two = (
        documents([patients()] * count, own=", baseline: by_site")["own"] for count in (1, 2)
    )
    errors = [term["std_error"] for term in two["terms"]]
    assert [e * np.sqrt(2) for e in errors] == pytest.approx(
        [term["std_error"] for term in one["terms"]], rel=1e-9
    )


def test_awkward_hospitals() -> None:
    """One without patients, one of one arm, one without events, one of one patient: as pooled."""
    rows = patients()
    quiet, arm = rows.ends == "censored", rows.arm & (rows.ends != "censored")
    rest = rows[~quiet & ~arm]
    parts = [rows[quiet], rows[arm], rest.iloc[:1], rest.iloc[1:], rows.iloc[:0]]
    split, whole = (documents(p, model=", risk_sets: open")["model"] for p in (parts, [rows]))
    assert numbers(split) == pytest.approx(numbers(whole), rel=1e-12)


def test_the_model_variance_says_what_it_is_not() -> None:
    """With sealed risk sets the result says that the errors are not crr's."""
    (found,) = documents([patients()], model="").values()
    assert (found["variance_of"], "not crr's" in found["note"]) == ("model", True)


def test_no_event() -> None:
    """Only competing events: nothing to estimate."""
    assert "no event among the rows" in because(patients().replace({"ends": {"relapse": "death"}}))


def test_separation() -> None:
    """No event of interest in a group, competing ones or not."""
    rows = patients()
    rows.loc[rows.arm & (rows.ends == "relapse"), "ends"] = "death"
    assert "separated by arm" in because(rows)


def test_a_constant_covariate_is_aliased() -> None:
    """It has no coefficient and no variance; the other is as alone."""
    found = documents([patients().assign(x=2.0)], model=", risk_sets: open")["model"]
    assert found["terms"][0]["estimate"] is None
    assert (found["variance"][0], found["tests"][1]["df"]) == ([0.0, 0.0], 1)


def test_nobody_has_a_competing_event() -> None:
    """Then the likelihood is Cox's with Breslow's ties."""
    rows = patients().replace({"ends": {"death": "censored"}})
    text = STUDY + (
        "  own: {kind: fine_gray, endpoint: relapse, covariates: [x], risk_sets: open}\n"
        "  cox: {kind: cox, endpoint: relapse, covariates: [x], ties: breslow}\n"
    )
    results = pool(text, {"one": {"patients": rows}}).results
    own, cox = (results[name].document() for name in ("own", "cox"))
    assert (own["loglik"], own["terms"][0]["estimate"]) == pytest.approx(
        (cox["loglik"], cox["terms"][0]["estimate"]), rel=1e-12
    )


def test_too_many_sealed_numbers() -> None:
    """Before a sealed fit that is too large something else can be chosen."""
    wide = ", ".join(f"x + {shift}" for shift in range(1, 141))
    text = STUDY + f"  own: {{kind: fine_gray, endpoint: relapse, covariates: [{wide}]}}\n"
    (failure,) = pool(text, {"one": {"patients": patients(200)}}).results.values()
    assert isinstance(failure, Failure)
    assert "sealed numbers" in failure.because


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ("variance: fine_gray", "sealed risk sets do not give"),
        ("risk_sets: open, ties: efron, variance: robust", "ties: breslow"),
        ("risk_sets: open, convention: finegray, variance: fine_gray", "crr's"),
        ("baseline: by_site, risk_sets: open", "take it out"),
        ("censoring_rows: endpoint", "crr takes the complete rows"),
    ],
)
def test_options_that_do_not_go_together(fields: str, part: str) -> None:
    """Each is answered with what to take instead."""
    model = f"model: {{kind: fine_gray, endpoint: trm_from_start, covariates: [age], {fields}}}"
    (line,) = issues((SMALL_STUDY, model), ("classes: [A, B]", "classes: [A, B, C]"))
    assert part in line


@pytest.mark.parametrize(
    ("fields", "part"),
    [("", "crr takes none"), (", convention: finegray, baseline: by_site", "baseline: pooled")],
)
def test_left_truncation(fields: str, part: str) -> None:
    """An endpoint with an entry takes the weights of finegray, over all hospitals."""
    model = f"model: {{kind: fine_gray, endpoint: trm, covariates: [age]{fields}}}"
    (line,) = issues((SMALL_STUDY, model))
    assert part in line


def test_all_have_only_just_entered() -> None:
    """Nobody is under observation at 5 but those who enter then: no weight for who left at 4."""
    rows = patients().assign(start=lambda d: np.where(d.day > 8, 5, 0), x=1.0)
    rows = rows[(rows.day > 8) | ((rows.day > 0) & (rows.day < 5))]
    text = STUDY.replace("{time: day, event", "{entry: start, time: day, event").replace(
        "      x: ", "      start: {type: day, range: [0, 30]}\n      x: "
    )
    text += "  own: {kind: fine_gray, endpoint: relapse, covariates: [arm], convention: finegray}\n"
    (failure,) = pool(text, {"one": {"patients": rows}}).results.values()
    assert isinstance(failure, Failure)
    assert "only just entered" in failure.because


@pytest.mark.parametrize(
    ("fields", "classes"),
    [
        ("", ["A", "B", "A"]),
        (", risk_sets: open", ["A", "B", "C", "C", "A"]),
        (", baseline: by_site", ["A", "A", "A"]),
    ],
)
def test_what_it_opens(fields: str, classes: list[str]) -> None:
    """Moments, counts by time, points of the likelihood, and what the variance needs."""
    text = STUDY + f"  own: {{kind: fine_gray, endpoint: relapse, covariates: [x]{fields}}}\n"
    found = read_study(text, "test", development=True)
    uses = KINDS["fine_gray"].uses(found.analyses["own"].options)
    assert [disclosure for disclosure, _ in uses] == classes


def test_a_variance_is_in_the_budget() -> None:
    """Of a covariate the variance is one number more than the 21 of a fit."""
    model = "model: {kind: fine_gray, endpoint: trm_from_start, covariates: [age]"
    accepted = ("classes: [A, B]", "classes: [A, B, C]")
    for fields, numbers_of in (("", 21), (", risk_sets: open", 22)):
        found = study((SMALL_STUDY, f"{model}{fields}}}"), accepted)
        (opening,) = (one for one in openings(found) if one.analysis.name == "model")
        enough, few = Budget(found, {"patients": numbers_of}), {"patients": numbers_of - 1}
        assert not enough.sentence(opening)
        assert f"open {numbers_of} numbers" in Budget(found, few).sentence(opening)


def test_its_sums_are_in_the_catalogue() -> None:
    """Every sum that a site may be asked for is in the closed catalogue."""
    assert {entry.name for entry in KINDS["fine_gray"].sums} <= set(SUMS)
