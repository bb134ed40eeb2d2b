"""The table under a curve: at risk, censored and events of each group at the axis's ticks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from coordinator.report.direct_labels import shortened
from coordinator.report.suppression import Cell, Suppressed
from coordinator.report.svg import element

SIZE: Final = 10.5
ROW: Final = 14.0
GAP: Final = 7.0
ROWS: Final = ("At risk", "Censored", "Events")
INK: Final = "#1c1c1c"
FAINT: Final = "#666666"


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """One group's three rows, each with a cell for every tick; `label` may be empty."""

    label: str
    rows: tuple[tuple[Cell, ...], ...]


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
            parts += [_cell(cell, x, start + ROW * row) for row, cell in enumerate(cells)]
        top += _height(group)
    return parts


def _heading(label: str, stroke: Stroke, y: float, width: float) -> list[Markup]:
    line = element(
        "line", x1=10, x2=30, y1=y - 3.5, y2=y - 3.5, stroke=stroke.colour, stroke_width=2,
        stroke_dasharray=stroke.dashes or "none",
    )  # fmt: skip
    name = shortened(label, width - 48, SIZE)
    return [line, _text(name, 36, y, anchor="start", weight="bold", kind="risk-group")]


def _cell(cell: Cell, x: float, y: float) -> Markup:
    kind = "risk-hidden" if isinstance(cell, Suppressed) else "risk-cell"
    return _text(str(cell), x, y, anchor="middle", kind=kind)


def _text(
    text: str, x: float, y: float, *, anchor: str, kind: str, weight: str = "normal"
) -> Markup:
    return element(
        "text", text, class_=kind, x=x, y=y, text_anchor=anchor, font_size=SIZE,
        font_weight=weight, fill=FAINT if kind == "risk-hidden" else INK,
    )  # fmt: skip
