"""The report as one HTML file without scripts or references: readable, printable, archivable.

The same release gives the same bytes. The file may run nothing and load nothing: its policy
allows one style sheet, named by its hash. Where numbers were published to stand beside ours, a
second file of the same make holds them, and the report has a link to it.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup

from coordinator.report import provenance
from coordinator.report.comparison_page import dues, sources
from coordinator.report.folder import ReleaseFolder, read_release
from coordinator.report.published import Published, compare, read_published
from coordinator.report.sections import section
from coordinator.report.views import views

FILE: Final = "report.html"
COMPARISON: Final = "comparison.html"
PACKAGE: Final = "coordinator.report"


def build_report(folder: Path, *, compared: bool = False) -> bytes:
    """Return the report of the release in `folder` as HTML; `compared`: with a link to COMPARISON.

    ConfigurationError if the folder holds no release, or one of another schema.
    """
    return render(read_release(folder), compared=compared).encode("utf-8")


def write_report(folder: Path, published: Path | None = None) -> Path:
    """Write the report of the release in `folder` beside its results; return where it is.

    With a file of published numbers (see published.py) COMPARISON is written before it; without
    one, or with one that has no entries, there is none. ConfigurationError as of `build_report`,
    and for a file that is wrong or does not fit the release.
    """
    found = read_published(published) if published else Published()
    release = read_release(folder)
    if found.entries:
        _write(folder / COMPARISON, render_comparison(release, found))
    else:
        (folder / COMPARISON).unlink(missing_ok=True)
    # Where the report is, a refresh takes the release for finished: it comes last.
    return _write(folder / FILE, render(release, compared=bool(found.entries)))


def _write(path: Path, text: str) -> Path:
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(text.encode("utf-8"))
    return beside.replace(path)


def render(release: ReleaseFolder, *, compared: bool = False) -> str:
    """Return the report as text."""
    return _page(
        "report.html",
        release,
        comparison=COMPARISON if compared else "",
        participation=provenance.participation(release),
        sections=[section(view, f"a{n}") for n, view in enumerate(views(release), start=1)],
        opened=provenance.opened(release),
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
        security=_security_policy(style),
        manifest=release.manifest,
        marks=release.marks,
        altered=release.altered,
        as_of=provenance.as_of(release.manifest),
        **parts,
    )


def _security_policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


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
