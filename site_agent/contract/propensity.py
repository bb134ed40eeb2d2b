"""Weights by a propensity score: what each row counts as, from the score's public coefficients.

With treatment t of 0 or 1, covariates x, the score e = P(t = 1 | x) of a logistic regression with
linear predictor eta = b0 + x b, and p the share of the treated among its rows:

    ate         t / e + (1 - t) / (1 - e)                  Robins, Hernan and Brumback 2000
    stabilised  p t / e + (1 - p) (1 - t) / (1 - e)        the same
    att         t + (1 - t) e / (1 - e)                    Sato and Matsuyama 2003
    overlap     t (1 - e) + (1 - t) e                      Li, Morgan and Zaslavsky 2018

As 1 / e = 1 + exp(-eta) and e / (1 - e) = exp(eta), no small difference is ever divided by. A
weight below the declared smallest, or above the largest, counts as that (truncation).

The coefficients are totals of all hospitals and come with each question, as floating-point
arguments: a hospital weighs its own rows as it adds them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.special import expit

from site_agent.contract.frames import Floats, Frame, Rows, Scored

VARIANTS: Final = ("ate", "stabilised", "att", "overlap")
COEFFICIENTS: Final = "propensity"  # (1 + q,), the intercept first
SHARE: Final = "prevalence"  # (1,), of the treated
FARTHEST: Final = 40.0  # of eta: squares of weights then fit into the lanes of a sum
KEPT: Final = "weighted"


def predictor(scored: Scored, coefficients: Floats) -> Floats:
    """Return the linear predictor of each row, (n,), held within FARTHEST of 0."""
    eta = coefficients[0] + scored.design @ coefficients[1:]
    return np.asarray(np.clip(eta, -FARTHEST, FARTHEST))


def full_weights(variant: str, treated: Floats, eta: Floats, share: float) -> Floats:
    """Return the weights before truncation, (n,); treated (n,) of 0 and 1, eta (n,).

    >>> full_weights("ate", np.array([1.0, 0.0]), np.zeros(2), 0.5).tolist()
    [2.0, 2.0]
    """
    own = treated == 1
    away = np.where(own, -eta, eta)
    if variant == "overlap":
        return np.asarray(expit(away))
    if variant == "att":
        return np.where(own, 1.0, np.exp(eta))
    each = np.where(own, share, 1 - share) if variant == "stabilised" else 1.0
    return np.asarray(each * (1 + np.exp(away)))


def truncated(weights: Floats, limits: tuple[float, ...]) -> Floats:
    """Return weights (n,) held within (smallest, largest); as they are without limits."""
    return np.asarray(np.clip(weights, limits[0], limits[1])) if limits else weights


def weighted(rows: Rows, frame: Frame, floats: Mapping[str, Floats]) -> Rows:
    """Return the rows with their weights, kept for the next time; as they are without any.

    A question that the guard asks has no coefficients: it counts patients.
    """
    if frame.weighting is None or rows.scored is None or COEFFICIENTS not in floats:
        return rows
    coefficients, share = floats[COEFFICIENTS], floats[SHARE]
    key = coefficients.tobytes() + share.tobytes()
    kept = rows.derived.get(KEPT)
    if kept is None or kept[0] != key:
        eta = predictor(rows.scored, coefficients)
        full = full_weights(frame.weighting.variant, rows.scored.treated, eta, float(share[0]))
        weight = truncated(full, frame.weighting.truncate)
        kept = rows.derived[KEPT] = key, replace(rows, weight=weight)
    found: Rows = kept[1]
    return found
