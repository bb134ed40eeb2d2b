"""Looking data through: findings as the agent has them, warnings, missing values, drop-outs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from site_agent.checking import parts
from site_agent.checking.examine import examine
from site_agent.checking.page import page
from site_agent.checking.report import Report
from site_agent.checking.words import in_words
from site_agent.contract.errors import DataError
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.data.source import read_data
from tests.site_agent.importing.hospital_files import EXAMPLE

STUDY = read_study((EXAMPLE / "study.yaml").read_text("utf-8"), "study.yaml")
Frames = dict[str, pd.DataFrame]


def frames(patients: int = 8) -> Frames:
    """Made-up patients that fit the study, and three grades of each."""
    number = np.arange(patients)
    whose = np.repeat(number, 3)
    return {
        "patients": pd.DataFrame(
            {
                "patient": [f"canary-{n}" for n in number],
                "age": 40 + number % 30,
                "sex": np.where(number % 2, "1", "2"),
                "disease": "MCL",
                "weight_kg": 61.5 + number % 20,
                "kps": pd.array([None, *[90] * (patients - 1)], dtype="Int64"),
                "albumin": 31.0 + number % 9,
                "ferritin": np.where(number == 1, np.nan, 700.5 + number),
                "bulky": "no",
                "siltuximab": False,
                "death_day": pd.array([30, *[None] * (patients - 1)], dtype="Int64"),
                "last_seen_day": np.where(number == 0, 30, 90 + number % 300),
            }
        ),
        "grades": pd.DataFrame(
            {
                "patient": [f"canary-{n}" for n in whose],
                "day": np.tile([1, 2, 3], patients),
                "crs": 1,
                "icans": 0,
            }
        ),
    }


def write(folder: Path, of: Frames) -> Path:
    """Write tables as Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, frame in of.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def looked(folder: Path, of: Frames | None = None, *, keys: bool = False) -> Report:
    """The report of tables."""
    return examine(STUDY, write(folder, of or frames()), "north", {}, show_keys=keys)


def noted(report: Report) -> list[tuple[str, str, int]]:
    """Place, rule and count of findings and warnings."""
    return [
        (found.finding.place, found.finding.rule, found.finding.count)
        for found in (*report.findings, *report.warnings)
    ]


def test_data_that_fit(tmp_path: Path) -> None:
    """Rows, missing values, and who drops out of which analysis, counted by hand."""
    report = looked(tmp_path)
    assert (
        noted(report),
        dict(report.rows),
        {name: count for name, count in report.missing["patients"].items() if count},
        {name: found.document() for name, found in (report.analyses or {}).items()},
    ) == (
        [],
        {"patients": 8, "grades": 24},
        {"kps": 1, "ferritin": 1, "death_day": 7},
        {
            "overall": {"patients": 8, "out": 0, "reasons": {}},
            "model": {"patients": 8, "out": 1, "reasons": {"log10_ferritin missing": 1}},
        },
    )


def test_the_snapshot_is_that_of_the_agent(tmp_path: Path) -> None:
    """The digest is the one to which a release commits."""
    report = looked(tmp_path)
    assert report.snapshot == read_data(STUDY, tmp_path, "north", {}).digest


def put(table: str, column: str, value: Any, row: int = 2) -> Frames:
    """The tables with one value changed."""
    found = frames()
    found[table][column] = found[table][column].astype(object)
    found[table].loc[row, column] = value
    if column not in ("patient", "sex", "disease"):
        found[table][column] = found[table][column].astype("Float64")
    return found


FAULTS = {
    "out of range": put("patients", "age", 200),
    "unknown level": put("patients", "disease", "CLL"),
    "missing": put("patients", "age", None),
    "fraction": put("grades", "day", 2.5),
    "infinite": put("patients", "ferritin", float("inf")),
    "duplicate key": put("grades", "day", 2),
    "orphan": put("grades", "patient", "canary-99"),
    "negative time": put("patients", "last_seen_day", -3),
}


@pytest.mark.parametrize("rule", FAULTS)
def test_findings_are_those_of_the_agent(tmp_path: Path, rule: str) -> None:
    """Place, rule, count and words are what a release would be refused with."""
    report = looked(tmp_path, FAULTS[rule])
    with pytest.raises(DataError) as refused:
        read_data(STUDY, tmp_path, "north", {})
    found = [entry.finding for entry in report.findings]
    assert (found, rule in {f.rule for f in found}, report.analyses) == (
        list(refused.value.findings),
        True,
        None,
    )


def many(fault: str | None = None) -> Frames:
    """Tables of several parts, some rows of which are wrong in each."""
    found = frames(150)
    if fault == "out of range":
        found["patients"].loc[::7, "age"] = 200
    if fault == "orphan":
        found["grades"].loc[::9, "patient"] = "nobody"
    if fault == "duplicate key":
        found["grades"].loc[::6, "day"] = 2
    if fault == "negative time":
        found["patients"].loc[1::5, "last_seen_day"] = -3
    return found


@pytest.mark.parametrize(
    "fault", [None, "out of range", "orphan", "duplicate key", "negative time"]
)
def test_parts_say_what_the_whole_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str | None
) -> None:
    """Read in 14 parts, a folder gives the report that it gives in one."""
    whole = looked(tmp_path, many(fault)).document()
    monkeypatch.setattr(parts, "CELLS", 275)
    split = examine(STUDY, tmp_path, "north", {}).document()
    assert (split, bool(whole["findings"])) == (whole, fault is not None)


@pytest.mark.parametrize("kind", ["int64", "float64", "category", "string"])
def test_an_identifier_is_in_one_part(kind: str) -> None:
    """Whatever its type, the same word is in the same part as the text."""
    import pyarrow as pa

    words = pd.Series([str(n) for n in range(200)])
    typed = pa.array(words.astype(float).astype(kind) if "64" in kind else words.astype(kind))
    expected = parts.part_of(pa.array(words), 7)
    assert parts.part_of(typed, 7).tolist() == expected.tolist()


def test_another_unit(tmp_path: Path) -> None:
    """Albumin in g/dL is within the dictionary's range, but no group has such a median."""
    of = frames()
    of["patients"]["albumin"] /= 10
    report = looked(tmp_path, of)
    assert (noted(report), report.warnings[0].finding.message) == (
        [("table patients, column albumin", "unit", 8)],
        "the numbers look like g/dL, and the study wants g/L: times 10 they would be what is "
        "expected; compare with the laboratory",
    )


def test_an_event_after_the_day_last_seen(tmp_path: Path) -> None:
    """It does not count in any analysis, so somebody should look."""
    of = frames()
    of["patients"].loc[0, "last_seen_day"] = 20
    assert noted(looked(tmp_path, of)) == [("table patients", "event after last seen", 1)]


def test_seen_after_death(tmp_path: Path) -> None:
    """A day last seen behind the day of death."""
    of = frames()
    of["patients"].loc[0, "last_seen_day"] = 40
    assert noted(looked(tmp_path, of)) == [("table patients", "after death", 1)]


def test_a_row_after_the_day_last_seen(tmp_path: Path) -> None:
    """A grade behind the day on which the patient was last seen."""
    of = frames()
    of["grades"].loc[2, "day"] = 31
    assert noted(looked(tmp_path, of)) == [("table grades", "row after last seen", 1)]


def everything(report: Report) -> str:
    """All texts that a report is told in by default."""
    return "\n".join([*in_words(report), page(report), str(report.document()), repr(report)])


@pytest.mark.parametrize("rule", [*FAULTS, "after death"])
def test_no_key_is_told_by_default(tmp_path: Path, rule: str) -> None:
    """Neither lines, nor page, nor document, nor repr have an identifier, even if asked for."""
    of = FAULTS.get(rule, frames())
    of["patients"].loc[0, "last_seen_day"] = 40
    assert "canary" not in everything(looked(tmp_path, of, keys=True))


def test_keys_on_request(tmp_path: Path) -> None:
    """With --show-keys each finding names whose rows it is about."""
    report = looked(tmp_path, FAULTS["out of range"], keys=True)
    assert "    canary-2" in list(in_words(report, show_keys=True))


def test_the_page_runs_and_loads_nothing(tmp_path: Path) -> None:
    """A strict policy, no script, no reference."""
    text = page(looked(tmp_path, FAULTS["out of range"]))
    found = [word for word in ("<script", "href=", "src=", "url(", "onload") if word in text]
    assert (found, "default-src 'none'; style-src 'sha256-" in text) == ([], True)


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    """What cannot be opened is a finding, and nothing else is said."""
    (write(tmp_path, frames()) / "grades.parquet").unlink()
    report = examine(STUDY, tmp_path, "north", {})
    assert (noted(report), report.analyses) == ([("grades", "missing file", 1)], None)


def study_of_medians(name: str, unit: str, limits: str) -> Study:
    """A study of one quantity."""
    text = (EXAMPLE / "study.yaml").read_text("utf-8")
    old = next(line for line in text.splitlines() if " ferritin: " in line)
    new = f"      {name}: {{type: number, unit: {unit}, range: {limits}, missing: allowed}}"
    return read_study(text.replace(old, new).replace("log10(ferritin)", f"log10({name})"), "s.yaml")


@pytest.mark.parametrize(
    ("name", "unit", "limits", "values", "expected"),
    [
        ("ferritin", "ug/L", "[1, 100000]", [300.0, 900, 5000, 40, 800], None),
        ("platelets", "G/L", "[0, 2000000]", [150e3, 90e3, 240e3, 60e3, 30e3], "1/uL"),
        ("weight", "kg", "[3, 250]", [6e4, 7e4, 8e4, 5.5e4, 9e4], "g"),
        ("height", "cm", "[100, 220]", [1.7, 1.6, 1.8, 1.9, 1.75], "m"),
        ("dose", "mg", "[10, 500]", [1e5, 2e5, 3e5, 1e5, 2e5], "ug"),
        ("dose", "mg", "[10, 500]", [100.0, 200, 300, 100, 200], None),
        ("score", "points", "[0, 10]", [100.0, 200, 300, 100, 200], None),
    ],
)
def test_units(
    name: str, unit: str, limits: str, values: list[float], expected: str | None
) -> None:
    """By the medians that groups have, or by the dictionary's range."""
    from site_agent.checking.quantities import suspected_unit

    column = study_of_medians(name, unit, limits).tables["patients"].columns[name]
    found = suspected_unit(column, np.array(values))
    assert (found.unit if found else None) == expected
