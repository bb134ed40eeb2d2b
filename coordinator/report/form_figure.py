"""The figure of a covariate's functional form: hazard ratio on a log axis, with its band.

The curve is straight between the values of the study; a dashed line is the hazard ratio of 1, a dot
the reference. Of the data it shows no value. The axis ends where limits would dwarf the curve; the
band is cut there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from coordinator.report import watermark
from coordinator.report.axes import Scale
from coordinator.report.direct_labels import wrapped
from coordinator.report.plot import (
    COLOURS,
    LABEL_SIZE,
    LABEL_WIDTH,
    LEFT,
    PALE,
    PLOT_HEIGHT,
    WIDTH,
    Sheet,
    label,
    rule,
    text,
    widest,
)
from coordinator.report.risk_table import INK
from coordinator.report.svg import element, place, straight, straight_band

LARGEST: Final = math.log(100.0)  # of a hazard ratio on the axis
MANTISSAS: Final = (1.0, 2.0, 5.0)
MOST_TICKS: Final = 7


@dataclass(frozen=True, slots=True)
class FormFigure:
    """A form as its result has it, with the words of the figure."""

    form: Mapping[str, Any]
    title: str
    description: str
    x_title: str
    label: str
    marks: tuple[str, ...]


def form_figure(figure: FormFigure, identity: str) -> Markup:
    """Return the figure as one SVG element; `identity` starts its ids."""
    strip = tuple(watermark.strip_lines(figure.marks, WIDTH))
    top = watermark.strip_height(strip) + 28
    bottom = top + PLOT_HEIGHT
    lines = wrapped(figure.label, LABEL_WIDTH, LABEL_SIZE)
    x, y = _scales(figure.form, WIDTH - 22 - widest([lines]) - 6, bottom, top)
    parts = [
        *watermark.strip(strip, WIDTH),
        *_axes(figure, x, y),
        *_curve(figure.form, x, y),
        *label(lines, x.end + 8, y.place(_logs(figure.form, "hazard_ratio")[-1])),
        *watermark.across(
            figure.marks, ((x.start + x.end) / 2, (top + bottom) / 2), x.end - x.start
        ),
    ]
    sheet = Sheet(figure.title, figure.description, WIDTH, bottom + 42)
    return sheet.svg(parts, identity)


def _logs(form: Mapping[str, Any], name: str) -> list[float]:
    """Return logarithms of the ratios of a form; one out of range is at the end of the axis."""
    at_end = 0.0 if name.endswith("low") else math.inf
    ratios = (at_end if point[name] is None else point[name] for point in form["points"])
    return [math.log(ratio) if 0 < ratio < math.inf else (-9e9, 9e9)[ratio > 1] for ratio in ratios]


def _scales(form: Mapping[str, Any], end: float, bottom: float, top: float) -> tuple[Scale, Scale]:
    values = [*(point["value"] for point in form["points"]), form["reference"]]
    low, high = min(values), max(values)
    spread = high - low or 1.0
    ends = [_logs(form, name) for name in ("hazard_ratio_low", "hazard_ratio_high")]
    least, most = min(*ends[0], math.log(0.5)), max(*ends[1], math.log(2.0))
    return (
        Scale(low - 0.02 * spread, high + 0.02 * spread, LEFT, end),
        Scale(max(least, -LARGEST), min(most, LARGEST), bottom, top),
    )


def ratio_ticks(low: float, high: float) -> list[float]:
    """Return hazard ratios of 1, 2 or 5 times a power of ten between exp(low) and exp(high).

    Powers alone where there would be more than seven.
    """
    powers = range(math.floor(low / math.log(10)), math.ceil(high / math.log(10)) + 1)
    ticks = [m * 10.0**power for power in powers for m in MANTISSAS]
    inside = [tick for tick in ticks if low - 1e-9 <= math.log(tick) <= high + 1e-9]
    if len(inside) <= MOST_TICKS:
        return inside
    return [tick for tick in inside if round(math.log10(tick), 9) == round(math.log10(tick))]


def _axes(figure: FormFigure, x: Scale, y: Scale) -> list[Markup]:
    below = x.ticks()
    ratios = ratio_ticks(y.low, y.high)
    parts = [rule((x.start, x.end), (y.place(math.log(t)),) * 2, PALE) for t in ratios if t != 1]
    parts += [
        element("line", x1=x.start, x2=x.end, y1=y.place(0.0), y2=y.place(0.0), stroke=INK,
                stroke_width=1, stroke_dasharray="4 3", class_="reference"),
        rule((x.start, x.end), (y.start, y.start), INK),
        rule((x.start, x.start), (y.start, y.end), INK),
    ]  # fmt: skip
    parts += [rule((x.place(t),) * 2, (y.start, y.start + 4), INK) for t in below]
    parts += [
        text(f"{t:.10g}", (x.start - 6, y.place(math.log(t)) + 4), "end", "tick") for t in ratios
    ]
    parts += [text(f"{t:.10g}", (x.place(t), y.start + 16), "middle", "tick") for t in below]
    return [
        *parts,
        text("Hazard ratio, log scale", (10, y.end - 12), "start", "tick"),
        text(figure.x_title, (x.start, y.start + 33), "start", "tick"),
    ]


def _curve(form: Mapping[str, Any], x: Scale, y: Scale) -> list[Markup]:
    values = [x.place(point["value"]) for point in form["points"]]
    names = ("hazard_ratio", "hazard_ratio_low", "hazard_ratio_high")
    middle, low, high = ([y.place(v) for v in _logs(form, name)] for name in names)
    at = (x.place(form["reference"]), y.place(0.0))
    return [
        element("path", class_="band", d=straight_band(list(zip(values, low, high, strict=True))),
                fill=COLOURS[0], fill_opacity=0.16),
        element("path", class_="curve", d=straight(list(zip(values, middle, strict=True))),
                fill="none", stroke=COLOURS[0], stroke_width=2),
        element("circle", class_="reference", cx=place(at[0]), cy=place(at[1]), r=3, fill=INK),
    ]  # fmt: skip
