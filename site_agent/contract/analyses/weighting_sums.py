"""The sums of a weighting: what the two arms are like, before and after rows are weighted.

By arm (not treated, treated), over rows with weight w, score e, covariates x less their mean:

    rows, truncated        how many, and of how many the weight lies at a limit
    weight, square         sums of w and w^2
    score, score_square    sums of e and e^2
    sum, product           sums of x and x^2
    weighted               sums of w x

All are totals over a whole arm (class A).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import expit

from site_agent.contract.frames import Floats, Rows
from site_agent.contract.propensity import COEFFICIENTS, SHARE, full_weights, predictor
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Arrays, Ask, Lane, Sum

ARMS: Final = (0.0, 1.0)
COUNTED: Final = ("rows", "truncated")
BY_ARM: Final = (*COUNTED, "weight", "square", "score", "score_square")
BY_COLUMN: Final = ("sum", "product", "weighted")


def _lanes(ask: Ask) -> tuple[Lane, ...]:
    arms, columns = len(ARMS), ask.fixed["columns"]
    return (
        *(Lane(name, (arms,), COUNT if name in COUNTED else REAL) for name in BY_ARM),
        *(Lane(name, (arms, columns), REAL) for name in BY_COLUMN),
    )


def _balance(rows: Rows, ask: Ask) -> Arrays:
    weighting, scored, weight = ask.frame.weighting, rows.scored, rows.weight
    assert weighting is not None and scored is not None and weight is not None
    eta = predictor(scored, ask.floats[COEFFICIENTS])
    full = full_weights(weighting.variant, scored.treated, eta, float(ask.floats[SHARE][0]))
    by_arm = np.stack(
        (np.ones(len(rows)), weight != full, weight, weight**2, expit(eta), expit(eta) ** 2)
    )
    x = scored.design - ask.floats["centre"]
    arms = np.stack([scored.treated == arm for arm in ARMS]).astype(np.float64)
    return {
        **dict(zip(BY_ARM, _summed(arms, by_arm.T).T, strict=True)),
        "sum": _summed(arms, x),
        "product": _summed(arms, x**2),
        "weighted": _summed(arms * weight, x),
    }


def _summed(arms: Floats, values: Floats) -> Floats:
    """Return sums of values (n, k) by arm, with each row's part in the arms (2, n); (2, k)."""
    return arms @ values


BALANCE: Final = Sum(
    name="weighting_balance",
    disclosure="A",
    gives="of treated and untreated: weights, scores and covariates, added up with their squares",
    lanes=_lanes,
    compute=_balance,
)
