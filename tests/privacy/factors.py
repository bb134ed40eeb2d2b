"""What S0 alone gives away: once an attack has S0 at several beta, covariates follow.

In a model of one covariate, D0 = S0(t_k) - S0(t_(k+1)) of a patient who left alone is
exp((x - centre) beta). So log D0 / beta + centre is the same at every beta, and is x; for a
group it is not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Final

from tests.privacy.holding import Held

SAME: Final = 1e-6
Zeroths = Mapping[int, Fraction]  # S0 by number of the death time


def leavers(rounds: Sequence[tuple[float, Zeroths]], centre: float, spread: float) -> list[float]:
    """Covariates of those who left alone, from S0 at two or more beta that are not 0."""
    found = []
    for k in sorted(set.union(*(set(known) for _, known in rounds))):
        told = []
        for beta, known in rounds:
            if beta and k in known and (k + 1 in known or k + 1 not in _all(rounds)):
                left = known[k] - known.get(k + 1, Fraction(0))
                if left > 0:
                    told.append(math.log(left) / beta)
        if len(told) >= 2 and abs(told[0] - told[1]) < SAME * spread:
            found.append(told[-1] + centre)
    return found


def _all(rounds: Sequence[tuple[float, Zeroths]]) -> set[int]:
    return set.union(*(set(known) for _, known in rounds))


def expected(held: Held, at_risk: Sequence[int], variance: float) -> list[float]:
    """About how large S0 is: the public number at risk times the mean of exp((x - centre) beta)."""
    growth = math.exp(float(held.beta[0]) ** 2 * variance / 2)
    return [n * growth for n in at_risk]


def scaled(whole: int, about: float) -> Fraction:
    """S0 from its odd part or a multiple by a power of two: the one nearest to `about`."""
    if whole <= 0:
        return Fraction(0)
    shift = round(math.log2(about) - log2(whole))
    return Fraction(whole) * Fraction(2) ** shift


def log2(whole: int) -> float:
    """The binary logarithm of a whole number of any size."""
    exponent = max(whole.bit_length() - 60, 0)
    return math.log2(whole >> exponent) + exponent


def right(found: Zeroths, held: Held) -> float:
    """Which part of the true S0 was found, to nine digits."""
    truth = held.hidden["S0"][:, 0]
    hits = [abs(float(found.get(k, 0)) / one - 1) < 1e-9 for k, one in enumerate(truth)]
    return sum(hits) / len(hits)
