"""Sealed third moments: what Firth's penalty needs of each death, which nobody sees.

Notation of sealing.py, and S3 = sum of r x x x (packed, i <= j <= k). The blinding of one
pseudo-time is best read as that of a further quantity z, independent of x, whose raw moments are
drawn: z has the mean b, second moments B and third moments T. Moments of x + z are linear in
those of x, so each site can form them:

    c = R S0 + u           g = R S1 + b c + v          q = R S2 + R (b S1' + S1 b') + B c + w
    t = R S3 + R (b S2, three places) + R (B S1, three places) + T c + y

Whoever holds the totals divides by c and has the moments of x + z. *Cumulants* of independent
quantities add up. The third one, m_ijk - (h_i m_jk + h_j m_ik + h_k m_ij) + 2 h_i h_j h_k, is thus
that of x over the risk set plus that of z, and z's goes away in the total:

    third   sum of k cumulant(x + z) - [sum of k cumulant(z)]

b, B, T and R are drawn afresh, and never those of the same death in sealing.py. A product of
three blinded means is wider, so b is narrower and finer:

    |b| < 2^63, |B| < 2^128, |T| < 2^193, each with 320 bits after the point

Fuzz is as in sealing.py (u < 2^232; v, w, y < R 2^230), which covers about a hundred bits above the
last one of b. An error of 2^-218/S0 in h stands beside b b' and B: 2^-88/S0 in the cumulant. The
widest, T c, is below 2^1259 in lanes of 1280 bits for S0 < 2^60; so is the sum of 2^16 hospitals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement
from typing import Final

from site_agent.contract.errors import Refused
from site_agent.contract.securesum.sealing import (
    FUZZ_BITS,
    FUZZ_OVER_FACTOR,
    GUARD,
    Sealer,
    Stream,
    draw_factor,
)

BLIND_POINT: Final = 320  # bits after the point of b, B, T
MEAN_BITS: Final = 384  # b, sign included
SQUARE_BITS: Final = 449  # B, sign included
CUBE_BITS: Final = 514  # T, sign included
QUOTIENT: Final = BLIND_POINT + GUARD

Pairs = tuple[tuple[int, int], ...]
Triples = tuple[tuple[int, int, int], ...]


@cache
def pairs(columns: int) -> Pairs:
    """Return the places (i, j), i <= j, of a packed symmetric matrix."""
    return tuple(combinations_with_replacement(range(columns), 2))


@cache
def triples(columns: int) -> Triples:
    """Return the places (i, j, k), i <= j <= k, of a packed symmetric array of three indices."""
    return tuple(combinations_with_replacement(range(columns), 3))


@dataclass(frozen=True, slots=True)
class Moments:
    """Total weight, and packed sums of the first three orders, of one pseudo-time.

    Before blinding a hospital's own at sealing.POINT; of a blinding, its factor R and b, B, T;
    opened, c, g, q, t.
    """

    zeroth: int
    first: Sequence[int]
    second: Sequence[int]
    third: Sequence[int]

    def flat(self) -> list[int]:
        """Return all numbers in order."""
        return [self.zeroth, *self.first, *self.second, *self.third]

    @classmethod
    def of(cls, numbers: Sequence[int], columns: int) -> Moments:
        """Return the moments that flat numbers are."""
        first, second = 1 + columns, 1 + columns + len(pairs(columns))
        return cls(numbers[0], numbers[1:first], numbers[first:second], numbers[second:])

    def plus(self, given: Sequence[int]) -> Moments:
        """Return these sums and another hospital's, which come flat."""
        numbers = [own + other for own, other in zip(self.flat(), given, strict=True)]
        return Moments.of(numbers, len(self.first))


def blindings(sealer: Sealer, ask: str, columns: int) -> Iterator[Moments] | None:
    """Yield the blinding of each pseudo-time in order; None without the sites' secret."""
    if sealer.secret is None:
        return None
    stream = Stream(sealer.secret, b"quorum/1/blinding cubes", sealer.transcript, ask.encode())
    return _drawn(stream, columns)


def _drawn(stream: Stream, columns: int) -> Iterator[Moments]:
    while True:
        yield Moments(
            draw_factor(stream),
            stream.signed(MEAN_BITS, columns),
            stream.signed(SQUARE_BITS, len(pairs(columns))),
            stream.signed(CUBE_BITS, len(triples(columns))),
        )


def sealed(sums: Moments, blinding: Moments, fuzz: Stream) -> Moments:
    """Return one hospital's part of what opens for a pseudo-time."""
    factor, b = blinding.zeroth, blinding.first
    columns = len(b)
    beyond = factor.bit_length() - 1 + FUZZ_OVER_FACTOR
    (u,) = fuzz.numbers(FUZZ_BITS, 1)
    c = factor * sums.zeroth + u
    one = [factor * value for value in sums.first]
    two = _full(pairs(columns), [factor * value for value in sums.second])
    square = _full(pairs(columns), blinding.second)
    noise = iter(fuzz.numbers(beyond, len(sums.flat()) - 1))
    return Moments(
        c,
        [(one[i] << BLIND_POINT) + b[i] * c + next(noise) for i in range(columns)],
        [
            (two[i, j] << BLIND_POINT)
            + b[i] * one[j]
            + b[j] * one[i]
            + square[i, j] * c
            + next(noise)
            for i, j in pairs(columns)
        ],
        [
            (factor * value << BLIND_POINT)
            + (b[i] * two[j, k] + b[j] * two[i, k] + b[k] * two[i, j])
            + (square[j, k] * one[i] + square[i, k] * one[j] + square[i, j] * one[k])
            + cube * c
            + next(noise)
            for (i, j, k), value, cube in zip(
                triples(columns), sums.third, blinding.third, strict=True
            )
        ],
    )


def _full(places: Pairs, values: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return packed values by (i, j) in either order."""
    found = dict(zip(places, values, strict=True))
    return found | {(j, i): value for (i, j), value in found.items()}


def opened_cumulant(opened: Moments) -> list[int]:
    """Return the third cumulant of x + z at 3 QUOTIENT from the totals of a pseudo-time.

    Raises Refused("malformed") if c is not positive: a share has been made up.
    """
    c = opened.zeroth
    if c <= 0:
        raise Refused(
            "malformed",
            "a sealed risk set is not positive: the share of some hospital was made up. Nothing "
            "can be read from this round; burn the release, and ask the hospitals",
        )
    first, second, third = (
        [(value << GUARD) // c for value in order]
        for order in (opened.first, opened.second, opened.third)
    )
    return _cumulant(first, second, third, QUOTIENT)


def unblinding(blinding: Moments) -> list[int]:
    """Return the third cumulant of z at 3 BLIND_POINT: what the bracket holds of it."""
    return _cumulant(blinding.first, blinding.second, blinding.third, BLIND_POINT)


def _cumulant(
    first: Sequence[int], second: Sequence[int], third: Sequence[int], point: int
) -> list[int]:
    """Return third cumulants at 3 point from raw moments at point."""
    columns = len(first)
    m = _full(pairs(columns), second)
    h = first
    return [
        (value << 2 * point)
        - (h[i] * m[j, k] + h[j] * m[i, k] + h[k] * m[i, j] << point)
        + 2 * h[i] * h[j] * h[k]
        for (i, j, k), value in zip(triples(columns), third, strict=True)
    ]
