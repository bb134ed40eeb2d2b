"""The concordance of a Cox fit, with hospitals as strata: totals of counts within hospitals.

concordance.py has the formulas. Each hospital counts the pairs of its own rows; eight totals open
(class A), in the round behind the fit.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Final

import numpy as np

from site_agent.contract.analyses.concordance import (
    COUNTS,
    Concordance,
    concordance_of,
    levels_of,
    pairs_of,
)
from site_agent.contract.analyses.risk_sets import linear_predictor
from site_agent.contract.analyses.score_residuals import clusters_of
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import REAL
from site_agent.contract.sums import Answer, Arrays, Ask, Lane, Sum

ROW: Final = "row"  # each row by itself


def within_sites(
    point: Ask, cluster: str
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Concordance]:
    """Ask for the counts within hospitals at a point, and return the concordance.

    cluster: `patient`, `site`, `column`, or the empty text where each row stands for itself.
    """
    fixed = {**point.fixed, "cluster": cluster or ROW}
    (answer,) = yield (replace(point, sum=WITHIN_SITE.name, fixed=fixed),)
    return concordance_of(answer.totals["counts"], answer.totals["squares"])


def squares_of(a: Floats, b: Floats, rows: Rows, cluster: str) -> Floats:
    """Return the sums over clusters of a^2, a b and b^2, (3,)."""
    if cluster != ROW:
        numbers = clusters_of(rows, cluster)
        a, b = (np.bincount(numbers, part).astype(np.float64) for part in (a, b))
    return np.array([a @ a, a @ b, b @ b])


def _lanes(_: Ask) -> tuple[Lane, ...]:
    return (Lane("counts", (len(COUNTS),), REAL), Lane("squares", (3,), REAL))


def _compute(rows: Rows, ask: Ask) -> Arrays:
    ranks = levels_of(linear_predictor(rows, ask.floats["beta"], ask.floats["centre"]))
    counts, a, b = pairs_of(rows, ranks)
    return {"counts": counts, "squares": squares_of(a, b, rows, ask.fixed["cluster"])}


WITHIN_SITE: Final = Sum(
    name="cox_concordance_within_site",
    disclosure="A",
    gives="concordant, discordant and tied pairs of rows within hospitals, over all of them",
    lanes=_lanes,
    compute=_compute,
)
