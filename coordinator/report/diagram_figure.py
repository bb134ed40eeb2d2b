"""The figure of a causal diagram: nodes with their parts in it, arrows from the top down.

A node's part is told by its shape and by a word in it, never by colour alone: the exposure has a
thick frame, the outcome a double one, what is adjusted for is a box with corners, as is the custom
for what is conditioned on, what nobody measured is dashed, and any other node is round. The arrow
from exposure to outcome, whose effect is asked for, is thick.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from coordinator.report import watermark
from coordinator.report.diagram_layout import Item, Layout, Line, layout
from coordinator.report.direct_labels import wrapped
from coordinator.report.plot import COLOURS, LABEL_SIZE, WIDTH, Sheet
from coordinator.report.risk_table import FAINT, INK
from coordinator.report.svg import element, place

EXPOSURE: Final = "exposure"
OUTCOME: Final = "outcome"
ADJUSTED: Final = "adjusted for"
UNMEASURED: Final = "unmeasured"
NODE_WIDTH: Final = 110.0
NODE_HEIGHT: Final = 50.0
GAP: Final = 10.0
STRIP: Final = 44.0  # between rows, where arrows bend
MARGIN: Final = 10.0
PART_SIZE: Final = 10.0
LINE_HEIGHT: Final = 13.0
ROUND: Final = 14.0  # radius of corners
INSIDE: Final = 3.0  # how far the second frame of the outcome lies inside the first
HEAD: Final = (4.0, 8.0)  # half the breadth of an arrow's head, and its length
FILLS: Final = {EXPOSURE: "#dcecf6", OUTCOME: "#f9e5d9", ADJUSTED: "#dcf1ea"}
COLOUR: Final = {EXPOSURE: COLOURS[0], OUTCOME: COLOURS[1], ADJUSTED: COLOURS[2]}


@dataclass(frozen=True, slots=True)
class DiagramFigure:
    """A diagram: nodes behind their parents, each with its name; arrows; parts of some nodes."""

    title: str
    description: str
    names: Mapping[str, str]
    arrows: tuple[tuple[str, str], ...]
    parts: Mapping[str, str]
    effect: tuple[str, str]
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node stands: its centre and its top."""

    x: float
    top: float

    @property
    def left(self) -> float:
        """Return its left side."""
        return self.x - NODE_WIDTH / 2


def diagram_figure(figure: DiagramFigure, identity: str) -> Markup:
    """Return the figure as one SVG element; `identity` starts its ids."""
    plan = layout(
        tuple(figure.names),
        figure.arrows,
        effect=figure.effect,
        breadth=NODE_WIDTH + GAP,
        least_width=WIDTH - 2 * MARGIN,
    )
    width = plan.width + 2 * MARGIN
    strip = tuple(watermark.strip_lines(figure.marks, width))
    top = watermark.strip_height(strip) + MARGIN
    bottom = top + len(plan.rows) * (NODE_HEIGHT + STRIP) - STRIP
    boxes = _boxes(plan, top)
    parts = [
        *watermark.strip(strip, width),
        *_arrows(plan, top),
        *(_head(boxes[node]) for node in dict.fromkeys(b for _, b in figure.arrows)),
        *(drawn for node, box in boxes.items() for drawn in _node(figure, node, box)),
        *watermark.across(figure.marks, (width / 2, (top + bottom) / 2), width),
    ]
    return Sheet(figure.title, figure.description, width, bottom + MARGIN).svg(parts, identity)


def _boxes(plan: Layout, top: float) -> dict[str, Box]:
    return {
        item: Box(MARGIN + plan.centre[item], top + row * (NODE_HEIGHT + STRIP))
        for row, items in enumerate(plan.rows)
        for item in items
        if isinstance(item, str)
    }


def _arrows(plan: Layout, top: float) -> list[Markup]:
    """Return the lines between rows, and through the gates of a row straight down."""
    drawn = [_line(plan, line, top) for line in plan.lines]
    gates = [(row, item) for row, items in enumerate(plan.rows) for item in items]
    return drawn + [_gate(plan, row, item, top) for row, item in gates if not isinstance(item, str)]


def _line(plan: Layout, line: Line, top: float) -> Markup:
    """Return a line that leaves and arrives upright, bent halfway between its rows."""
    start, end = (MARGIN + plan.centre[item] for item in (line.start, line.end))
    above = top + line.row * (NODE_HEIGHT + STRIP) + NODE_HEIGHT
    below = above + STRIP - (HEAD[1] - 1 if line.ends else 0)
    middle = above + STRIP / 2
    path = f"M{place(start)} {place(above)}C{place(start)} {place(middle)} "
    path += f"{place(end)} {place(middle)} {place(end)} {place(below)}"
    return _stroked(path, effect=line.effect)


def _gate(plan: Layout, row: int, gate: Item, top: float) -> Markup:
    x, y = MARGIN + plan.centre[gate], top + row * (NODE_HEIGHT + STRIP)
    return _stroked(f"M{place(x)} {place(y)}V{place(y + NODE_HEIGHT)}", effect=bool(gate[2]))


def _stroked(path: str, *, effect: bool) -> Markup:
    return element(
        "path", class_="effect" if effect else "arrow", d=path, fill="none", stroke=INK,
        stroke_width=2.6 if effect else 1.1,
    )  # fmt: skip


def _head(box: Box) -> Markup:
    breadth, length = HEAD
    path = f"M{place(box.x)} {place(box.top)}L{place(box.x - breadth)} {place(box.top - length)}"
    path += f"H{place(box.x + breadth)}Z"
    return element("path", class_="head", d=path, fill=INK)


def _node(figure: DiagramFigure, node: str, box: Box) -> list[Markup]:
    """Return the node's shape, its name in at most two lines, and its part in the diagram."""
    part = figure.parts.get(node, "")
    lines = wrapped(figure.names[node], NODE_WIDTH - 12, LABEL_SIZE)
    height = LINE_HEIGHT * (len(lines) + bool(part))
    first = box.top + (NODE_HEIGHT - height) / 2 + 10
    words = [_text(line, box.x, first + LINE_HEIGHT * k) for k, line in enumerate(lines)]
    if part:
        words.append(_text(part, box.x, first + LINE_HEIGHT * len(lines), part=True))
    return [*_shape(part, box), *words]


def _shape(part: str, box: Box) -> list[Markup]:
    square = part in (EXPOSURE, ADJUSTED)
    frames = [_frame(part, box, 0.0, square=square)]
    if part == OUTCOME:
        frames.append(_frame(part, box, INSIDE, square=False))
    return frames


def _frame(part: str, box: Box, inside: float, *, square: bool) -> Markup:
    """Return a rectangle, round unless `square`, so far inside the node's place."""
    return element(
        "rect", class_=f"node {part}".strip().replace(" for", ""), x=box.left + inside,
        y=box.top + inside, width=NODE_WIDTH - 2 * inside, height=NODE_HEIGHT - 2 * inside,
        rx=0.0 if square else ROUND - inside, stroke=COLOUR.get(part, INK),
        stroke_width={EXPOSURE: 3.0, ADJUSTED: 1.6}.get(part, 1.1),
        stroke_dasharray="4 3" if part == UNMEASURED else "none",
        fill=FILLS.get(part, "#ffffff"),
    )  # fmt: skip


def _text(words: str, x: float, y: float, *, part: bool = False) -> Markup:
    return element(
        "text", words, class_="part" if part else "node-name", x=x, y=y, text_anchor="middle",
        font_size=PART_SIZE if part else LABEL_SIZE, fill=FAINT if part else INK,
        font_style="italic" if part else "normal",
    )  # fmt: skip
