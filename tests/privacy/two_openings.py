"""Attack: what two openings of the same risk set tell together.

A model with Firth's penalty opens each death twice at each beta: c, g, q of the likelihood and
c', g', q', t of third moments, of one S0 and one S1. Notation h = g/c = E + b/2^272 and
h' = g'/c' = E + b'/2^320. h - h' itself has no E in it.

common S0    Without fuzz c = R S0 and c' = R' S0, whose greatest common divisor is S0 times that of
             R and R'. No further number is needed, and no lattice.
common b     With b' = b the two points differ: 2^48 h' - h = (2^48 - 1) E.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from tests.privacy.factors import scaled
from tests.privacy.holding import Held
from tests.privacy.slow import UNIT

COARSE: Final = 272
FINE: Final = 320


def zeroths(point: Held, third: Held, about: Sequence[float]) -> dict[int, Fraction]:
    """S0 of each pseudo-time as the divisor of c and c'."""
    both = zip(point.opened["c"].tolist(), third.opened["c"].tolist(), strict=True)
    return {k: scaled(math.gcd(one, other), about[k]) for k, (one, other) in enumerate(both)}


def means(point: Held, third: Held) -> list[list[Fraction]]:
    """E of each pseudo-time and covariate from h and h'."""
    up = 1 << (FINE - COARSE)
    return [
        [(up * fine - coarse) / (up - 1) for coarse, fine in zip(*both, strict=True)]
        for both in zip(quotients(point, COARSE), quotients(third, FINE), strict=True)
    ]


def quotients(held: Held, point: int) -> list[list[Fraction]]:
    """The blinded means of each pseudo-time."""
    return [
        [Fraction(one, c << point) for one in g]
        for c, g in zip(held.opened["c"].tolist(), held.opened["g"].tolist(), strict=True)
    ]


def firsts(
    point: Held, third: Held, at_risk: Sequence[int], place: Sequence[int]
) -> list[list[int]]:
    """S1 (128 bits after the point) of each death time at beta = 0, given how many are at risk."""
    found = means(point, third)
    return [
        [int(n * UNIT * value) for value in found[place.index(k)]] for k, n in enumerate(at_risk)
    ]
