"""The figure: steps, bands, labels, risk table and watermark at their places."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

import pytest

from coordinator.report.axes import time_axis
from coordinator.report.curve_figure import CurveFigure, curve_figure
from coordinator.report.curve_lines import Line
from coordinator.report.direct_labels import text_width
from coordinator.report.plot import LABEL_LINE, LABEL_SIZE, WIDTH, stroke
from coordinator.report.risk_table import GroupCounts
from coordinator.report.suppression import Cell, Suppressed
from tests.coordinator.report.made import DEVELOPMENT, HOSTILE, SYNTHETIC


def line(label: str, last: float = 0.5, **changes: tuple[float | None, ...]) -> Line:
    columns = {"low": (0.7, last - 0.1), "high": (0.9, last + 0.1), **changes}
    return Line(label, (10.0, 40.0), (0.8, last), columns["low"], columns["high"])


TICKS = len(time_axis(40.0, 0, 1).ticks)


def drawn(lines: Sequence[Line], marks: tuple[str, ...] = (), cell: Cell = "12") -> ET.Element:
    """Return the figure, parsed, with the same cell everywhere under the axis."""
    figure = CurveFigure(
        "Survival", "Steps", "Time in days", "Survival (%)", 1.0, 40.0, tuple(lines), marks
    )
    counts = [GroupCounts(each.label, ((cell,) * TICKS,) * 3) for each in lines]
    return ET.fromstring(curve_figure(figure, counts, "f1"))


def texts(figure: ET.Element, kind: str) -> list[ET.Element]:
    return [node for node in figure.iter("text") if node.get("class") == kind]


def test_a_curve_is_drawn_in_steps() -> None:
    """From 100 % at 0 it goes level to each time and then down."""
    (curve,) = (n for n in drawn([line("")]).iter("path") if n.get("class") == "curve")
    assert curve.get("d") == "M76 28H156.5V70H398V133"


def test_a_band_is_interrupted_where_it_has_no_value() -> None:
    """Limits that are not known leave a gap, not a line to nowhere."""
    known = line("", low=(0.7, None), high=(0.9, None))
    (band,) = (n for n in drawn([known]).iter("path") if n.get("class") == "band")
    assert band.get("d") == "M76 28H156.5V49H398V91H156.5V28H76Z"


@pytest.mark.parametrize(
    "lasts", [(0.5, 0.5), (0.5, 0.51, 0.52, 0.49), (0.0,) * 7, (1.0,) * 3, (0.5,) * 20]
)
def test_labels_do_not_overlap(lasts: tuple[float, ...]) -> None:
    """The boxes of all label lines, from their own coordinates, are disjoint."""
    figure = drawn([line(f"a group with number {k}", last) for k, last in enumerate(lasts)])
    rows = sorted(float(node.get("y", "nan")) for node in texts(figure, "curve-label"))
    gaps = [after - before for before, after in itertools.pairwise(rows)]
    assert min(gaps) >= LABEL_LINE - 0.02


def test_labels_end_within_the_drawing() -> None:
    """No label is wider than the room right of the plot."""
    figure = drawn([line("W" * 40, 0.3), line("a name of many many words that go on", 0.6)])
    ends = [
        float(node.get("x", "nan")) + text_width(node.text or "", LABEL_SIZE)
        for node in texts(figure, "curve-label")
    ]
    assert max(ends) <= WIDTH


def test_everything_is_within_the_height() -> None:
    """The drawing is as high as its lowest text needs."""
    figure = drawn([line("low"), line("high")], (SYNTHETIC,))
    height = float((figure.get("viewBox") or "").split()[3])
    lowest = max(float(node.get("y", "nan")) for node in figure.iter("text"))
    assert lowest + 3 < height


def test_one_nameless_curve_has_no_label() -> None:
    """A single curve over everybody is named by the title."""
    assert texts(drawn([line("")]), "curve-label") == []


def test_the_risk_table_stands_under_the_ticks() -> None:
    """Each column of counts is centred where its tick is."""
    figure = drawn([line("")])
    ticks = [node.get("x") for node in texts(figure, "tick") if node.get("text-anchor") == "middle"]
    cells = [node.get("x") for node in texts(figure, "risk-cell")]
    assert cells == [tick for tick in ticks for _ in range(3)]


def test_the_risk_table_has_three_rows() -> None:
    """At risk, censored and events, for every group."""
    rows = [node.text for node in texts(drawn([line("low"), line("high")]), "risk-row")]
    assert rows == ["At risk", "Censored", "Events"] * 2


def test_columns_of_the_risk_table_do_not_touch() -> None:
    """Five-digit counts of neighbouring ticks keep their distance beside long labels."""
    figure = drawn([line("W" * 40), line("low")], cell="12,345")
    places = sorted({float(node.get("x", "nan")) for node in texts(figure, "risk-cell")})
    gaps = [after - before for before, after in itertools.pairwise(places)]
    assert min(gaps) > text_width("12,345", 10.5)


def test_hidden_counts_stand_apart() -> None:
    """A suppressed cell is of a class of its own, and no text among the counts."""
    figure = drawn([line("")], cell=Suppressed(5))
    marks = [node.text for node in texts(figure, "risk-hidden")]
    assert (marks, texts(figure, "risk-cell")) == (["hidden"] * 3 * TICKS, [])


def test_all_places_are_half_pixels() -> None:
    """No height of a curve or band, nor of a label beside it, is finer."""
    figure = drawn([line("low", 0.4321), line("high", 0.4567)])
    paths = " ".join(node.get("d", "") for node in figure.iter("path"))
    numbers = [float(text) for text in re.findall(r"-?[\d.]+", paths)]
    numbers += [float(node.get("y", "0")) for node in figure.iter("text")]
    assert {2 * number % 1 for number in numbers} == {0}


@pytest.mark.parametrize("mark", [SYNTHETIC, DEVELOPMENT])
def test_the_watermark_is_written_above_and_across(mark: str) -> None:
    """A figure that is copied out of the report still says what it is."""
    figure = drawn([line("")], (mark,))
    strip = " ".join(node.text or "" for node in texts(figure, "watermark-strip"))
    across = [node.text for node in texts(figure, "watermark-across")]
    assert (strip, across) == (mark, [mark.split(":")[0]])


def test_without_a_watermark_there_is_no_strip() -> None:
    """The figure of a real study under a policy has nothing across it."""
    kinds = {node.get("class") for node in drawn([line("")]).iter("text")}
    assert {"watermark-strip", "watermark-across"} & kinds == set()


def test_a_figure_is_named_for_those_who_do_not_see_it() -> None:
    """Title and description are in the drawing and are what it is labelled by."""
    figure = drawn([line("")])
    ids = [figure.find("title").get("id"), figure.find("desc").get("id")]  # type: ignore[union-attr]
    assert (figure.get("aria-labelledby"), figure.get("role")) == (" ".join(map(str, ids)), "img")


def test_hostile_labels_stay_text() -> None:
    """Markup in a group's name is shown, not obeyed."""
    figure = drawn([line(HOSTILE), line("low")])
    assert [node.tag for node in figure.iter() if node.tag == "script"] == []


def test_the_first_49_curves_differ() -> None:
    """No two curves share both colour and dashes."""
    assert len({stroke(index) for index in range(49)}) == 49


def test_colours_are_those_of_okabe_and_ito_without_yellow() -> None:
    """Yellow cannot be seen on white."""
    colours = {stroke(index).colour for index in range(7)}
    assert all(re.fullmatch(r"#[0-9A-F]{6}", colour) for colour in colours - {"#F0E442"})
