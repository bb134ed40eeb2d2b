"""A check's report as one HTML page for whoever mends the data: counts and names, no keys.

It runs nothing and loads nothing: its policy allows one style sheet, named by its hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Final

from site_agent.checking.report import Noted, Report
from site_agent.runtime.policy import closed_policy

STYLE: Final = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #111; background: #fff }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .35rem .75rem .35rem 0;
  border-bottom: 1px solid #ccc }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.bad { color: #a33a00 } .good { color: #005f44 }
@media print { body { margin: 0; max-width: none } }
"""
Cell = str | int


def page(report: Report) -> str:
    """Return the whole page."""
    title = escape(f"Check of {report.site} for {report.study}")
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{closed_policy(STYLE)}">\n'
        f'<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n"
        f"{''.join(_body(report))}</body>\n</html>\n"
    )


def _body(report: Report) -> Iterator[str]:
    if report.findings:
        count = len(report.findings)
        text = f"The data do not fit the study: {count} finding{'s' * (count != 1)} to mend."
        yield f'<p class="bad">{text} No release begins before.</p>\n'
    else:
        yield '<p class="good">The data fit the study.</p>\n'
    yield (
        f"<p>Study {escape(report.study)} ({report.hash[:16]}), folder {escape(report.folder)}. "
        f"This page counts rows and patients of this hospital and names none: it stays here.</p>\n"
    )
    yield from _table("Rows", ("table", "rows"), report.rows.items())
    head = ("place", "rule", "rows", "what to do")
    yield from _table("Findings", head, map(_row, report.findings))
    yield from _table("Warnings", head, map(_row, report.warnings))
    missing = [
        (table, name, count, f"{100 * count / report.rows[table]:.1f} %")
        for table, columns in report.missing.items()
        for name, count in columns.items()
        if count
    ]
    yield from _table("Missing values", ("table", "column", "rows", "share"), missing)
    yield from _drop_outs(report)


def _drop_outs(report: Report) -> Iterator[str]:
    if report.analyses is None:
        yield "<h2>Who drops out</h2>\n<p>Told when there is no finding any more.</p>\n"
        return
    rows = [
        (name, found.patients, found.out, ", ".join(f"{r}: {n}" for r, n in found.reasons.items()))
        for name, found in report.analyses.items()
    ]
    head = ("analysis", "patients", "drop out", "why (a patient can have several reasons)")
    yield from _table("Who drops out", head, rows)


def _row(noted: Noted) -> Sequence[Cell]:
    found = noted.finding
    return (found.place, found.rule, found.count, found.message)


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    found = list(rows)
    if not found:
        return
    numeric = [all(isinstance(row[at], int) for row in found) for at in range(len(head))]
    marks = [' class="n"' if alone else "" for alone in numeric]
    yield f"<h2>{escape(title)}</h2>\n<table>\n"
    yield _cells("th", marks, head)
    for row in found:
        yield _cells("td", marks, row)
    yield "</table>\n"


def _cells(tag: str, marks: Sequence[str], row: Sequence[Cell]) -> str:
    cells = zip(marks, row, strict=True)
    return f"<tr>{''.join(f'<{tag}{m}>{escape(str(cell))}</{tag}>' for m, cell in cells)}</tr>\n"
