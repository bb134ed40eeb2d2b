"""The figure of a weighting's balance: standardized mean differences before and after, by column.

One line a design column (Love 2002): a ring before, a dot after weighting, both at the size of the
difference. Dashed: 0.1, below which arms are by convention called alike (Austin 2009).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from coordinator.report import watermark
from coordinator.report.axes import round_step
from coordinator.report.direct_labels import text_width
from coordinator.report.plot import COLOURS, LABEL_SIZE, PALE, WIDTH, Sheet, rule, text
from coordinator.report.risk_table import INK
from coordinator.report.svg import element, place

ALIKE: Final = 0.1
LINE: Final = 20.0
LEAST: Final = 0.2  # at which the axis ends at the earliest
WIDEST: Final = 0.5  # of the figure, that names may take
BEFORE_AND_AFTER: Final = ("smd", "weighted_smd")


@dataclass(frozen=True, slots=True)
class BalanceFigure:
    """The rows of a balance with their names, and the words of the figure."""

    names: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    title: str
    description: str
    marks: tuple[str, ...]


def balance_figure(figure: BalanceFigure, identity: str) -> Markup:
    """Return the figure as one SVG element; `identity` starts its ids."""
    strip = tuple(watermark.strip_lines(figure.marks, WIDTH))
    top = watermark.strip_height(strip) + 34
    bottom = top + LINE * len(figure.rows)
    left = 14 + min(WIDEST * WIDTH, max(text_width(name, LABEL_SIZE) for name in figure.names))
    right = WIDTH - 24
    until = _until(figure.rows)
    height = bottom + 42
    parts = [
        *watermark.strip(strip, WIDTH),
        *_axis(left, right, top, bottom, until),
        *_key(left, top),
        *(
            mark
            for number, (name, row) in enumerate(zip(figure.names, figure.rows, strict=True))
            for mark in _line(name, row, top + LINE * (number + 0.5), (left, right, until))
        ),
        *watermark.across(figure.marks, ((left + right) / 2, (top + bottom) / 2), right - left),
    ]
    return Sheet(figure.title, figure.description, WIDTH, height).svg(parts, identity)


def _until(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return where the axis ends: behind the largest difference that is finite."""
    known = [abs(row[n]) for row in rows for n in BEFORE_AND_AFTER if row[n] is not None]
    largest = float(max([LEAST, *known]))
    step = round_step(largest, 5)
    return math.ceil(largest / step - 1e-9) * step


def _axis(left: float, right: float, top: float, bottom: float, until: float) -> list[Markup]:
    step = round_step(until, 5)
    ticks = [step * k for k in range(round(until / step) + 1)]
    places = [left + (right - left) * tick / until for tick in ticks]
    alike = left + (right - left) * ALIKE / until
    return [
        *(rule((x, x), (top, bottom + 4), PALE) for x in places),
        element("line", x1=alike, x2=alike, y1=top, y2=bottom, stroke=INK, stroke_width=1,
                stroke_dasharray="4 3", class_="reference"),
        rule((left, right), (bottom, bottom), INK),
        *(
            text(f"{tick:.10g}", (x, bottom + 16), "middle", "tick")
            for tick, x in zip(ticks, places, strict=True)
        ),
        text("Standardized mean difference, without sign", (left, bottom + 33), "start", "tick"),
    ]  # fmt: skip


def _key(left: float, top: float) -> list[Markup]:
    return [
        _ring(left + 5, top - 14),
        text("before", (left + 14, top - 10), "start", "tick"),
        _dot(left + 75, top - 14),
        text("weighted", (left + 84, top - 10), "start", "tick"),
    ]


def _line(
    name: str, row: Mapping[str, Any], y: float, axis: tuple[float, float, float]
) -> list[Markup]:
    """Return the marks of one column; a difference that is not finite has none."""
    left, right, until = axis
    found = [text(name, (left - 8, y + 4), "end", "tick")]
    for draw, part in zip((_ring, _dot), BEFORE_AND_AFTER, strict=True):
        if row[part] is not None:
            found.append(draw(left + (right - left) * abs(row[part]) / until, y))
    return found


def _ring(x: float, y: float) -> Markup:
    return element("circle", class_="before", cx=place(x), cy=place(y), r=4, fill="none",
                   stroke=COLOURS[1], stroke_width=1.5)  # fmt: skip


def _dot(x: float, y: float) -> Markup:
    return element("circle", class_="after", cx=place(x), cy=place(y), r=4, fill=COLOURS[0])
