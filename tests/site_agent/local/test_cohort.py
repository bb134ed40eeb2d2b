"""What a hospital's own figures are drawn from, worked out by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from site_agent.contract.study.read import read_study
from site_agent.local.cohort import Cohort, read_cohort

STUDY = """\
quorum: 1
study: courses
title: Courses
time: {unit: day, resolution: 1, horizon: 100}
tables:
  patients:
    key: patient
    columns:
      arm:    {type: category, levels: [a, b], missing: allowed}
      crp:    {type: number, range: [0, 100], missing: allowed}
      crp_3:  {type: number, range: [0, 100], missing: allowed}
      death:  {type: day, missing: allowed}
      seen:   {type: day}
  grades:
    key: [patient, day]
    columns:
      day:    {type: day}
      crs:    {type: integer, range: [0, 5]}
      beds:   {type: integer, range: [0, 9]}
endpoints:
  os: {event: {death: death}, censored: seen}
analyses:
  described: {kind: table_one, by: arm, variables: [arm, crp]}
  fell:      {kind: paired, before: crp, after: crp_3}
  alive:     {kind: survival, endpoint: os}
disclosure:
  classes: [A, B, V, C]
  compute: {sites: 3, patients: 3, others: 2}
  show: {cell: 0}
"""


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    """Four patients, one of whom died; three have grades."""
    pd.DataFrame(
        {
            "patient": ["p", "q", "r", "s"],
            "arm": ["a", "b", "b", None],
            "crp": [10.0, 20.0, 0.0, 8.0],
            "crp_3": [5.0, 30.0, 4.0, None],
            "death": [30.0, None, None, None],
            "seen": [30, 9, 60, 12],
        }
    ).to_parquet(tmp_path / "patients.parquet")
    pd.DataFrame(
        {
            "patient": ["p", "p", "q", "r"],
            "day": [0, 1, 11, 2],
            "crs": [1, 3, 2, 0],
            "beds": [4, 4, 4, 4],
        }
    ).to_parquet(tmp_path / "grades.parquet")
    return read_cohort(read_study(STUDY, "study.yaml"), tmp_path, "here", {})


def test_the_courses(cohort: Cohort) -> None:
    """The last day is that of any column or grade; the day last seen is no mark."""
    found = cohort.courses()
    marks = {name: days.tolist() for name, days in found.marks.items()}
    np.testing.assert_equal(
        (marks, found.last.tolist()), ({"death": [30.0, *[np.nan] * 3]}, [30.0, 11.0, 60.0, 12.0])
    )


def test_the_grades(cohort: Cohort) -> None:
    """A whole number from 0 to 5 at most is a grade, one up to 9 is none."""
    (found,) = cohort.courses().grades
    rows = zip(found.patient.tolist(), found.day.tolist(), found.grade.tolist(), strict=True)
    assert (found.column, list(rows)) == ("crs", [(0, 0, 1), (0, 1, 3), (1, 11, 2), (2, 2, 0)])


def test_the_changes(cohort: Cohort) -> None:
    """In percent of the first number, the greatest rise first; none where it is 0 or missing."""
    (found,) = cohort.changes()
    assert (found.percent.tolist(), found.patient.tolist()) == ([50.0, -50.0], [1, 0])


def test_the_description(cohort: Cohort) -> None:
    """Counts and shares of known values, numbers by quartiles, what is missing in a line."""
    (found,) = cohort.descriptions()
    lines = {
        f"{one.variable}: {label}": texts for one in found.variables for label, texts in one.lines
    }
    assert (found.groups, lines) == (
        (("a", 1), ("b", 2), ("all", 4)),
        {
            "arm: a": ("1 (100 %)", "0 (0 %)", "1 (33 %)"),
            "arm: b": ("0 (0 %)", "2 (100 %)", "2 (67 %)"),
            "arm: missing": ("0", "0", "1"),
            "crp: median [Q1, Q3]": ("10 [10, 10]", "10 [5, 15]", "9 [6, 12.5]"),
            "crp: mean (SD)": ("", "10 (14.14)", "9.5 (8.226)"),
            "crp: minimum, maximum": ("10, 10", "0, 20", "0, 20"),
        },
    )


def test_the_curves(cohort: Cohort) -> None:
    """The rows of each analysis of survival, in ticks."""
    ((name, rows, groups),) = cohort.curves()
    assert (name, rows.time.tolist(), rows.cause.tolist(), groups) == (
        "alive",
        [30, 9, 60, 12],
        [1, 0, 0, 0],
        ("",),
    )
