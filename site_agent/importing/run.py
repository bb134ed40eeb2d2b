"""Importing: all tables or none, written beside the old ones and put in their place at the end."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from site_agent.contract.errors import ConfigurationError, DataError
from site_agent.contract.study.model import Study
from site_agent.data.source import read_data
from site_agent.data.tables import SUFFIX
from site_agent.importing.before_day_0 import traced
from site_agent.importing.draft import OPEN, draft
from site_agent.importing.faults import Faults, UnfitSource
from site_agent.importing.mapping import read_mapping
from site_agent.importing.tables import build_tables
from site_agent.runtime.files import write_private

# Fixed, so that the same rows are the same bytes (with one version of pyarrow).
WRITTEN: Final[dict[str, Any]] = {
    "compression": "zstd",
    "row_group_size": 1_000_000,
    "version": "2.6",
    "store_schema": False,
}


@dataclass(frozen=True, slots=True)
class Imported:
    """What was written, how many rows each table has, and what somebody should look at."""

    folder: Path
    rows: Mapping[str, int]
    warnings: tuple[str, ...] = ()


def import_tables(
    study: Study, mapping: Path, folder: Path, site: str, attributes: Mapping[str, str]
) -> Imported:
    """Write the study's tables into `folder` by the mapping file.

    UnfitSource with file, row and column of what is wrong, or with the table or endpoint if only
    the tables together do not fit the study. In either case the folder stays as it was.
    """
    found = build_tables(study, read_mapping(mapping, study), Faults())
    tables = found.arrow
    folder.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".import-", dir=folder))
    try:
        for name, table in tables.items():
            write_table(table, staging / f"{name}{SUFFIX}")
        try:
            read_data(study, staging, site, attributes)
        except DataError as error:
            raise UnfitSource(traced(study, error.findings, found.early)) from None
        for name in tables:
            (staging / f"{name}{SUFFIX}").replace(folder / f"{name}{SUFFIX}")
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Imported(
        folder, {name: table.num_rows for name, table in tables.items()}, tuple(found.warnings)
    )


def write_draft(study: Study, files: Sequence[Path], path: Path) -> int:
    """Write a mapping to be completed; return how many places of it stand open.

    ConfigurationError if there is a file already. Only its owner may read it: it can have words of
    the data in it, which a person is to give a meaning.
    """
    if path.exists():
        raise ConfigurationError(f"{path} is there already; give another name, or remove it")
    text = draft(study, files, path.absolute().parent)
    write_private(path, text.encode())
    return text.count(OPEN)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table as Parquet: the same rows, the same bytes."""
    pq.write_table(table, path, **WRITTEN)
