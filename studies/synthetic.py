"""Synthetic cohorts as files: a folder for each hospital, and a notice that nobody lived."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

NOTICE_FILE: Final = "SYNTHETIC.txt"
Tables = Mapping[str, tuple[pd.DataFrame, pa.Schema]]


def write_hospitals(
    out: Path, sites: Iterable[str], tables: Tables, *, sentence: str, notice: str
) -> None:
    """Write a folder a hospital and the notice under `out`, which is made if absent.

    tables: by name rows with a column `site`, and the schema of what is written of them. Each file
    has the sentence in its metadata.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / NOTICE_FILE).write_text(notice + "\n", encoding="utf-8")
    for site in sites:
        folder = out / site
        folder.mkdir(exist_ok=True)
        for name, (rows, schema) in tables.items():
            _write_table(rows[rows["site"] == site], schema, folder / f"{name}.parquet", sentence)


def _write_table(rows: pd.DataFrame, schema: pa.Schema, path: Path, sentence: str) -> None:
    """Write the columns of `schema`, with these types whatever a site happens to miss."""
    table = pa.Table.from_pandas(rows[schema.names], schema=schema, preserve_index=False)
    # Replaces pandas' own metadata too, whose versions would change the bytes.
    pq.write_table(table.replace_schema_metadata({"synthetic": sentence}), path)
