"""REDCap's data dictionary, with its traps."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.importing.faults import UnfitSource
from site_agent.importing.redcap import HEADS, is_dictionary, read_dictionary
from tests.site_agent.importing.hospital_files import EXAMPLE, write

FOUND = read_dictionary(EXAMPLE / "dictionary.csv")


def test_choices_are_split_at_the_first_comma() -> None:
    """A label may have commas."""
    assert dict(FOUND.fields["gender"].choices) == {
        "1": "Male",
        "2": "Female",
        "3": "Other, or not told",
    }


def test_a_checkbox_is_a_column_a_choice() -> None:
    """The label of a column is that of the field and of the choice."""
    assert (FOUND.label_of("therapy___2"), dict(FOUND.choices_of("therapy___2"))) == (
        "Further therapy: Intrathecal, any drug",
        {"1": "Checked", "0": "Unchecked"},
    )


def test_yes_and_no_have_fixed_codes() -> None:
    """1 and 0, which the dictionary does not say."""
    assert dict(FOUND.choices_of("bulky_disease")) == {"1": "Yes", "0": "No"}


def test_identifiers() -> None:
    """Those with y in the column Identifier?."""
    assert [name for name, field in FOUND.fields.items() if field.identifier] == [
        *("surname", "mrn", "birth_date")
    ]


def test_branching_and_range() -> None:
    """Kept as they stand."""
    death, weight = FOUND.fields["death_date"], FOUND.fields["weight"]
    assert (death.branching, weight.low, weight.high) == ("[dead] = '1'", "3", "250")


def test_eighteen_columns() -> None:
    """The dictionary has 18 columns, and the example all of them."""
    header = (EXAMPLE / "dictionary.csv").read_text("utf-8").splitlines()[0]
    assert (len(HEADS), is_dictionary(header.split(","))) == (18, True)


def test_a_file_that_is_no_dictionary(tmp_path: Path) -> None:
    """What is lacking is told by name."""
    write(tmp_path, {"dictionary.csv": "a,b\n1,2\n"})
    with pytest.raises(UnfitSource, match="expected REDCap's data dictionary of 18 columns"):
        read_dictionary(tmp_path / "dictionary.csv")


def test_a_choice_below_zero(tmp_path: Path) -> None:
    """The sign of a checkbox's code is an underscore in the name of its column."""
    text = (EXAMPLE / "dictionary.csv").read_text("utf-8")
    write(tmp_path, {"d.csv": text.replace("3, None of these", "-1, None of these")})
    assert read_dictionary(tmp_path / "d.csv").label_of("therapy____1").endswith("None of these")
