"""Tests of tables of counts: chi-square, Fisher's exact test, trend of proportions.

With counts x_ij, row sums n_i, column sums m_j, N in all and expected e_ij = n_i m_j / N:

    chi-square   sum of (|x - e| - y)^2 / e,  y = min(1/2, |x - e|) in a 2 x 2 table   Yates 1934
    Fisher       given the margins x = x_11 is hypergeometric with odds ratio w:
                 P(x) ~ C(m_1, x) C(m_2, n_1 - x) w^x                                  Fisher 1935
                 p: sum of P at w = 1 over all x no more probable, up to 1 + 1e-7
                 odds ratio: the w at which the mean of x is the x seen; limits: the w at which
                 P(X >= x) or P(X <= x) is half of 1 - level                      Cornfield 1956
    trend        of proportions r_i / n_i over scores i = 1, 2, ...           Armitage 1955

As `chisq.test`, `fisher.test`, `prop.trend.test`; R's `uniroot` stops at four digits, here odds
ratio and limits are roots to all digits. Tables larger than 2 x 2: fisher_tables.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from site_agent.contract.analyses.fisher_tables import TOLERANCE, fisher_p
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.roots import crossing
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats

YATES = 0.5
FARTHEST = 700.0  # of a log odds ratio


@dataclass(frozen=True, slots=True)
class TableTest:
    """A test of a table: statistic and df where it has them, p; of 2 x 2 an odds ratio, limits."""

    p_value: float
    statistic: float | None = None
    df: int | None = None
    odds_ratio: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None


def occupied(table: Floats) -> Floats:
    """Return a table without empty rows and columns; AnalysisError if less than 2 x 2 is left."""
    held = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if min(held.shape) < 2:
        raise AnalysisError(
            "all patients are in one group, or have one level; there is nothing to compare"
        )
    return np.asarray(held)


def expected(table: Floats) -> Floats:
    """Return the expected counts of a table."""
    return np.asarray(np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum())


def chi_square(table: Floats, *, correct: bool) -> TableTest:
    """Return Pearson's test of a table; a 2 x 2 table is corrected for continuity if asked."""
    held = occupied(table)
    wanted = expected(held)
    apart = np.abs(held - wanted)
    if correct and held.shape == (2, 2):
        apart = apart - min(YATES, float(apart.min()))
    statistic = float((apart**2 / wanted).sum())
    df = (held.shape[0] - 1) * (held.shape[1] - 1)
    p = chi_square_p(statistic, df)
    return TableTest(p, statistic, df)


def fisher(table: Floats, *, level: float) -> TableTest:
    """Return Fisher's exact test; of a 2 x 2 table with odds ratio and limits."""
    held = occupied(table)
    if held.shape != (2, 2):
        return TableTest(fisher_p(held))
    exact = _Exact.of(held)
    tail = (1 - level) / 2
    seen = exact.seen
    return TableTest(
        exact.p_value(),
        odds_ratio=exact.root(lambda w: float(exact.at(w) @ exact.support) - seen),
        conf_low=exact.root(lambda w: float(exact.at(w)[exact.support >= seen].sum()) - tail),
        conf_high=exact.root(lambda w: tail - float(exact.at(w)[exact.support <= seen].sum())),
    )


@dataclass(frozen=True, slots=True)
class _Exact:
    """The first cell of a 2 x 2 table given its margins: possible values and log weights."""

    seen: float
    support: Floats
    weights: Floats

    @staticmethod
    def of(table: Floats) -> _Exact:
        (first, other), row = table.sum(axis=0), table[0].sum()
        support = np.arange(max(0.0, row - other), min(row, first) + 1)

        def choices(n: float, k: Floats) -> Floats:
            return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))

        weights = choices(first, support) + choices(other, row - support)
        return _Exact(float(table[0, 0]), support, weights)

    def at(self, log_ratio: float) -> Floats:
        """Return the probability of each value at an odds ratio."""
        logs = self.weights + log_ratio * (self.support - self.seen)
        found = np.exp(logs - logs.max())
        return np.asarray(found / found.sum())

    def p_value(self) -> float:
        """Return the sum of the probabilities of all values that are no more probable."""
        own = self.at(0.0)
        most = own[self.support == self.seen][0] * (1 + TOLERANCE)
        return float(min(1.0, own[own <= most].sum()))

    def root(self, rises: Callable[[float], float]) -> float:
        """Return the odds ratio at which a function of its log is 0: 0 or infinite at the ends."""
        low, high = -1.0, 1.0
        while rises(low) > 0 and low > -FARTHEST:
            low *= 2
        while rises(high) < 0 and high < FARTHEST:
            high *= 2
        if rises(low) >= 0:
            return 0.0
        if rises(high) <= 0:
            return math.inf
        return math.exp(crossing(rises, low, high))


def trend(table: Floats) -> TableTest:
    """Return the test for a trend of the share of the second column over the rows, in order."""
    held = occupied(table)
    if held.shape[1] != 2:
        raise AnalysisError("a test for trend takes a variable of two levels; this one has more")
    scores = np.flatnonzero(table.sum(axis=1) > 0) + 1.0
    n = held.sum(axis=1)
    share = held[:, 1].sum() / n.sum()
    centred = scores - n @ scores / n.sum()
    slope = float(centred @ held[:, 1])
    statistic = slope**2 / (share * (1 - share) * float(n @ centred**2))
    return TableTest(chi_square_p(statistic, 1), statistic, 1)
