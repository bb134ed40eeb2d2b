"""Attack: differences of risk sets at neighbouring death times.

Notation. D = S(t_k) - S(t_(k+1)) for S0, S1, S2 is the sum of r, r x, r x x' over those who left
in [t_k, t_(k+1)); the last risk set is a difference to nothing. If D0 D2 = D1 D1' one patient
left, and x = D1 / D0 (Cauchy and Schwarz: equality only for equal covariates).

Against sealed risk sets the coordinator has c, g, q in their places. What it can do best at
beta = 0, where S0 is the public number at risk n: S0 = n, S1 = n g / c, S2 = n q / c.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from tests.privacy.holding import Held, risk_set_rows
from tests.privacy.recovery import Floats, at_risk, deaths_at, steps
from tests.privacy.slow import UNIT, pairs

RANK_ONE: Final = 1e-7


def leavers(sums: Floats, p: int) -> list[Floats]:
    """The covariates of those who left alone between two risk sets (K, 1 + p + p (p + 1) / 2)."""
    found = []
    for zeroth, *rest in sums - np.vstack([sums[1:], np.zeros_like(sums[:1])]):
        first, second = np.array(rest[:p]), np.array(rest[p:])
        outer = np.array([first[i] * first[j] for i, j in pairs(p)])
        if zeroth > 0 and np.abs(second * zeroth - outer).max() <= RANK_ONE * np.abs(outer).max():
            found.append(first / zeroth)
    return found


def from_open(held: Held) -> list[Floats]:
    """Covariates out of the risk sets of an open model."""
    p, centre = len(held.beta), held.ask.floats["centre"]
    return [x + centre for x in leavers(risk_set_rows(held), p)]


def from_open_thirds(held: Held) -> list[Floats]:
    """Covariates out of the open third moments of a model with Firth's penalty."""
    p, centre = len(held.beta), held.ask.floats["centre"]
    rows = held.opened["moments"][:, : 1 + p + p * (p + 1) // 2]
    return [x + centre for x in leavers(rows, p)]


def from_sealed(held: Held, counts: Held, *, point: int = 272) -> list[Floats]:
    """What the same differences give on sealed risk sets, taken for open ones.

    point: the bits after the point of the blinding, 320 for third moments.
    """
    p, centre = len(held.beta), held.ask.floats["centre"]
    n = at_risk(counts, deaths_at(held))[np.array(steps(held))]
    rows = []
    for size, c, g, q in zip(n.tolist(), *(held.opened[k].tolist() for k in "cgq"), strict=True):
        rows.append(
            [float(size)] + [size * float(Fraction(value, c << point)) for value in [*g, *q]]
        )
    return [x + centre for x in leavers(np.array(rows), p)]


def from_firsts(firsts: Sequence[Sequence[int]], at_risk: Sequence[int], centre: Floats) -> Floats:
    """Covariates of those who left alone, from S1 (128 bits after the point) at beta = 0."""
    p, found = len(centre), []
    for k, n in enumerate(at_risk):
        later = [0] * p if k + 1 == len(at_risk) else firsts[k + 1]
        if n - (0 if k + 1 == len(at_risk) else at_risk[k + 1]) == 1:
            left = [a - b for a, b in zip(firsts[k], later, strict=True)]
            found.append([value / UNIT for value in left])
    return np.array(found).reshape(-1, p) + centre
