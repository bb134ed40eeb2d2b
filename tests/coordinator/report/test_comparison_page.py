"""The page of published numbers: what is due, what holds, and nothing that runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from coordinator.report.comparison_page import dues, sources
from coordinator.report.folder import read_release
from coordinator.report.page import build_report, render_comparison, write_report
from coordinator.report.published import (
    BESIDE,
    DIFFERS,
    EQUAL,
    OTHER_DIRECTION,
    SAME_DIRECTION,
    Comparison,
    Entry,
    Ground,
    compare,
    read_published,
)
from site_agent.contract.errors import ConfigurationError
from tests.browser import WIDTHS, findings, window
from tests.coordinator.report.made import (
    HOSTILE,
    cox_fit,
    disclosure,
    view,
    write_release,
)

EXACT = Ground("counts", "equality", "from counts alone")
LEAN = Ground("hazards", "direction", "other patients", 1.0)
SIZE = Ground("sizes", "size", "another method")
FILE = """\
published: 1
note: Beside a paper <b>
grounds:
  counts: {due: equality, because: "from counts <i>"}
entries:
  - analysis: overall
    what: Median <u>
    numbers: ["curves[].median.estimate"]
    text: "99"
    source: "Table 1 <s>"
    ground: counts
    because: a slip <p>
"""


def entry(text: str, ground: Ground, because: str = "") -> Entry:
    path = "terms[dose=high].hazard_ratio"
    return Entry("model", text, (path,), text, (1.0,), "Table 3", ground, because)


def compared(*entries: Entry) -> list[Comparison]:
    views = {"model": view("cox", cox_fit().document())}
    return list(compare(entries, views))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "published.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    changes = {"disclosure": disclosure("overall"), "title": HOSTILE}
    return write_release(tmp_path / "release-2", changes)


@pytest.mark.parametrize(
    ("text", "ground", "expected"),
    [
        ("{ours}", EXACT, EQUAL),
        ("9.00", EXACT, DIFFERS),
        ("{ours}", LEAN, EQUAL),
        ("0.80", LEAN, SAME_DIRECTION),
        ("9.00", LEAN, OTHER_DIRECTION),
        ("1.00", LEAN, BESIDE),
        ("9.00", SIZE, BESIDE),
    ],
)
def test_verdicts(text: str, ground: Ground, expected: str) -> None:
    """The made-up hazard ratio is below 1; what is due decides what inequality means."""
    ours = compared(entry("0.00", EXACT))[0].ours
    (found,) = compared(entry(text.format(ours=ours), ground))
    assert (float(ours) < 1, found.verdict) == (True, expected)


def test_what_holds_is_counted_by_ground() -> None:
    """Numbers, those that hold, those that fail with a reason and without."""
    found = compared(
        entry("9.00", EXACT, "a slip"), entry("8.00", EXACT), entry("3.00", LEAN), entry("9", SIZE)
    )
    assert [row[:6] for row in dues(found).rows] == [
        ("counts", "equality", "2", "0", "1", "1"),
        ("hazards", "direction", "1", "0", "0", "1"),
        ("sizes", "size", "1", "1", "0", "0"),
    ]


def test_numbers_stand_under_their_source() -> None:
    """With ours, what is due and the verdict with its reason."""
    (found,) = sources(compared(entry("9.00", EXACT, "a slip")))
    ((what, published, _, due, verdict),) = found.table.rows
    shown = (found.heading, what, published, due, verdict)
    expected = ("Table 3", "9.00 (model)", "9.00", "equality, counts", "differs: a slip")
    assert shown == expected


def test_the_page_is_written_beside_the_report(folder: Path, file: Path) -> None:
    """With a link from the report to it and back."""
    report = write_report(folder, file).read_text(encoding="utf-8")
    page = (folder / "comparison.html").read_text(encoding="utf-8")
    links = [re.findall(r'href="([a-z]+\.html)"', text) for text in (report, page)]
    assert links == [["comparison.html"], ["report.html"]]


def test_without_published_numbers_there_is_no_page(folder: Path, file: Path) -> None:
    """One that was there is removed with the link to it."""
    write_report(folder, file)
    report = write_report(folder)
    left = (folder / "comparison.html").exists()
    assert (left, report.read_bytes()) == (False, build_report(folder))


def test_nothing_runs_and_all_is_text(folder: Path, file: Path) -> None:
    """Markup of the file is shown as written; the policy allows the one style sheet."""
    page = render_comparison(read_release(folder), read_published(file))
    tags = set(re.findall(r"<([a-z]+)", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)))
    loading = {"script", "b", "i", "u", "s", "img", "link", "iframe", "form"} & tags
    policy = "default-src &#39;none&#39;; style-src &#39;sha256-"
    assert (loading, policy in page, "a slip &lt;p&gt;" in page) == (set(), True, True)


def test_the_same_release_gives_the_same_page(folder: Path, file: Path) -> None:
    """And every section carries the watermark."""
    release, published = read_release(folder), read_published(file)
    pages = {render_comparison(release, published) for _ in range(2)}
    (page,) = pages
    assert page.count('<div class="watermark"') == page.count("<section ") + 2


def test_numbers_that_do_not_fit_leave_no_report(folder: Path, file: Path) -> None:
    """So that a refresh is not taken for finished, and goes on when the file is corrected."""
    file.write_text(FILE.replace("overall", "overal"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no analysis 'overal' in this release"):
        write_report(folder, file)
    assert not (folder / "report.html").exists()


def test_what_the_report_hides_is_hidden(tmp_path: Path, file: Path) -> None:
    """The page shows no number that the report does not."""
    page = render_comparison(read_release(write_release(tmp_path / "r")), read_published(file))
    assert ("not shown: a slip" in page, "hidden" in page) == (True, True)


@pytest.mark.parametrize("name", WIDTHS)
def test_in_a_browser(browser: Any, folder: Path, file: Path, name: str) -> None:
    """Nothing sticks out, is cut off, pale, without a name, or asks another host."""
    write_report(folder, file)
    with window(browser, name) as view:
        view.page.goto((folder / "comparison.html").as_uri())
        assert findings(view) == []
