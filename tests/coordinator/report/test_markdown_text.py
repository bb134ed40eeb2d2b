r"""Markdown of any text reads as it was written: by hand, and in a renderer of CommonMark."""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.report.curve_figure import CurveFigure, curve_figure
from coordinator.report.curve_lines import Line
from coordinator.report.markdown_text import (
    code,
    escaped,
    listing,
    markdown_table,
    picture,
    standalone,
)
from coordinator.report.risk_table import GroupCounts
from coordinator.report.views import Table

SIGNS = st.text(alphabet="ab1 \n\t`*_[]()|~#<>&;!\\\"'-+=.:/", max_size=24)


def drawing(label: str = "low") -> str:
    line = Line(label, (1.0, 2.0), (0.5, 0.25), (0.2, 0.1), (0.8, 0.6))
    figure = CurveFigure("A [title]", f"At risk of {label}.", "Days", "%", 1.0, 2.0, (line,), ())
    counts = GroupCounts(label, (("4",) * 5,) * 3)
    return curve_figure(figure, [counts], "a1")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("high | low", r"high \| low"),
        ("a `b` c", r"a \`b\` c"),
        ("[x](javascript:alert(1))", r"\[x\](javascript:alert(1))"),
        ("two\n\n# lines", r"two \# lines"),
        ("    indented", "indented"),
        ("1. first", r"1\. first"),
        ("---", r"\---"),
        ("- point", r"\- point"),
        ("-0.5", "-0.5"),
        ("88.2 (84.1 to 92.5)", "88.2 (84.1 to 92.5)"),
        ("&lt;5", "&amp;lt;5"),
        ("a\\|b", r"a\\\|b"),
        ("bell\x07 turn‮", "bell? turn?"),
    ],
)
def test_escaped(text: str, expected: str) -> None:
    """Each sign that could mean something is disarmed, and no other is."""
    assert escaped(text) == expected


@given(SIGNS)
def test_a_renderer_shows_the_text_as_it_was_written(text: str) -> None:
    """CommonMark with tables, strikethrough and raw HTML finds one paragraph of plain text."""
    renderer = pytest.importorskip("markdown_it").MarkdownIt("commonmark")
    shown = renderer.enable(["table", "strikethrough"]).render(escaped(text)).strip()
    written = " ".join(text.split())
    plain = re.fullmatch(r"<p>([^<]*)</p>", shown)
    assert (html.unescape(plain[1]) if plain else shown) == written


@given(st.text(max_size=24))
def test_escaped_text_is_one_line_without_control_characters(text: str) -> None:
    """Whatever a study holds, its markdown stays on its line."""
    assert {unicodedata.category(sign)[0] for sign in escaped(text)} & {"C"} == set()


@given(st.lists(SIGNS, min_size=2, max_size=2))
def test_a_renderer_finds_the_cells_of_a_table(cells: list[str]) -> None:
    """No cell ends early, and none is more than text."""
    renderer = pytest.importorskip("markdown_it").MarkdownIt("commonmark").enable("table")
    table = Table("Caption", ("A", "B"), (tuple(cells),))
    found = re.findall(r"<td[^>]*>([^<]*)</td>", renderer.render(markdown_table(table)))
    assert [html.unescape(cell) for cell in found] == [" ".join(cell.split()) for cell in cells]


def test_code_cannot_be_left() -> None:
    """A backtick in a name does not end the code."""
    assert code("a`<b>`\nc") == "`a?<b>? c`"


def test_a_table_by_hand() -> None:
    """Names stand left and values right; an interval breaks before "to" only."""
    table = Table("Ratios", ("Term", "HR (95 % CI)"), (("age", "2.00 (0.751 to 5.33)"),))
    assert markdown_table(table) == (
        "#### Ratios\n\n"
        "| Term | HR (95\u00a0% CI) |\n"
        "| :--- | ---: |\n"
        "| age | 2.00 (0.751 to\u00a05.33) |"
    )


def test_what_stands_for_several_cells_is_below_the_table() -> None:
    """A hidden group is not told to be small in one column."""
    table = Table("Events", ("Group", "Rows", "Observed"), (("low", "<5"), ("high", "18", "6")))
    assert markdown_table(table) == (
        "#### Events\n\n"
        "| Group | Rows | Observed |\n"
        "| :--- | ---: | ---: |\n"
        "| low | see\u00a0below |  |\n"
        "| high | 18 | 6 |\n\n"
        "- **low** (Rows, Observed): &lt;5"
    )


def test_a_table_without_rows_is_nothing() -> None:
    """No caption stands alone."""
    assert markdown_table(Table("Empty", ("A",), ())) + listing(Table("Empty", ("A",), ())) == ""


def test_a_listing_by_hand() -> None:
    """Hashes stand whole in aligned columns."""
    table = Table("Files", ("File", "Hash"), (("a.json", "00ff"),))
    assert listing(table) == "#### Files\n\n```text\nFile    Hash\na.json  00ff\n```"


def test_a_listing_cannot_be_left() -> None:
    """The fence is longer than any run of backticks within."""
    lines = listing(Table("Files", ("File",), (("````\n# out",),))).splitlines()
    assert (lines[2], lines[-1]) == ("`````text", "`````")


def test_a_drawing_stands_alone() -> None:
    """It is an XML document in the namespace of SVG with a size and fonts of its own."""
    root = ElementTree.fromstring(standalone(drawing()))
    size = root.get("width"), root.get("font-family", "").split(",")[-1].strip()
    assert (root.tag, *size) == ("{http://www.w3.org/2000/svg}svg", "576", "sans-serif")


def test_a_drawing_lies_on_white() -> None:
    """It is legible on a dark page."""
    root = ElementTree.fromstring(standalone(drawing()))
    ground = root.find("{http://www.w3.org/2000/svg}rect")
    assert ground is not None
    assert (ground.get("fill"), ground.get("width")) == ("#ffffff", root.get("viewBox").split()[2])  # type: ignore[union-attr]


def test_a_label_that_xml_cannot_hold_leaves_the_drawing_whole() -> None:
    """A control character in a label is shown as a question mark."""
    root = ElementTree.fromstring(standalone(drawing("<b>\x0b]]>")))
    assert "<b>?]]>" in [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_another_drawing_is_refused() -> None:
    """Without its view box the size is unknown."""
    with pytest.raises(ValueError, match="viewBox"):
        standalone("<svg></svg>")


def test_a_picture_holds_the_drawing_and_its_description() -> None:
    """The image is a data address; the words are for those who do not see it."""
    data = base64.b64encode(standalone(drawing("[x]")).encode()).decode()
    expected = rf"![At risk of \[x\].](data:image/svg+xml;base64,{data})"
    assert picture(drawing("[x]")) == expected
