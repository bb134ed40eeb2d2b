"""Tests of means from sizes, means and sums of squares by group: t, ANOVA, Welch's, paired.

With n_g, mean m_g and variance s_g^2 of a group, N and G in all, grand mean m:

    Welch      t = (m_1 - m_2) / sqrt(s_1^2/n_1 + s_2^2/n_2),
               df = (s_1^2/n_1 + s_2^2/n_2)^2 / sum of (s_g^2/n_g)^2 / (n_g - 1)       Welch 1938
    pooled     t with s^2 = sum of (n_g - 1) s_g^2 / (N - 2),  df = N - 2              Student 1908
    ANOVA      F = sum of n_g (m_g - m)^2 / (G - 1)  over  sum of (n_g - 1) s_g^2 / (N - G)
    Welch's    w_g = n_g / s_g^2, weighted mean m', L = sum of (1 - w_g/w)^2 / (n_g - 1) / (G^2 - 1)
    ANOVA      F = sum of w_g (m_g - m')^2 / (G - 1) / (1 + 2 (G - 2) L),
               df = G - 1 and 1 / (3 L)                                                Welch 1951
    paired     t = mean of d / (s_d / sqrt n),  df = n - 1

As `t.test` and `oneway.test`; with groups of one, ANOVA is that of `anova(lm())`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import fdtrc, stdtr, stdtrit

from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats

CONSTANT = "the values do not differ within the groups; a test of means needs some spread"


@dataclass(frozen=True, slots=True)
class Moments:
    """Size, mean and sum of squares about the mean, of each group, (G,)."""

    n: Floats
    mean: Floats
    squares: Floats

    @property
    def variance(self) -> Floats:
        """Return the variance of each group, NaN for one of fewer than two."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.n > 1, self.squares / (self.n - 1), np.nan)

    def held(self) -> Moments:
        """Return the groups that have values."""
        some = self.n > 0
        return Moments(self.n[some], self.mean[some], self.squares[some])


@dataclass(frozen=True, slots=True)
class MeanTest:
    """A test of means: statistic, degrees of freedom, p; of two means their difference and limits.

    denominator_df: of an F statistic.
    """

    statistic: float
    df: float
    p_value: float
    denominator_df: float | None = None
    difference: float | None = None
    std_error: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None


def t_test(groups: Moments, *, pooled: bool, level: float) -> MeanTest:
    """Return the t test of the first of two groups against the second."""
    n, variance = groups.n, groups.variance
    if len(n) != 2 or n.min() < (1 if pooled else 2) or n.sum() < 3:
        raise AnalysisError(
            "a t test takes two groups of at least two values each; take kruskal or anova for "
            "more groups, or wilcoxon for small ones"
        )
    if pooled:
        df = float(n.sum() - 2)
        error = math.sqrt(groups.squares.sum() / df * (1 / n).sum())
    else:
        own = variance / n
        error = math.sqrt(own.sum())
        df = float(own.sum() ** 2 / (own**2 / (n - 1)).sum()) if error else math.nan
    return _t(float(groups.mean[0] - groups.mean[1]), error, df, level)


def paired_t(n: float, mean: float, squares: float, *, level: float) -> MeanTest:
    """Return the t test of n differences about 0."""
    if n < 2:
        raise AnalysisError("fewer than two pairs are complete; a paired t test needs two")
    return _t(mean, math.sqrt(squares / (n - 1) / n), n - 1, level)


def _t(difference: float, error: float, df: float, level: float) -> MeanTest:
    if not error > 0:
        raise AnalysisError(CONSTANT)
    t = difference / error
    width = float(-stdtrit(df, (1 - level) / 2)) * error
    return MeanTest(
        statistic=t,
        df=df,
        p_value=float(2 * stdtr(df, -abs(t))),
        difference=difference,
        std_error=error,
        conf_low=difference - width,
        conf_high=difference + width,
    )


def anova(groups: Moments) -> MeanTest:
    """Return the one-way analysis of variance over the groups that have values."""
    held = groups.held()
    count, n = len(held.n), float(held.n.sum())
    within = float(held.squares.sum())
    if count < 2 or n <= count:
        raise AnalysisError("fewer than two groups have values, or all have one; no ANOVA")
    if not within > 0:
        raise AnalysisError(CONSTANT)
    between = float(held.n @ (held.mean - held.n @ held.mean / n) ** 2)
    f = between / (count - 1) / (within / (n - count))
    return MeanTest(f, count - 1, float(fdtrc(count - 1, n - count, f)), n - count)


def welch_anova(groups: Moments) -> MeanTest:
    """Return Welch's analysis of variance over the groups that have values."""
    held = groups.held()
    count = len(held.n)
    if count < 2 or held.n.min() < 2:
        raise AnalysisError(
            "Welch's ANOVA takes two groups or more of at least two values each; join groups, or "
            "take anova or kruskal"
        )
    if not held.variance.min() > 0:
        raise AnalysisError(CONSTANT)
    weight = held.n / held.variance
    share = weight / weight.sum()
    apart = float(weight @ (held.mean - share @ held.mean) ** 2) / (count - 1)
    loss = float(((1 - share) ** 2 / (held.n - 1)).sum()) / (count**2 - 1)
    f = apart / (1 + 2 * (count - 2) * loss)
    df = 1 / (3 * loss)
    return MeanTest(f, count - 1, float(fdtrc(count - 1, df, f)), df)
