"""The PDF of a report: the same bytes each time, and a report without it where it cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coordinator.report import pdf
from coordinator.report.page import FILE, build_report, print_report, write_report
from site_agent.contract.canonical import sha256
from site_agent.contract.reports import PDF


def test_the_same_page_gives_the_same_pdf(release: Path) -> None:
    """It is dated by the release and named by the page."""
    page = build_report(release)
    first, second = pdf.build_pdf(page), pdf.build_pdf(page)
    if first is None:
        pytest.skip("WeasyPrint or Pango is not installed")
    assert (first[:5], first) == (b"%PDF-", second)


def test_the_hash_of_the_report_is_in_the_manifest(release: Path) -> None:
    """Of the HTML: the PDF comes later, and carries that hash."""
    write_report(release)
    reports = json.loads((release / "manifest.json").read_text())["reports"]
    assert reports == {FILE: sha256((release / FILE).read_bytes())}


def test_a_report_is_printed(release: Path) -> None:
    """From the page as it was written; nothing else in the folder changes."""
    write_report(release)
    before = {path.name: path.read_bytes() for path in release.iterdir()}
    if print_report(release):
        pytest.skip("WeasyPrint or Pango is not installed")
    after = {path.name: path.read_bytes() for path in release.iterdir()}
    assert (after.pop(PDF), after) == (pdf.build_pdf(before[FILE]), before)


def test_without_the_library_the_report_is_written(
    release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier PDF does not stay beside a later page, and a sentence says what is missing."""
    (release / PDF).write_bytes(b"%PDF-old")
    monkeypatch.setattr(pdf, "_library", lambda: None)
    write_report(release)
    assert (print_report(release), (release / PDF).exists()) == (pdf.MISSING, False)


def test_nothing_is_fetched() -> None:
    """An address in a page is refused, not loaded."""
    with pytest.raises(ValueError, match="expected none"):
        pdf._nothing("file:///etc/hostname")
