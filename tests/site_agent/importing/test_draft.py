"""Drafting a mapping: what is filled in, what stands open."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from site_agent.contract.errors import ConfigurationError, StudyError
from site_agent.contract.study.read import read_study
from site_agent.importing.draft import OPEN, draft
from site_agent.importing.mapping import read_mapping
from site_agent.importing.run import import_tables, write_draft
from tests.site_agent.importing.hospital_files import CSV, EXAMPLE, STUDY, columns, study, write


@pytest.fixture(scope="module")
def text() -> str:
    """The draft of the worked example."""
    of = read_study((EXAMPLE / "study.yaml").read_text("utf-8"), "study.yaml")
    return draft(of, [EXAMPLE / "export.csv", EXAMPLE / "dictionary.csv"], EXAMPLE)


def lines(text: str, column: str) -> list[str]:
    """What a draft says of a column of the study, comments left out."""
    found = re.search(rf"^      {column}:\n((?:        .*\n)+)", text, re.MULTILINE)
    assert found is not None, column
    return [line.split("   #")[0].strip() for line in found[1].splitlines()]


def test_codes_become_levels_by_their_labels(text: str) -> None:
    """The level is found in a label with commas and brackets."""
    assert lines(text, "disease")[2:] == ["values:", "1: DLBCL", "2: MCL", "3: B-ALL"]


def test_a_code_that_no_level_is_near_stands_open(text: str) -> None:
    """Whoever completes the mapping says what it means."""
    assert lines(text, "sex")[2:] == ["values:", "1: male", "2: female", "3:"]


def test_units_of_labels(text: str) -> None:
    """g/dL in the label and g/L in the study: times 10; ng/mL is ug/L."""
    assert (lines(text, "albumin")[-1], [w for w in lines(text, "ferritin") if "multi" in w]) == (
        *("multiply: 10",),
        [],
    )


def test_a_checkbox_is_a_boolean(text: str) -> None:
    """The column of the choice whose label is near."""
    assert lines(text, "siltuximab") == [
        "column: therapy___1",
        "event: enrolment_arm_1",
        "values:",
        "1: true",
        "0: false",
    ]


def test_identifiers_are_listed(text: str) -> None:
    """Those that the dictionary marks; of a date a person must allow the days."""
    assert (
        "identifiers: [surname, mrn, birth_date]" in text,
        lines(text, "age")[:3],
    ) == (True, ["column: birth_date", "as: age", "days_only:"])


def test_the_origin(text: str) -> None:
    """The date that is called day 0 by its label."""
    assert re.search(r"origin:.*\n  source: export\n  column: infusion_date", text)


def test_a_repeating_instrument(text: str) -> None:
    """The table of several rows a patient comes from the instrument that has them."""
    assert "  grades:\n    source: export\n    instrument: daily_grades\n" in text


def test_a_draft_is_refused_until_it_is_complete(text: str, tmp_path: Path) -> None:
    """Each open place is an issue with its line."""
    of = read_study((EXAMPLE / "study.yaml").read_text("utf-8"), "study.yaml")
    (tmp_path / "mapping.yaml").write_text(text, "utf-8")
    with pytest.raises(StudyError) as found:
        read_mapping(tmp_path / "mapping.yaml", of)
    assert len(found.value.issues) == text.count(OPEN) == 2


def test_the_example_is_its_draft_completed(text: str) -> None:
    """The mapping beside the example takes the columns that the draft proposes."""
    completed = (EXAMPLE / "mapping.yaml").read_text("utf-8")
    proposed = re.findall(r"^ +column: (\w+)", text, re.MULTILINE)
    assert re.findall(r"^ +column: (\w+)", completed, re.MULTILINE) == proposed


def test_a_table_without_a_dictionary(tmp_path: Path) -> None:
    """Names and words alone: what is near is taken, and the import goes through."""
    csv = CSV.replace("pid,birth,sex,alb", "patient,birth_date,gender,albumin_g_dl")
    csv = csv.replace("start,died,seen", "origin_date,death_date,last_seen").replace("0.29", "2.9")
    write(tmp_path, {"data.csv": csv.replace(",M,", ",male,").replace(",F,", ",female,")})
    text = draft(study(), [tmp_path / "data.csv"], tmp_path)
    (tmp_path / "mapping.yaml").write_text(text, "utf-8")
    import_tables(study(), tmp_path / "mapping.yaml", tmp_path / "out", "north", {})
    found = columns(tmp_path / "out")
    assert (text.count(OPEN), found["sex"], found["albumin"], found["last_seen_day"]) == (
        *(0, ["2", "1", "1"], [None, 39.0, 29.0]),
        [30, 184, 1],
    )


def test_a_draft_is_not_written_over_another(tmp_path: Path) -> None:
    """What a person has completed is not lost."""
    write(tmp_path, {"data.csv": CSV, "mapping.yaml": "mine"})
    with pytest.raises(ConfigurationError, match="is there already"):
        write_draft(study(), [tmp_path / "data.csv"], tmp_path / "mapping.yaml")


def test_only_a_dictionary(tmp_path: Path) -> None:
    """A data dictionary alone has no patients."""
    with pytest.raises(ConfigurationError, match="at least one file with data"):
        draft(study(), [EXAMPLE / "dictionary.csv"], tmp_path)


def test_a_file_of_windows(tmp_path: Path) -> None:
    """Encoding, delimiter, decimal comma and the order of dates are seen and written down."""
    rows = [
        "Patient;Geburt birth date;sex;albumin (g/dL);smoker;origin date;death date;last seen",
        "Jürgen-1;29.02.1960;male;3,9;no;28.02.2021;;31.08.2021",
        "Jürgen-2;30.06.1971;female;4,1;yes;01.03.2021;31.03.2021;31.03.2021",
    ]
    write(tmp_path, {"data.csv": "\r\n".join(rows).encode("cp1252")})
    text = draft(study(), [tmp_path / "data.csv"], tmp_path)
    (tmp_path / "mapping.yaml").write_text(text, "utf-8")
    import_tables(study(), tmp_path / "mapping.yaml", tmp_path / "out", "north", {})
    found = columns(tmp_path / "out")
    assert [found[name] for name in ("patient", "age", "albumin", "last_seen_day")] == [
        ["Jürgen-1", "Jürgen-2"],
        [60, 49],
        [39.0, 41.0],
        [184, 30],
    ]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_with_tabs_and_a_mark_of_its_encoding(tmp_path: Path, encoding: str) -> None:
    """The mark at the head of a file is no part of a name."""
    csv = CSV.replace("pid,birth,sex,alb", "patient,birth_date,sex,albumin").replace(",", "\t")
    csv = csv.replace("start\tdied\tseen", "origin_date\tdeath_date\tlast_seen")
    csv = csv.replace("\tM\t", "\tmale\t").replace("\tF\t", "\tfemale\t").replace("0.29", "2.9")
    write(tmp_path, {"data.txt": csv.encode(encoding)})
    text = draft(study(), [tmp_path / "data.txt"], tmp_path)
    (tmp_path / "mapping.yaml").write_text(text, "utf-8")
    import_tables(study(), tmp_path / "mapping.yaml", tmp_path / "out", "north", {})
    assert columns(tmp_path / "out")["age"] == [49, 60, 41]


VISITS = STUDY.replace(
    "endpoints:",
    """\
  visits:
    key: [patient, day]
    columns:
      day: {type: day}
      nyha: {type: integer, range: [1, 4], missing: allowed}
      weight_kg: {type: number, unit: kg, range: [3, 250], missing: allowed}
endpoints:""",
)
REPEATED = """\
record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,infusion,weight,visited,nyha,wt_visit
1,baseline_arm_1,,,2021-02-01,61,,,
1,baseline_arm_1,visit,1,,,2021-02-03,2,60
1,month_1_arm_1,visit,1,,,2021-03-03,3,59
2,baseline_arm_1,,,2021-02-01,70,,,
2,baseline_arm_1,visit,1,,,2021-02-04,,69
"""
FORMS = """\
field_name,form_name,field_type,field_label,identifier,text_validation_type_or_show_slider_number
record_id,enrolment,text,Study number,,
infusion,enrolment,text,Infusion (day 0),,date_ymd
weight,enrolment,text,Weight (kg),,number
visited,visit,text,Seen on,,date_ymd
nyha,visit,text,NYHA class,,integer
wt_visit,visit,text,Weight (kg) at the visit,,number
"""


@pytest.mark.parametrize("files", [["data.csv", "forms.csv"], ["data.csv"]])
def test_a_table_of_the_fields_of_a_repeating_instrument(tmp_path: Path, files: list[str]) -> None:
    """By the forms of the dictionary or by the rows; day 0 and the weight before it stay out."""
    write(tmp_path, {"data.csv": REPEATED, "forms.csv": FORMS})
    of = read_study(VISITS, "study.yaml")
    found = draft(of, [tmp_path / name for name in files], tmp_path).partition("  visits:\n")[2]
    assert [line.split("   #")[0] for line in found.splitlines()] == [
        "    source: data",
        "    instrument: visit",
        "    event: []",
        "    columns:",
        "      day:",
        "        column: visited",
        "        as: day",
        "      nyha:",
        "        column: nyha",
        "      weight_kg:",
        "        column: wt_visit",
    ]


def test_day_0_is_no_second_key(tmp_path: Path) -> None:
    """In rows of events, the day of a row stands open rather than to be day 0."""
    csv = REPEATED.replace("redcap_repeat_instrument", "form").replace("visited", "met")
    write(tmp_path, {"data.csv": csv.replace("infusion", "infusion_day")})
    text = draft(read_study(VISITS, "study.yaml"), [tmp_path / "data.csv"], tmp_path)
    assert lines(text.partition("  visits:\n")[2], "day") == ["column:"]


def test_identifiers_of_other_languages(tmp_path: Path) -> None:
    """Columns that are called so in German or French, with their accents."""
    names = ["Vorname", "Nachname", "Adresse", "Telefon", "nom", "Prénom", "Straße"]
    head, *rows = CSV.splitlines()
    csv = "\n".join([",".join([head, *names]), *(row + ",x" * len(names) for row in rows)])
    write(tmp_path, {"data.csv": csv})
    text = draft(study(), [tmp_path / "data.csv"], tmp_path)
    listed = re.search(r"^identifiers: \[(.*)\]", text, re.MULTILINE)
    assert listed is not None and listed[1].count(",") == 6
