"""Numbers that seem to be in another unit than the study's.

The dictionary's range alone does not tell g/dL from g/L: 4 is a possible albumin in g/L. So for
what laboratories measure most, the middle of a group of patients is compared with what it can be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from site_agent.contract.study.model import Column
from site_agent.data.units import factor

Floats = NDArray[np.float64]
FEWEST: Final = 5  # values, below which their middle tells nothing
MOST_INSIDE: Final = 0.5
INSIDE_THEN: Final = 0.9

# Lowest and highest median that a group of patients can have, however ill.
MEDIANS: Final[dict[str, tuple[float, float, str]]] = {
    "albumin": (12.0, 60.0, "g/L"),
    "hemoglobin": (45.0, 220.0, "g/L"),
    "haemoglobin": (45.0, 220.0, "g/L"),
    "ferritin": (15.0, 50_000.0, "ug/L"),
    "crp": (0.3, 400.0, "mg/L"),
    "ldh": (60.0, 8_000.0, "U/L"),
    "platelets": (3.0, 1_000.0, "G/L"),
    "leukocytes": (0.2, 200.0, "G/L"),
    "neutrophils": (0.1, 100.0, "G/L"),
    "creatinine": (0.2, 8.0, "mg/dL"),
    "bilirubin": (0.1, 25.0, "mg/dL"),
    "calcium": (5.0, 15.0, "mg/dL"),
    "glucose": (40.0, 400.0, "mg/dL"),
    "fibrinogen": (0.5, 10.0, "g/L"),
    "height": (0.9, 2.2, "m"),
    "weight": (9.0, 180.0, "kg"),
}
UNITS: Final = (
    *("g/L", "g/dL", "mg/dL", "mg/L", "ug/dL", "ug/L", "ng/L", "U/L", "kU/L"),
    *("G/L", "1/uL", "1/L", "kg", "g", "mg", "ug", "lb", "m", "cm", "mm", "in"),
    *("%", "fraction", "day", "week", "month", "year", "hour"),
    *("mol/L", "mmol/L", "umol/L", "nmol/L", "mg/kg/day", "ug/kg/day"),
)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A unit in which the values would make sense; inside: the share that then would."""

    unit: str
    factor: float
    inside: float


def suspected_unit(column: Column, values: Floats) -> Suspicion | None:
    """Return the unit that the values seem to be in, None if the study's own will do.

    values: those that are not missing, or a sample of them; (n,).
    """
    if not column.unit or len(values) < FEWEST:
        return None
    by_median = _by_median(column, float(np.median(values)))
    return by_median or _by_range(column, values)


def _by_median(column: Column, median: float) -> Suspicion | None:
    known = _medians(column)
    if known is None or median <= 0 or known[0] <= median <= known[1]:
        return None
    middle = float(np.sqrt(known[0] * known[1]))
    fitting = [
        Suspicion(unit, by, 1.0)
        for unit, by in _others(column)
        if known[0] <= median * by <= known[1]
    ]
    return min(fitting, key=lambda found: abs(np.log(median * found.factor / middle)), default=None)


def _medians(column: Column) -> tuple[float, float] | None:
    """Return the medians that are possible, in the study's unit, None if nothing is known."""
    for word in re.findall(r"[a-z]+", column.name):
        if word in MEDIANS:
            low, high, unit = MEDIANS[word]
            by = factor(unit, column.unit)
            if by is not None:
                return low * by, high * by
    return None


def _by_range(column: Column, values: Floats) -> Suspicion | None:
    """Return the unit that brings values into the range, if most of them are outside of it."""
    if _inside(column, values) >= MOST_INSIDE:
        return None
    found = [Suspicion(unit, by, _inside(column, values * by)) for unit, by in _others(column)]
    best = max(found, key=lambda one: (one.inside, -abs(np.log(one.factor))), default=None)
    return best if best is not None and best.inside >= INSIDE_THEN else None


def _inside(column: Column, values: Floats) -> float:
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    return float(np.mean((values >= low) & (values <= high)))


def _others(column: Column) -> list[tuple[str, float]]:
    """Return units that convert into the study's by a factor other than 1."""
    found = [(unit, factor(unit, column.unit)) for unit in UNITS]
    return [(unit, by) for unit, by in found if by is not None and abs(by - 1) > 1e-9]
