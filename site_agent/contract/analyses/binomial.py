"""Limits of a proportion of x in n at the level 1 - a, and its test against a probability p0.

With z the normal quantile at 1 - a/2, and X binomial with n and p0:

    clopper_pearson   Beta(x, n - x + 1) at a/2, Beta(x + 1, n - x) at 1 - a/2   Clopper 1934
    wilson            (p + z^2/2n -+ z sqrt(p q / n + z^2/4n^2)) / (1 + z^2/n)   Wilson 1927
    wilson_cc         the same with p -+ c/n in place of p, c = min(1/2, |x - n p0|)

    exact p     sum of P(X = k) over all k that are no more probable than x
    score p     that of chi-square (|x - n p0| - c)^2 / (n p0 (1 - p0)) with one degree of freedom

They are those of R's `binom.test` and `prop.test`. The correction c goes with p0, which is 1/2
where nothing is tested. What is exactly as probable as x is found so up to rounding (SAME).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from scipy.special import bdtr, bdtrc, betaincinv, erfc, gammaln, ndtri, xlog1py, xlogy

Limits = tuple[float, float]
SAME: Final = 1e-7  # probabilities this close are the same, relative, as in binom.test


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


def wilson_cc(x: float, n: float, level: float, against: float = 0.5) -> Limits:
    """Return the limits of the score test with correction for continuity."""
    z, shift = _z(level), _correction(x, n, against) / n
    low = x / n - shift
    high = x / n + shift
    return (
        0.0 if low <= 0 else max(0.0, _root(low, n, -z)),
        1.0 if high >= 1 else min(1.0, _root(high, n, z)),
    )


def exact_p(x: float, n: float, against: float) -> float:
    """Return the two-sided p-value of the exact test; `against` lies between 0 and 1.

    >>> exact_p(1, 3, 0.25)
    1.0
    """
    k = np.arange(n + 1)
    ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    log = ways + xlogy(k, against) + xlog1py(n - k, -against)
    rare = log <= log[int(x)] + math.log1p(SAME)
    if rare.all():
        return 1.0
    mode = int(np.argmax(log))  # probabilities rise up to it and fall after it
    low, high = int(rare[:mode].sum()), int(rare[mode:].sum())
    below = float(bdtr(low - 1, int(n), against)) if low else 0.0
    above = float(bdtrc(n - high, int(n), against)) if high else 0.0
    return min(1.0, below + above)


def score_p(x: float, n: float, against: float, *, correct: bool) -> float:
    """Return the two-sided p-value of the score test, corrected for continuity or not."""
    apart = abs(x - n * against) - (_correction(x, n, against) if correct else 0.0)
    return float(erfc(apart / math.sqrt(2 * n * against * (1 - against))))


def _correction(x: float, n: float, against: float) -> float:
    return min(0.5, abs(x - n * against))


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


def limits(method: str, x: float, n: float, level: float, against: float | None = None) -> Limits:
    """Return the limits by a method; those of `wilson_cc` depend on the probability tested."""
    if method == "wilson_cc" and against is not None:
        return wilson_cc(x, n, level, against)
    return METHODS[method](x, n, level)


def p_value(method: str, x: float, n: float, against: float) -> float:
    """Return the p-value that goes with the limits of a method."""
    if method == "clopper_pearson":
        return exact_p(x, n, against)
    return score_p(x, n, against, correct=method == "wilson_cc")
