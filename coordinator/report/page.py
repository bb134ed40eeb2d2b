"""The report as one HTML file without scripts or references: readable, printable, archivable.

The same release gives the same bytes. The file may run nothing and load nothing: its policy
allows one style sheet, named by its hash. Where numbers were published to stand beside ours, a
second file of the same make holds them, and the report has a link to it.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from coordinator.report import provenance
from coordinator.report.changes import changes
from coordinator.report.chapters import chapters
from coordinator.report.comparison_page import dues, sources
from coordinator.report.flow_chart import flow_chart, flow_table
from coordinator.report.flow_figure import flow_figure
from coordinator.report.folder import (
    ReleaseFolder,
    note_reports,
    read_previous,
    read_release,
)
from coordinator.report.methods import methods
from coordinator.report.parties import opened, parties
from coordinator.report.pdf import MISSING, build_pdf
from coordinator.report.published import Published, compare, read_published
from coordinator.report.sections import section
from coordinator.report.views import views
from coordinator.report.withheld import withheld
from site_agent.contract.reports import PAGE, PDF
from site_agent.runtime.files import write_at_once
from site_agent.runtime.policy import closed_policy

FILE: Final = PAGE
COMPARISON: Final = "comparison.html"
PACKAGE: Final = "coordinator.report"


def build_report(folder: Path, *, compared: bool = False) -> bytes:
    """Return the report of the release in `folder` as HTML; `compared`: with a link to COMPARISON.

    What changed is against the release before, if it is beside this one. ConfigurationError if the
    folder holds no release, or one of another schema.
    """
    return _report(folder, read_release(folder), compared=compared)


def _report(folder: Path, release: ReleaseFolder, *, compared: bool) -> bytes:
    return render(release, read_previous(folder, release), compared=compared).encode("utf-8")


def write_report(folder: Path, published: Path | None = None) -> Path:
    """Write the report of the release in `folder` beside its results; return where the HTML is.

    Its hash is written into the manifest; a PDF of an earlier report does not stay. With a file of
    published numbers (see published.py) COMPARISON is written before it; without one, or with one
    that has no entries, there is none. ConfigurationError as of `build_report`, and for a file that
    is wrong or does not fit the release.
    """
    release = read_release(folder)
    found = read_published(published) if published else Published()
    compared = render_comparison(release, found) if found.entries else ""
    page = _report(folder, release, compared=bool(compared))
    _write(folder / COMPARISON, compared.encode("utf-8"))
    _write(folder / PDF, b"")
    note_reports(folder, {FILE: page})
    # Where the report is, a refresh takes the release for finished: it comes last.
    write_at_once(folder / FILE, page)
    return folder / FILE


def print_report(folder: Path) -> str:
    """Write the PDF of the report in `folder`; return why there is none, nothing if there is."""
    printed = build_pdf((folder / FILE).read_bytes())
    _write(folder / PDF, printed or b"")
    return "" if printed else MISSING


def _write(path: Path, data: bytes) -> None:
    """Write a file at once; without data there is none."""
    if data:
        write_at_once(path, data)
    else:
        path.unlink(missing_ok=True)


def render(
    release: ReleaseFolder, before: ReleaseFolder | None = None, *, compared: bool = False
) -> str:
    """Return the report as text; what changed is against the release `before`."""
    shown = list(views(release))
    parts, number = [], 0
    for chapter in chapters(shown):
        own = []
        for view in chapter.views:
            number += 1
            own.append((number, section(view, f"a{number}")))
        parts.append((chapter.heading, own))
    chart = flow_chart(release, shown)
    earlier = list(views(before)) if before is not None else []
    return _page(
        "report.html",
        release,
        comparison=COMPARISON if compared else "",
        facts=provenance.facts(release),
        participation=provenance.participation(release),
        flow=flow_figure(chart, release.marks, "flow"),
        flow_table=flow_table(chart),
        chapters=parts,
        changes=changes(release, before, shown, earlier),
        methods=methods(release),
        withheld=withheld([part for _, own in parts for _, part in own]),
        parties=parties(release),
        opened=opened(release),
        exceptions=provenance.exceptions(release),
        policy=provenance.policy(release),
        provenance=list(provenance.provenance(release)),
    )


def render_comparison(release: ReleaseFolder, published: Published) -> str:
    """Return published numbers beside ours as text; ConfigurationError if they do not fit."""
    by_name = {view.document.name: view for view in views(release)}
    found = list(compare(published.entries, by_name))
    return _page(
        "comparison.html",
        release,
        report=FILE,
        note=published.note,
        dues=dues(found),
        sources=list(sources(found)),
    )


def _page(template: str, release: ReleaseFolder, **parts: object) -> str:
    """Return a page of a release, with what all pages have."""
    style = _resource("report.css")
    return _template(template).render(
        style=Markup(style),
        security=closed_policy(style),
        manifest=release.manifest,
        marks=release.marks,
        altered=release.altered,
        as_of=provenance.as_of(release.manifest),
        **parts,
    )


@cache
def _template(name: str) -> Template:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_resource),
    )
    return environment.get_template(name)


@cache
def _resource(name: str) -> str:
    return files(PACKAGE).joinpath(name).read_text(encoding="utf-8")
