"""A release's pages: what is on each, their keys, and nothing that the HTML report hides."""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path

import pytest

from coordinator.report.markdown import Piece, pieces
from site_agent.contract.errors import ConfigurationError
from tests.coordinator.report.made import (
    DEVELOPMENT,
    HOSTILE,
    SYNTHETIC,
    analyses,
    disclosure,
    incidence,
    logrank,
    write_release,
)

IMAGE = re.compile(r"!\[[^\n]*?\]\(data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)\)")
TRICKS = f"{HOSTILE} | `c` [x](javascript:alert(1)) ![i](x) **b**\n\n# head\n***\n<b> \\|"
PUBLISHED = """
published: 1
note: Rounded | there
entries:
  - analysis: overall
    what: median
    numbers: ["curves[].median.estimate"]
    text: "4"
    source: hand
  - {analysis: overall, what: events, numbers: ["curves[].events"], text: "4", source: hand}
"""


@pytest.fixture
def found(release: Path) -> dict[str, Piece]:
    """Return the pages of the made-up release by key."""
    return {piece.key: piece for piece in pieces(release)}


def hostile(folder: Path) -> list[Piece]:
    """Return the pages of a release with tricks in every text that a study or site gives."""
    made = analyses()
    made["mortality"] = ("incidence", incidence(TRICKS, "</svg>"))
    made["broken"] = ("cox", {"failed": True, "because": TRICKS})
    changes = {
        "title": TRICKS,
        "labels": dict.fromkeys(("age", "model", "death", "survival", "dose"), TRICKS),
        "sites_in": [TRICKS],
        "sites_out": {"```": TRICKS},
        "watermark": TRICKS,
        "software": f"```\n{TRICKS}",
        "disclosure": disclosure("model", "mortality"),
    }
    return pieces(write_release(folder, changes, made))


def rendered(page: str) -> str:
    """Return the HTML of a renderer that takes raw HTML and every address."""
    renderer = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    renderer.validateLink = lambda url: True
    return str(renderer.render(page))


def prose(page: str) -> str:
    """Return a page without its images and listings, in which nothing has a meaning."""
    return re.sub(r"^(`{3,})text\n.*?^\1$", "", IMAGE.sub("", page), flags=re.S | re.M)


def test_keys_are_head_analyses_and_provenance(found: dict[str, Piece]) -> None:
    """One page each, in the order of the report."""
    names = ("", "-overall", "-mortality", "-dose-test", "-model", "-screen", "-broken")
    assert list(found) == [f"made-release-2{name}" for name in (*names, "-provenance")]


def test_an_analysis_named_provenance_takes_no_other_key(tmp_path: Path) -> None:
    """Keys are unique."""
    made = {"provenance": analyses()["model"]}
    keys = [piece.key for piece in pieces(write_release(tmp_path / "r", None, made))]
    assert keys[1:] == ["made-release-2-provenance", "made-release-2-provenance-release"]


def test_the_same_release_gives_the_same_pages(release: Path) -> None:
    """Nothing of the moment is on them."""
    assert pieces(release) == pieces(release)


def test_descriptions_say_what_and_when(found: dict[str, Piece]) -> None:
    """A list of pages is understood without opening them."""
    assert found["made-release-2-model"].description == (
        f"The model of survival. Release 2 of made, as of 2026-01-02, 03:05:06 UTC. **{SYNTHETIC}**"
    )


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("", "## A made-up study"),
        ("", "Release 2 of the study `made`, as of 2026-01-02, 03:05:06 UTC."),
        ("", "30 patients, 2 hospitals in, 1 out, 2 rounds."),
        ("-overall", "`overall`: Kaplan-Meier estimate of survival"),
        ("-dose-test", "| Log-rank | 2.16 | 1 | 0.14 |"),
        ("-model", "| Age, per year | 2.00 (0.75 to\u00a05.33) | 0.17 |"),
        ("-model", "Rows left out: &lt;5 (a value missing)."),
        ("-broken", "**No result.** separated by dose: none of the &lt;5 events happens"),
        ("-provenance", "- Hospitals out: north (no folder)"),
        ("-provenance", "- Received: 2.5 MB"),
        ("-provenance", "The policy accepts no exceptions."),
        ("-provenance", "c" * 64),
    ],
)
def test_pages_hold(found: dict[str, Piece], name: str, fragment: str) -> None:
    """Golden fragments of the made-up release."""
    assert fragment in found[f"made-release-2{name}"].markdown


def test_the_head_says_where_the_report_is(release: Path) -> None:
    """The page is a view; the file is the record."""
    path = str(release.absolute() / "report.html").replace("_", r"\_")
    assert f"The report of record is {path}," in pieces(release)[0].markdown


def test_figures_are_those_of_the_html_report(accepted: Path) -> None:
    """One of survival, one for each outcome of the incidence, a forest for each model."""
    counts = {piece.key: len(IMAGE.findall(piece.markdown)) for piece in pieces(accepted)}
    drawn = {key: n for key, n in counts.items() if n}
    models = {"made-release-2-model": 1, "made-release-2-screen": 1}
    assert drawn == {"made-release-2-overall": 1, "made-release-2-mortality": 2, **models}


def test_published_numbers_stand_on_the_head(release: Path, tmp_path: Path) -> None:
    """Of few events neither the count nor what it could be read off is shown."""
    file = tmp_path / "published.yaml"
    file.write_text(PUBLISHED, encoding="utf-8")
    page = pieces(release, file)[0].markdown
    assert page[page.index("| overall") :] == (
        "| overall: median | hidden | 4 | not shown | hand |\n"
        "| overall: events | hidden | 4 | not shown | hand |\n\n"
        "Rounded \\| there\n"
    )


def test_the_watermark_is_on_every_page(tmp_path: Path) -> None:
    """All its parts, each for itself, and in every description."""
    folder = write_release(tmp_path / "r", {"watermark": f"{DEVELOPMENT}; {SYNTHETIC}"})
    marked = [
        f"**{mark}**" in text
        for piece in pieces(folder)
        for text in (piece.markdown, piece.description)
        for mark in (DEVELOPMENT, SYNTHETIC)
    ]
    assert marked == [True] * 32


def test_the_watermark_is_in_every_figure(accepted: Path) -> None:
    """An image that is copied still says what it is."""
    images = [data for piece in pieces(accepted) for data in IMAGE.findall(piece.markdown)]
    assert [SYNTHETIC in base64.b64decode(data).decode() for data in images] == [True] * 5


def test_altered_files_are_warned_of_on_every_page(release: Path) -> None:
    """Nobody relies on a page whose numbers are not the release's."""
    path = release / "model.json"
    path.write_text(path.read_text() + " ")
    warned = ["**NOT AS RELEASED**" in piece.markdown for piece in pieces(release)]
    assert warned == [True] * 8


def test_curves_of_few_events_are_not_drawn(found: dict[str, Piece]) -> None:
    """The made-up curves have three and four events: only pages of models have an image."""
    drawn = [key for key, piece in found.items() if IMAGE.search(piece.markdown)]
    assert drawn == ["made-release-2-model", "made-release-2-screen"]


def test_small_counts_are_hidden_in_tables(tmp_path: Path) -> None:
    """Of a log-rank table with one small group no count is on the page."""
    made = {"dose_test": ("logrank", logrank(rows=(3, 18)))}
    page = pieces(write_release(tmp_path / "r", None, made))[1].markdown
    rows = [
        line for line in page.splitlines() if line.startswith(("| low", "| high", "| Log-rank"))
    ]
    assert rows == [
        "| low | hidden | hidden | hidden |",
        "| high | hidden | hidden | hidden |",
        "| Log-rank | hidden | 1 | hidden |",
    ]


def test_an_accepted_analysis_shows_its_counts(tmp_path: Path) -> None:
    """An exception that stewards signed is named, and its counts are in full."""
    page = pieces(write_release(tmp_path / "r", {"disclosure": disclosure("overall")}))[1].markdown
    assert "Accepted exception, with all counts shown: overall is the primary result." in page


def test_hostile_texts_are_no_html(tmp_path: Path) -> None:
    """Outside of images and listings no "<" is left."""
    written = [prose(p.markdown) + p.description for p in hostile(tmp_path / "r")]
    assert [text for text in written if "<" in text] == []


def test_hostile_texts_are_no_markdown(tmp_path: Path) -> None:
    """A renderer finds the elements that we wrote, and no other."""
    pages = "".join(rendered(piece.markdown) for piece in hostile(tmp_path / "r"))
    tags = set(re.findall(r"<(\w+)", pages))
    tables = {"table", "thead", "tbody", "tr", "th", "td"}
    assert tags == tables | {"h2", "h3", "h4", "p", "strong", "code", "pre", "ul", "li", "img"}


def test_hostile_texts_are_shown_as_written(tmp_path: Path) -> None:
    """A title reads as the study gave it, on one line."""
    shown = re.search(r"<h2>(.*?)</h2>", rendered(hostile(tmp_path / "r")[0].markdown))
    assert shown is not None
    assert html.unescape(shown[1]) == " ".join(TRICKS.split())


def test_images_are_the_report_s_own(tmp_path: Path) -> None:
    """No address but those of our drawings is loaded."""
    pages = "".join(rendered(piece.markdown) for piece in hostile(tmp_path / "r"))
    assert {src[:26] for src in re.findall(r'src="([^"]*)"', pages)} == {
        "data:image/svg+xml;base64,"
    }


def test_a_folder_without_a_release_is_refused(tmp_path: Path) -> None:
    """The message names what was expected."""
    with pytest.raises(ConfigurationError, match="expected a release's folder"):
        pieces(tmp_path)
