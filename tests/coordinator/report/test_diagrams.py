"""The figure of causal diagrams: every arrow and no other, none over a node; and the tables."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coordinator.report.diagram_layout import Item, Layout, layout
from coordinator.report.diagrams import adjustment_figure, adjustment_tables
from coordinator.report.direct_labels import text_width
from coordinator.report.sections import section
from site_agent.contract.analyses.adjustment import Adjustment, Checked
from site_agent.contract.analyses.causal_graph import Graph, minimal_sets
from tests.coordinator.report.made import HOSTILE, view

Arrow = tuple[str, str]
CONFOUNDED = (
    "age -> dose, age -> death, burden -> age, dose -> grade, grade -> death, dose -> death"
)
# Shrier and Platt, BMC Med Res Methodol 2008;8:70, Figure 2; also dagitty's example.
SHRIER = (
    "coach -> motivation, coach -> fitness, genetics -> fitness, genetics -> fatigue, genetics -> "
    "tissue_disorder, tissue_disorder -> fatigue, tissue_disorder -> weakness, fitness -> before, "
    "fitness -> fatigue, motivation -> dose, motivation -> previous, before -> dose, dose -> "
    "during, fatigue -> during, fatigue -> death, during -> death, weakness -> death, contact -> "
    "previous, contact -> during"
)


def arrows_of(text: str) -> tuple[Arrow, ...]:
    pairs = (arrow.split("->") for arrow in text.split(","))
    return tuple((a.strip(), b.strip()) for a, b in pairs)


def document(text: str, *unmeasured: str, checked: tuple[Checked, ...] = ()) -> dict[str, Any]:
    """Return the result of a diagram of `dose` and `death`."""
    arrows = arrows_of(text)
    graph = Graph(tuple(dict.fromkeys(node for arrow in arrows for node in arrow)), arrows)
    hidden = frozenset(unmeasured)
    sets = minimal_sets(graph, "dose", "death", unmeasured=hidden)
    ordered = tuple(tuple(node for node in graph.nodes if node in one) for one in sets)
    return Adjustment(graph, "dose", "death", hidden, ordered, checked).document()


def drawn(text: str, *unmeasured: str, **labels: str) -> ET.Element:
    """Return the figure, parsed."""
    (figure,) = section(
        view("adjustment", document(text, *unmeasured), labels=labels), "one"
    ).figures
    return ET.fromstring(str(figure.drawing))


def numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"-?[\d.]+", text)]


def along(path: str) -> list[tuple[float, float]]:
    """Return 41 places along an arrow's part: a curve M..C or a straight M..V."""
    values = numbers(path)
    if "V" in path:
        x, y, end = values
        return [(x, y + (end - y) * k / 40) for k in range(41)]
    p0, p1, p2, p3 = zip(values[::2], values[1::2], strict=True)
    return [
        tuple(  # type: ignore[misc]
            (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
            for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
        )
        for t in (k / 40 for k in range(41))
    ]


def boxes(figure: ET.Element) -> list[tuple[float, float, float, float]]:
    """Return (left, top, right, bottom) of each node."""
    found = []
    for rect in figure.iter("rect"):
        if rect.get("class", "").startswith("node"):
            x, y, w, h = (float(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
            found.append((x, y, x + w, y + h))
    return found


def over_nodes(figure: ET.Element) -> list[tuple[float, float]]:
    """Return places of arrows that lie inside a node."""
    paths = [p.get("d", "") for p in figure.iter("path") if p.get("class") in ("arrow", "effect")]
    return [
        (x, y)
        for path in paths
        for x, y in along(path)
        for left, top, right, bottom in boxes(figure)
        if left < x < right and top < y < bottom
    ]


@st.composite
def diagrams(draw: st.DrawFn) -> str:
    """Draw a diagram of `dose`, `death` and up to eight other nodes."""
    names = ["dose", "death", *"abcdefgh"[: draw(st.integers(0, 8))]]
    order = draw(st.permutations(names))
    pairs = [(a, b) for k, a in enumerate(order) for b in order[k + 1 :]]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20))
    chosen += [] if {"dose", "death"} <= {n for pair in chosen for n in pair} else [
        pair for pair in pairs if set(pair) == {"dose", "death"} and pair not in chosen
    ]  # fmt: skip
    return ", ".join(f"{a} -> {b}" for a, b in chosen)


@settings(max_examples=60, deadline=None)
@given(diagrams())
def test_no_arrow_crosses_a_node(text: str) -> None:
    """No place along any arrow lies inside a node's frame."""
    assert over_nodes(drawn(text)) == []


def planned(text: str) -> Layout:
    result = document(text)
    order = [n["node"] for n in sorted(result["nodes"], key=lambda node: node["layer"])]
    arrows = [(a, b) for a, b in result["arrows"]]
    effect = ("dose", "death")
    return layout(order, arrows, effect=effect, breadth=120.0, least_width=400.0)


def followed(plan: Layout, item: Item) -> list[str]:
    """Return the nodes at which lines from an item end."""
    ends: list[str] = []
    for line in plan.lines:
        if line.start == item:
            ends += [line.end] if isinstance(line.end, str) else followed(plan, line.end)
    return ends


@settings(max_examples=60, deadline=None)
@given(diagrams())
def test_the_lines_are_the_arrows(text: str) -> None:
    """Whoever follows the lines from node to node finds every arrow, and no other."""
    plan = planned(text)
    nodes = [item for row in plan.rows for item in row if isinstance(item, str)]
    assert sorted((a, b) for a in nodes for b in followed(plan, a)) == sorted(arrows_of(text))


@settings(max_examples=60, deadline=None)
@given(diagrams())
def test_nothing_in_a_row_overlaps(text: str) -> None:
    """Centres in a row are as far apart as nodes and gates are broad."""
    plan = planned(text)
    breadth = {True: 120.0, False: 12.0}
    apart = [
        plan.centre[b] - plan.centre[a]
        - (breadth[isinstance(a, str)] + breadth[isinstance(b, str)]) / 2
        for row in plan.rows
        for a, b in pairwise(row)
    ]  # fmt: skip
    assert min(apart, default=0.0) >= -1e-9


@settings(max_examples=60, deadline=None)
@given(diagrams())
def test_all_of_it_is_on_the_sheet(text: str) -> None:
    """Nodes and arrows lie within the drawing."""
    figure = drawn(text)
    _, _, width, height = numbers(figure.get("viewBox", ""))
    ends = [(x, y) for left, top, x, y in boxes(figure) if left < 0 or top < 0 or x > width]
    assert (ends, max(bottom for *_, bottom in boxes(figure)) <= height) == ([], True)


def parts(figure: ET.Element) -> dict[str, str]:
    """Return the word under each node's name."""
    names = [t for t in figure.iter("text") if t.get("class") in ("node-name", "part")]
    return {
        str(name.text): str(part.text)
        for name, part in pairwise(names)
        if name.get("class") == "node-name" and part.get("class") == "part"
    }


def test_parts_stand_in_words() -> None:
    """Exposure, outcome, what is adjusted for and what nobody measured are told in words."""
    assert parts(drawn(CONFOUNDED, "burden")) == {
        "burden": "unmeasured", "age": "adjusted for", "dose": "exposure", "death": "outcome",
    }  # fmt: skip


def shape(rect: ET.Element) -> tuple[str | None, ...]:
    return tuple(rect.get(name) for name in ("rx", "stroke-width", "stroke-dasharray"))


def test_parts_differ_in_shape() -> None:
    """Without any colour the five parts look different: corners, width and dashes of the frame."""
    frames: dict[str, list[tuple[str | None, ...]]] = {}
    for rect in drawn(CONFOUNDED, "burden").iter("rect"):
        if rect.get("class", "").startswith("node"):
            frames.setdefault(rect.get("class", ""), []).append(shape(rect))
    assert len(frames) == len({tuple(looks) for looks in frames.values()}) == 5


def test_the_effect_is_thick() -> None:
    """The arrow from exposure to outcome has lines of its own, and no other arrow is thick."""
    classes = [path.get("class") for path in drawn(CONFOUNDED, "burden").iter("path")]
    assert classes.count("effect") == 3  # over one row between: to a gate, through it, from it


def test_without_an_arrow_between_them_nothing_is_thick() -> None:
    """An effect by way of others only is no arrow; the caption names none."""
    _, caption = adjustment_figure(
        view("adjustment", document("dose -> grade, grade -> death")), ""
    )
    assert "Thick" not in caption


@pytest.mark.parametrize(
    ("text", "unmeasured", "told"),
    [
        (CONFOUNDED, (), "Boxed: the first of 1 sets"),
        ("dose -> death", (), "No adjustment is needed."),
        ("u -> dose, u -> death, dose -> death", ("u",), "No set of measured covariates closes"),
        (SHRIER, (), "Boxed: the first of 7 sets."),
    ],
)
def test_captions(text: str, unmeasured: Sequence[str], told: str) -> None:
    """The caption says which set is boxed, or why none is."""
    expected = told.replace("the first of 1 sets", "the minimal adjustment set.")
    assert expected in adjustment_figure(view("adjustment", document(text, *unmeasured)), "")[1]


def test_a_published_diagram_has_few_crossings() -> None:
    """Shrier and Platt's diagram of 13 nodes and 19 arrows is drawn with five crossings."""
    plan = planned(SHRIER)
    assert sum(_crosses(plan, k, m) for k in range(len(plan.lines)) for m in range(k)) == 5


def _crosses(plan: Layout, k: int, m: int) -> bool:
    one, two, x = plan.lines[k], plan.lines[m], plan.centre
    return one.row == two.row and (x[one.start] - x[two.start]) * (x[one.end] - x[two.end]) < 0


def test_names_fit_their_nodes() -> None:
    """A long label breaks over two lines within its frame."""
    figure = drawn("dose -> death", death="Treatment-related mortality of all patients in study")
    widths = [text_width(str(t.text), 11.5) for t in figure.iter("text") if t.get("class")]
    assert max(widths) <= 110 - 12


def test_it_fits_a_phone() -> None:
    """A diagram of 13 nodes is no wider than the other figures, so its letters are as large."""
    assert numbers(drawn(SHRIER).get("viewBox", ""))[2] == 420


def test_the_same_diagram_gives_the_same_bytes() -> None:
    """Nothing of the drawing depends on the order of sets or on a clock."""
    assert ET.tostring(drawn(SHRIER)) == ET.tostring(drawn(SHRIER))


def test_a_reader_without_eyes_on_the_figure() -> None:
    """The description has the parts and every arrow."""
    figure = drawn("age -> dose, age -> death, dose -> death")
    described = figure.find("desc")
    assert described is not None and described.text == (
        "Exposure: dose. Outcome: death. Adjusted for: age. Arrows: age to dose; age to death; "
        "dose to death."
    )


def test_labels_are_escaped() -> None:
    """A label with markup is text."""
    assert "<script" not in ET.tostring(drawn("dose -> death", dose=HOSTILE)).decode()


def test_tables() -> None:
    """Sets, arrows, and what is said of each model."""
    model = Checked("model", ("grade",), ("grade",), (), has_exposure=True, closes=False)
    sets, arrows, models = adjustment_tables(
        view("adjustment", document(CONFOUNDED, "burden", checked=(model,)))
    )
    assert (sets.rows, len(arrows.rows), [row[0] for row in models.rows]) == (
        (("age",),),
        6,
        ["model"],
    )
