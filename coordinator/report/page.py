"""The report as one HTML file without scripts or references: readable, printable, archivable.

The same release gives the same bytes. The file may run nothing and load nothing: its policy
allows one style sheet, named by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from coordinator.report import provenance
from coordinator.report.folder import ReleaseFolder, read_release
from coordinator.report.sections import section
from coordinator.report.views import views

FILE: Final = "report.html"
PACKAGE: Final = "coordinator.report"


def build_report(folder: Path) -> bytes:
    """Return the report of the release in `folder` as HTML.

    ConfigurationError if the folder holds no release, or one of another schema.
    """
    return render(read_release(folder)).encode("utf-8")


def write_report(folder: Path) -> Path:
    """Write the report of the release in `folder` beside its results; return where it is."""
    path, beside = folder / FILE, folder / f".{FILE}.part"
    beside.write_bytes(build_report(folder))
    beside.replace(path)  # where the report is, a refresh takes the release for finished
    return path


def render(release: ReleaseFolder) -> str:
    """Return the report as text."""
    style = _resource("report.css")
    return _template().render(
        style=Markup(style),
        security=_security_policy(style),
        manifest=release.manifest,
        marks=release.marks,
        altered=release.altered,
        as_of=provenance.as_of(release.manifest),
        participation=provenance.participation(release),
        sections=[section(view, f"a{n}") for n, view in enumerate(views(release), start=1)],
        opened=provenance.opened(release),
        exceptions=provenance.exceptions(release),
        policy=provenance.policy(release),
        provenance=list(provenance.provenance(release)),
    )


def _security_policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode("utf-8")).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_resource("report.html"))


@cache
def _resource(name: str) -> str:
    return files(PACKAGE).joinpath(name).read_text(encoding="utf-8")
