"""Correlation of two numbers over n pairs: Pearson's, and Spearman's as Pearson's of midranks.

    r = S_xy / sqrt(S_xx S_yy),   t = r sqrt((n - 2) / (1 - r^2)),  df = n - 2        Pearson 1896
    limits  tanh(atanh r -+ z / sqrt(n - 3))                                           Fisher 1921
    rho     r of the midranks; S = (n^3 - n) (1 - rho) / 6                           Spearman 1904

As `cor.test`, for Spearman with `exact = FALSE`: the t distribution.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import stdtr

from site_agent.contract.analyses.intervals import normal_quantile
from site_agent.contract.errors import AnalysisError


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation with its test; limits of Pearson's from four pairs on."""

    estimate: float
    statistic: float
    df: int
    p_value: float
    conf_low: float | None = None
    conf_high: float | None = None


def correlation(n: int, xx: float, xy: float, yy: float, *, level: float | None) -> Correlation:
    """Return the correlation from n and centred sums; without a level, Spearman's from ranks."""
    if n < 3 or not (xx > 0 and yy > 0):
        raise AnalysisError("fewer than three pairs, or a number without spread; no correlation")
    r = max(-1.0, min(1.0, xy / math.sqrt(xx * yy)))
    df = n - 2
    t = r * math.sqrt(df / (1 - r**2)) if abs(r) < 1 else math.copysign(math.inf, r)
    p = float(2 * stdtr(df, -abs(t)))
    if level is None:
        return Correlation(r, (n**3 - n) * (1 - r) / 6, df, p)
    low, high = (None, None) if n < 4 or abs(r) == 1 else _limits(r, n, level)
    return Correlation(r, t, df, p, low, high)


def _limits(r: float, n: int, level: float) -> tuple[float, float]:
    width = normal_quantile(level) / math.sqrt(n - 3)
    return math.tanh(math.atanh(r) - width), math.tanh(math.atanh(r) + width)
