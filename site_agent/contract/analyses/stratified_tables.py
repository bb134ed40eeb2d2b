"""The Cochran-Mantel-Haenszel test: two-way tables that are compared within strata.

In stratum k with counts x_ij, row shares p, column shares q and N in all, with d the vector of
x - N p q' over all rows and columns but the last:

    M^2 = (sum of d)' (sum of V)^- (sum of d)                                        Birch 1965
    V   = N^2 / (N - 1) (P - p p') x (Q - q q')

In 2 x 2 tables with |sum of d| less 1/2 (Mantel and Haenszel 1959), and a common odds ratio

    sum of R / sum of S,   R = x_11 x_22 / N,  S = x_12 x_21 / N
    var of its log = sum of P R / (2 R^2) + sum of (P S + Q R) / (2 R S) + sum of Q S / (2 S^2),
                     P = (x_11 + x_22) / N,  Q = 1 - P       Robins, Breslow and Greenland 1986

with R and S their sums in the denominators. All of it is sums over strata, so hospitals can be
strata of which only totals open. As `mantelhaen.test`, which refuses a stratum of one; it adds
nothing here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from site_agent.contract.analyses.intervals import chi_square_p, normal_quantile
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats
from site_agent.contract.sums import Arrays

PARTS: Final = ("R", "S", "PR", "PS_QR", "QS")  # of the common odds ratio


@dataclass(frozen=True, slots=True)
class StratifiedTest:
    """A test within strata; of 2 x 2 tables with the common odds ratio and its limits."""

    statistic: float
    df: int
    p_value: float
    odds_ratio: float | None = None
    conf_low: float | None = None
    conf_high: float | None = None


def stratified_sums(tables: Floats) -> Arrays:
    """Return the sums over strata of tables (K, I, J): table, apart, variance, parts."""
    _, rows, columns = tables.shape
    size = (rows - 1) * (columns - 1)
    apart, variance, parts = np.zeros(size), np.zeros((size, size)), np.zeros(len(PARTS))
    for table in tables:
        n = table.sum()
        if n < 2:
            continue
        p, q = table.sum(axis=1) / n, table.sum(axis=0) / n
        apart += (table - n * np.outer(p, q))[:-1, :-1].ravel()
        inner = (_spread(share)[:-1, :-1] for share in (p, q))
        variance += n**2 / (n - 1) * np.kron(*inner)
        parts += _odds(table / n, n) if (rows, columns) == (2, 2) else 0.0
    return {"table": tables.sum(axis=0), "apart": apart, "variance": variance, "parts": parts}


def _spread(shares: Floats) -> Floats:
    return np.asarray(np.diag(shares) - np.outer(shares, shares))


def _odds(shares: Floats, n: float) -> Floats:
    (a, b), (c, d) = shares
    r, s, p = a * d * n, b * c * n, a + d
    return np.array([r, s, p * r, p * s + (1 - p) * r, (1 - p) * s])


def mantel_haenszel(sums: Arrays, *, correct: bool, level: float) -> StratifiedTest:
    """Return the test from sums over strata; AnalysisError if there is nothing to compare."""
    table = sums["table"]
    rows, columns = (np.flatnonzero(table.sum(axis=axis) > 0) for axis in (1, 0))
    if min(len(rows), len(columns)) < 2:
        raise AnalysisError(
            "all patients are in one group, or have one level; there is nothing to compare"
        )
    # The last row and column follow from the others, whether or not they are empty.
    apart, variance = sums["apart"], sums["variance"]
    df = (len(rows) - 1) * (len(columns) - 1)
    if apart.size == 1:
        size = float(abs(apart[0]))
        least = size - (0.5 if correct and size >= 0.5 else 0.0)
        statistic = least**2 / float(variance[0, 0]) if variance[0, 0] > 0 else math.nan
    else:
        kept = np.flatnonzero(np.diag(variance) > 0)
        if np.linalg.matrix_rank(variance, hermitian=True) < df:
            kept = kept[:0]
        statistic = float(apart @ np.linalg.pinv(variance, hermitian=True) @ apart)
        statistic = statistic if len(kept) else math.nan
    if not math.isfinite(statistic):
        raise AnalysisError("no stratum has two groups and two levels; there is nothing to compare")
    ratio = _ratio(sums["parts"], level) if table.shape == (2, 2) else (None, None, None)
    return StratifiedTest(statistic, df, chi_square_p(statistic, df), *ratio)


def _ratio(parts: Floats, level: float) -> tuple[float | None, float | None, float | None]:
    """Return the common odds ratio and its limits; none where one of the sums is 0."""
    r, s, pr, mixed, qs = (float(part) for part in parts)
    if not (r > 0 and s > 0):
        return (None, None, None)
    error = math.sqrt(pr / (2 * r**2) + mixed / (2 * r * s) + qs / (2 * s**2))
    width = normal_quantile(level) * error
    middle = math.log(r / s)
    return math.exp(middle), math.exp(middle - width), math.exp(middle + width)
