"""SVG elements as escaped text: every attribute and every text goes through `escape`.

All places are whole or half pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup, escape

Attribute = str | float | int
COORDINATES: Final = frozenset({"x", "y", "x1", "x2", "y1", "y2", "width", "height"})


def element(name: str, *children: str | Markup, **attributes: Attribute) -> Markup:
    """Return one element; in attribute names `_` stands for `-`, and one at the end for nothing.

    Plain strings are escaped, Markup is taken as it is.
    """
    written = "".join(
        f' {_name(key)}="{escape(_written(key, value))}"' for key, value in attributes.items()
    )
    inside = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inside}</{name}>")


def joined(parts: Iterable[Markup]) -> Markup:
    """Return elements one after the other, each on its line."""
    return Markup("\n").join(parts)


def _name(key: str) -> str:
    return key.rstrip("_").replace("_", "-") if key != "viewBox" else key


def _written(key: str, value: Attribute) -> str:
    if isinstance(value, str):
        return value
    return place(value) if key in COORDINATES else f"{value:.2f}".rstrip("0").rstrip(".")


def place(value: float) -> str:
    """Return a coordinate to half a pixel: finer, a curve's height would count its patients."""
    return f"{round(2 * value) / 2 + 0.0:g}"


def staircase(points: Sequence[tuple[float, float]]) -> str:
    """Return the path of a right-continuous step function through (x, y)."""
    (x, y), *rest = points
    steps = "".join(f"H{place(px)}V{place(py)}" for px, py in rest)
    return f"M{place(x)} {place(y)}{steps}"


def straight(points: Sequence[tuple[float, float]]) -> str:
    """Return the path of straight lines through (x, y)."""
    return "M" + "L".join(f"{place(x)} {place(y)}" for x, y in points)


def straight_band(points: Sequence[tuple[float, float, float]]) -> str:
    """Return the closed path between straight lines through (x, lower, upper)."""
    upper = [(x, high) for x, _, high in points]
    return straight([*upper, *((x, low) for x, low, _ in reversed(points))]) + "Z"


def band(points: Sequence[tuple[float, float, float]], end: float) -> str:
    """Return the closed path between two step functions through (x, lower, upper) up to `end`."""
    upper = staircase([(x, high) for x, _, high in points]) + f"H{place(end)}"
    back, right = [], end
    for x, low, _ in reversed(points):
        back.append(f"V{place(low)}H{place(x)}")
        right = x
    assert right == points[0][0]
    return upper + "".join(back) + "Z"
