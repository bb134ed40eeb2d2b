"""Tests of proportional hazards, as `cox.zph` of R's survival (3.x): score tests of beta(t).

Take x beta + x theta (g(t) - mean of g) with g a transform of time, its mean over the deaths. At
the fit, theta = 0, with E and V of each death (risk_sets.py) and g centred,

    U_theta = sum of g (x - E)
    I       = [ sum V      sum g V   ]
              [ sum g V    sum g^2 V ]

The test of the columns J of one covariate takes the rows of beta and J alone: with u = (0, U_J),
u' I_J^-1 u is chi-square with |J| degrees of freedom; GLOBAL takes all columns. Grambsch and
Therneau (1994); in its score form in the documentation of survival 3.

g: identity t; log log(t); rank the mean rank of t among the times of all rows; km 1 - S(t-), S the
Kaplan-Meier estimate over all rows, strata left aside, censored where another cause comes first.
With a death at time 0 there is no test with log.
Only totals open: three sums for each transform, from the same risk sets as the fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from site_agent.contract.analyses.counts import Course
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.risk_sets import DEATH, unpack
from site_agent.contract.frames import Floats, Integers
from site_agent.contract.study.model import TimeScale
from site_agent.contract.sums import Arrays

TRANSFORMS: Final = ("km", "rank", "identity", "log")
GLOBAL: Final = "GLOBAL"
COLUMNS: Final = ("transform", "term", "statistic", "df", "p_value")


@dataclass(frozen=True, slots=True)
class Proportionality:
    """One test: of a covariate's columns, or of all (GLOBAL), with a transform of time."""

    transform: str
    term: str
    statistic: float
    df: int
    p_value: float


def transformed(
    name: str, course: Course, scale: TimeScale, ticks: Integers, deaths: Integers
) -> Floats:
    """Return g at the death times `ticks` (K,), centred over the deaths (K,) at each.

    course is that of all rows, strata together; a logarithm needs times above 0.
    """
    at = np.searchsorted(course.tick, ticks)
    g: Floats
    if name == "km":
        kept = 1.0 - course.left[DEATH] / course.n_risk
        g = 1.0 - np.concatenate([[1.0], np.cumprod(kept)])[at]
    elif name == "rank":
        leaving = course.left.sum(axis=0)
        g = (np.cumsum(leaving) - leaving)[at] + (leaving[at] + 1.0) / 2.0
    else:
        g = np.asarray(ticks * float(scale.resolution), dtype=np.float64)
        if name == "log":
            g = np.log(g)
    return np.asarray(g - (g @ deaths) / deaths.sum())


def score_tests(
    transforms: Sequence[str],
    totals: Arrays,
    information: Floats,
    columns: Mapping[str, Sequence[int]],
    aliased: np.ndarray,
) -> tuple[Proportionality, ...]:
    """Return the tests of each transform: of each covariate's columns, and of all.

    totals are those of an ask behind the maximum (cox_points.py), information (p, p) is at the
    maximum; aliased columns are left out, and a covariate without others has no test.
    """
    p, found = len(aliased), []
    kept = {term: [k for k in block if not aliased[k]] for term, block in columns.items()}
    blocks = {term: block for term, block in kept.items() if block}
    blocks[GLOBAL] = [k for block in kept.values() for k in block]
    beta = blocks[GLOBAL]
    for number, transform in enumerate(transforms):
        mixed = unpack(totals["information"][number], p)
        squared = unpack(totals["information"][len(transforms) + number], p)
        for term, block in blocks.items():
            upper = np.hstack([information[np.ix_(beta, beta)], mixed[np.ix_(beta, block)]])
            lower = np.hstack([mixed[np.ix_(block, beta)], squared[np.ix_(block, block)]])
            score = np.concatenate([np.zeros(len(beta)), totals["score"][number][block]])
            statistic = float(score @ np.linalg.solve(np.vstack([upper, lower]), score))
            df = len(block)
            p_value = chi_square_p(statistic, df)
            found.append(Proportionality(transform, term, statistic, df, p_value))
    return tuple(found)
