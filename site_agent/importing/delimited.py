"""CSV and its kin. Every row is read on its own, so that what is wrong has a row's number."""

from __future__ import annotations

import csv
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import numpy as np
import pyarrow as pa

from site_agent.contract.errors import ConfigurationError
from site_agent.importing.faults import UnfitSource, unfit
from site_agent.importing.mapping import SourceFile
from site_agent.importing.sources import Source, check_header

BATCH: Final = 50_000
WIDE: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
UTF_8: Final = ("utf-8", "utf8", "utf_8", "utf-8-sig", "utf_8_sig")


def read_delimited(spec: SourceFile) -> Source:
    """Return a delimited file; UnfitSource with the row at which it cannot be read."""
    with _rows(spec) as rows:
        header = check_header(spec.file, next(rows, []))
        chunks: list[pa.RecordBatch] = []
        numbers: list[int] = []
        batch: list[list[str]] = []
        for number, row in enumerate(rows, start=2):
            if not any(map(str.strip, row)):
                continue
            if len(row) != len(header):
                raise unfit(
                    f"{spec.file.name}, row {number}",
                    "number of cells",
                    f"{len(row)} cells, expected {len(header)} as in the header; look for a "
                    f"quotation mark or a delimiter too many",
                )
            batch.append(row)
            numbers.append(number)
            if len(batch) == BATCH:
                chunks.append(_batch(header, batch))
                batch = []
        chunks.append(_batch(header, batch))
    table = pa.Table.from_batches(chunks)
    columns = {name: table.column(place) for place, name in enumerate(header) if name}
    return Source(spec.file.name, columns, np.array(numbers, dtype=np.int64))


def first_rows(spec: SourceFile, count: int) -> list[list[str]]:
    """Return the first rows of a file, its header among them."""
    with _rows(spec) as rows:
        return [row for row, _ in zip(rows, range(count), strict=False)]


def _batch(header: list[str], rows: list[list[str]]) -> pa.RecordBatch:
    cells = zip(*rows, strict=True) if rows else [() for _ in header]
    arrays = [pa.array([cell.strip() or None for cell in column], pa.string()) for column in cells]
    return pa.RecordBatch.from_arrays(arrays, names=[str(i) for i in range(len(header))])


@contextmanager
def _rows(spec: SourceFile) -> Iterator[Iterator[list[str]]]:
    """Give the rows of a file one by one; what breaks off is told with its row."""
    encoding = "utf-8-sig" if spec.encoding.lower() in UTF_8 else spec.encoding
    _check_beginning(spec)
    try:
        with spec.file.open(encoding=encoding, newline="") as file:
            yield _counted(file, spec)
    except LookupError:
        raise ConfigurationError(
            f"source {spec.name}: the encoding '{spec.encoding}' is not known; expected one such "
            f"as utf-8, cp1252 or utf-16"
        ) from None
    except UnicodeError:
        raise _undecoded(spec, encoding) from None


def _counted(file: IO[str], spec: SourceFile) -> Iterator[list[str]]:
    reader = csv.reader(file, delimiter=spec.delimiter, strict=True)
    number = 0
    while True:
        number += 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise unfit(
                f"{spec.file.name}, row {number}",
                "quotation marks",
                "quotation marks that do not close, or a cell of over 100,000 characters; export "
                "the file again",
            ) from None
        if any("\0" in cell for cell in row):
            raise unfit(
                f"{spec.file.name}, row {number}",
                "not text",
                "a character that no text has; the file is damaged, or of another encoding",
            )
        yield row


def _check_beginning(spec: SourceFile) -> None:
    with spec.file.open("rb") as file:
        start = file.read(4)
    if not start:
        raise unfit(spec.file.name, "empty file", "the file is empty; export it again")
    wide = WIDE.get(start[:2])
    if wide and not spec.encoding.lower().startswith(wide):
        message = f"the file is {wide.upper()}; say so in the mapping (encoding: {wide})"
        raise unfit(spec.file.name, "encoding", message)
    if start.startswith(BOM_UTF8) and spec.encoding.lower() not in UTF_8:
        message = "the file is UTF-8; take 'encoding' out of the mapping"
        raise unfit(spec.file.name, "encoding", message)


def _undecoded(spec: SourceFile, encoding: str) -> UnfitSource:
    """Return the error of a file of another encoding, with the first line that shows it."""
    place = spec.file.name
    if encoding == "utf-8-sig":
        with spec.file.open("rb") as file:
            bad = (n for n, line in enumerate(file, start=1) if not _decodes(line, encoding))
            place = f"{spec.file.name}, line {next(bad, 1)}"
    return unfit(
        place,
        "encoding",
        f"not text in {spec.encoding}; say in the mapping which encoding it is (encoding: cp1252 "
        f"for Windows in western Europe)",
    )


def _decodes(line: bytes, encoding: str) -> bool:
    try:
        line.decode(encoding)
    except UnicodeError:
        return False
    return True


def encoding_of(file: Path) -> str:
    """Return the likely encoding: UTF-8 if the file is that, else that of Windows in the west."""
    with file.open("rb") as opened:
        start = opened.read(3)
        if start[:2] in WIDE:
            return "utf-16"
        if start == BOM_UTF8:
            return "utf-8"
        opened.seek(0)
        return "utf-8" if all(_decodes(line, "utf-8") for line in opened) else "cp1252"


def delimiter_of(file: Path, encoding: str) -> str:
    """Return what stands between the cells of a file's header, most often."""
    with file.open(encoding=encoding, errors="replace", newline="") as opened:
        line = opened.readline(100_000)
    return max((",", ";", "\t", "|"), key=line.count)
