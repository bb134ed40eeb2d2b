"""The figure of survival and incidence curves: lines, bands, direct labels, risk table.

Colours are those of Okabe and Ito (2008) without yellow, each with dashes of its own, so that
curves differ in print without colour. No marks for the censored: in a pooled figure each of
them would be one patient. Where small counts are hidden, a curve is straight between the points
that are shown, all places being half pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from coordinator.report import watermark
from coordinator.report.axes import Axis, highest_of, probability_axis, time_axis
from coordinator.report.curve_lines import Line
from coordinator.report.direct_labels import apart, text_width, wrapped
from coordinator.report.risk_table import (
    INK,
    GroupCounts,
    Stroke,
    risk_table,
    risk_table_height,
)
from coordinator.report.svg import band, element, joined, place, staircase, straight, straight_band

COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#E69F00", "#56B4E9")
DASHES: Final = ("", "8 3", "2 2.5", "10 3 2 3", "5 2", "1.5 4", "14 4")
WIDTH: Final = 420.0
LEFT: Final = 76.0
PLOT_HEIGHT: Final = 210.0
LABEL_SIZE: Final = 11.5
LABEL_LINE: Final = 13.0
LABEL_WIDTH: Final = 84.0
TICK_SIZE: Final = 11.0
FEW: Final = 3  # bands of more curves are paler, as they lie on each other


@dataclass(frozen=True, slots=True)
class CurveFigure:
    """What a figure shows up to the time `until`; `begins` is every curve's value at 0 (1 or 0)."""

    title: str
    description: str
    x_title: str
    y_title: str
    begins: float
    until: float
    lines: tuple[Line, ...]
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where everything stands, in the drawing's units."""

    x: Axis
    y: Axis
    strip: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    table_top: float


def stroke(index: int) -> Stroke:
    """Return the colour and dashes of the curve with this number; the first 49 all differ."""
    shift = index // len(COLOURS)
    return Stroke(COLOURS[index % len(COLOURS)], DASHES[(index + shift) % len(DASHES)])


def curve_figure(figure: CurveFigure, counts: Sequence[GroupCounts], identity: str) -> Markup:
    """Return the figure as one SVG element; `identity` starts its ids."""
    frame = _frame(figure)
    strokes = [stroke(index) for index in range(len(figure.lines))]
    drawn = list(zip(figure.lines, strokes, strict=True))
    columns = [frame.x.place(tick) for tick in frame.x.ticks]
    parts = [
        element("title", figure.title, id=f"{identity}-title"),
        element("desc", figure.description, id=f"{identity}-desc"),
        element("rect", width=WIDTH, height=_height(frame, counts), fill="#ffffff"),
        *watermark.strip(frame.strip, WIDTH),
        *_grid(frame, figure),
        *(_band(line, figure.begins, frame, look) for line, look in drawn),
        *(_curve(line, figure.begins, frame, look) for line, look in drawn),
        *_labels(figure, frame, strokes),
        *watermark.across(figure.marks, _centre(frame), frame.x.end - frame.x.start),
        *risk_table(counts, strokes[: len(counts)], columns, top=frame.table_top, width=WIDTH),
    ]
    return element(
        "svg", joined(parts), class_="figure", role="img", focusable="false",
        viewBox=f"0 0 {place(WIDTH)} {place(_height(frame, counts))}",
        aria_labelledby=f"{identity}-title {identity}-desc",
    )  # fmt: skip


def _frame(figure: CurveFigure) -> Frame:
    strip = watermark.strip_lines(figure.marks, WIDTH)
    labels = tuple(wrapped(line.label, LABEL_WIDTH, LABEL_SIZE) for line in figure.lines)
    widest = max((text_width(text, LABEL_SIZE) for lines in labels for text in lines), default=0)
    top = watermark.strip_height(strip) + 28
    stacked = sum(LABEL_LINE * len(lines) + 2 for lines in labels)
    bottom = top + max(PLOT_HEIGHT, stacked)
    highest = highest_of([column for line in figure.lines for column in (line.estimate, line.high)])
    return Frame(
        x=time_axis(figure.until, LEFT, WIDTH - 22 - (widest + 6 if widest else 0)),
        y=probability_axis(max(highest, figure.begins), bottom, top),
        strip=tuple(strip),
        labels=labels,
        table_top=bottom + 42,
    )


def _height(frame: Frame, counts: Sequence[GroupCounts]) -> float:
    return frame.table_top + risk_table_height(counts) + 4


def _centre(frame: Frame) -> tuple[float, float]:
    return (frame.x.start + frame.x.end) / 2, (frame.y.start + frame.y.end) / 2


def _grid(frame: Frame, figure: CurveFigure) -> list[Markup]:
    bottom, x, y = frame.y.start, frame.x, frame.y
    across = [_rule(x.start, x.end, y.place(t), y.place(t), "#e3e3e3") for t in y.ticks[1:]]
    down = [_rule(x.place(t), x.place(t), bottom, bottom + 4, INK) for t in x.ticks]
    beside = [_text(f"{100 * t:.10g}", x.start - 6, y.place(t) + 4, "end", "tick") for t in y.ticks]
    below = [_text(f"{t:.10g}", x.place(t), bottom + 16, "middle", "tick") for t in x.ticks]
    titles = [
        _text(figure.y_title, 10, frame.y.end - 12, "start", "axis-title"),
        _text(figure.x_title, x.start, bottom + 33, "start", "axis-title"),
    ]
    axes = [_rule(x.start, x.end, bottom, bottom, INK), _rule(x.start, x.start, bottom, y.end, INK)]
    return [*across, *axes, *down, *beside, *below, *titles]


def _rule(x1: float, x2: float, y1: float, y2: float, colour: str) -> Markup:
    return element("line", x1=x1, x2=x2, y1=y1, y2=y2, stroke=colour, stroke_width=1)


def _text(text: str, x: float, y: float, anchor: str, kind: str) -> Markup:
    return element(
        "text", text, class_=kind, x=x, y=y, text_anchor=anchor, font_size=TICK_SIZE, fill=INK
    )


def _curve(line: Line, begins: float, frame: Frame, look: Stroke) -> Markup:
    known = [(t, p) for t, p in zip(line.time, line.estimate, strict=True) if p is not None]
    points = [(frame.x.place(t), frame.y.place(p)) for t, p in [(0.0, begins), *known]]
    path = straight(points) if line.straight else staircase(points)
    return element(
        "path", class_="curve", d=path, fill="none", stroke=look.colour,
        stroke_width=2, stroke_dasharray=look.dashes or "none",
    )  # fmt: skip


def _band(line: Line, begins: float, frame: Frame, look: Stroke) -> Markup:
    """Return the confidence band, interrupted where a limit has no value."""
    shade = 0.16 if len(frame.labels) <= FEW else 0.08
    paths, present = [], [(0.0, begins, begins)]
    for t, low, high in zip(line.time, line.low, line.high, strict=True):
        if low is None or high is None:
            paths.append(_band_path(present, t, frame, line))
            present = []
        else:
            present.append((t, low, high))
    paths.append(_band_path(present, line.time[-1] if line.time else 0.0, frame, line))
    return element("path", class_="band", d="".join(paths), fill=look.colour, fill_opacity=shade)


def _band_path(
    points: Sequence[tuple[float, float, float]], end: float, frame: Frame, line: Line
) -> str:
    if not points:
        return ""
    placed = [(frame.x.place(t), frame.y.place(lo), frame.y.place(hi)) for t, lo, hi in points]
    return straight_band(placed) if line.straight else band(placed, frame.x.place(end))


def _labels(figure: CurveFigure, frame: Frame, strokes: Sequence[Stroke]) -> list[Markup]:
    """Return each curve's name right of the plot, and a thin line to the curve's end."""
    named = [index for index, lines in enumerate(frame.labels) if lines]
    ends = [_end(figure.lines[index], figure.begins, frame) for index in named]
    heights = [LABEL_LINE * len(frame.labels[index]) + 2 for index in named]
    centres = apart([y for _, y in ends], heights, frame.y.end, frame.y.start)
    parts = []
    for index, (x, y), centre in zip(named, ends, centres, strict=True):
        leader = f"M{place(x)} {place(y)}L{place(frame.x.end + 10)} {place(centre)}"
        parts.append(
            element("path", class_="leader", d=leader, fill="none", stroke="#7a7a7a",
                    stroke_width=0.8, stroke_dasharray="1 2.5")
        )  # fmt: skip
        parts += _label(frame.labels[index], frame.x.end + 14, centre)
    return parts


def _label(lines: Sequence[str], x: float, centre: float) -> list[Markup]:
    first = centre - LABEL_LINE * (len(lines) - 1) / 2 + 4
    return [
        element(
            "text",
            line,
            class_="curve-label",
            x=x,
            y=first + LABEL_LINE * row,
            font_size=LABEL_SIZE,
            fill=INK,
        )
        for row, line in enumerate(lines)
    ]


def _end(line: Line, begins: float, frame: Frame) -> tuple[float, float]:
    known = [(t, p) for t, p in zip(line.time, line.estimate, strict=True) if p is not None]
    time, value = known[-1] if known else (0.0, begins)
    return frame.x.place(time), frame.y.place(value)
