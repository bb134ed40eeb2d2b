"""A check's report as lines for a terminal: counts and names only."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from site_agent.checking.report import Noted, Report


def in_words(report: Report, *, show_keys: bool = False) -> Iterator[str]:
    """Yield the lines. show_keys: with the identifiers of patients."""
    counted = ", ".join(f"{count} in {name}" for name, count in report.rows.items())
    if report.findings:
        yield f"the data do not fit the study {report.study}: rows {counted or 'not read'}"
    else:
        yield f"the data fit the study {report.study}: rows {counted}"
    for title, noted in (("findings", report.findings), ("warnings", report.warnings)):
        if noted:
            yield f"{title}:"
            for entry in noted:
                yield from _noted(entry, show_keys=show_keys)
    yield from _missing(report)
    yield from _drop_outs(report)


def _noted(entry: Noted, *, show_keys: bool) -> Iterator[str]:
    found = entry.finding
    yield f"  {found.place}: {found.rule}: {found.message}"
    if show_keys and entry.keys:
        yield f"    {', '.join(map(printable, entry.keys))}"


def _missing(report: Report) -> Iterator[str]:
    lines = [
        f"  {table}: " + ", ".join(f"{name} {count}" for name, count in columns.items() if count)
        for table, columns in report.missing.items()
        if any(columns.values())
    ]
    if lines:
        yield "missing values, rows:"
        yield from lines


def _drop_outs(report: Report) -> Iterator[str]:
    if report.analyses is None:
        if report.rows:
            yield "who drops out of the analyses is told when there is no finding any more"
        return
    out = {name: found for name, found in report.analyses.items() if found.out}
    if out:
        yield "patients who drop out, by analysis:"
    for name, found in out.items():
        reasons = ", ".join(f"{reason} {count}" for reason, count in found.reasons.items())
        yield f"  {name}: {found.out} of {found.patients} ({reasons})"


def printable(text: str) -> str:
    """Return a text whose characters can do nothing to a terminal."""
    return "".join(c if unicodedata.category(c)[0] != "C" else "?" for c in text)
