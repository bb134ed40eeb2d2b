"""Sheets of Excel and its kin, by python-calamine; the header stands in row 1."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from site_agent.contract.errors import ConfigurationError
from site_agent.contract.study.fields import nearest
from site_agent.importing.faults import unfit
from site_agent.importing.mapping import SourceFile
from site_agent.importing.quietly import quietly
from site_agent.importing.sources import Source, check_header, from_rows, word


def read_excel(spec: SourceFile) -> Source:
    """Return one sheet of a file; the first, if the mapping names none."""
    import python_calamine as calamine

    with quietly(spec.file.name):
        book = calamine.load_workbook(str(spec.file))
        names = book.sheet_names
        if spec.sheet and spec.sheet not in names:
            hint = nearest(spec.sheet, names)
            raise ConfigurationError(f"{spec.file.name}: no sheet '{spec.sheet}'{hint}")
        sheet = book.get_sheet_by_name(spec.sheet or names[0])
        rows: list[list[Any]] = sheet.to_python(skip_empty_area=False)
        with suppress(AttributeError):
            book.close()
    if not rows:
        raise unfit(spec.file.name, "empty file", "the sheet is empty; say which (sheet: ...)")
    header = check_header(spec.file, [word(cell) or "" for cell in rows[0]])
    return from_rows(spec.file.name, header, rows[1:], first=2)
