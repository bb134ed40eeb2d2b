"""The report as one file: complete, escaped, self-contained, the same each time."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from coordinator.report import build_report, write_report
from tests.coordinator.report.made import (
    DEVELOPMENT,
    HOSTILE,
    SYNTHETIC,
    analyses,
    disclosure,
    incidence,
    manifest,
    write_release,
)

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Outline(HTMLParser):
    """Tags that do not close in order, headings, sections, and text by section."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.headings: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            self.headings.append(data.strip())


def outline(text: str) -> Outline:
    found = Outline()
    found.feed(text)
    return found


def text_of(text: str) -> str:
    """Return what is read on the page, without tags and style."""
    bare = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", bare))


def test_the_same_release_gives_the_same_bytes(release: Path) -> None:
    """Nothing of the moment or the machine is in the report."""
    assert build_report(release) == build_report(release)


def test_the_report_is_written_beside_the_results(release: Path) -> None:
    """The file is report.html, with the bytes of build_report."""
    path = write_report(release)
    assert (path.name, path.read_bytes()) == ("report.html", build_report(release))


def test_every_tag_is_closed_in_order(report: str) -> None:
    """The page is well-formed."""
    found = outline(report)
    assert (found.wrong, found.open) == ([], [])


def test_nothing_runs_and_nothing_is_loaded(report: str) -> None:
    """No scripts, no addresses, no handlers, no elements that load."""
    loading = {"script", "img", "link", "iframe", "object", "embed", "base", "form", "image", "use"}
    found = outline(report)
    handlers = [name for name, _ in found.attributes if name.startswith("on") or name == "style"]
    without_hash = re.sub(r"sha256-[\w+/&#;]+", "", report)  # base64 may hold a double slash
    addresses = re.findall(r"https?:|//|url\(|@import|javascript:", without_hash)
    assert (loading & set(found.tags), handlers, addresses) == (set(), [], [])


def test_references_stay_within_the_page(report: str) -> None:
    """Every link leads to an id on the page."""
    found = outline(report)
    ids = {value for name, value in found.attributes if name == "id"}
    links = {value for name, value in found.attributes if name in ("href", "src")}
    assert {link for link in links if str(link).removeprefix("#") not in ids} == set()


def test_ids_are_unique(report: str) -> None:
    """No two elements share an id."""
    ids = [value for name, value in outline(report).attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_the_policy_allows_exactly_the_style_of_the_page(report: str) -> None:
    """The hash in the content security policy is of the style sheet between the tags."""
    style = re.search(r"<style>(.*?)</style>", report, flags=re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    plain = report.replace("&#39;", "'").replace("&#x27;", "'").replace("&#43;", "+")
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in plain


def test_headings_follow_the_order_in_which_a_clinician_reads(report: str) -> None:
    """Who is in, courses before models, each in study order; then methods and what was opened."""
    assert [heading for heading in outline(report).headings if heading] == [
        "A made-up study",
        "Contents",
        "Who is in",
        "Course over time",
        *("Overall", "Mortality", "Dose test"),
        "Models",
        *("The model of survival", "Screen", "Broken"),
        "What changed since the last release",
        "Methods",
        "References",
        "What is not shown, and why",
        "What each party learned, and under which policy",
        "Policy",
        "Provenance",
    ]


@pytest.mark.parametrize(
    "fragment",
    [
        "As of 2026-01-02, 03:05:06 UTC.",
        "Kaplan-Meier estimate of survival",
        "2.16 1 0.14",
        "2.00 (0.75 to 5.33) 0.17",
        "Likelihood ratio 3.25 2 0.20",
        "−40.1 −38.5 81.0",
        "No result. separated by dose: none of the &lt;5 events happens",
        "Rows left out: &lt;5 (a value missing).",
        "The policy accepts no exceptions.",
        "north (no folder)",
        "quorum 0.1.0, Python 3.11.7",
        "c" * 64,
        "1,500",
    ],
)
def test_the_report_holds(report: str, fragment: str) -> None:
    """Golden fragments of the made-up release, as they are read."""
    assert fragment in text_of(report)


def test_the_watermark_is_in_every_section(report: str) -> None:
    """A synthetic study says so at the head, in each section and at the foot."""
    sections = report.count("<section ")
    assert report.count('<div class="watermark"') == sections + 2


def test_the_watermark_is_in_every_figure(tmp_path: Path) -> None:
    """Each drawing carries every mark, above and across."""
    mark = f"{DEVELOPMENT}; {SYNTHETIC}"
    shown = disclosure("overall", "mortality")
    folder = write_release(tmp_path / "r", {"watermark": mark, "disclosure": shown})
    figures = re.findall(r"<svg.*?</svg>", build_report(folder).decode(), flags=re.DOTALL)
    held = [
        (DEVELOPMENT.split(":")[0] in svg, SYNTHETIC in svg, svg.count("watermark-across"))
        for svg in figures
    ]
    assert held == [(True, True, 2)] * 6


def test_without_a_watermark_there_is_no_banner(tmp_path: Path) -> None:
    """A real study under its policy has no red on it."""
    folder = write_release(tmp_path / "r", {"watermark": ""})
    assert 'class="watermark' not in build_report(folder).decode()


def test_hostile_names_are_text_everywhere(tmp_path: Path) -> None:
    """Markup in title, labels, groups, reasons and sites is shown as it was written."""
    found = analyses()
    found["mortality"] = ("incidence", incidence(HOSTILE, "</svg></style>"))
    found["broken"] = ("cox", {"failed": True, "because": HOSTILE})
    changes = {
        "title": HOSTILE,
        "labels": {"age": HOSTILE, "model": HOSTILE, "death": HOSTILE, "survival": HOSTILE},
        "sites_in": [HOSTILE],
        "sites_out": {"north": HOSTILE},
        "watermark": HOSTILE,
        "software": HOSTILE,
        "disclosure": {**disclosure(), "accepted": [["model", HOSTILE]]},
    }
    text = build_report(write_release(tmp_path / "r", changes, found)).decode()
    parsed = outline(text)
    assert ("<script" in text, "script" in parsed.tags, parsed.wrong) == (False, False, [])


def test_curves_of_few_events_are_not_drawn(report: str) -> None:
    """The made-up curves have three and four events: any point would show them."""
    told = "Curves are not drawn where their first points would tell of few patients."
    assert (report.count('class="curve"'), report.count(told)) == (0, 2)


def test_an_accepted_analysis_shows_its_counts(tmp_path: Path) -> None:
    """An exception that stewards signed is named, and its counts are in full."""
    folder = write_release(tmp_path / "r", {"disclosure": disclosure("overall")})
    text = text_of(build_report(folder).decode())
    shown = "2 4 1 83 (60 to 100)" in text
    told = "Accepted exception, with all counts shown: overall is the primary result." in text
    assert (shown, told) == (True, True)


def test_altered_files_are_warned_of_at_the_head(release: Path) -> None:
    """A reader sees before all numbers that one file is not the release's."""
    path = release / "model.json"
    path.write_text(path.read_text() + " ")
    assert "These files are not what the release wrote" in build_report(release).decode()


def test_table_headers_have_their_scope(report: str) -> None:
    """Every header cell says whether it heads a column or a row."""
    assert re.findall(r"<th(?! scope=)[^ea]", report) == []


def test_every_figure_has_a_caption(accepted: Path) -> None:
    """A drawing without a caption cannot be read alone."""
    report = build_report(accepted).decode()
    assert report.count("<figure") == report.count("<figcaption>") == 6


def test_a_release_without_analyses_is_still_a_report(tmp_path: Path) -> None:
    """An empty study gives an empty report, not an error."""
    folder = write_release(tmp_path / "r", {**manifest([]), "opened": {}})
    assert outline(build_report(folder).decode()).wrong == []
