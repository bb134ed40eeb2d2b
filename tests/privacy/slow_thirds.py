"""Sealing of third moments a second time, slowly, from the design and not from the product's code.

Notation as in slow.py, with z a quantity of mean b, second moments B, third moments T (all whole,
320 bits after the point), and S3 packed i <= j <= k:

    c = R S0 + u                                  g = 2^320 R S1 + b c + v
    q = 2^320 R S2 + R (b S1' + S1 b') + B c + w
    t = 2^320 R S3 + R (b S2, three places) + R (B S1, three places) + T c + y

Drawn in the order R, b, B, T for each pseudo-time; fuzz u, then v, w, y. What opens besides is the
sum of the third cumulants of z, each T - (b B, three places) + 2 b b b.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any, Final

from site_agent.contract.catalogue import SUMS
from site_agent.contract.frames import Rows
from site_agent.contract.securesum.sealing import Sealer
from site_agent.contract.sums import Arrays, Ask
from tests.privacy import slow
from tests.privacy.slow import UNIT, Draw, Switches, objects, pairs

GRID: Final = 1 << 320
Places = dict[tuple[int, int], int]


@dataclass(frozen=True, slots=True)
class Blind:
    """R, b, B, T of one pseudo-time."""

    R: int
    b: list[int]
    B: list[int]
    T: list[int]


def triples(p: int) -> list[tuple[int, int, int]]:
    """The places of a packed symmetric array of three indices."""
    return list(combinations_with_replacement(range(p), 3))


def blinds(sealer: Sealer, ask: Ask, switches: Switches) -> Iterator[Blind]:
    """The blinding of each pseudo-time, without end."""
    p, names = int(ask.fixed["columns"]), (sealer.transcript, ask.identity().encode())
    assert sealer.secret is not None
    draw = Draw(
        sealer.secret, b"quorum/1/blinding cubes", *(names if switches.fresh_rounds else ())
    )
    twin = slow.blinds(
        sealer.secret,
        sealer.transcript,
        replace(ask, sum="cox_sealed").identity(),
        p=p,
        further=0,
        switches=switches,
    )
    first = None
    while True:
        blind = Blind(
            slow.factor(draw),
            [draw.signed(384) for _ in range(p)],
            [draw.signed(449) for _ in pairs(p)],
            [draw.signed(514) for _ in triples(p)],
        )
        if not switches.own_mean:
            blind = replace(blind, b=next(twin).b)
        first = first or blind
        yield blind if switches.fresh_times else first


def both_ways(values: Sequence[int], p: int) -> Places:
    """Packed values by (i, j) in either order."""
    found = dict(zip(pairs(p), values, strict=True))
    return found | {(j, i): value for (i, j), value in found.items()}


def cumulant(blind: Blind, p: int) -> list[int]:
    """The third cumulants of z, 960 bits after the point."""
    b, B = blind.b, both_ways(blind.B, p)
    return [
        GRID * GRID * T
        - GRID * (b[i] * B[j, k] + b[j] * B[i, k] + b[k] * B[i, j])
        + 2 * b[i] * b[j] * b[k]
        for T, (i, j, k) in zip(blind.T, triples(p), strict=True)
    ]


def sealed(
    sums: Sequence[list[int]], p: int, blind: Blind, fuzz: Draw, switches: Switches
) -> tuple[int, list[int], list[int], list[int]]:
    """One hospital's c, g, q, t of a pseudo-time from its S0, S1, S2, S3."""
    (S0,), S1, S2, S3 = sums
    R, b, B, M = blind.R, blind.b, both_ways(blind.B, p), both_ways(S2, p)
    wide = R.bit_length() - 1 + 230 if switches.scaled else 232

    def noise(bits: int) -> int:
        return fuzz.number(bits) if switches.fuzz else 0

    c = R * S0 + noise(232)
    g = [GRID * R * S1[j] + b[j] * c + noise(wide) for j in range(p)]
    q = [
        GRID * R * M[i, j] + R * (b[i] * S1[j] + S1[i] * b[j]) + B[i, j] * c + noise(wide)
        for i, j in pairs(p)
    ]
    t = [
        GRID * R * S3[n]
        + R * (b[i] * M[j, k] + b[j] * M[i, k] + b[k] * M[i, j])
        + R * (B[j, k] * S1[i] + B[i, k] * S1[j] + B[i, j] * S1[k])
        + blind.T[n] * c
        + noise(wide)
        for n, (i, j, k) in enumerate(triples(p))
    ]
    return c, g, q, t


def share(rows: Rows, ask: Ask, sealer: Sealer, switches: Switches = slow.SOUND) -> Arrays:
    """One hospital's share of a sealed ask, of third moments or not."""
    if ask.sum != "cox_sealed_thirds":
        return slow.share(rows, ask, sealer, switches)
    before, p = SUMS[ask.sum].compute(rows, ask), int(ask.fixed["columns"])
    stream = blinds(sealer, ask, switches)
    drawn = [blind for _, blind in zip(before["S0"], stream, strict=False)]
    fuzz = Draw(sealer.fuzz, b"quorum/1/fuzz", sealer.transcript, ask.identity().encode())
    opened = []
    for k, blind in enumerate(drawn):
        sums = [_whole(before[name][k]) for name in ("S0", "S1", "S2", "S3")]
        opened.append(sealed(sums, p, blind, fuzz, switches))
    weights = slow.weights_of(ask).loglik
    bracket = [
        sum(w * one[n] for w, one in zip(weights, (cumulant(d, p) for d in drawn), strict=True))
        for n in range(len(triples(p)))
    ]
    lanes = zip("cgqt", zip(*opened, strict=True), strict=True)
    return {
        **{name: objects(list(values)) for name, values in lanes},
        "third": objects(bracket if sealer.leader else [0] * len(bracket)),
        "overflow": before["overflow"],
    }


def _whole(values: Any) -> list[int]:
    return [round(Fraction(value) * UNIT) for value in values.tolist()]
