"""A folder of Parquet files in parts of some patients each: memory does not grow with rows.

Every rule of a study concerns one patient's rows at a time, of all tables. A part has all rows of
its patients: which part follows from the identifier's last characters, in every table alike. The
files are read once for each part, row group by row group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from site_agent.contract.canonical import digest
from site_agent.contract.errors import Finding
from site_agent.contract.study.model import Study, Table
from site_agent.data.columns import distinct_words
from site_agent.data.tables import SUFFIX, corrupt, has_columns, missing_file, needed_columns

CELLS: Final = 8_000_000  # in a part, of all tables: some 300 MB at work
BATCH: Final = 262_144
LAST: Final = 6  # characters of an identifier that decide on its part


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of a study, open and with the columns that it needs.

    digest: as of the snapshot that an agent takes. part_of_rows: by table, once it was read.
    """

    study: Study
    files: Mapping[str, Path]
    rows: Mapping[str, int]
    digest: str
    part_of_rows: dict[str, NDArray[np.uint16]] = field(default_factory=dict)

    @property
    def parts(self) -> int:
        """Return in how many parts the folder is read."""
        cells = sum(
            self.rows[name] * len(needed_columns(table))
            for name, table in self.study.tables.items()
        )
        return -(-cells // CELLS) or 1

    def part(self, number: int, findings: list[Finding]) -> dict[str, pa.Table]:
        """Return the rows of a part's patients by table; a damaged file is noted."""
        found = {}
        for name, table in self.study.tables.items():
            try:
                found[name] = self._rows(table, number)
            except MemoryError:
                raise
            except (pa.ArrowException, OSError, ValueError):
                findings.append(corrupt(name))
        return found

    def _rows(self, table: Table, number: int) -> pa.Table:
        wanted, path = needed_columns(table), self.files[table.name]
        with pq.ParquetFile(path, read_dictionary=[table.key[0]]) as file:
            if self.parts == 1:
                return file.read(columns=wanted)
            numbers = self._numbers(table, file)
            schema = pa.schema([file.schema_arrow.field(name) for name in wanted])
            batches, start = [], 0
            for batch in file.iter_batches(BATCH, columns=wanted):
                mine = numbers[start : start + len(batch)] == number
                batches.append(batch.select(wanted).filter(pa.array(mine)))
                start += len(batch)
        return pa.Table.from_batches(batches) if batches else schema.empty_table()

    def _numbers(self, table: Table, file: pq.ParquetFile) -> NDArray[np.uint16]:
        """Return the part of each row, worked out once."""
        if table.name not in self.part_of_rows:
            key = table.key[0]
            found = [
                part_of(batch.column(key), self.parts).astype(np.uint16)
                for batch in file.iter_batches(BATCH, columns=[key])
            ]
            self.part_of_rows[table.name] = np.concatenate([*found, np.zeros(0, np.uint16)])
        return self.part_of_rows[table.name]


def open_folder(study: Study, folder: Path, findings: list[Finding]) -> Folder | None:
    """Return the files of a folder; None, with what is wrong noted, if one cannot be used."""
    files, rows, digests = {}, {}, {}
    for name, table in study.tables.items():
        path = folder / f"{name}{SUFFIX}"
        try:
            with path.open("rb") as file:
                digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
            with pq.ParquetFile(path) as parquet:
                names, count = parquet.schema_arrow.names, parquet.metadata.num_rows
        except MemoryError:
            raise
        except FileNotFoundError:
            findings.append(missing_file(folder, name))
        except (pa.ArrowException, OSError, ValueError):
            findings.append(corrupt(name))
        else:
            if has_columns(table, names, findings):
                files[name], rows[name] = path, count
    return None if findings else Folder(study, files, rows, digest(digests))


def part_of(identifiers: pa.Array, parts: int) -> NDArray[np.int64]:
    """Return the part of each identifier, compared as the words that they are; (n,)."""
    if pa.types.is_dictionary(identifiers.type):
        distinct = np.append(part_of(identifiers.dictionary, parts), 0)
        index = np.asarray(identifiers.indices.fill_null(len(distinct) - 1), dtype=np.int64)
        return np.asarray(distinct[index], dtype=np.int64)
    words = _as_words(identifiers)
    offsets = np.frombuffer(words.buffers()[1], np.int32)[words.offset :][: len(words) + 1]
    data = np.frombuffer(words.buffers()[2] or b"\0", np.uint8)
    starts, ends = offsets[:-1].astype(np.int64), offsets[1:].astype(np.int64)
    mixed = (ends - starts).astype(np.int64)
    for back in range(1, LAST + 1):
        place = ends - back
        letter = data[np.clip(place, 0, len(data) - 1)].astype(np.int64)
        mixed = mixed * 131 + np.where(place >= starts, letter, 0)
    found: NDArray[np.int64] = mixed % parts
    return found


def _as_words(identifiers: pa.Array) -> pa.Array:
    """Return identifiers as text: what they are compared as (1 and 1.0 are one)."""
    simple = pa.types.is_integer(identifiers.type) or pa.types.is_large_string(identifiers.type)
    if simple or pa.types.is_string_view(identifiers.type):
        return identifiers.cast(pa.string()).fill_null("")
    if pa.types.is_string(identifiers.type):
        return identifiers.fill_null("")
    distinct, index = distinct_words(pa.chunked_array([identifiers]))
    return pa.array(distinct or [""], pa.string()).take(pa.array(index))
