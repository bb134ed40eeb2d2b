"""The figure of survival and incidence curves: lines, bands, direct labels, risk table.

No marks for the censored: in a pooled figure each of them would be one patient. Where small counts
are hidden, a curve is straight between the points that are shown, all places being half pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from coordinator.report import watermark
from coordinator.report.axes import Axis, highest_of, probability_axis, time_axis
from coordinator.report.curve_lines import Line
from coordinator.report.direct_labels import wrapped
from coordinator.report.plot import (
    LABEL_SIZE,
    LABEL_WIDTH,
    LEFT,
    PALE,
    PLOT_HEIGHT,
    WIDTH,
    Sheet,
    end_labels,
    rule,
    stacked,
    stroke,
    text,
    widest,
)
from coordinator.report.risk_table import (
    INK,
    GroupCounts,
    Stroke,
    risk_table,
    risk_table_height,
)
from coordinator.report.svg import band, element, staircase, straight, straight_band

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


def curve_figure(figure: CurveFigure, counts: Sequence[GroupCounts], identity: str) -> Markup:
    """Return the figure as one SVG element; `identity` starts its ids."""
    frame = _frame(figure)
    strokes = [stroke(index) for index in range(len(figure.lines))]
    drawn = list(zip(figure.lines, strokes, strict=True))
    columns = [frame.x.place(tick) for tick in frame.x.ticks]
    sheet = Sheet(figure.title, figure.description, WIDTH, _height(frame, counts))
    parts = [
        *watermark.strip(frame.strip, WIDTH),
        *_grid(frame, figure),
        *(_band(line, figure.begins, frame, look) for line, look in drawn),
        *(_curve(line, figure.begins, frame, look) for line, look in drawn),
        *_labels(figure, frame),
        *watermark.across(figure.marks, _centre(frame), frame.x.end - frame.x.start),
        *risk_table(counts, strokes[: len(counts)], columns, top=frame.table_top, width=WIDTH),
    ]
    return sheet.svg(parts, identity)


def _frame(figure: CurveFigure) -> Frame:
    strip = watermark.strip_lines(figure.marks, WIDTH)
    labels = tuple(wrapped(line.label, LABEL_WIDTH, LABEL_SIZE) for line in figure.lines)
    beside = widest(labels)
    top = watermark.strip_height(strip) + 28
    bottom = top + max(PLOT_HEIGHT, stacked(labels))
    highest = highest_of([column for line in figure.lines for column in (line.estimate, line.high)])
    return Frame(
        x=time_axis(figure.until, LEFT, WIDTH - 22 - (beside + 6 if beside else 0)),
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
    across = [rule((x.start, x.end), (y.place(t),) * 2, PALE) for t in y.ticks[1:]]
    down = [rule((x.place(t),) * 2, (bottom, bottom + 4), INK) for t in x.ticks]
    left = x.start - 6
    beside = [text(f"{100 * t:.10g}", (left, y.place(t) + 4), "end", "tick") for t in y.ticks]
    below = [text(f"{t:.10g}", (x.place(t), bottom + 16), "middle", "tick") for t in x.ticks]
    titles = [
        text(figure.y_title, (10, frame.y.end - 12), "start", "axis-title"),
        text(figure.x_title, (x.start, bottom + 33), "start", "axis-title"),
    ]
    axes = [
        rule((x.start, x.end), (bottom, bottom), INK),
        rule((x.start, x.start), (bottom, y.end), INK),
    ]
    return [*across, *axes, *down, *beside, *below, *titles]


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


def _labels(figure: CurveFigure, frame: Frame) -> list[Markup]:
    ends = [_end(line, figure.begins, frame) for line in figure.lines]
    return end_labels(frame.labels, ends, frame.x.end, (frame.y.end, frame.y.start))


def _end(line: Line, begins: float, frame: Frame) -> tuple[float, float]:
    known = [(t, p) for t, p in zip(line.time, line.estimate, strict=True) if p is not None]
    time, value = known[-1] if known else (0.0, begins)
    return frame.x.place(time), frame.y.place(value)
