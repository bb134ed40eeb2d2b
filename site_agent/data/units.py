"""Units of measurement as factors within a dimension: ng/mL and ug/L are the same, g/dL is not g/L.

Only units between which a factor alone converts; between mmol and mg stands a substance. Case does
not count but for G/L, which is 10^9 cells a litre.
"""

from __future__ import annotations

import re
from typing import Final

PREFIXES: Final = {
    **{"k": 1e3, "": 1.0, "d": 1e-1, "c": 1e-2},
    **{"m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12},
}
BASES: Final = {"mol": "amount", "iu": "activity", "g": "mass", "l": "volume", "u": "activity"}
FIXED: Final = {
    **{"lb": ("mass", 453.59237), "lbs": ("mass", 453.59237)},
    **{"m": ("length", 1.0), "cm": ("length", 0.01), "mm": ("length", 0.001)},
    **{"in": ("length", 0.0254), "inch": ("length", 0.0254)},
    **{"min": ("time", 1 / 1440), "h": ("time", 1 / 24), "hour": ("time", 1 / 24)},
    **{"d": ("time", 1.0), "day": ("time", 1.0), "week": ("time", 7.0), "wk": ("time", 7.0)},
    **{"month": ("time", 365.25 / 12), "year": ("time", 365.25), "yr": ("time", 365.25)},
    **{"%": ("share", 0.01), "percent": ("share", 0.01), "fraction": ("share", 1.0)},
    **{"1": ("count", 1.0), "cells": ("count", 1.0), "m2": ("area", 1.0)},
}
CELLS: Final = re.compile(r"(?:x ?)?10 ?(?:\^|\*\*|e)? ?([0-9]{1,2}) ?/(.+)\Z")
IN_LABEL: Final = re.compile(r"[\[(]([^\])]{1,20})[\])]|,\s*([^,]{1,20})\Z")
Unit = tuple[tuple[tuple[str, int], ...], float]


def read_unit(text: str) -> Unit | None:
    """Return a unit's dimensions with their powers, and its size; None if it is not known.

    What stands behind it (mg dexamethasone) does not count.
    """
    plain = text.strip().replace("µ", "u").replace("μ", "u").replace("mcg", "ug")
    cells = CELLS.match(plain)
    if cells:
        plain, size = f"1/{cells[2]}", 10.0 ** int(cells[1])
    elif plain == "G/L":
        plain, size = "1/L", 1e9
    else:
        size = 1.0
    powers: dict[str, int] = {}
    for place, part in enumerate(plain.lower().split(" ")[0].split("/")):
        found = _single(part)
        if found is None:
            return None
        sign = 1 if place == 0 else -1
        powers[found[0]] = powers.get(found[0], 0) + sign
        size *= found[1] ** sign
    return tuple(sorted((d, p) for d, p in powers.items() if p)), size


def factor(source: str, target: str) -> float | None:
    """Return what a number in `source` is multiplied by to be one in `target`, None if unknown."""
    first, second = read_unit(source), read_unit(target)
    if first is None or second is None or first[0] != second[0]:
        return None
    return float(f"{first[1] / second[1]:.12g}")


def unit_in(label: str) -> str:
    """Return the unit that a label has in brackets or behind its last comma; none if unknown."""
    for found in IN_LABEL.finditer(label):
        text = (found[1] or found[2]).strip()
        if text and read_unit(text) is not None:
            return text
    return ""


def _single(part: str) -> tuple[str, float] | None:
    singular = part.removesuffix("s") if part.removesuffix("s") in FIXED else part
    if singular in FIXED:
        return FIXED[singular]
    for base, dimension in BASES.items():
        if part.endswith(base) and part.removesuffix(base) in PREFIXES:
            return dimension, PREFIXES[part.removesuffix(base)]
    return None
