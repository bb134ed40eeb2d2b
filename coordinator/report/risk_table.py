"""The table under a curve: at risk, censored and events of each group at the axis's ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from coordinator.report.direct_labels import shortened
from coordinator.report.svg import element

SIZE: Final = 10.5
ROW: Final = 14.0
GAP: Final = 7.0
BOX: Final = 44.0
ROWS: Final = ("At risk", "Censored", "Events")
INK: Final = "#1c1c1c"


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """One group's three rows of text, each with a cell for every tick; `label` may be empty.

    `instead` has, for every tick, what stands for all three cells if they are hidden.
    """

    label: str
    rows: tuple[tuple[str, ...], ...]
    instead: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stroke:
    """How a group's curve is drawn: its colour and dashes."""

    colour: str
    dashes: str


def risk_table_height(groups: Sequence[GroupCounts]) -> float:
    """Return the height that the table needs."""
    return sum(_height(group) for group in groups)


def _height(group: GroupCounts) -> float:
    return ROW * (len(group.rows) + bool(group.label)) + GAP


def risk_table(
    groups: Sequence[GroupCounts],
    strokes: Sequence[Stroke],
    columns: Sequence[float],
    *,
    top: float,
    width: float,
) -> list[Markup]:
    """Return the table as SVG below `top`, with cells centred under `columns`."""
    parts: list[Markup] = []
    for group, stroke in zip(groups, strokes, strict=True):
        start = top + ROW
        if group.label:
            parts += _heading(group.label, stroke, start, width)
            start += ROW
        parts += [
            _text(name, 10, start + ROW * row, anchor="start", kind="risk-row")
            for row, name in enumerate(ROWS)
        ]
        for tick, x in enumerate(columns):
            cells = tuple(row[tick] for row in group.rows)
            parts += _column(cells, group.instead[tick], x, start)
        top += _height(group)
    return parts


def _heading(label: str, stroke: Stroke, y: float, width: float) -> list[Markup]:
    line = element(
        "line", x1=10, x2=30, y1=y - 3.5, y2=y - 3.5, stroke=stroke.colour, stroke_width=2,
        stroke_dasharray=stroke.dashes or "none",
    )  # fmt: skip
    name = shortened(label, width - 48, SIZE)
    return [line, _text(name, 36, y, anchor="start", weight="bold", kind="risk-group")]


def _column(cells: Sequence[str], instead: str, x: float, y: float) -> list[Markup]:
    """Return a tick's three cells, or one box over them with what stands for all."""
    if not instead:
        return [
            _text(cell, x, y + ROW * row, anchor="middle", kind="risk-cell")
            for row, cell in enumerate(cells)
        ]
    box = element(
        "rect", class_="risk-hidden", x=x - BOX / 2, y=y - ROW + 4, width=BOX,
        height=ROW * len(cells) - 2, rx=3, fill="#ececec",
    )  # fmt: skip
    return [box, _text(instead, x, y + ROW, anchor="middle", kind="risk-cell")]


def _text(
    text: str, x: float, y: float, *, anchor: str, kind: str, weight: str = "normal"
) -> Markup:
    return element(
        "text", text, class_=kind, x=x, y=y, text_anchor=anchor, font_size=SIZE,
        font_weight=weight, fill=INK,
    )  # fmt: skip
