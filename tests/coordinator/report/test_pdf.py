"""The PDF of a report: the same bytes each time, and a report without it where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coordinator.report import pdf
from coordinator.report.page import FILE, PDF, build_report, without_pdf, write_report
from site_agent.contract.canonical import sha256


def test_the_same_page_gives_the_same_pdf(release: Path) -> None:
    """It is dated by the release and named by the page."""
    page = build_report(release)
    first, second = pdf.build_pdf(page), pdf.build_pdf(page)
    if first is None:
        pytest.skip("WeasyPrint or Pango is not installed")
    assert (first[:5], first) == (b"%PDF-", second)


def test_hashes_of_the_reports_are_in_the_manifest(release: Path) -> None:
    """Of the HTML, and of the PDF where there is one."""
    write_report(release)
    reports = json.loads((release / "manifest.json").read_text())["reports"]
    written = {name for name in (FILE, PDF) if (release / name).exists()}
    assert reports == {name: sha256((release / name).read_bytes()) for name in written}


def test_without_the_library_the_report_is_written(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier PDF does not stay beside a later page, and a sentence says what is missing."""
    (release / PDF).write_bytes(b"%PDF-old")
    monkeypatch.setattr(pdf, "_library", lambda: None)
    write_report(release)
    assert ((release / PDF).exists(), without_pdf(release)) == (False, pdf.MISSING)


def test_nothing_is_fetched() -> None:
    """An address in a page is refused, not loaded."""
    with pytest.raises(ValueError, match="expected none"):
        pdf._nothing("file:///etc/hostname")
