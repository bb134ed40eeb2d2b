"""From a hospital's files to tables: what comes out, and what is said of files that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.contract.errors import DataError, StudyError
from site_agent.contract.study.read import read_study
from site_agent.importing.faults import UnfitSource
from site_agent.importing.run import import_tables
from tests.site_agent.importing.hospital_files import (
    CSV,
    EXAMPLE,
    MAPPING,
    STUDY,
    columns,
    imported,
    refused,
    study,
)


def test_dates_become_days_and_ages(tmp_path: Path) -> None:
    """Counted by hand: days from each patient's start, and completed years at it."""
    found = columns(imported(tmp_path))
    assert {name: found[name] for name in ("patient", "age", "death_day", "last_seen_day")} == {
        "patient": ["a", "b", "c"],
        "age": [49, 60, 41],
        "death_day": [30, None, None],
        "last_seen_day": [30, 184, 1],
    }


def test_words_and_units(tmp_path: Path) -> None:
    """Words become the study's codes, and 0.29 g/dL is 2.9 g/L exactly."""
    found = columns(imported(tmp_path))
    assert [found[name] for name in ("sex", "albumin", "smoker")] == [
        ["2", "1", "1"],
        [None, 39.0, 2.9],
        [True, False, None],
    ]


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    """Twice the same, and in another order of rows."""
    head, *rows = CSV.splitlines()
    turned = "\n".join([head, *rows[::-1]]) + "\n"
    found = [
        (imported(tmp_path / name, csv=csv) / "patients.parquet").read_bytes()
        for name, csv in {"one": CSV, "two": CSV, "turned": turned}.items()
    ]
    assert len(set(found)) == 1


def test_no_date_is_kept(tmp_path: Path) -> None:
    """The year of a source stands nowhere in the tables."""
    out = imported(tmp_path)
    assert b"2021" not in (out / "patients.parquet").read_bytes()


def test_redcap(tmp_path: Path) -> None:
    """The worked example: events, a repeating instrument, checkboxes, labels with commas."""
    study = read_study((EXAMPLE / "study.yaml").read_text("utf-8"), "study.yaml")
    import_tables(study, EXAMPLE / "mapping.yaml", tmp_path, "north", {})
    patients, grades = columns(tmp_path), columns(tmp_path, "grades")
    assert (
        patients["disease"],
        patients["siltuximab"],
        patients["last_seen_day"],
        list(zip(grades["patient"], grades["day"], grades["icans"], strict=True))[3:6],
    ) == (
        ["DLBCL", "DLBCL", "B-ALL", "MCL", "DLBCL", "MCL"],
        [False, True, False, True, False, False],
        [181, 36, 272, 36, 365, 30],
        [("1", 4, 0), ("2", 2, 0), ("2", 3, 2)],
    )


BAD = {
    "not a number": (
        ("3.9", "<5"),
        "data.csv, column alb: row 2: no finite number with '.' as decimal mark; say in the "
        "mapping what it means (values), or name it under 'missing' of the source",
    ),
    "infinite": (
        ("3.9", "inf"),
        "data.csv, column alb: row 2: no finite number with '.' as decimal mark; say in the "
        "mapping what it means (values), or name it under 'missing' of the source",
    ),
    "out of range": (
        ("3.9", "39"),
        "data.csv, column alb: row 2: a value outside of 1 to 80 g/L; check value and unit",
    ),
    "unknown word": (
        (",M,3.9", ",X,3.9"),
        "data.csv, column sex: row 2: a word that is none of the 2 in the mapping (values); add "
        "it there with what it means, or to 'missing' of the source",
    ),
    "missing": (
        (",M,3.9", ",,3.9"),
        "data.csv, column sex: row 2: no value, where the study allows none missing (sex)",
    ),
    "no such day": (
        ("2021-08-31", "2021-06-31"),
        "data.csv, column seen: row 2: a month or day that no calendar has; check the order of "
        "day and month (dates:)",
    ),
    "two figures": (
        ("2021-08-31", "31.08.21"),
        "data.csv, column seen: row 2: a year that has not four figures, or dates of another "
        "order than ymd",
    ),
    "no origin": (
        ("2021-02-28", ""),
        "data.csv, column seen: row 2: a date of a patient who has no origin",
    ),
    "several values": (
        ("a,1971-06-30,F", "b,1971-06-30,F"),
        "data.csv, column start: row 3: another origin of the same patient than before; say which "
        "event counts (event)",
    ),
    "cells": (
        ("3.9", "3,9"),
        "data.csv, row 2: 9 cells, expected 8 as in the header; look for a quotation mark or a "
        "delimiter too many",
    ),
    "quotation marks": (
        (",M,3.9", ',"M,3.9'),
        "data.csv, row 2: quotation marks that do not close, or a cell of over 100,000 "
        "characters; export the file again",
    ),
    "no patient": (
        ("b,1960", ",1960"),
        "data.csv, column pid: row 2: no identifier of the patient",
    ),
    "header": (
        ("alb,", "albu,"),
        "data.csv: there is no column 'alb' in the first row; did you mean 'albu'?",
    ),
    "repeated column": (
        ("alb,", "sex,"),
        "data.csv: columns 3, 4 have names that stand twice; keep one of each",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_said_of_a_file_that_does_not_fit(tmp_path: Path, name: str) -> None:
    """File, row and column, and what to do; the value is not told."""
    (old, new), said = BAD[name]
    assert old in CSV and said in refused(tmp_path, csv=CSV.replace(old, new, 1))


def test_blank_rows_are_passed_over(tmp_path: Path) -> None:
    """Rows of bare commas, as spreadsheets write them; they are counted."""
    csv = CSV.replace("\na,", "\n,,,,,,,\n , ,,,,,,\na,") + ",,,,,,,\n,,\n"
    assert columns(imported(tmp_path, csv=csv)) == columns(imported(tmp_path / "plain"))
    assert "row 5: a word" in refused(tmp_path, csv=csv.replace(",F,", ",X,"))[0]


def test_another_encoding(tmp_path: Path) -> None:
    """A byte that is no UTF-8 is told with its line."""
    csv = CSV.replace("\nb,", "\nbé,").encode("cp1252")
    assert refused(tmp_path, csv=csv) == [
        "data.csv, line 2: not text in utf-8; say in the mapping which encoding it is (encoding: "
        "cp1252 for Windows in western Europe)"
    ]


def test_a_word_is_told_once(tmp_path: Path) -> None:
    """What cannot be read is not missing besides; nor is the day of a patient without an origin."""
    csv = CSV.replace(",M,3.9", ",X,3.9").replace("2021-12-31", "")
    assert [line.partition(":")[0] for line in refused(tmp_path, csv=csv)] == [
        "data.csv, column birth",
        "data.csv, column sex",
        "data.csv, column seen",
    ]


def test_the_line_of_an_open_word(tmp_path: Path) -> None:
    """The line with nothing behind its colon is named, the word that stands there is not."""
    values = "\n        column: sex\n        values:\n          M: male\n          Fem:\n"
    mapping = MAPPING.replace("{column: sex, values: {M: male, F: female}}\n", values)
    with pytest.raises(StudyError) as found:
        imported(tmp_path, mapping=mapping)
    line = mapping.splitlines().index("          Fem:") + 1
    said = f"line {line}: tables.patients.columns.sex: not completed yet"
    assert said in str(found.value) and "Fem" not in str(found.value)


def test_utf_8_with_its_mark_read_otherwise(tmp_path: Path) -> None:
    """The first name would have the mark's bytes in front."""
    mapping = MAPPING.replace("patient: pid,", "patient: pid, encoding: cp1252,")
    assert refused(tmp_path, csv=b"\xef\xbb\xbf" + CSV.encode(), mapping=mapping) == [
        "data.csv: the file is UTF-8; take 'encoding' out of the mapping"
    ]


def test_the_right_encoding(tmp_path: Path) -> None:
    """With the encoding in the mapping the file is read."""
    csv = CSV.replace("\nb,", "\nbé,").encode("cp1252")
    mapping = MAPPING.replace("patient: pid,", "patient: pid, encoding: cp1252,")
    assert columns(imported(tmp_path, csv=csv, mapping=mapping))["patient"] == ["a", "bé", "c"]


def test_an_identifier_is_refused(tmp_path: Path) -> None:
    """A column that the mapping lists as an identifier is not imported, only days of a date."""
    mapping = MAPPING.replace("identifiers: [name]", "identifiers: [sex, birth]")
    assert refused(tmp_path, mapping=mapping) == [
        "data.csv, column birth: marked as an identifier (under 'identifiers'), which is never "
        "imported; if only days or years are to be kept of it, say so (days_only: true)",
        "data.csv, column sex: marked as an identifier (under 'identifiers'), which is never "
        "imported; take another column",
    ]


def test_days_of_an_identifier(tmp_path: Path) -> None:
    """A date that is marked may be taken where the mapping says that only days are kept."""
    mapping = MAPPING.replace("identifiers: [name]", "identifiers: [birth]")
    mapping = mapping.replace("as: age", "as: age, days_only: true")
    assert columns(imported(tmp_path, mapping=mapping))["age"] == [49, 60, 41]


def test_an_identifier_of_redcap_is_refused(tmp_path: Path) -> None:
    """Identifier? = y in the data dictionary holds, whatever the mapping says."""
    study = read_study((EXAMPLE / "study.yaml").read_text("utf-8"), "study.yaml")
    text = (EXAMPLE / "mapping.yaml").read_text("utf-8").replace("record_id", "mrn")
    for name in ("export.csv", "dictionary.csv"):
        text = text.replace(name, str(EXAMPLE / name))
    (tmp_path / "mapping.yaml").write_text(text.replace(", mrn,", ","), "utf-8")
    with pytest.raises(DataError, match=r"column mrn: marked as an identifier \(Identifier\? = y"):
        import_tables(study, tmp_path / "mapping.yaml", tmp_path / "out", "north", {})


def test_only_some_patients(tmp_path: Path) -> None:
    """Patients without one of the words are left out."""
    mapping = MAPPING + "only: {column: sex, is: [M]}\n"
    assert columns(imported(tmp_path, mapping=mapping))["patient"] == ["b", "c"]


def test_one_of_several_values(tmp_path: Path) -> None:
    """The largest of a patient's values, where the mapping says so."""
    csv = CSV + "b,1960-02-29,M,3.9,no,2021-02-28,,2021-09-01\n"
    mapping = MAPPING.replace("{column: seen, as: day}", "{column: seen, as: day, take: largest}")
    assert columns(imported(tmp_path, csv=csv, mapping=mapping))["last_seen_day"] == [30, 185, 1]


def test_dates_of_another_order(tmp_path: Path) -> None:
    """Day, month and year by the mapping, whatever stands between them."""
    csv = CSV.replace("2021-08-31", "31.08.2021")
    mapping = MAPPING.replace("patient: pid,", "patient: pid, dates: dmy,")
    assert columns(imported(tmp_path, csv=csv, mapping=mapping))["last_seen_day"] == [30, 184, 1]


def test_tables_that_do_not_fit_leave_the_old_ones(tmp_path: Path) -> None:
    """A death before the origin: refused by the study's own rules, and nothing is replaced."""
    before = (imported(tmp_path) / "patients.parquet").read_bytes()
    assert refused(tmp_path, csv=CSV.replace("2021-03-31,", "2021-02-21,", 1)) == [
        "data.csv, column died: row 3: a day before day 0; correct it, or the patient's origin"
    ]
    folder = tmp_path / "tables"
    assert ((folder / "patients.parquet").read_bytes(), len(list(folder.iterdir()))) == (before, 1)


def test_what_only_the_tables_together_show(tmp_path: Path) -> None:
    """A time beyond the horizon is told by endpoint, and that nothing was imported."""
    text = STUDY.replace("endpoints:", "derive: {patients: {end: last_seen_day + 300}}\nendpoints:")
    of = study(text.replace("censored: last_seen_day", "censored: end"))
    with pytest.raises(UnfitSource, match=r"nothing was imported \(1 finding\)\n  endpoint surv"):
        imported(tmp_path, of=of)


def test_days_before_day_0_that_no_endpoint_takes(tmp_path: Path) -> None:
    """The range of a day is from minus to plus the horizon."""
    of = study(STUDY.replace("death: death_day", "death: last_seen_day"))
    out = imported(tmp_path, csv=CSV.replace("2021-03-31,", "2021-02-21,", 1), of=of)
    assert columns(out)["death_day"] == [-8, None, None]


def test_days_before_day_0_that_the_range_has_not(tmp_path: Path) -> None:
    """Refused whether an endpoint takes them or not."""
    text = STUDY.replace("death: death_day", "death: last_seen_day")
    of = study(text.replace("death_day: {type: day,", "death_day: {type: day, range: [0, 400],"))
    with pytest.raises(UnfitSource, match="column died: row 3: a day before day 0"):
        imported(tmp_path, csv=CSV.replace("2021-03-31,", "2021-02-21,", 1), of=of)


def test_days_before_day_0_of_a_derived_column(tmp_path: Path) -> None:
    """What an endpoint takes of a derived column is traced to the file."""
    text = STUDY.replace("endpoints:", "derive: {patients: {end: last_seen_day + 0}}\nendpoints:")
    of = study(text.replace("censored: last_seen_day", "censored: end"))
    with pytest.raises(UnfitSource, match="data.csv, column seen: row 4: a day before day 0"):
        imported(tmp_path, csv=CSV.replace("2022-01-01", "2021-12-30"), of=of)


ISSUES = {
    "open": ("{column: died, as: day}", "{column: , as: day}", "not completed yet"),
    "open word": ("F: female", "F: ", "not completed yet: what a word of the source means"),
    "open flag": ("as: age}", "as: age, days_only: }", "days_only: not completed yet: true, if"),
    "level": ("F: female", "F: femal", "did you mean 'female'?"),
    "field": ("multiply: 10", "times: 10", "unknown field 'times'"),
    "column": ("sex: {column", "sexx: {column", "'sexx' is not a column of the table"),
    "absent": ("{column: birth, as: age}", "{absent: true}", "so it cannot be absent"),
    "study": ("study: small", "study: other", "for another study than 'small'"),
    "day": ("{column: birth, as: age}", "{column: birth, as: day}", "as: day is for columns"),
    "factor": ("multiply: 10", "multiply: 0", "expected a number above 0"),
    "origin": ("origin: {column: start}\n", "", "days and ages need an origin"),
}


@pytest.mark.parametrize("name", ISSUES)
def test_what_is_said_of_a_mapping(tmp_path: Path, name: str) -> None:
    """Each mistake is told with its line."""
    old, new, said = ISSUES[name]
    with pytest.raises(StudyError) as found:
        imported(tmp_path, mapping=MAPPING.replace(old, new, 1))
    assert said in str(found.value) and "line " in str(found.value)
