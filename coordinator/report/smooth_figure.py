"""The figure of smoothed outcomes over days by group: curves, pointwise bands, direct labels.

Every curve is straight between the days that are given. The axis of the outcome has the curves and
the limits, but ends where limits would dwarf the curves; the bands are cut there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from coordinator.report import watermark
from coordinator.report.axes import Scale
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
from coordinator.report.risk_table import INK
from coordinator.report.svg import element, straight, straight_band

BEYOND: Final = 0.75  # how far limits may lead the axis past the curves, in their range


@dataclass(frozen=True, slots=True)
class Smoothed:
    """The curve of a group: its days in order, estimates and limits on each (None: no limit)."""

    label: str
    day: tuple[float, ...]
    estimate: tuple[float, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class SmoothFigure:
    """What a figure shows; `curves` has at least one curve, each with at least one day."""

    title: str
    description: str
    x_title: str
    y_title: str
    curves: tuple[Smoothed, ...]
    marks: tuple[str, ...]


def smooth_figure(figure: SmoothFigure, identity: str) -> Markup:
    """Return the figure as one SVG element; `identity` starts its ids."""
    strip = tuple(watermark.strip_lines(figure.marks, WIDTH))
    labels = [wrapped(curve.label, LABEL_WIDTH, LABEL_SIZE) for curve in figure.curves]
    top = watermark.strip_height(strip) + 28
    bottom = top + max(PLOT_HEIGHT, stacked(labels))
    beside = widest(labels)
    x = _days(figure.curves, WIDTH - 22 - (beside + 6 if beside else 0))
    y = _outcome(figure.curves, bottom, top)
    ends = [(x.place(c.day[-1]), y.place(c.estimate[-1])) for c in figure.curves]
    drawn = list(enumerate(figure.curves))
    parts = [
        *watermark.strip(strip, WIDTH),
        *_axes(figure, x, y),
        *(_band(curve, index, x, y) for index, curve in drawn),
        *(_curve(curve, index, x, y) for index, curve in drawn),
        *end_labels(labels, ends, x.end, (top, bottom)),
        *watermark.across(
            figure.marks, ((x.start + x.end) / 2, (top + bottom) / 2), x.end - x.start
        ),
    ]
    return Sheet(figure.title, figure.description, WIDTH, bottom + 42).svg(parts, identity)


def _days(curves: Sequence[Smoothed], end: float) -> Scale:
    days = [day for curve in curves for day in curve.day]
    return Scale(min(days), max(max(days), min(days) + 1), LEFT, end)


def _outcome(curves: Sequence[Smoothed], bottom: float, top: float) -> Scale:
    """Return the axis of the outcome."""
    estimates = [value for curve in curves for value in curve.estimate]
    least, most = min(estimates), max(estimates)
    reach = BEYOND * (most - least or 1.0)
    limits = [v for c in curves for v in (*c.low, *c.high) if v is not None]
    low = max(min([*limits, least]), least - reach)
    high = min(max([*limits, most]), most + reach)
    return Scale(low, high, bottom, top) if high > low else Scale(low - 1, high + 1, bottom, top)


def _axes(figure: SmoothFigure, x: Scale, y: Scale) -> list[Markup]:
    across, below = y.ticks(), x.ticks()
    return [
        *(rule((x.start, x.end), (y.place(t),) * 2, PALE) for t in across),
        rule((x.start, x.end), (y.start, y.start), INK),
        rule((x.start, x.start), (y.start, y.end), INK),
        *(rule((x.place(t),) * 2, (y.start, y.start + 4), INK) for t in below),
        *(text(f"{t:.10g}", (x.start - 6, y.place(t) + 4), "end", "tick") for t in across),
        *(text(f"{t:.10g}", (x.place(t), y.start + 16), "middle", "tick") for t in below),
        text(figure.y_title, (10, y.end - 12), "start", "axis-title"),
        text(figure.x_title, (x.start, y.start + 33), "start", "axis-title"),
    ]


def _curve(curve: Smoothed, index: int, x: Scale, y: Scale) -> Markup:
    look = stroke(index)
    places = [(x.place(d), y.place(v)) for d, v in zip(curve.day, curve.estimate, strict=True)]
    return element(
        "path", class_="curve", d=straight(places), fill="none", stroke=look.colour,
        stroke_width=2, stroke_dasharray=look.dashes or "none",
    )  # fmt: skip


def _band(curve: Smoothed, index: int, x: Scale, y: Scale) -> Markup:
    """Return the band, of days in a row that have limits; a gap where one has none."""
    paths: list[str] = []
    run: list[tuple[float, float, float]] = []
    for day, low, high in zip(curve.day, curve.low, curve.high, strict=True):
        if low is None or high is None:
            paths.append(straight_band(run) if run else "")
            run = []
        else:
            run.append((x.place(day), y.place(low), y.place(high)))
    paths.append(straight_band(run) if run else "")
    colour = stroke(index).colour
    return element("path", class_="band", d="".join(paths), fill=colour, fill_opacity=0.13)
