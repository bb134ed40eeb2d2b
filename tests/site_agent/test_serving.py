"""Which analyses a sum serves: told from the study alone, as the analyses really ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from site_agent.contract.catalogue import KINDS, SUMS
from site_agent.contract.frames import Frame
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.data.source import read_data
from site_agent.preview import Walk
from site_agent.serving import Serving, of_guard, rows_in_words, sums_of
from site_agent.under_way import SiteData
from tests.docs.example import every_kind, pooled
from tests.protocol import frozen
from tests.studytext import study as small

Question = tuple[str, Frame]


@pytest.fixture(scope="module")
def study() -> Study:
    """A study with an analysis of every kind."""
    return read_study(every_kind(), "every.yaml", development=True)


@pytest.fixture(scope="module")
def data(study: Study, tmp_path_factory: pytest.TempPathFactory) -> SiteData:
    """Its patients, all in one hospital."""
    folder = tmp_path_factory.mktemp("data")
    pooled().drop(columns="hospital").to_parquet(folder / "patients.parquet", index=False)
    return read_data(study, folder, "north", {})


def asked(study: Study, data: SiteData) -> dict[Question, tuple[str, ...]]:
    """The questions of a walk through a study's plan, with whom each is said to serve."""
    walk = Walk(study, "north", data.rows).to_the_end()
    return {
        (one.ask.sum, one.ask.frame): one.serves
        for each in walk.rounds
        for one in each.sums
        if not of_guard(one.ask.sum)
    }


def test_each_sum_serves_those_that_ask_for_it(study: Study, data: SiteData) -> None:
    """Every analysis, run alone, asks for the questions that are said to serve it, and no other."""
    asking: dict[Question, list[str]] = {}
    for name, analysis in study.analyses.items():
        for question in asked(replace(study, analyses={name: analysis}), data):
            asking.setdefault(question, []).append(name)
    assert {key: list(names) for key, names in asked(study, data).items()} == asking


def test_every_kind_is_in_that_study(study: Study) -> None:
    """The test above leaves no kind out."""
    assert {analysis.kind for analysis in study.analyses.values()} == set(KINDS)


def test_sums_of_no_analysis_are_the_guards() -> None:
    """Patients and hospitals are counted for the guard, moments for models."""
    assert [of_guard(name) for name in ("enrolled", "cox_moments")] == [True, False]


def test_every_sum_is_the_guards_or_of_a_kind() -> None:
    """No sum of the catalogue is without a purpose."""
    assert {name for name in SUMS if not of_guard(name)} == {
        entry.name for kind in KINDS.values() for entry in kind.sums
    }


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("curve", ["counts_by_time"]),
        ("pooled", ["cox_moments", "cox_deaths", "cox_sealed"]),
        ("by_site", ["cox_moments", "cox_within_site"]),
    ],
)
def test_the_sums_of_an_analysis(name: str, expected: list[str]) -> None:
    """A model with a pooled baseline needs the death times, one by hospital does not."""
    assert [entry.name for entry in sums_of(frozen().analyses[name])] == expected


def test_a_frame_of_an_older_ledger_is_known() -> None:
    """Parts of a frame that were not there when an entry was written count as empty."""
    study = frozen()
    analysis = study.analyses["curve"]
    frame = KINDS["survival"].frames(study, analysis)[0].document()
    old = {name: value for name, value in frame.items() if value}
    assert Serving(study).served("counts_by_time", old) == ("curve",)


def test_rows_that_no_analysis_takes_serve_none() -> None:
    """Of another study's rows nothing is said."""
    assert Serving(frozen()).served("counts_by_time", Frame("others").document()) == ()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({}, "table patients"),
        (
            {"endpoint": "survival", "cohort": "adults", "by": "sex"},
            "table patients; endpoint survival; cohort adults; by sex",
        ),
        (
            {"strata": ("sex",), "covariates": ("age", "kps"), "complete": ("kps", "age")},
            "table patients; strata sex; covariates age, kps; complete in kps, age",
        ),
        ({"grid": (10, 20)}, "table patients; times moved to 2 points"),
        ({"compared": (Frame("patients"),)}, "table patients; 1 selection of rows compared"),
    ],
    ids=["table", "curve", "model", "grid", "compared"],
)
def test_rows_in_words(parts: Mapping[str, Any], expected: str) -> None:
    """Which rows a sum runs over, read off its frame by hand."""
    assert rows_in_words(Frame("patients", **parts).document()) == expected


def test_an_analysis_of_several_models_serves_each_row_once() -> None:
    """A screen has a frame for each covariate; its moments serve it in each of them."""
    study = small()
    frames = KINDS["cox_screen"].frames(study, study.analyses["screen"])
    serving = Serving(study)
    assert [serving.served("cox_moments", frame.document()) for frame in frames] == [
        ("screen",),
        ("screen",),
    ]
