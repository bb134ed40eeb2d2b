"""The sums of generalised estimating equations, one hospital's part (formulas in clusters.py).

The frame's numbers are the outcome and the wave. Arguments: `waves` [first, last], `family`,
`columns`; floats `beta` and `start` (1 + p,), `centre`
(p,), `scale` (1,) and the working correlation, packed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import xlogy

from site_agent.contract.analyses.clusters import Panel, equations, products
from site_agent.contract.analyses.families import FAMILIES
from site_agent.contract.analyses.regression import packed
from site_agent.contract.analyses.regression_sums import explained
from site_agent.contract.analyses.risk_sets import triangle, unpack
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Arrays, Ask, Lane, Sum

LARGEST: Final = 2.0**100


def _waves(rows: Rows, ask: Ask) -> Arrays:
    """Return how many rows have no declared wave, and how many a wave that another row has."""
    first, last = ask.fixed["waves"]
    wave = rows.numbers[:, -1]
    outside = (wave != np.rint(wave)) | (wave < first) | (wave > last)
    pairs = np.column_stack([rows.patient.astype(np.float64), wave])[~outside]
    twice = len(pairs) - len(np.unique(pairs, axis=0))
    return {"outside": np.array([float(outside.sum())]), "twice": np.array([float(twice)])}


def _panel(rows: Rows, ask: Ask) -> tuple[Panel, Floats, Floats]:
    """Return the rows as a panel, and outcome and linear predictor of each."""
    family = FAMILIES[ask.fixed["family"]]
    design, y, eta = explained(rows, ask)
    mean = family.mean(eta)
    spread = np.sqrt(family.variance(mean))
    wave = np.rint(rows.numbers[:, -1]).astype(np.int64) - ask.fixed["waves"][0]
    _, patient = np.unique(rows.patient, return_inverse=True)
    return Panel(design * spread[:, None], (y - mean) / spread, patient, wave), y, eta


def _count(ask: Ask) -> int:
    return int(ask.fixed["waves"][1] - ask.fixed["waves"][0] + 1)


def _equation_lanes(ask: Ask) -> tuple[Lane, ...]:
    p, pairs = 1 + ask.fixed["columns"], triangle(_count(ask) - 1)
    return (
        Lane("score", (p,), REAL),
        Lane("slope", (triangle(p),), REAL),
        Lane("square", (1,), REAL),
        Lane("products", (pairs,), REAL),
        Lane("pairs", (pairs,), COUNT),
        Lane("quasi", (1,), REAL),
    )


def _equations(rows: Rows, ask: Ask) -> Arrays:
    panel, y, eta = _panel(rows, ask)
    score, slope, _ = equations(panel, unpack(ask.floats["correlation"], _count(ask)))
    square, product, pairs = products(panel, _count(ask))
    return {
        "score": score,
        "slope": packed(slope),
        "square": square,
        "products": product,
        "pairs": pairs,
        "quasi": np.array([_quasi(ask.fixed["family"], y, eta)]),
    }


def _quasi(family: str, y: Floats, eta: Floats) -> float:
    """Return the quasi-likelihood at dispersion 1: the log-likelihood without terms of y alone."""
    if family == "poisson":
        mean = np.exp(eta)
        return float((xlogy(y, mean) - mean).sum())
    return float(FAMILIES[family].loglik(y, eta).sum())


def _sandwich(rows: Rows, ask: Ask) -> Arrays:
    panel, _, _ = _panel(rows, ask)
    _, _, middle = equations(panel, unpack(ask.floats["correlation"], _count(ask)))
    return {"middle": packed(middle)}


WAVES: Final = Sum(
    name="gee_waves",
    disclosure="A",
    gives="how many rows have a wave that is not declared, or that another row has",
    lanes=lambda _: (Lane("outside", (1,), COUNT), Lane("twice", (1,), COUNT)),
    compute=_waves,
)
EQUATIONS: Final = Sum(
    name="gee_equations",
    disclosure="A",
    gives="estimating equations, their slope, products of residuals of each two waves",
    lanes=_equation_lanes,
    compute=_equations,
)
SANDWICH: Final = Sum(
    name="gee_sandwich",
    disclosure="A",
    gives="squares and products of the patients' parts of the estimating equations",
    lanes=lambda ask: (Lane("middle", (triangle(1 + ask.fixed["columns"]),), REAL),),
    compute=_sandwich,
)
