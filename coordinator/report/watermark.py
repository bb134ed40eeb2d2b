"""The watermark inside a figure: a strip above it and large letters across it.

A figure is copied without its page, so it says itself that its numbers are not results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from coordinator.report.direct_labels import text_width, wrapped
from coordinator.report.svg import element

RED: Final = "#a80f22"
SIZE: Final = 11.5
LINE: Final = 15.0
LARGEST: Final = 34.0
BOLD: Final = 1.2  # how much wider bold letters are


def strip_lines(marks: Sequence[str], width: float) -> list[str]:
    """Return the watermark's lines, wrapped to the figure's width."""
    return [line for mark in marks for line in wrapped(mark, width - 16, SIZE * BOLD, most=3)]


def strip(lines: Sequence[str], width: float) -> list[Markup]:
    """Return the strip above a figure; nothing without a watermark."""
    if not lines:
        return []
    box = element("rect", x=0, y=0, width=width, height=LINE * len(lines) + 6, fill=RED)
    texts = [
        element(
            "text",
            line,
            class_="watermark-strip",
            x=width / 2,
            y=LINE * (row + 1),
            text_anchor="middle",
            font_size=SIZE,
            font_weight="bold",
            fill="#ffffff",
        )
        for row, line in enumerate(lines)
    ]
    return [box, *texts]


def strip_height(lines: Sequence[str]) -> float:
    """Return the height of the strip with these lines."""
    return LINE * len(lines) + 6 if lines else 0.0


def across(marks: Sequence[str], centre: tuple[float, float], width: float) -> list[Markup]:
    """Return large translucent letters across the drawing: each mark's words before a colon."""
    heads = [mark.split(":", 1)[0] for mark in marks]
    return [
        _letters(head, (centre[0], centre[1] + 40 * (row - (len(heads) - 1) / 2)), width)
        for row, head in enumerate(heads)
    ]


def _letters(text: str, centre: tuple[float, float], width: float) -> Markup:
    x, y = centre
    size = min(LARGEST, 0.95 * width / max(text_width(text, BOLD), 1.0))
    return element(
        "text",
        text,
        class_="watermark-across",
        x=x,
        y=y,
        text_anchor="middle",
        font_size=size,
        font_weight="bold",
        fill=RED,
        fill_opacity=0.3,
        transform=f"rotate(-14 {x:.1f} {y:.1f})",
    )
