"""A small study, and a hospital's files for it with a mapping, to be altered one by one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.importing.faults import UnfitSource
from site_agent.importing.run import import_tables
from tests.docs.pages import ROOT

EXAMPLE: Final = ROOT / "studies" / "redcap"

STUDY: Final = """\
quorum: 1
study: small
title: A small study
time: {unit: day, horizon: 400}
tables:
  patients:
    key: patient
    columns:
      age: {type: integer, unit: years, range: [0, 110]}
      sex: {type: category, codes: {1: male, 2: female}}
      albumin: {type: number, unit: g/L, range: [1, 80], missing: allowed}
      smoker: {type: boolean, missing: allowed}
      death_day: {type: day, missing: allowed}
      last_seen_day: {type: day}
endpoints:
  survival: {event: {death: death_day}, censored: last_seen_day}
analyses:
  overall: {kind: survival, endpoint: survival}
disclosure:
  classes: [A, B, V]
  compute: {sites: 5, patients: 10, others: 10}
  show: {cell: 5}
  between_releases: {patients: 5, sites: 3}
"""
CSV: Final = """\
pid,birth,sex,alb,smoker,start,died,seen
b,1960-02-29,M,3.9,no,2021-02-28,,2021-08-31
a,1971-06-30,F,,yes,2021-03-01,2021-03-31,2021-03-31
c,1980-01-01,M,0.29,,2021-12-31,,2022-01-01
"""
MAPPING: Final = """\
quorum_import: 1
study: small
sources:
  data: {file: data.csv, patient: pid, missing: [NA]}
origin: {column: start}
identifiers: [name]
tables:
  patients:
    columns:
      age: {column: birth, as: age}
      sex: {column: sex, values: {M: male, F: female}}
      albumin: {column: alb, multiply: 10}
      smoker: {column: smoker, values: {yes: true, no: false}}
      death_day: {column: died, as: day}
      last_seen_day: {column: seen, as: day}
"""


def study(text: str = STUDY) -> Study:
    """The small study."""
    return read_study(text, "study.yaml")


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files of text or bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / name).write_bytes(data)


def imported(
    folder: Path, *, csv: str | bytes = CSV, mapping: str = MAPPING, of: Study | None = None
) -> Path:
    """Import a file by a mapping; return the folder of the tables."""
    write(folder, {"data.csv": csv, "mapping.yaml": mapping})
    out = folder / "tables"
    import_tables(of or study(), folder / "mapping.yaml", out, "north", {})
    return out


def columns(out: Path, table: str = "patients") -> dict[str, list[object]]:
    """The columns of an imported table."""
    found: dict[str, list[object]] = pq.read_table(out / f"{table}.parquet").to_pydict()
    return found


def refused(folder: Path, *, csv: str | bytes = CSV, mapping: str = MAPPING) -> list[str]:
    """What is said of a file that cannot be imported; nothing if it can."""
    try:
        imported(folder, csv=csv, mapping=mapping)
    except UnfitSource as error:
        return [str(finding) for finding in error.findings]
    return []
