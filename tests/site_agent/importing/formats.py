"""The rows of a CSV file in other formats."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

from tests.site_agent.importing.hospital_files import CSV

DATES = ("birth", "start", "died", "seen")


def frame(csv: str = CSV) -> pd.DataFrame:
    """The rows of a CSV file, typed."""
    rows = [line.split(",") for line in csv.splitlines()]
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
