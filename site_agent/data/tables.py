"""A hospital's folder of Parquet files as the study's tables, checked and with derived columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from site_agent.contract import expressions
from site_agent.contract.canonical import digest, sha256
from site_agent.contract.errors import DataError, Finding
from site_agent.contract.expressions import EvaluationError, Value
from site_agent.contract.rows import FrameBuilder, Tables, UnfitRows
from site_agent.contract.study.fields import nearest
from site_agent.contract.study.model import Study, Table
from site_agent.contract.study.tables import parent_of
from site_agent.data.arrays import missing_in
from site_agent.data.columns import ColumnCheck, distinct_words, read_column

SUFFIX: Final = ".parquet"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A hospital's data as read at one moment: its tables, and a digest of its files.

    identifiers: of the patients, in the order of the numbers that `tables.patient` gives them.
    """

    tables: Tables
    digest: str
    identifiers: tuple[str, ...]


@dataclass(slots=True)
class Raw:
    """One table as read: values by column, the distinct patients, and each row's number there."""

    count: int
    columns: dict[str, Value]
    patients: list[str]
    patient: NDArray[np.int64]


def read_snapshot(study: Study, folder: Path, site: str, attributes: Mapping[str, str]) -> Snapshot:
    """Return the checked tables in `folder`; DataError with every finding.

    All rows that any analysis of the study runs over are formed once, so that nothing is left to
    go wrong after the first message has been sent.
    """
    findings: list[Finding] = []
    digests: dict[str, str] = {}
    raw: dict[str, Raw] = {}
    for name, table in study.tables.items():
        data = _read_file(folder, name, findings)
        if data is not None:
            digests[name] = sha256(data)
            found = _read_table(table, data, findings)
            if found is not None:
                raw[name] = found
    linked = None if findings else link_tables(study, raw, attributes, findings)
    if linked is None or findings:
        raise DataError(site, findings)
    return Snapshot(linked.tables, digest(digests), linked.identifiers)


@dataclass(frozen=True, slots=True)
class Linked:
    """Tables with parents, children and derived columns; patients' identifiers by number."""

    tables: Tables
    identifiers: tuple[str, ...]


def link_tables(
    study: Study,
    raw: Mapping[str, Raw],
    attributes: Mapping[str, str],
    findings: list[Finding],
) -> Linked | None:
    """Return the tables of one hospital joined by patient; None if rows have no parent.

    What is wrong is noted in `findings`.
    """
    before = len(findings)
    parent_rows = _parent_rows(study, raw, findings)
    if len(findings) > before:
        return None
    codes = _patient_codes(raw)
    tables = _linked(study, raw, parent_rows, attributes, codes)
    _derive(study, tables, findings)
    return Linked(tables, tuple(codes))


def check_frames(study: Study, builder: FrameBuilder, site: str) -> None:
    """Check every endpoint, form the rows of every analysis once; DataError with every finding."""
    from site_agent.contract.catalogue import KINDS

    findings = endpoint_findings(study, builder)
    for analysis in study.analyses.values():
        for frame in KINDS[analysis.kind].frames(study, analysis):
            try:
                builder.rows(frame)
            except UnfitRows as unfit:
                findings += [finding for finding in unfit.findings if finding not in findings]
    if findings:
        raise DataError(site, findings)


def endpoint_findings(study: Study, builder: FrameBuilder) -> list[Finding]:
    """Return what is wrong with the times of endpoints, also of those that no analysis takes."""
    findings: list[Finding] = []
    for name in study.endpoints:
        try:
            builder.check_endpoint(name)
        except UnfitRows as unfit:
            findings += [finding for finding in unfit.findings if finding not in findings]
    return findings


def _read_file(folder: Path, name: str, findings: list[Finding]) -> bytes | None:
    path = folder / f"{name}{SUFFIX}"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        findings.append(missing_file(folder, name))
    except OSError as error:
        message = f"the file {path.name} cannot be read: {error.strerror}"
        findings.append(Finding(name, "missing file", 1, message))
    return None


def missing_file(folder: Path, table: str) -> Finding:
    """Return the finding of a table that has no file, with those that are there."""
    present = sorted(file.stem for file in folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
    there = f"the folder has: {', '.join(present)}" if present else "the folder has no table"
    message = f"the file {table}{SUFFIX} is missing ({there}); put it into {folder}"
    return Finding(table, "missing file", 1, message)


def _read_table(table: Table, data: bytes, findings: list[Finding]) -> Raw | None:
    """Return a table's columns, each checked; None if the file is no usable Parquet."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        names = file.schema_arrow.names
        wanted = [name for name in needed_columns(table) if name in names]
        content = file.read(columns=wanted)
    except MemoryError:  # pyarrow's is an ArrowException, too, and the file may be all right
        raise
    except (pa.ArrowException, OSError, ValueError):
        findings.append(corrupt(table.name))
        return None
    return read_rows(table, content, findings) if has_columns(table, names, findings) else None


def corrupt(table: str) -> Finding:
    """Return the finding of a file that cannot be read."""
    message = (
        f"{table}{SUFFIX} is not a readable Parquet file (cut short, damaged, or of another "
        f"format); export it again"
    )
    return Finding(table, "corrupt file", 1, message)


def needed_columns(table: Table) -> list[str]:
    """Return the names that a table's file must have."""
    return list(dict.fromkeys((*table.key, *table.columns)))


def has_columns(table: Table, names: Sequence[str], findings: list[Finding]) -> bool:
    """Return whether a file has each needed column once; what is not so is noted."""
    expected = needed_columns(table)
    twice = [name for name in expected if names.count(name) > 1]
    for name in twice:
        message = f"the column '{name}' stands {names.count(name)} times; keep one"
        findings.append(Finding(f"table {table.name}", "repeated column", len(twice), message))
    missing = [name for name in expected if name not in names]
    for name in missing:
        hint = nearest(name, names)
        message = f"the column '{name}' is missing{hint}"
        findings.append(Finding(f"table {table.name}", "missing column", 1, message))
    return not missing and not twice


def read_rows(table: Table, content: pa.Table, findings: list[Finding]) -> Raw:
    """Return a table's columns, each checked against the dictionary."""
    columns = {
        name: read_column(
            content.column(name),
            column,
            ColumnCheck(f"table {table.name}, column {name}", findings),
        )
        for name, column in table.columns.items()
    }
    identifiers = content.column(table.key[0])
    check = ColumnCheck(f"table {table.name}, column {table.key[0]}", findings)
    unnamed = missing_in(identifiers)
    check.note(unnamed, "missing", "no identifier of the patient")
    raw = Raw(content.num_rows, columns, *distinct_words(identifiers))
    _check_unique(table, raw, findings)
    return raw


def _check_unique(table: Table, raw: Raw, findings: list[Finding]) -> None:
    keys = [raw.patient, *(raw.columns[name].data for name in table.key[1:])]
    # In two stable sorts, which are fast where rows stand in the order of their key already.
    order = np.argsort(keys[-1], kind="stable")
    order = order[np.argsort(keys[0][order], kind="stable")]
    again = np.ones(max(raw.count - 1, 0), dtype=bool)
    for key in keys:
        again &= key[order][1:] == key[order][:-1]
    repeated = np.zeros(raw.count, dtype=bool)
    repeated[order[1:][again]] = True
    check = ColumnCheck(f"table {table.name}", findings)
    check.note(repeated, "duplicate key", f"the key ({', '.join(table.key)}) stands more than once")


def _parent_rows(
    study: Study, raw: Mapping[str, Raw], findings: list[Finding]
) -> dict[str, tuple[str, NDArray[np.int64]]]:
    """Return, for each table with a parent, the parent and the row there of each of its rows."""
    found: dict[str, tuple[str, NDArray[np.int64]]] = {}
    for name, table in study.tables.items():
        parent = parent_of(table, study.tables)
        if parent is None:
            continue
        above, own = raw[parent], raw[name]
        row = dict(zip(above.patients, np.argsort(above.patient, kind="stable"), strict=True))
        rows = np.array([row.get(patient, -1) for patient in own.patients] or [-1])
        index = rows[own.patient].astype(np.int64)
        check = ColumnCheck(f"table {name}", findings)
        check.note(index < 0, "orphan", f"a patient who is not in table {parent}")
        found[name] = (parent, index)
    return found


def _linked(
    study: Study,
    raw: Mapping[str, Raw],
    parent_rows: Mapping[str, tuple[str, NDArray[np.int64]]],
    attributes: Mapping[str, str],
    codes: Mapping[str, int],
) -> Tables:
    """Return the tables, each with its parent and children by row number."""
    rows: dict[str, expressions.Rows] = {}
    children: dict[str, dict[str, tuple[expressions.Rows, NDArray[np.int64]]]]
    children = {name: {} for name in study.tables}
    for name in sorted(study.tables, key=lambda name: name in parent_rows):
        table, link = study.tables[name], None
        if name in parent_rows:
            parent, index = parent_rows[name]
            link = (table.key[0], rows[parent], index)
        rows[name] = expressions.Rows(
            count=raw[name].count,
            columns=raw[name].columns,
            parent=link,
            children=children[name],
            site=dict(attributes),
            order=table.key[1] if len(table.key) > 1 else None,
            site_levels=study.scopes[name].site,
        )
        if name in parent_rows:
            children[parent][name] = (rows[name], index)
    whose = {name: _patient_of_rows(raw[name], codes) for name in study.tables}
    return Tables({name: rows[name] for name in study.tables}, whose)


def _patient_codes(raw: Mapping[str, Raw]) -> dict[str, int]:
    """Return a number for each patient of any table, from 0, in the order of the numbers."""
    code: dict[str, int] = {}
    for table in raw.values():
        for patient in table.patients:
            code.setdefault(patient, len(code))
    return code


def _patient_of_rows(table: Raw, codes: Mapping[str, int]) -> NDArray[np.int64]:
    """Return whose patient each row of a table is."""
    numbers = [codes[patient] for patient in table.patients]
    return np.array(numbers or [0], dtype=np.int64)[table.patient]


def _derive(study: Study, tables: Tables, findings: list[Finding]) -> None:
    """Add derived columns in the order of the study; each may use those before it."""
    for name, table in study.tables.items():
        rows = tables.rows[name]
        columns = rows.columns
        assert isinstance(columns, dict)
        for derived in table.derived:
            try:
                if derived.expression is not None:
                    columns[derived.name] = expressions.evaluate(derived.expression, rows)
                else:
                    value = expressions.evaluate_levels(derived.levels, rows, derived.reference)
                    columns[derived.name] = value
            except EvaluationError as error:
                place = f"table {name}, derived column {derived.name}"
                findings.append(Finding(place, "undefined", error.rows, str(error)))
                return
