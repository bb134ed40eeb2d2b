"""What figures have in common: rules, texts, names at the ends of curves, and the SVG around all.

The colours are those of Okabe and Ito (2008) without yellow, each with dashes of its own, so that
curves differ in print without colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from coordinator.report.direct_labels import apart, text_width
from coordinator.report.risk_table import INK, Stroke
from coordinator.report.svg import element, joined, place

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
DASHES: Final = ("", "8 3", "2 2.5", "10 3 2 3", "5 2", "1.5 4", "14 4")
WIDTH: Final = 420.0
LEFT: Final = 76.0
PLOT_HEIGHT: Final = 210.0
LABEL_SIZE: Final = 11.5
LABEL_LINE: Final = 13.0
LABEL_WIDTH: Final = 84.0
TICK_SIZE: Final = 11.0
PALE: Final = "#e3e3e3"
Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The drawing around a figure's parts: its words for readers without eyes on it, its size."""

    title: str
    description: str
    width: float
    height: float
    kind: str = "figure"

    def svg(self, parts: Sequence[Markup], identity: str) -> Markup:
        """Return the parts on white as one SVG element; `identity` starts its ids."""
        inside = [
            element("title", self.title, id=f"{identity}-title"),
            element("desc", self.description, id=f"{identity}-desc"),
            element("rect", width=self.width, height=self.height, fill="#ffffff"),
            *parts,
        ]
        return element(
            "svg", joined(inside), class_=self.kind, role="img", focusable="false",
            viewBox=f"0 0 {place(self.width)} {place(self.height)}",
            aria_labelledby=f"{identity}-title {identity}-desc",
        )  # fmt: skip


def stroke(index: int) -> Stroke:
    """Return the colour and dashes of the curve with this number; the first 49 all differ."""
    shift = index // len(COLOURS)
    return Stroke(COLOURS[index % len(COLOURS)], DASHES[(index + shift) % len(DASHES)])


def rule(x: Place, y: Place, colour: str) -> Markup:
    """Return a straight line from (x[0], y[0]) to (x[1], y[1])."""
    return element("line", x1=x[0], x2=x[1], y1=y[0], y2=y[1], stroke=colour, stroke_width=1)


def text(words: str, at: Place, anchor: str, kind: str) -> Markup:
    """Return words at a place, of the size of ticks."""
    return element(
        "text", words, class_=kind, x=at[0], y=at[1], text_anchor=anchor, font_size=TICK_SIZE,
        fill=INK,
    )  # fmt: skip


def widest(labels: Sequence[Sequence[str]]) -> float:
    """Return the width of the widest line of all labels, 0 if there is none."""
    return max((text_width(line, LABEL_SIZE) for lines in labels for line in lines), default=0.0)


def stacked(labels: Sequence[Sequence[str]]) -> float:
    """Return the height that labels need one above the other."""
    return sum(_height(lines) for lines in labels)


def end_labels(
    labels: Sequence[Sequence[str]], ends: Sequence[Place], right: float, span: Place
) -> list[Markup]:
    """Return each curve's name right of the plot, and a thin line to the curve's end.

    `span` has the heights of the plot's top and bottom; a curve without a name has no label.
    """
    named = [(lines, end) for lines, end in zip(labels, ends, strict=True) if lines]
    heights = [_height(lines) for lines, _ in named]
    centres = apart([y for _, (_, y) in named], heights, *span)
    parts = []
    for (lines, (x, y)), centre in zip(named, centres, strict=True):
        leader = f"M{place(x)} {place(y)}L{place(right + 10)} {place(centre)}"
        parts.append(
            element("path", class_="leader", d=leader, fill="none", stroke="#7a7a7a",
                    stroke_width=0.8, stroke_dasharray="1 2.5")
        )  # fmt: skip
        parts += label(lines, right + 14, centre)
    return parts


def label(lines: Sequence[str], x: float, centre: float) -> list[Markup]:
    """Return the lines of a curve's name, around a height."""
    first = centre - LABEL_LINE * (len(lines) - 1) / 2 + 4
    return [
        element("text", line, class_="curve-label", x=x, y=first + LABEL_LINE * row,
                font_size=LABEL_SIZE, fill=INK)
        for row, line in enumerate(lines)
    ]  # fmt: skip


def _height(lines: Sequence[str]) -> float:
    return LABEL_LINE * len(lines) + 2
