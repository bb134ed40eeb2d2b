"""Columns that stand side by side and become rows, and times that are not counted in days."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.contract.errors import DataError, StudyError
from site_agent.importing.draft import draft
from tests.site_agent.importing import hospital_files
from tests.site_agent.importing.hospital_files import columns, study, write

GRADES = """\
  grades:
    key: [patient, day]
    columns:
      day: {type: day}
      crs: {type: integer, range: [0, 5], missing: allowed}
      icans: {type: category, levels: [none, mild, severe], missing: allowed}
      ward: {type: category, levels: [a, b]}
"""
WIDE_STUDY = f"""\
quorum: 1
study: small
title: A small study
time: {{unit: day, horizon: 400}}
tables:
  patients:
    key: patient
    columns:
      last_seen_day: {{type: day}}
{GRADES}endpoints:
  seen: {{event: {{seen: last_seen_day}}, censored: last_seen_day}}
analyses:
  overall: {{kind: survival, endpoint: seen}}
disclosure:
  classes: [A, B, V]
  compute: {{sites: 5, patients: 10, others: 10}}
  show: {{cell: 5}}
  between_releases: {{patients: 5, sites: 3}}
"""
WIDE_CSV = """\
pid,seen,ward,crs_day0,crs_day1,crs_day3,icans_day1
b,30,a,2,,0,M
a,40,b,,,,
c,50,b,1,3,,N
"""
WIDE = """\
quorum_import: 1
study: small
sources:
  data: {file: data.csv, patient: pid}
identifiers: [surname]
tables:
  patients:
    columns:
      last_seen_day: {column: seen}
  grades:
    columns:
      day: {counted: true}
      crs: {columns: {0: crs_day0, 1: crs_day1, 3: crs_day3}}
      icans: {columns: {1: icans_day1}, values: {N: none, M: mild}}
      ward: {column: ward}
"""


def imported(
    folder: Path, mapping: str = WIDE, csv: str = WIDE_CSV, text: str = WIDE_STUDY
) -> Path:
    """The folder of the tables that these files give."""
    return hospital_files.imported(folder, csv=csv, mapping=mapping, of=study(text))


def test_columns_become_rows(tmp_path: Path) -> None:
    """A row for each day with any grade; what stands once in a row is in each of its rows."""
    found = columns(imported(tmp_path), "grades")
    assert list(
        zip(*(found[name] for name in ("patient", "day", "crs", "icans", "ward")), strict=True)
    ) == [
        ("b", 0, 2, None, "a"),
        ("b", 1, None, "mild", "a"),
        ("b", 3, 0, None, "a"),
        ("c", 0, 1, None, "b"),
        ("c", 1, 3, "none", "b"),
    ]


def test_a_finding_names_the_column_that_it_is_in(tmp_path: Path) -> None:
    """Row and column of the hospital's file, not of the table that was to be made."""
    with pytest.raises(DataError) as found:
        imported(tmp_path, csv=WIDE_CSV.replace("c,50,b,1,3", "c,50,b,1,7"))
    assert "data.csv, column crs_day1: row 4: a value outside of 0 to 5" in str(found.value)


def test_an_identifier_among_the_columns_is_refused(tmp_path: Path) -> None:
    """Each of the columns is looked at."""
    with pytest.raises(DataError, match="column crs_day3: marked as an identifier"):
        imported(tmp_path, WIDE.replace("[surname]", "[crs_day3]"))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("day: {counted: true}", "day: {column: seen}", "write `day: {counted: true}`"),
        ("{0: crs_day0, 1", "{first: crs_day0, 1", "'first' is no value of day"),
        ("{0: crs_day0, 1", "{0.5: crs_day0, 1", "'0.5' is no value of day"),
        ("{0: crs_day0, 1", "{1.0: crs_day0, 1", "'1' is the same value of day as one before"),
        ("{0: crs_day0, 1", "{0: [x], 1", "expected the name of a column"),
        ("ward: {column: ward}", "ward: {counted: true}", "only the second key of a table"),
        ("{column: seen}", "{columns: {0: seen}}", "one row for each patient"),
        (
            "crs: {columns: {0: crs_day0, 1: crs_day1, 3: crs_day3}}\n      icans: {columns: "
            "{1: icans_day1}",
            "crs: {column: crs_day0}\n      icans: {column: icans_day1",
            "'day' is counted, and no column has 'columns'",
        ),
    ],
    ids=[
        "not counted",
        "no value",
        "no whole day",
        "one day twice",
        "no name",
        "no key",
        "one row",
        "nothing wide",
    ],
)
def test_mappings_that_do_not_fit(tmp_path: Path, old: str, new: str, words: str) -> None:
    """Each is an issue that says what to write."""
    with pytest.raises(StudyError) as found:
        imported(tmp_path, WIDE.replace(old, new))
    assert words in str(found.value)


def test_a_draft_sees_them(tmp_path: Path) -> None:
    """Names that end in a number, and the day they are counted by; it imports once completed."""
    write(tmp_path, {"data.csv": WIDE_CSV})
    text = draft(study(WIDE_STUDY), [tmp_path / "data.csv"], tmp_path)
    assert (
        "      day: {counted: true}" in text,
        "          0: crs_day0\n          1: crs_day1\n          3: crs_day3\n" in text,
    ) == (True, True)


@pytest.mark.parametrize("names", ["crs_1,crs_day1,crs_2", "crs_2021,crs_2022,crs_2023"])
def test_a_draft_leaves_unclear_numbers_to_a_person(tmp_path: Path, names: str) -> None:
    """Two columns of one number, and years, which would be counted by their last figures."""
    write(tmp_path, {"data.csv": f"pid,seen,ward,{names}\nb,30,a,2,1,0\n"})
    assert "counted: true" not in draft(study(WIDE_STUDY), [tmp_path / "data.csv"], tmp_path)


IN_WEEKS = """\
quorum: 1
study: small
title: A small study
time: {unit: week, resolution: "1/7", horizon: 100}
tables:
  patients:
    key: patient
    columns:
      seen: {type: week}
endpoints:
  seen: {event: {seen: seen}, censored: seen}
analyses:
  overall: {kind: survival, endpoint: seen}
disclosure:
  classes: [A, B, V]
  compute: {sites: 5, patients: 10, others: 10}
  show: {cell: 5}
  between_releases: {patients: 5, sites: 3}
"""
DATES = """\
pid,start,seen
a,2021-01-01,2021-01-31
b,2021-01-01,2021-12-31
"""
FROM_DATES = """\
quorum_import: 1
study: small
sources:
  data: {file: data.csv, patient: pid}
origin: {column: start}
tables:
  patients:
    columns:
      seen: {column: seen, as: time}
"""


@pytest.mark.parametrize(
    ("unit", "resolution", "expected"),
    [
        ("week", "1/7", [30 / 7, 52.0]),  # 30 and 364 days
        ("month", "1/10", [1.0, 12.0]),  # 0.986 and 11.959 months of 30.4375 days
        ("year", "1/100", [0.08, 1.0]),  # 0.0821 and 0.9966 years of 365.25 days
        ("day", "1", [30.0, 364.0]),
    ],
)
def test_times_from_dates(
    tmp_path: Path, unit: str, resolution: str, expected: list[float]
) -> None:
    """Days in the study's unit, at the nearest tick of its resolution."""
    text = IN_WEEKS.replace("week", unit).replace('"1/7"', f'"{resolution}"')
    found = columns(
        imported(tmp_path, FROM_DATES, DATES, text.replace("horizon: 100", "horizon: 400"))
    )
    assert found["seen"] == expected


def test_days_of_another_study_are_refused(tmp_path: Path) -> None:
    """A study in weeks has no days: the issue says what to write instead."""
    with pytest.raises(StudyError, match="the study counts in weeks; take as: time"):
        imported(tmp_path, FROM_DATES.replace("as: time", "as: day"), DATES, IN_WEEKS)
