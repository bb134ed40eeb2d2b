"""A file as columns of text, whatever its kind: what a person would read in each cell.

Blank cells are null. Numbers that are whole have no point, dates are written YYYY-MM-DD. What
cannot be read is told by file and row, never by what stands there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from site_agent.contract.errors import ConfigurationError
from site_agent.contract.study.fields import near
from site_agent.importing.faults import Integers, unfit
from site_agent.importing.mapping import SourceFile
from site_agent.importing.redcap import Dictionary, read_dictionary

EVENT: Final = "redcap_event_name"
INSTRUMENT: Final = "redcap_repeat_instrument"
INSTANCE: Final = "redcap_repeat_instance"
DELIMITED: Final = (".csv", ".tsv", ".txt")
SHEETS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
STATISTICAL: Final = (".sav", ".zsav", ".por", ".dta", ".sas7bdat", ".xpt")
LARGEST_WHOLE: Final = 2.0**53


@dataclass(frozen=True, slots=True)
class Source:
    """One file as text.

    columns: by name, text or null, (n,). rows: the number of each row in the file, the header
    being row 1. labels: what the file calls its columns. choices: of a column, code to label.
    """

    file: str
    columns: Mapping[str, pa.ChunkedArray]
    rows: Integers
    labels: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    dictionary: Dictionary | None = None

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column; UnfitSource if the file does not have it."""
        if name not in self.columns:
            raise unfit(self.file, "missing column", self.lacking(name))
        return self.columns[name]

    def lacking(self, name: str) -> str:
        """Return in words that a column is not there.

        Names of the file are told only where they are near: a file without a header has values in
        the place of names.
        """
        return f"there is no column '{name}' in the first row{near(name, list(self.columns))}"


def read_source(spec: SourceFile) -> Source:
    """Return the file of a source, with its dictionary; UnfitSource if it is damaged."""
    if not spec.file.is_file():
        raise ConfigurationError(f"source {spec.name}: the file {spec.file} does not exist")
    suffix = spec.file.suffix.lower()
    if suffix in DELIMITED:
        from site_agent.importing.delimited import read_delimited

        found = read_delimited(spec)
    elif suffix in SHEETS:
        from site_agent.importing.excel import read_excel

        found = read_excel(spec)
    elif suffix in STATISTICAL:
        from site_agent.importing.statistical import read_statistical

        found = read_statistical(spec)
    else:
        known = ", ".join((*DELIMITED, *SHEETS, *STATISTICAL))
        raise ConfigurationError(f"{spec.file.name}: expected a file whose name ends in {known}")
    if spec.dictionary is None:
        return found
    return replace(found, dictionary=read_dictionary(spec.dictionary))


def from_rows(file: str, header: list[str], rows: list[list[Any]], first: int) -> Source:
    """Return cells with their header as a source; `first` is the number of the first row.

    Rows without any word are left out, and counted all the same.
    """
    read = [[word(cell) for cell in row] for row in rows]
    kept = [place for place, row in enumerate(read) if any(row)]
    words = list(zip(*(read[place] for place in kept), strict=True)) or [() for _ in header]
    numbers = np.array(kept, dtype=np.int64) + first
    columns = {
        name: pa.chunked_array([pa.array(column, pa.string())])
        for name, column in zip(header, words, strict=True)
        if name
    }
    return Source(file, columns, numbers)


def check_header(file: Path, header: list[str]) -> list[str]:
    """Return the names of columns without blanks around them; UnfitSource if one stands twice."""
    names = [name.strip() for name in header]
    if not any(names):
        raise unfit(file.name, "no header", "row 1 is blank; expected the names of the columns")
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        places = [str(place) for place, name in enumerate(names, start=1) if name in twice]
        message = f"columns {', '.join(places)} have names that stand twice; keep one of each"
        raise unfit(file.name, "repeated column", message, len(places))
    return names


def word(cell: Any) -> str | None:
    """Return what a person would read in a cell, None where it is blank."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        return _number(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip() or None


def _number(cell: float) -> str | None:
    if cell != cell:
        return None
    whole = cell.is_integer() and abs(cell) < LARGEST_WHOLE
    return str(int(cell)) if whole else repr(cell)
