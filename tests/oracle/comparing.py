"""How far numbers are from R's, and how far they may be (the tolerances of the project)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

STANDARD_ERRORS: Final = 1e-9  # an estimate, in standard errors
RELATIVE: Final = 1e-9  # variances and test statistics
CURVE: Final = 1e-10  # points of curves, absolute
P_VALUE: Final = 1e-7  # p-values, relative


def flat(values: Any) -> Iterator[float | None]:
    """Yield numbers of nested lists in order; R's NA, NaN and Inf are None."""
    if isinstance(values, list | tuple):
        for value in values:
            yield from flat(value)
    elif isinstance(values, str) or values is None or not math.isfinite(values):
        yield None
    else:
        yield float(values)


def deviation(actual: Any, expected: Any, *, relative: bool = False) -> float:
    """Return the largest difference; infinite if lengths differ or one has a number alone."""
    one, two = list(flat(actual)), list(flat(expected))
    if len(one) != len(two):
        return math.inf
    return max((_apart(a, e, relative) for a, e in zip(one, two, strict=True)), default=0.0)


def _apart(actual: float | None, expected: float | None, relative: bool) -> float:
    if actual is None or expected is None:
        return 0.0 if actual is expected else math.inf
    size = abs(expected) if relative and expected else 1.0
    return abs(actual - expected) / size


def in_errors(actual: Any, expected: Any, errors: Any) -> float:
    """Return the largest difference of estimates in units of their standard errors."""
    return deviation(_scaled(actual, errors), _scaled(expected, errors))


def _scaled(values: Any, errors: Any) -> list[float | None]:
    pairs = zip(flat(values), flat(errors), strict=True)
    return [None if value is None else value / (error or 1.0) for value, error in pairs]


def step(curve: dict[str, Any], column: str, times: Sequence[float]) -> list[float | None]:
    """Return a column of a curve at given times: its last value so far, 0 before the first."""
    found = []
    for time in times:
        reached = [i for i, own in enumerate(curve["time"]) if own <= time + 1e-9]
        found.append(curve[column][reached[-1]] if reached else 0.0)
    return found
