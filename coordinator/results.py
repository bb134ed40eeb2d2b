"""A release's results on disk: JSON, tidy CSV and Parquet in full precision, log, manifest.

The same totals give the same bytes in every file but the manifest and the log, which name
the release's dates, keys and commitments.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from coordinator.release import LoggedRound, Release
from site_agent.contract.analyses.results import Cell, Failure, Result, Tidy
from site_agent.contract.canonical import sha256
from site_agent.contract.catalogue import KINDS
from site_agent.contract.reports import REPORTS
from site_agent.contract.study.model import Column, Derived, Study
from site_agent.contract.version import SOFTWARE

SCHEMA: Final = 1
WATERMARK: Final = "watermark"
NOT_HASHED: Final = ("manifest.json", "comparison.html", *REPORTS)  # these when they are made
LIBRARIES: Final = ("numpy", "scipy", "pyarrow", "cryptography")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the manifest tells of a release besides its results: instants in UTC, sites out."""

    started: str
    ended: str
    sites_out: Mapping[str, str]


def documents(study: Study, results: Mapping[str, Result]) -> dict[str, dict[str, Any]]:
    """Return what goes into `<analysis>.json`, by analysis."""
    return {
        name: {
            "schema": SCHEMA,
            "study": study.name,
            "analysis": name,
            "kind": study.analyses[name].kind,
            "options": dict(study.analyses[name].options),
            "synthetic": study.synthetic,
            WATERMARK: study.watermark,
            "result": result.document(),
        }
        for name, result in results.items()
    }


def write_results(folder: Path, release: Release) -> None:
    """Write results and log of a release whose last round is done into `folder`."""
    outcome = release.outcome
    assert outcome is not None
    study = release.study
    for name, document in documents(study, outcome.results).items():
        _write(folder / f"{name}.json", _pretty(document))
        for part, tidy in outcome.results[name].tables().items():
            marked = _marked(tidy, study.watermark)
            _write(folder / f"{name}.{part}.csv", _csv(marked))
            _write(folder / f"{name}.{part}.parquet", _parquet(marked, study))
    _write(folder / "log.jsonl", b"".join(_log_line(entry) for entry in release.log))


def write_manifest(folder: Path, release: Release, circumstances: Circumstances) -> None:
    """Write the manifest of a closed release beside its results."""
    _write(folder / "manifest.json", _pretty(_manifest(folder, release, circumstances)))


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _pretty(document: Mapping[str, Any]) -> bytes:
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    return (text + "\n").encode("utf-8")


def _marked(tidy: Tidy, watermark: str) -> Tidy:
    """Return the table with a column that says what its numbers are not, if there is a mark."""
    if not watermark:
        return tidy
    rows = tuple((*row, watermark) for row in tidy.rows)
    return Tidy((*tidy.columns, WATERMARK), rows)


def _csv(tidy: Tidy) -> bytes:
    """Return CSV with numbers in the shortest form that reads back to the same double."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(tidy.columns)
    writer.writerows([["" if cell is None else cell for cell in row] for row in tidy.rows])
    return text.getvalue().encode("utf-8")


def _parquet(tidy: Tidy, study: Study) -> bytes:
    columns = {
        name: _arrow([row[index] for row in tidy.rows]) for index, name in enumerate(tidy.columns)
    }
    notes = {"study": study.name, WATERMARK: study.watermark}
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns).replace_schema_metadata(notes), sink)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _arrow(cells: Sequence[Cell]) -> pa.Array:
    """Return a column: text if any cell is, whole numbers or truths if all are, else doubles."""
    known = [cell for cell in cells if cell is not None]
    if any(isinstance(cell, str) for cell in known):
        return pa.array(cells, pa.string())
    if known and all(isinstance(cell, bool) for cell in known):
        return pa.array(cells, pa.bool_())
    if known and all(isinstance(cell, int) for cell in known):
        return pa.array(cells, pa.int64())
    return pa.array(cells, pa.float64())


def _log_line(entry: LoggedRound) -> bytes:
    document = {
        "round": entry.number,
        "asks": list(entry.asks),
        "arguments": [base64.b64encode(data).decode() for data in entry.arguments],
        "totals": base64.b64encode(entry.totals).decode(),
        "shares": list(entry.share_digests),
        "bytes_received": entry.bytes_received,
    }
    return (json.dumps(document, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8")


def _manifest(folder: Path, release: Release, circumstances: Circumstances) -> dict[str, Any]:
    study, outcome = release.study, release.outcome
    assert outcome is not None
    failed = {n: r.because for n, r in outcome.results.items() if isinstance(r, Failure)}
    return {
        "schema": SCHEMA,
        "study": study.name,
        "title": study.title,
        "study_hash": study.hash,
        "synthetic": study.synthetic,
        WATERMARK: study.watermark,
        "labels": dict(study.labels),
        "unit": study.time.unit,
        "release": release.number,
        "attempt": release.attempt,
        "started": circumstances.started,
        "ended": circumstances.ended,
        "patients": outcome.patients,
        "sites_in": list(release.sites),
        "sites_with_patients": outcome.sites,
        "sites_out": dict(sorted(circumstances.sites_out.items())),
        "rounds": len(release.log),
        "bytes_received": [entry.bytes_received for entry in release.log],
        "disclosure": study.policy.document(),
        "definitions": _definitions(study),
        "opened": {name: _opened(study, name) for name in study.analyses},
        "failed": failed,
        "result": outcome.digest(),
        "snapshots": release.snapshots(),
        "ledger_heads": release.ledger_heads(),
        "software": SOFTWARE,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "files": {
            path.name: sha256(path.read_bytes())
            for path in sorted(folder.iterdir())
            if path.is_file() and path.name not in NOT_HASHED
        },
    }


def _definitions(study: Study) -> dict[str, Any]:
    """Return what a report says of endpoints, cohorts and the reference levels of categories."""
    named: list[Column | Derived] = []
    for table in study.tables.values():
        named += [*table.columns.values(), *table.derived]
    return {
        "endpoints": {name: end.document() for name, end in study.endpoints.items()},
        "cohorts": {name: cohort.document() for name, cohort in study.cohorts.items()},
        "references": {item.name: item.reference for item in named if item.reference},
    }


def _opened(study: Study, name: str) -> list[dict[str, str]]:
    analysis = study.analyses[name]
    uses = KINDS[analysis.kind].uses(analysis.options)
    return [{"class": disclosure, "what": what} for disclosure, what in uses]
