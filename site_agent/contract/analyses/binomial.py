"""Limits of a proportion of x in n at the level 1 - a, z the normal quantile at 1 - a/2.

    clopper_pearson   Beta(x, n - x + 1) at a/2, Beta(x + 1, n - x) at 1 - a/2   Clopper 1934
    wilson            (p + z^2/2n -+ z sqrt(p q / n + z^2/4n^2)) / (1 + z^2/n)   Wilson 1927
    wilson_cc         the same with p -+ c/n in place of p, c = min(1/2, |x - n/2|)

The last one is that of R's `prop.test`, whose correction c goes with its null hypothesis of 1/2.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from scipy.special import betaincinv, ndtri

Limits = tuple[float, float]


def clopper_pearson(x: float, n: float, level: float) -> Limits:
    """Return the exact limits; 0 and 1 where nobody, or everybody, is counted."""
    tail = (1 - level) / 2
    low = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(betaincinv(x + 1, n - x, 1 - tail))
    return low, high


def wilson(x: float, n: float, level: float) -> Limits:
    """Return the limits of the score test."""
    z = _z(level)
    return max(0.0, _root(x / n, n, -z)), min(1.0, _root(x / n, n, z))


def wilson_cc(x: float, n: float, level: float) -> Limits:
    """Return the limits of the score test with correction for continuity."""
    z, shift = _z(level), min(0.5, abs(x - n / 2)) / n
    low = x / n - shift
    high = x / n + shift
    return (
        0.0 if low <= 0 else max(0.0, _root(low, n, -z)),
        1.0 if high >= 1 else min(1.0, _root(high, n, z)),
    )


def _z(level: float) -> float:
    return float(ndtri(1 - (1 - level) / 2))


def _root(p: float, n: float, z: float) -> float:
    half = z * z / (2 * n)
    return (p + half + z * math.sqrt(p * (1 - p) / n + half / (2 * n))) / (1 + 2 * half)


METHODS: Final[dict[str, Callable[[float, float, float], Limits]]] = {
    "clopper_pearson": clopper_pearson,
    "wilson": wilson,
    "wilson_cc": wilson_cc,
}
