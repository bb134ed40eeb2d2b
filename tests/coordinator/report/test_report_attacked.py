"""A reader with a solver before the pages of a report: he recovers no suppressed count.

The study has 150 patients, all followed to day 40, so that a curve's height is a count. Few die
early in arm b; two patients without an age are left out of a model, and one of the two dies.
"""

from __future__ import annotations

import base64
import html
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.report import build_report
from coordinator.report.markdown import pieces
from coordinator.report.suppression import END
from tests.coordinator.report.made import (
    NONE_LEFT_OUT,
    cox_fit,
    disclosure,
    logrank,
    manifest,
    term,
    write_release,
)
from tests.coordinator.report.old_rendering import OLD
from tests.coordinator.report.patients import Patient, by, survival_document
from tests.coordinator.report.reading_back import ALL, Analysis, Reader, analyses
from tests.coordinator.report.solver import NONE

LEAST = 5
LAST = 40
AT = (5, 15, 25)
ARMS = ("a", "b")
DEATHS = {
    "a": (
        *(2, 3, 3, 4, 6, 8, 8, 9, 11, 12, 12, 14, 16, 17, 17, 19, 20, 22, 23, 23, 24, 26, 27),
        *(29, 31, 33, 34, 36, 36, 38),
    ),
    "b": (3, 4, 4, 12, 13, 14, 18, 22, 23, 24, 29, 33, 35),
}
SIZES = {"a": 90, "b": 60}  # fmt: skip


def patients() -> list[Patient]:
    """Return the deaths, and everybody else to the last day."""
    return [
        Patient(day, cause, {"arm": arm})
        for arm in ARMS
        for day, cause in itertools.chain(
            ((day, 1) for day in DEATHS[arm]), [(LAST, 0)] * (SIZES[arm] - len(DEATHS[arm]))
        )
    ]


def dead(group: str, after: float, until: float) -> int:
    days = [day for arm in ARMS for day in DEATHS[arm] if group in (arm, ALL)]
    return sum(after < day <= until for day in days)


def study() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return (kind, result) of each analysis."""
    everybody = patients()
    sizes, deaths = [len(own) for own in by(everybody, "arm").values()], [30, 13]
    fit = {**cox_fit(term("age"), rows=148, events=42).document(), "patients": 148}
    fit["left_out"] = {**NONE_LEFT_OUT, "a value missing": 2}
    return {
        "overall": ("survival", survival_document(everybody, "", AT)),
        "arms": ("survival", survival_document(everybody, "arm", AT)),
        "arms_test": ("logrank", {**logrank(sizes, deaths), "groups": list(ARMS), "patients": 150}),
        "model": ("cox", fit),
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of the study's release."""
    names = study()
    changes = {**manifest(list(names)), "patients": 150, "disclosure": disclosure(cell=LEAST)}
    return write_release(tmp_path / "attacked", changes, names)


def reader(shown: dict[str, Analysis]) -> Reader:
    """Return somebody who has read the report."""
    found = Reader(150, ARMS, [float(day) for day in range(LAST + 1)])
    found.read(shown["overall"], [ALL])
    found.read(shown["arms"], list(ARMS))
    return found


def few_deaths() -> Iterator[tuple[str, float, float]]:
    """Yield each group and times of the report between which one to four die."""
    times = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 35.0, END)
    for group, (after, until) in itertools.product((ALL, *ARMS), itertools.pairwise(times)):
        if 0 < dead(group, after, until) < LEAST:
            yield group, after, until


def recovered(shown: dict[str, Analysis]) -> list[tuple[str, float, float]]:
    """Return the small counts of deaths that the reader narrows to less than the limit."""
    one = reader(shown)
    found = []
    for group, after, until in few_deaths():
        low, high = one.deaths(group, after, until)
        assert low - 0.1 <= dead(group, after, until) <= high + 0.1
        if high - low < LEAST - 0.1:
            found.append((group, after, until))
    return found


def left_out(shown: dict[str, Analysis]) -> set[int]:
    """Return the numbers of rows left out of the model that agree with what is shown."""
    (fit,) = shown["model"].tables["Fit"]
    rows = fit[0]
    return set(range(1, LEAST)) if not rows.isdecimal() else {150 - int(rows)}


def test_the_reader_recovers_no_few_deaths(folder: Path) -> None:
    """Tables, curves and risk tables of all analyses together leave each small count open."""
    assert recovered(analyses(build_report(folder).decode())) == []


def test_the_reader_recovers_them_from_the_old_rendering() -> None:
    """The attack sees: the same study as it was rendered before gives most of them back."""
    found = recovered(OLD)
    assert len(found) >= 0.8 * len(list(few_deaths()))


def test_the_rows_left_out_of_a_model_stay_open(folder: Path) -> None:
    """One to four: what the mark says, and no more."""
    assert left_out(analyses(build_report(folder).decode())) == {1, 2, 3, 4}


def test_the_old_rendering_told_the_rows_left_out() -> None:
    """150 patients less 148 rows."""
    assert left_out(OLD) == {2}


def test_the_death_left_out_of_a_model_is_not_told(folder: Path) -> None:
    """43 deaths of all less 42 of the model would be the one of those left out."""
    (fit,) = analyses(build_report(folder).decode())["model"].tables["Fit"]
    assert fit == ("hidden",) * 6


def test_the_report_still_tells_of_the_study(folder: Path) -> None:
    """What is large is shown: rows, deaths, survival at later times, and the test."""
    shown = analyses(build_report(folder).decode())
    (row,) = shown["overall"].tables["Median and quantiles of the time, in days"]
    late = shown["overall"].tables["Estimates at given times"][-1]
    assert (row[:2], late[:3]) == (("150", "43"), ("25", "119", "31"))


def test_curves_are_still_drawn(folder: Path) -> None:
    """Through fourteen points for all patients, and five that the arms have in common."""
    shown = analyses(build_report(folder).decode())
    steps = [
        path.count("L") for name in ("overall", "arms") for path in shown[name].drawings[0].paths
    ]
    assert steps == [14, 5, 5]


def test_pages_show_no_more_than_the_report(folder: Path) -> None:
    """The markdown has the figures of the HTML report, and the cells of its tables."""
    report = build_report(folder).decode()
    pages = "\n".join(piece.markdown for piece in pieces(folder))
    images = [base64.b64decode(data).decode() for data in re.findall(r"base64,([^)]*)\)", pages)]
    measured = [re.findall(r'<path class="curve" d="([^"]*)"', image) for image in images]
    shown = analyses(report)
    tables = {
        cell for a in shown.values() for rows in a.tables.values() for r in rows for cell in r
    }
    cells = {
        html.unescape(c).replace("\u00a0", " ").replace("\\", "").strip()
        for line in pages.splitlines()
        if line.startswith("| ")
        for c in line.split(" | ")
    }
    known = [list(d.paths) for a in shown.values() for d in a.drawings]
    assert (measured, tables - {c.strip("| ") for c in cells}) == (known, set())


def test_a_small_count_is_open_by_its_interval(folder: Path) -> None:
    """Three of arm b die by day 5: of the first deaths shown there are none to six."""
    low, high = reader(analyses(build_report(folder).decode())).deaths("b", 0.0, 5.0)
    assert (low < NONE, high >= LEAST) == (True, True)
