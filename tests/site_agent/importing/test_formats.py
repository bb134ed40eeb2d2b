"""Excel, SPSS, Stata and SAS give the tables that CSV gives."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest

from site_agent.contract.errors import ConfigurationError
from site_agent.importing.faults import UnfitSource
from site_agent.importing.run import import_tables
from tests.site_agent.importing.hospital_files import CSV, MAPPING, columns, imported, study, write

DATES = ("birth", "start", "died", "seen")


def frame() -> pd.DataFrame:
    """The rows of the CSV file, typed."""
    rows = [line.split(",") for line in CSV.splitlines()]
    found = pd.DataFrame(rows[1:], columns=rows[0])
    for name in DATES:
        found[name] = pd.to_datetime(found[name], errors="coerce").dt.date
    found["alb"] = pd.to_numeric(found["alb"], errors="coerce")
    found["sex"] = found["sex"].map({"M": 1.0, "F": 2.0})
    return found


def cell(value: Any, place: str) -> str:
    """A cell of a sheet; dates are numbers in the style of dates."""
    if value is None or value is pd.NaT or value != value or value == "":
        return ""
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    if isinstance(value, float):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" s="1"><v>{value.toordinal() - 693594}</v></c>'


def excel(path: Path, rows: pd.DataFrame) -> None:
    """Write a workbook of one sheet, as spreadsheets do."""
    lines = []
    for number, values in enumerate([list(rows.columns), *rows.to_numpy().tolist()], start=1):
        cells = "".join(cell(value, f"{'ABCDEFGH'[at]}{number}") for at, value in enumerate(values))
        lines.append(f'<row r="{number}">{cells}</row>')
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    sheet = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override '
        f'PartName="/xl/workbook.xml" ContentType="{sheet}.sheet.main+xml"/><Override '
        f'PartName="/xl/worksheets/sheet1.xml" ContentType="{sheet}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="rId1" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet '
        f'name="Data" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{office}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/>'
        f'<xf numFmtId="14"/></cellXfs></styleSheet>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}'
        f"</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')


def spss(path: Path, rows: pd.DataFrame) -> None:
    pyreadstat.write_sav(rows, str(path), variable_value_labels={"sex": {1: "male", 2: "female"}})


def stata(path: Path, rows: pd.DataFrame) -> None:
    pyreadstat.write_dta(rows, str(path))


def sas(path: Path, rows: pd.DataFrame) -> None:
    pyreadstat.write_xport(rows, str(path))


WRITERS = {"data.xlsx": excel, "data.sav": spss, "data.dta": stata, "data.xpt": sas}


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
