"""Excel, SPSS, Stata and SAS give the tables that CSV gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.contract.errors import ConfigurationError
from site_agent.importing.faults import UnfitSource
from site_agent.importing.run import import_tables
from tests.site_agent.importing.formats import WRITERS, excel, frame
from tests.site_agent.importing.hospital_files import CSV, MAPPING, columns, imported, study, write


def given(folder: Path, name: str) -> Path:
    """Write the rows and a mapping in a format; return the mapping."""
    write(folder, {})
    WRITERS[name](folder / name, frame())
    text = MAPPING.replace("data.csv", name).replace("{M: male, F: female}", "{1: male, 2: female}")
    (folder / "mapping.yaml").write_text(text, "utf-8")
    return folder / "mapping.yaml"


@pytest.mark.parametrize("name", WRITERS)
def test_the_format_does_not_matter(tmp_path: Path, name: str) -> None:
    """The tables are those of the CSV file, byte for byte."""
    import_tables(study(), given(tmp_path, name), tmp_path / "out", "north", {})
    assert (tmp_path / "out" / "patients.parquet").read_bytes() == (
        imported(tmp_path / "csv") / "patients.parquet"
    ).read_bytes()


@pytest.mark.parametrize("name", WRITERS)
def test_a_damaged_file(tmp_path: Path, name: str) -> None:
    """A file that is cut short is told by its name, with what to do."""
    mapping = given(tmp_path, name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 3])
    with pytest.raises(UnfitSource, match=f"{name}: the file cannot be read"):
        import_tables(study(), mapping, tmp_path / "out", "north", {})


def test_a_sheet_that_is_not_there(tmp_path: Path) -> None:
    """The nearest name of a sheet is told."""
    mapping = given(tmp_path, "data.xlsx")
    text = mapping.read_text("utf-8").replace("data.xlsx,", "data.xlsx, sheet: Dat,")
    mapping.write_text(text, "utf-8")
    with pytest.raises(ConfigurationError, match="no sheet 'Dat'; did you mean 'Data'?"):
        import_tables(study(), mapping, tmp_path / "out", "north", {})


def test_a_row_of_a_sheet(tmp_path: Path) -> None:
    """Rows are counted as the spreadsheet counts them."""
    mapping = given(tmp_path, "data.xlsx")
    rows = frame()
    rows.loc[1, "sex"] = 7.0
    excel(tmp_path / "data.xlsx", rows)
    with pytest.raises(UnfitSource, match=r"data.xlsx, column sex: row 3: a word that is none"):
        import_tables(study(), mapping, tmp_path / "out", "north", {})


def test_blank_rows_of_a_sheet(tmp_path: Path) -> None:
    """They are passed over, and counted."""
    mapping = given(tmp_path, "data.xlsx")
    excel(tmp_path / "data.xlsx", frame(CSV.replace("\na,", "\n,,,,,,,\na,")))
    import_tables(study(), mapping, tmp_path / "out", "north", {})
    assert columns(tmp_path / "out")["patient"] == ["a", "b", "c"]
    excel(tmp_path / "data.xlsx", frame(CSV.replace("\na,", "\n,,,,,,,\n,")))
    with pytest.raises(UnfitSource, match="row 4: no identifier of the patient"):
        import_tables(study(), mapping, tmp_path / "out", "north", {})


def test_another_format(tmp_path: Path) -> None:
    """A name that ends otherwise is answered with those that are known."""
    mapping = given(tmp_path, "data.xlsx")
    (tmp_path / "data.xlsx").rename(tmp_path / "data.doc")
    mapping.write_text(mapping.read_text("utf-8").replace("data.xlsx", "data.doc"), "utf-8")
    with pytest.raises(ConfigurationError, match="data.doc: expected a file whose name ends in"):
        import_tables(study(), mapping, tmp_path / "out", "north", {})


def test_columns_of_labels(tmp_path: Path) -> None:
    """What stands for a level in SPSS is its code, which the mapping gives a meaning."""
    import_tables(study(), given(tmp_path, "data.sav"), tmp_path / "out", "north", {})
    assert columns(tmp_path / "out")["sex"] == ["2", "1", "1"]
