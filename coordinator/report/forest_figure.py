"""The forest plot: a line for each effect, with its limits on a log axis and its numbers beside it.

A square marks an effect, a diamond a pooled one, an arrow limits that go on beyond the axis. The
axis ends where limits would dwarf the effects. All places are half pixels: the figure tells no more
than the numbers beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from coordinator.report import watermark
from coordinator.report.axes import round_step
from coordinator.report.direct_labels import text_width, wrapped
from coordinator.report.forest_rows import Forest, ForestRow
from coordinator.report.form_figure import ratio_ticks
from coordinator.report.plot import Sheet
from coordinator.report.risk_table import INK
from coordinator.report.svg import element, place

WIDTH: Final = 440.0
START: Final = 146.0  # of the axis
END: Final = 280.0
SIZE: Final = 10.5
LINE: Final = 12.5
ROW: Final = 19.0
INDENT: Final = 10.0
HALF: Final = 3.5  # of a square's side
BLUE: Final = "#0072B2"
SHADE: Final = "#f3f5f7"
FURTHEST: Final = math.log(50.0)  # of a ratio's limit on the axis
MOST_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class ForestFigure:
    """A forest with the words of its figure; `level` is as in "95 % CI"."""

    forest: Forest
    level: str
    title: str
    description: str
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """The axis, of logarithms where effects are ratios."""

    low: float
    high: float
    ratio: bool
    end: float = END

    def on_axis(self, value: float) -> float:
        """Return where an effect stands on the axis before it is drawn."""
        if not self.ratio:
            return value
        return math.log(value) if 0 < value < math.inf else math.copysign(math.inf, value - 1)

    def x(self, value: float) -> float:
        """Return where an effect is drawn; at the end of the axis if it lies beyond."""
        held = min(max(self.on_axis(value), self.low), self.high)
        return START + (self.end - START) * (held - self.low) / (self.high - self.low)

    def beyond(self, value: float) -> bool:
        """Return whether an effect lies beyond the axis."""
        return not self.low <= self.on_axis(value) <= self.high

    @property
    def none(self) -> float:
        """Return the effect that is none."""
        return 1.0 if self.ratio else 0.0

    def ticks(self) -> list[float]:
        """Return round effects along the axis."""
        if self.ratio:
            return ratio_ticks(self.low, self.high)
        step = round_step(self.high - self.low, 4)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [step * k for k in range(first, last + 1)]


def forest_figure(figure: ForestFigure, identity: str) -> Markup:
    """Return the figure as one SVG element; `identity` starts its ids."""
    strip = watermark.strip_lines(figure.marks, WIDTH)
    top = watermark.strip_height(strip) + 22
    rows = figure.forest.rows
    labels = [_label_lines(row) for row in rows]
    heights = [max(ROW, LINE * len(lines) + 6.5) for lines in labels]
    bottom = top + sum(heights)
    scale = _scale(figure.forest)
    height = bottom + 40
    parts = [
        *watermark.strip(strip, WIDTH),
        *_head(figure, top - 8),
    ]
    y = top
    shaded = False
    for row, tall in zip(rows, heights, strict=True):
        shaded = shaded if row.under else not shaded
        if shaded:
            parts.append(element("rect", x=0, y=y, width=WIDTH, height=tall, fill=SHADE))
        y += tall
    parts += _axis(figure, scale, top, bottom)
    y = top
    for row, lines, tall in zip(rows, labels, heights, strict=True):
        parts += _row(row, lines, y + tall / 2, scale)
        y += tall
    centre = (WIDTH / 2, (top + bottom) / 2)
    parts += watermark.across(figure.marks, centre, END - START)
    sheet = Sheet(figure.title, figure.description, WIDTH, height, "figure forest")
    return sheet.svg(parts, identity)


def goes_on(forest: Forest) -> bool:
    """Return whether limits go on beyond the axis."""
    scale = _scale(forest)
    ends = [end for row in forest.rows for end in (row.low, row.high)]
    return any(end is not None and scale.beyond(end) for end in ends)


def _label_lines(row: ForestRow) -> tuple[str, ...]:
    width = START - 12 - (INDENT if row.under else 0)
    return wrapped(row.label, width, SIZE, most=MOST_LINES)


def _scale(forest: Forest) -> Scale:
    """Return an axis over all effects, and limits as far as they do not dwarf them."""
    free = Scale(-math.inf, math.inf, forest.ratio)
    shown = [row for row in forest.rows if row.effect is not None]
    effects = [free.on_axis(row.effect) for row in shown if row.effect is not None]
    ends = [free.on_axis(end) for row in shown for end in (row.low, row.high) if end is not None]
    if forest.ratio:
        reach = [min(max(end, -FURTHEST), FURTHEST) for end in [*effects, *ends]]
        least, most = min(*reach, math.log(0.5)), max(*reach, math.log(2.0))
    else:
        least, most = min([0.0, *effects, *ends]), max([0.0, *effects, *ends])
    room = 0.04 * (most - least or 1.0)
    widest = max(text_width(row.text, SIZE) for row in forest.rows)
    return Scale(least - room, most + room, forest.ratio, min(END, WIDTH - 54 - widest))


def _head(figure: ForestFigure, y: float) -> list[Markup]:
    name = f"{figure.forest.effect} ({figure.level})"
    words = wrapped(name, WIDTH - START - 60, SIZE, most=1)[0]
    return [
        _text("p", WIDTH - 6, y, anchor="end", weight="bold"),
        _text(words, WIDTH - 46, y, anchor="end", weight="bold"),
    ]


def _axis(figure: ForestFigure, scale: Scale, top: float, bottom: float) -> list[Markup]:
    at = scale.x(scale.none)
    ticks = scale.ticks()
    title = f"{figure.forest.effect}{', log scale' if scale.ratio else ''}"
    return [
        element("line", class_="reference", x1=at, x2=at, y1=top, y2=bottom, stroke="#5a5a5a",
                stroke_width=1, stroke_dasharray="4 3"),
        element("line", x1=0, x2=WIDTH, y1=top, y2=top, stroke=INK, stroke_width=1),
        element("line", x1=START, x2=scale.end, y1=bottom, y2=bottom, stroke=INK, stroke_width=1),
        *(
            element("line", x1=scale.x(t), x2=scale.x(t), y1=bottom, y2=bottom + 4, stroke=INK,
                    stroke_width=1)
            for t in ticks
        ),
        *(_text(f"{t:.10g}", scale.x(t), bottom + 15, anchor="middle", kind="tick") for t in ticks),
        _text(title, (START + scale.end) / 2, bottom + 31, anchor="middle", kind="axis-title"),
    ]  # fmt: skip


def _row(row: ForestRow, lines: Sequence[str], y: float, scale: Scale) -> list[Markup]:
    first = y - LINE * (len(lines) - 1) / 2 + 3.5
    left = 4 + (INDENT if row.under else 0)
    weight = "bold" if row.mark == "heading" else "normal"
    faint = row.mark in ("reference", "none")
    return [
        *(
            _text(line, left, first + LINE * place_, anchor="start", weight=weight)
            for place_, line in enumerate(lines)
        ),
        *_drawn(row, y, scale),
        _text(row.text, WIDTH - 46, y + 3.5, anchor="end", faint=faint),
        _text(row.p, WIDTH - 6, y + 3.5, anchor="end"),
    ]


def _drawn(row: ForestRow, y: float, scale: Scale) -> list[Markup]:
    """Return the mark of a line with its limits."""
    if row.effect is None:
        if row.mark != "reference":
            return []
        at = scale.x(scale.none)
        return [element("circle", class_="reference", cx=place(at), cy=place(y), r=3, fill=INK)]
    low, high = (scale.x(row.effect if end is None else end) for end in (row.low, row.high))
    at = scale.x(row.effect)
    if row.mark == "diamond":
        corners = ((low, y), (at, y - 5), (high, y), (at, y + 5))
        path = "M" + "L".join(f"{place(px)} {place(py)}" for px, py in corners) + "Z"
        return [element("path", class_="diamond", d=path, fill=BLUE)]
    parts = [
        element("line", class_="limits", x1=low, x2=high, y1=y, y2=y, stroke=BLUE, stroke_width=1.5)
    ]
    parts += [
        _arrow(x, y, direction)
        for x, end, direction in ((low, row.low, -1), (high, row.high, 1))
        if end is not None and scale.beyond(end)
    ]
    if not scale.beyond(row.effect):
        parts.append(
            element("rect", class_="effect", x=at - HALF, y=y - HALF, width=2 * HALF,
                    height=2 * HALF, fill=BLUE)
        )  # fmt: skip
    return parts


def _arrow(x: float, y: float, direction: int) -> Markup:
    back = x - 5 * direction
    path = f"M{place(x)} {place(y)}L{place(back)} {place(y - 3.5)}L{place(back)} {place(y + 3.5)}Z"
    return element("path", class_="beyond", d=path, fill=BLUE)


def _text(
    text: str,
    x: float,
    y: float,
    *,
    anchor: str,
    kind: str = "forest-text",
    weight: str = "normal",
    faint: bool = False,
) -> Markup:
    return element(
        "text", text, class_=kind, x=x, y=y, text_anchor=anchor, font_size=SIZE,
        font_weight=weight, fill="#5a5a5a" if faint else INK,
    )  # fmt: skip
