"""Values that a mapping leaves lying, which an import tells and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.cli import cli
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.importing.draft import draft
from site_agent.importing.run import import_tables
from site_agent.runtime.command import run
from tests.site_agent.hospital import set_up
from tests.site_agent.importing.hospital_files import EXAMPLE, MAPPING, STUDY, columns, study, write
from tests.site_agent.importing.test_side_by_side import WIDE, WIDE_CSV, WIDE_STUDY

EVENTS = """\
pid,redcap_event_name,redcap_repeat_instrument,birth,sex,alb,smoker,start,died,seen,name
a,base,,1971-06-30,F,,yes,2021-03-01,,,
a,m3_arm_1,,,,,,,2021-05-21,2021-05-21,Doe
a,m12_arm_1,,,,,,,,,
b,base,,1960-02-29,M,3.9,no,2021-02-28,,,
b,m12_arm_1,,,,,,,NA,2022-01-31,
b,base,labs,,,2.8,,,,,
c,base,,1960-02-28,M,3.8,no,2021-02-28,,2021-03-01,
c,m12_arm_1,,,,,,,2021-12-01,,
"""
PINNED = MAPPING.replace("{column: died,", "{column: died, event: m12_arm_1,")


def warnings(folder: Path, csv: str, mapping: str, of: Study | None = None) -> list[str]:
    """What an import says beside the rows it wrote."""
    write(folder, {"data.csv": csv, "mapping.yaml": mapping})
    found = import_tables(of or study(), folder / "mapping.yaml", folder / "out", "north", {})
    return list(found.warnings)


def test_values_in_other_events_and_instruments(tmp_path: Path) -> None:
    """A death in an event that the mapping leaves out; blanks and words for none do not count."""
    assert warnings(tmp_path, EVENTS, PINNED) == [
        "data.csv, column alb: 1 value stands in repeating instruments that the mapping leaves "
        "out (another); look at instrument, or is it right?",
        "data.csv, column died: 1 value stands in events that the mapping leaves out (m3_arm_1); "
        "add them under event, or is it right?",
    ]


def test_a_name_that_may_be_a_value_is_not_told(tmp_path: Path) -> None:
    """An instrument of one patient alone, without a dictionary: its cells may be shifted."""
    csv = EVENTS + "c,base,labs,,,2.9,,,,,\n"
    assert ["(labs)" in line for line in warnings(tmp_path, csv, PINNED)] == [True, False]


def test_only_patients_of_the_study_count(tmp_path: Path) -> None:
    """Of a patient whom the mapping leaves out nothing is missed."""
    only = "only: {column: smoker, is: [no]}\n"
    assert [line for line in warnings(tmp_path, EVENTS, PINNED + only) if "died" in line] == []


def test_a_column_taken_from_each_event_by_another_name(tmp_path: Path) -> None:
    """What any column of the study takes is not left out."""
    mapping = MAPPING.replace("{column: died,", "{column: died, event: [m3_arm_1, m12_arm_1],")
    assert [line for line in warnings(tmp_path, EVENTS, mapping) if "died" in line] == []


def test_the_example_leaves_nothing_out(tmp_path: Path) -> None:
    """The worked example has no warning."""
    of = read_study((EXAMPLE / "study.yaml").read_text("utf-8"), "study.yaml")
    assert import_tables(of, EXAMPLE / "mapping.yaml", tmp_path, "north", {}).warnings == ()


@pytest.mark.parametrize(
    ("name", "identifiers", "said"),
    [
        (
            *("crs_day180", "[surname]"),
            ["data.csv: columns crs_day180 beside crs_day0 not taken; add them under columns, "
             "or is it right?"],
        ),
        ("crs_day180", "[crs_day180]", []),
        ("kps_day180", "[surname]", []),
    ],
)  # fmt: skip
def test_a_new_numbered_column(
    tmp_path: Path, name: str, identifiers: str, said: list[str]
) -> None:
    """A column of the next export whose name differs in the number alone."""
    head, *rows = WIDE_CSV.splitlines()
    csv = "\n".join([f"{head},{name}", *(f"{row},4" for row in rows)]) + "\n"
    of = read_study(WIDE_STUDY, "study.yaml")
    assert warnings(tmp_path, csv, WIDE.replace("[surname]", identifiers), of) == said


def test_a_blank_numbered_column_loses_nothing(tmp_path: Path) -> None:
    """A column without any value is not told."""
    head, *rows = WIDE_CSV.splitlines()
    csv = "\n".join([f"{head},crs_day180", *(f"{row}," for row in rows)]) + "\n"
    assert warnings(tmp_path, csv, WIDE, read_study(WIDE_STUDY, "study.yaml")) == []


def test_a_draft_tells_the_other_events(tmp_path: Path) -> None:
    """Behind an event that is filled in stand those that the project has besides."""
    csv = EVENTS.replace("2021-05-21,2021-05-21", ",2021-05-21").replace(",died,", ",death_date,")
    write(tmp_path, {"data.csv": csv})
    said = "        event: m12_arm_1   # values only here today; also there: base, m3_arm_1\n"
    assert said in draft(study(), [tmp_path / "data.csv"], tmp_path)


def test_what_is_taken_stays_the_same(tmp_path: Path) -> None:
    """A warning changes no table."""
    warnings(tmp_path, EVENTS, PINNED)
    assert columns(tmp_path / "out")["death_day"] == [None, None, 276]


def test_warnings_go_to_standard_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the rows, with exit code 0."""
    site = set_up(tmp_path / "hospital", "north")
    write(tmp_path, {"data.csv": EVENTS, "mapping.yaml": PINNED, "study.yaml": STUDY})
    given = ["import", str(tmp_path / "study.yaml"), str(tmp_path / "mapping.yaml")]
    code = run(cli, ["--config", str(site.settings.file), *given])
    told = capsys.readouterr()
    assert (code, "warning:" in told.out, told.err.count("warning: data.csv, column")) == (
        *(0, False),
        2,
    )


def test_a_table_without_rows(tmp_path: Path) -> None:
    """Columns that are blank in the rows of the mapping."""
    csv = "\n".join([WIDE_CSV.splitlines()[0], "a,40,b,,,,"]) + "\n"
    assert warnings(tmp_path, csv, WIDE, read_study(WIDE_STUDY, "study.yaml")) == [
        "table grades has no row; is instrument or event right?"
    ]
