"""The flow of patients: its numbers add up, and none that is hidden can be had from the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coordinator.report.flow_chart import FlowChart, flow_chart, flow_table
from coordinator.report.flow_figure import described
from coordinator.report.folder import read_release
from coordinator.report.views import views
from tests.coordinator.report.made import (
    NONE_LEFT_OUT,
    OPTIONS,
    cox_fit,
    disclosure,
    manifest,
    write_release,
)


def chart(folder: Path, patients: int, rows: int, missing: int, **changes: Any) -> FlowChart:
    """The flow into one model of a cohort, of which some lack a value."""
    fit = {**cox_fit(rows=rows).document(), "patients": rows}
    fit["left_out"] = {**NONE_LEFT_OUT, "a value missing": missing}
    whole = {**manifest(["model"]), "patients": patients, **changes}
    release = read_release(write_release(folder / "r", whole, {"model": ("cox", fit)}))
    return flow_chart(release, list(views(release)))


def in_cohort(monkeypatch: Any) -> None:
    monkeypatch.setitem(OPTIONS, "cox", {**OPTIONS["cox"], "cohort": "severe"})


def test_the_numbers_add_up(tmp_path: Path, monkeypatch: Any) -> None:
    """100 patients: 60 analysed, 10 without a value, 30 outside the cohort."""
    in_cohort(monkeypatch)
    (box,) = chart(tmp_path, 100, 60, 10).analysed
    assert (box.size, box.left_out, box.outside) == ("60", "10 (a value missing)", "30")


def test_few_left_out_are_not_told_by_those_outside(tmp_path: Path, monkeypatch: Any) -> None:
    """Of 100, 60 are analysed: 38 outside the cohort would tell the two left out."""
    in_cohort(monkeypatch)
    (box,) = chart(tmp_path, 100, 60, 2).analysed
    assert (box.left_out, str(box.outside)) == ("<5 (a value missing)", "hidden")


def test_few_outside_are_not_told_by_those_left_out(tmp_path: Path, monkeypatch: Any) -> None:
    """Of 100, 87 are analysed and 10 lack a value: together they would tell the three outside."""
    in_cohort(monkeypatch)
    (box,) = chart(tmp_path, 100, 87, 10).analysed
    assert (box.left_out, str(box.outside)) == ("hidden (a value missing)", "hidden")


def test_an_accepted_analysis_shows_all(tmp_path: Path, monkeypatch: Any) -> None:
    """The stewards have signed its numbers."""
    in_cohort(monkeypatch)
    (box,) = chart(tmp_path, 100, 87, 10, disclosure=disclosure("model")).analysed
    assert (box.left_out, box.outside) == ("10 (a value missing)", "3")


def test_hospitals_out_are_named_with_the_reason(tmp_path: Path) -> None:
    """What the figure says is also read aloud."""
    found = chart(tmp_path, 100, 60, 40)
    told = described(found, ())
    assert "3 hospitals in the study" in told
    assert "north: no folder" in told


def test_the_table_has_each_analysis(tmp_path: Path) -> None:
    """Name, cohort, patients, left out."""
    (row,) = flow_table(chart(tmp_path, 100, 60, 40)).rows
    assert row == ("The model of survival", "all patients", "60", "", "40 (a value missing)")
