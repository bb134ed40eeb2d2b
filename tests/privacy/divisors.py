"""Attack: greatest common divisors of what opens for one pseudo-time.

Without fuzz c = R S0, g = R (2^272 S1 + b S0), q likewise: R divides all of them, their greatest
common divisor is R times a small number, and c over it is S0. With fuzz the divisor is that of
random numbers: 1, 2, 3 ...
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

from tests.privacy.factors import scaled
from tests.privacy.holding import Held


def zeroths(
    held: Held, about: Sequence[float], names: Sequence[str] = ("c", "g", "q")
) -> dict[int, Fraction]:
    """S0 of each pseudo-time, as this attack has it; `names` are what opens for it, c first."""
    found = {}
    lanes = zip(*(held.opened[name].tolist() for name in names), strict=True)
    for k, (c, *others) in enumerate(lanes):
        found[k] = scaled(c // math.gcd(c, *(one for other in others for one in other)), about[k])
    return found
