"""The rows of a frame from a hospital's tables: whose they are, on a grid, and compared."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from site_agent.contract.frames import Frame, Rows
from site_agent.contract.rows import FrameBuilder
from site_agent.data.tables import read_snapshot
from tests.site_agent.contract.analyses.guarded import CURVE, guarded

PATIENTS = pd.DataFrame(
    {
        "patient": ["ash", "bay", "fir", "oak"],
        "age": [30.0, 50.0, 70.0, 90.0],
        "ldh": [1.0, None, 3.0, 4.0],
        "sex": ["male", "female", "female", "male"],
        "stage": ["one", "two", "three", "one"],
        "start": [0, 5, 10, 40],
        "death": [12.0, None, None, 55.0],
        "seen": [20, 31, 10, 60],
        "left": [None, 3.0, 4.0, 5.0],
    }
)
EPISODES = pd.DataFrame(
    {
        "patient": ["oak", "bay", "oak"],
        "day": [0, 3, 9],
        "until": [9, 8, 12],
        "dies": [False, False, True],
        "doubtful": [False, None, True],
        "ward": ["a", "b", "b"],
    }
)


@cache
def builder() -> FrameBuilder:
    """The builder of one hospital with four patients."""
    study = guarded(CURVE)
    with tempfile.TemporaryDirectory() as name:
        PATIENTS.to_parquet(Path(name) / "patients.parquet", index=False)
        EPISODES.to_parquet(Path(name) / "episodes.parquet", index=False)
        tables = read_snapshot(study, Path(name), "site", {"country": "US"}).tables
    return FrameBuilder(study, tables)


def intervals(rows: Rows) -> list[tuple[int, int, int]]:
    """Entry, time and cause of each row."""
    columns = (rows.entry.tolist(), rows.time.tolist(), rows.cause.tolist())
    return list(zip(*columns, strict=True))


def test_whose_rows_they_are() -> None:
    """Rows of one patient have one number, the same in all tables."""
    stays = builder().rows(Frame("episodes", "ward"))
    own = builder().rows(Frame("patients")).patient
    assert (stays.patient.tolist(), stays.patients) == ([own[3], own[1], own[3]], 2)


def test_times_as_they_are() -> None:
    """Entry at the end is left out: the third patient."""
    rows = builder().rows(Frame("patients", "entered"))
    assert intervals(rows) == [(0, 12, 1), (5, 31, 0), (40, 55, 1)]


def test_times_on_a_grid() -> None:
    """Up to the next point; censored at the last one; who enters there is left out."""
    rows = builder().rows(Frame("patients", "entered", grid=(10, 20, 40)))
    assert intervals(rows) == [(0, 20, 1), (0, 40, 0)]


def test_who_is_left_out_on_a_grid() -> None:
    """An interval that was empty stays so, and one behind the last point becomes so."""
    rows = builder().rows(Frame("patients", "entered", grid=(10, 20, 40)))
    assert rows.left_out == {"endpoint unknown": 0, "a value missing": 0, "entry at the end": 2}


def test_a_grid_without_entries() -> None:
    """Everybody is at risk from before 0."""
    rows = builder().rows(Frame("patients", "survival", grid=(20, 40)))
    assert intervals(rows) == [(-1, 20, 1), (-1, 40, 0), (-1, 20, 0), (-1, 40, 0)]


def test_what_a_row_belongs_to() -> None:
    """All rows of the table, and which of the compared frames take each."""
    compared = (
        Frame("patients"),
        Frame("patients", complete=("ldh",)),
        Frame("patients", "entered", cohort="elders"),
    )
    rows = builder().rows(Frame("patients", compared=compared))
    expected = [[True, True, False], [True, False, False], [True, True, False], [True, True, True]]
    assert rows.member.tolist() == expected


def test_nothing_is_compared() -> None:
    """Of a frame that compares no others."""
    assert builder().rows(Frame("patients")).member.shape == (4, 0)


def test_some_of_the_rows() -> None:
    """Their patients are counted anew."""
    stays = builder().rows(Frame("episodes", "ward")).subset(np.array([True, False, True]))
    assert (len(stays), stays.patients) == (2, 1)


def test_the_canonical_form_of_a_frame_says_all() -> None:
    """Grid and compared frames are part of the question."""
    inner = Frame("patients", grid=(7, 14))
    document = Frame("patients", compared=(inner,)).document()
    assert (document["compared"], inner.document()["grid"]) == ([inner.document()], [7, 14])
