"""Confidence limits of probabilities on the scales of R's packages, and normal quantiles.

With estimate p, standard error s and normal quantile z, the limits are

    plain     p -+ z s                                       cut to [0, 1]
    log       p exp(-+ z s / p)                              upper limit cut at 1
    log-log   p^exp(+- z s / (p log p))                      log(-log p)
    logit     expit(logit p -+ z s / (p (1 - p)))
    arcsin    sin^2(asin sqrt p -+ z s / (2 sqrt(p (1 - p))))
    cloglog   1 - (1 - p)^exp(+- z s / ((1 - p) log(1 - p)))  log(-log(1 - p))

`survfit` (conf.type), `tidycmprsk` (log-log of the incidence) and `etm` (cloglog) use
them. Where the transformation has no value (p = 0 or 1 on most scales) the limits are NaN.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtrc, ndtr, ndtri

from site_agent.contract.frames import Floats

SCALES = ("log", "log-log", "plain", "logit", "arcsin", "cloglog")


def normal_quantile(level: float) -> float:
    """Return z so that a two-sided interval of `level` is estimate -+ z standard errors."""
    return float(ndtri(1 - (1 - level) / 2))


def two_sided_p(statistic: float) -> float:
    """Return the two-sided p-value of a standard normal statistic."""
    return float(2 * ndtr(-abs(statistic)))


def chi_square_p(statistic: float, df: int) -> float:
    """Return the upper tail of the chi-square distribution with `df` degrees of freedom.

    A statistic below 0 is the rounding error of one that is 0.
    """
    return float(chdtrc(df, max(statistic, 0.0)))


def limits(p: Floats, se: Floats, *, scale: str, level: float) -> tuple[Floats, Floats]:
    """Return lower and upper limits (n,) of probabilities p (n,) with standard errors (n,)."""
    z = normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, high = _limits(np.asarray(p, float), z * np.asarray(se, float), scale)
    return np.asarray(low), np.asarray(high)


def _limits(p: Floats, spread: Floats, scale: str) -> tuple[Floats, Floats]:
    if scale == "plain":
        return np.maximum(p - spread, 0.0), np.minimum(p + spread, 1.0)
    if scale == "log":
        low, high = p * np.exp(-spread / p), p * np.exp(spread / p)
        return np.where(p > 0, low, np.nan), np.where(p > 0, np.minimum(high, 1.0), np.nan)
    if scale == "log-log":
        return _double_log(p, spread)
    if scale == "cloglog":
        low, high = _double_log(1 - p, spread)
        return 1 - high, 1 - low
    inside = (p > 0) & (p < 1)
    if scale == "logit":
        centre, width = np.log(p / (1 - p)), spread / (p * (1 - p))
        low, high = (1 / (1 + np.exp(-(centre + side * width))) for side in (-1, 1))
        return np.where(inside, low, np.nan), np.where(inside, high, np.nan)
    centre, width = np.arcsin(np.sqrt(p)), spread / (2 * np.sqrt(p * (1 - p)))
    low = np.sin(np.maximum(centre - width, 0.0)) ** 2
    high = np.sin(np.minimum(centre + width, np.pi / 2)) ** 2
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)


def _double_log(p: Floats, spread: Floats) -> tuple[Floats, Floats]:
    width = spread / (p * np.log(p))
    inside = (p > 0) & (p < 1)
    low, high = p ** np.exp(-width), p ** np.exp(width)
    return np.where(inside, low, np.nan), np.where(inside, high, np.nan)
