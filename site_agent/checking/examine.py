"""Checking a folder against a study, part by part: findings, warnings, and who drops out.

Findings are what the agent itself refuses a release for, by the same code. Warnings are what it
takes, but somebody should look at.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from site_agent.checking.orders import disorders
from site_agent.checking.parts import Folder, open_folder
from site_agent.checking.quantities import suspected_unit
from site_agent.checking.report import MOST_KEYS, Collected, DropOut, Report
from site_agent.contract.catalogue import KINDS
from site_agent.contract.errors import Finding
from site_agent.contract.rows import FrameBuilder, UnfitRows
from site_agent.contract.study.model import Study
from site_agent.data.tables import Linked, Raw, endpoint_findings, link_tables, read_rows

SAMPLE: Final = 50_000  # values of a column in a part that are compared with its unit
TABLE: Final = re.compile(r"table (\w+)")
ENDPOINT: Final = re.compile(r"endpoint (\w+)")
Floats = NDArray[np.float64]


@dataclass(slots=True)
class _Look:
    """A check that is under way."""

    study: Study
    attributes: Mapping[str, str]
    show_keys: bool
    findings: Collected = field(default_factory=Collected)
    warnings: Collected = field(default_factory=Collected)
    missing: dict[str, dict[str, int]] = field(default_factory=dict)
    samples: dict[tuple[str, str], list[Floats]] = field(default_factory=dict)
    analyses: dict[str, DropOut] = field(default_factory=dict)
    whole: bool = True  # whether every part could be looked at to the end


def examine(
    study: Study,
    folder: Path,
    site: str,
    attributes: Mapping[str, str],
    *,
    show_keys: bool = False,
) -> Report:
    """Return what there is to say of a folder of Parquet files.

    show_keys: whether findings get the identifiers of patients; the first 50 of each.
    """
    look = _Look(study, attributes, show_keys)
    found: list[Finding] = []
    files = open_folder(study, folder, found)
    if files is not None:
        look.missing = {name: dict.fromkeys(t.columns, 0) for name, t in study.tables.items()}
        look.analyses = dict.fromkeys(study.analyses, DropOut())
        for number in range(files.parts):
            _look_at(look, files.part(number, found))
            gc.collect()  # tables and their parents hold each other
            pa.default_memory_pool().release_unused()
        _compare_units(look)
    for finding in found:
        look.findings.add(finding)
    return _report(look, files, folder, site)


def _report(look: _Look, files: Folder | None, folder: Path, site: str) -> Report:
    findings = look.findings.all()
    return Report(
        study=look.study.name,
        hash=look.study.hash,
        site=site,
        folder=str(folder),
        rows=files.rows if files else {},
        snapshot=files.digest if files else "",
        findings=findings,
        warnings=look.warnings.all(),
        missing=look.missing,
        analyses=look.analyses if look.whole and not findings else None,
    )


def _look_at(look: _Look, contents: Mapping[str, pa.Table]) -> None:
    """Look at all rows of some patients; at none if a file of theirs is damaged."""
    if len(contents) < len(look.study.tables):
        look.whole = False
        return
    findings: list[Finding] = []
    raw: dict[str, Raw] = {}
    for name, table in look.study.tables.items():
        content = contents[name]
        raw[name] = read_rows(table, content, findings)
        for column in table.columns:
            nulls = pc.sum(pc.is_null(content.column(column), nan_is_null=True)).as_py() or 0
            look.missing[name][column] += nulls
        _sample(look, name, raw[name])
    # With a finding, rows may have no patient, or a patient two rows where one is meant.
    linked = None if findings else link_tables(look.study, raw, look.attributes, findings)
    if linked is not None and not findings:
        _note_disorders(look, raw, linked)
        _drop_outs(look, linked, findings)
    look.whole &= not findings
    for finding in findings:
        look.findings.add(finding, _keys(look, finding, raw))


def _keys(look: _Look, finding: Finding, raw: Mapping[str, Raw]) -> tuple[str, ...]:
    """Return whose rows a finding is about, if that was asked for and is known."""
    if not look.show_keys or finding.rows is None:
        return ()
    named = TABLE.match(finding.place)
    endpoint = ENDPOINT.match(finding.place)
    name = named[1] if named else look.study.endpoints[endpoint[1]].table if endpoint else ""
    if name not in raw:
        return ()
    table = raw[name]
    whose = np.unique(table.patient[finding.rows])[:MOST_KEYS]
    return tuple(table.patients[number] for number in whose if number < len(table.patients))


def _sample(look: _Look, name: str, raw: Raw) -> None:
    for column in look.study.tables[name].columns.values():
        if column.type in ("number", "integer") and column.unit:
            value = raw.columns[column.name]
            known = np.asarray(value.data, dtype=np.float64)[~value.missing][:SAMPLE]
            look.samples.setdefault((name, column.name), []).append(known)


def _compare_units(look: _Look) -> None:
    """Warn of columns whose numbers seem to be in another unit."""
    for (table, name), values in look.samples.items():
        column = look.study.tables[table].columns[name]
        found = suspected_unit(column, np.concatenate(values))
        if found is not None:
            message = (
                f"the numbers look like {found.unit}, and the study wants {column.unit}: times "
                f"{found.factor:g} they would be what is expected; compare with the laboratory"
            )
            place = f"table {table}, column {name}"
            count = sum(len(part) for part in values)
            look.warnings.add(Finding(place, "unit", count, message))


def _note_disorders(look: _Look, raw: Mapping[str, Raw], linked: Linked) -> None:
    for found in disorders(look.study, linked.tables):
        rows = np.flatnonzero(found.rows)
        told = f"{'1 row' if len(rows) == 1 else f'{len(rows)} rows'}: {found.what}"
        finding = Finding(f"table {found.table}", found.rule, len(rows), told, rows)
        look.warnings.add(finding, _keys(look, finding, raw))


def _drop_outs(look: _Look, linked: Linked, findings: list[Finding]) -> None:
    """Form the rows of every analysis, as a release does, and count who is left out."""
    builder = FrameBuilder(look.study, linked.tables)
    findings += endpoint_findings(look.study, builder)
    patients = len(linked.identifiers)
    for analysis in look.study.analyses.values():
        members, out = np.zeros(patients, bool), np.zeros(patients, bool)
        reasons: dict[str, NDArray[np.bool_]] = {}
        for frame in KINDS[analysis.kind].frames(look.study, analysis):
            try:
                builder.rows(frame)
            except UnfitRows as unfit:
                findings += [finding for finding in unfit.findings if finding not in findings]
                continue
            cohort, left_out = builder.reasons(frame)
            whose = linked.tables.patient[frame.table]
            members[whose[cohort]] = True
            for reason, rows in left_out.items():
                reasons.setdefault(reason, np.zeros(patients, bool))[whose[rows]] = True
                out[whose[rows]] = True
        _add(look, analysis.name, members, out, reasons)


def _add(
    look: _Look,
    name: str,
    members: NDArray[np.bool_],
    out: NDArray[np.bool_],
    reasons: Mapping[str, NDArray[np.bool_]],
) -> None:
    before = look.analyses[name]
    counts = dict(before.reasons)
    for reason, patients in reasons.items():
        counts[reason] = counts.get(reason, 0) + int(patients.sum())
    look.analyses[name] = DropOut(
        before.patients + int(members.sum()), before.out + int(out.sum()), counts
    )
