"""Attack: lattice reduction on the opened sealed numbers.

LLL (Lenstra, Lenstra and Lovasz 1982), in integers only (Cohen 1993, algorithm 2.6.7), finds a
short vector of the lattice that rows span. Two problems, each solvable if one precaution of
sealing is left out:

common factor   c_k = R S0_k + u_k with one R, for several times, or for one time over rounds.
                S0_1 c_k - S0_k c_1 has no R: S0_1 2^s, S0_1 c_2 - S0_2 c_1, ... is short
                (simultaneous approximation; van Dijk, Gentry, Halevi and Vaikuntanathan 2010).
common fuzz     v not scaled with R, at beta = 0, where S0 is the public number at risk n. With
                2^144 S1 = I n + f: n (g mod c) - f c = -2^144 u S1 + n v. For two covariates or
                more this is the first problem again, with u in the place of R. u is known to
                a factor of two (a sum of uniform numbers), which gives the scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from tests.privacy.factors import log2, scaled
from tests.privacy.holding import Held
from tests.privacy.recovery import steps

Rows = list[list[int]]
FUZZ: Final = 250  # bits of u, or of n v, over some hospitals
TOGETHER: Final = 5
FINER: Final = 144  # of b in sealing.py, beyond the point of S


def reduced(rows: Rows) -> Rows:
    """An LLL-reduced basis of the lattice that the linearly independent `rows` span (3/4)."""
    b = [list(row) for row in rows]
    n = len(b)
    lam = [[0] * n for _ in range(n)]
    d = [1] * (n + 1)

    def orthogonalise(k: int) -> None:
        for j in range(k + 1):
            u = sum(x * y for x, y in zip(b[k], b[j], strict=True))
            for i in range(j):
                u = (d[i + 1] * u - lam[k][i] * lam[j][i]) // d[i]
            if j < k:
                lam[k][j] = u
            else:
                d[k + 1] = u

    def shorten(k: int, j: int) -> None:
        if 2 * abs(lam[k][j]) <= d[j + 1]:
            return
        times = (2 * lam[k][j] + d[j + 1]) // (2 * d[j + 1])
        b[k] = [x - times * y for x, y in zip(b[k], b[j], strict=True)]
        lam[k][j] -= times * d[j + 1]
        for i in range(j):
            lam[k][i] -= times * lam[j][i]

    orthogonalise(0)
    k, done = 1, 0
    while k < n:
        if k > done:
            orthogonalise(k)
            done = k
        shorten(k, k - 1)
        if 4 * (d[k + 1] * d[k - 1] + lam[k][k - 1] ** 2) < 3 * d[k] ** 2:
            _exchange(b, lam, d, k, done)
            k = max(1, k - 1)
        else:
            for j in range(k - 2, -1, -1):
                shorten(k, j)
            k += 1
    return b


def _exchange(b: Rows, lam: Rows, d: list[int], k: int, done: int) -> None:
    """Exchange rows k and k - 1, all quantities kept whole."""
    b[k], b[k - 1] = b[k - 1], b[k]
    for j in range(k - 1):
        lam[k][j], lam[k - 1][j] = lam[k - 1][j], lam[k][j]
    m = lam[k][k - 1]
    new = (d[k - 1] * d[k + 1] + m * m) // d[k]
    for i in range(k + 1, done + 1):
        kept = lam[i][k]
        lam[i][k] = (d[k + 1] * lam[i][k - 1] - m * kept) // d[k]
        lam[i][k - 1] = (new * kept + m * lam[i][k]) // d[k + 1]
    d[k] = new


def common_factor(values: Sequence[int]) -> list[int]:
    """The S0, up to one factor, behind several c = R S0 + u with a common R."""
    first, *others = values
    scale = 1 << (FUZZ + 1)
    rows = [[scale, *others]]
    for k in range(len(others)):
        rows.append([0] * (k + 1) + [-first] + [0] * (len(others) - k - 1))
    short = reduced(rows)[0]
    zeroth = abs(short[0]) // scale
    return [zeroth, *((2 * zeroth * c + first) // (2 * first) for c in others)]


def same_for_times(held: Held, about: Sequence[float]) -> dict[int, Fraction]:
    """S0 of each pseudo-time, if one R served all times of a round."""
    c, found = held.opened["c"].tolist(), {}
    for start in range(0, len(c), TOGETHER):
        chosen = list(range(len(c)))[start : start + TOGETHER] if len(c) - start > 1 else [0, start]
        for k, zeroth in zip(chosen, common_factor([c[k] for k in chosen]), strict=True):
            found[k] = scaled(zeroth, about[k])
    return found


def same_for_rounds(rounds: Sequence[Held], at_risk: Sequence[int]) -> list[dict[int, Fraction]]:
    """S0 by round and pseudo-time, if one R served a time in all rounds.

    The first round is at beta = 0: there S0 is the public number at risk, which gives the scale.
    """
    found: list[dict[int, Fraction]] = [{} for _ in rounds]
    for k, n in enumerate(at_risk):
        told = common_factor([held.opened["c"].tolist()[k] for held in rounds])
        for number, zeroth in enumerate(told):
            if told[0]:
                found[number][k] = Fraction(zeroth * n, told[0])
    return found


def behind_the_fuzz(
    c: int, g: Sequence[int], n: int, sites: int, *, finer: int = FINER
) -> list[int]:
    """S1 at 128 bits after the point at beta = 0, if v does not grow with R.

    finer: how many bits more than S the blinding has after the point.
    """
    rests = []
    for one in g:
        nearest = (2 * n * (one % c) + c) // (2 * c)
        rests.append(n * (one % c) - nearest * c)
    if not all(rests):
        return [0] * len(g)
    found = common_factor([abs(rest) for rest in rests])
    if not found[0]:
        return [0] * len(g)
    fuzz = log2(abs(rests[0])) - log2(found[0]) - finer
    shift = round(fuzz - log2(sites << 231))
    signed = [-value if rest > 0 else value for value, rest in zip(found, rests, strict=True)]
    return [int(value * Fraction(2) ** shift) for value in signed]


def firsts(
    held: Held, at_risk: Sequence[int], sites: int, *, finer: int = FINER
) -> list[list[int]]:
    """S1 of each death time at beta = 0, given how many are at risk there."""
    place = steps(held)
    c, g = (held.opened[name].tolist() for name in ("c", "g"))
    return [
        behind_the_fuzz(c[place.index(k)], g[place.index(k)], n, sites, finer=finer)
        for k, n in enumerate(at_risk)
    ]
