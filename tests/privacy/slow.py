"""Sealing a second time, slowly, from the design and not from the product's code.

Notation as in the design. At a pseudo-time the hospitals' totals are S0, S1 (p,), S2 (packed
upper triangle, row by row) and further ones Z, whole numbers with 128 bits after the point. From
the sites' secret come R, b, B, z; from each hospital's own key the fuzz u, v, w:

    c = R S0 + u                          e = 2^272 R Z + z c + v
    g = 2^272 R S1 + b c + v              q = 2^272 R S2 + R (b S1' + S1 b') + B c + w

The random numbers are drawn in the order R, b, B, z for each pseudo-time, and u, v of each g, w of
each q, v of each e for each pseudo-time and hospital, from AES-256 in counter mode; the key is
HKDF-Expand (RFC 5869). A number of m bits takes whole bytes, little-endian, the lowest bits
dropped; one with a sign is m bits less 2^(m - 1).

Unlike the product it knows how to do it badly: `Switches` undo one precaution each, and each
weakened form must fall to the attack that the precaution is against.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from site_agent.contract.catalogue import SUMS
from site_agent.contract.frames import Rows
from site_agent.contract.securesum.sealing import Sealer
from site_agent.contract.sums import Arrays, Ask

UNIT: Final = 1 << 128
GRID: Final = 1 << 272


@dataclass(frozen=True, slots=True)
class Switches:
    """The precautions of sealing, each of which can be left out.

    fuzz: c, g, q are not exact. scaled: v and w grow with R. fresh_times, fresh_rounds: R, b, B
    are drawn anew for each pseudo-time, for each round. own_mean: third moments have a b of their
    own (slow_thirds.py).
    """

    fuzz: bool = True
    scaled: bool = True
    fresh_times: bool = True
    fresh_rounds: bool = True
    own_mean: bool = True


SOUND: Final = Switches()


class Draw:
    """Random numbers from a key, block by block."""

    def __init__(self, secret: bytes, *names: bytes) -> None:
        key = hmac.new(secret, b"\x00".join(names) + b"\x01", hashlib.sha256).digest()
        self._block = Cipher(algorithms.AES256(key), modes.ECB()).encryptor()
        self._counter, self._rest = 0, b""

    def number(self, bits: int) -> int:
        """A whole number of so many bits."""
        size = (bits + 7) // 8
        while len(self._rest) < size:
            self._rest += self._block.update(self._counter.to_bytes(16, "big"))
            self._counter += 1
        taken, self._rest = self._rest[:size], self._rest[size:]
        return int.from_bytes(taken, "little") >> (8 * size - bits)

    def signed(self, bits: int) -> int:
        """A whole number from -2^(bits - 1) up."""
        return self.number(bits) - 2 ** (bits - 1)


@dataclass(frozen=True, slots=True)
class Blind:
    """R, b, B, z of one pseudo-time."""

    R: int
    b: list[int]
    B: list[int]
    z: list[int]


def blinds(
    secret: bytes, transcript: bytes, ask: str, *, p: int, further: int, switches: Switches = SOUND
) -> Iterator[Blind]:
    """The blinding of each pseudo-time, without end."""
    names = (transcript, ask.encode()) if switches.fresh_rounds else (b"always",)
    draw = Draw(secret, b"quorum/1/blinding", *names)
    first = None
    while True:
        blind = Blind(
            factor(draw),
            [draw.signed(352) for _ in range(p)],
            [draw.signed(432) for _ in range(p * (p + 1) // 2)],
            [draw.signed(352) for _ in range(further)],
        )
        first = first or blind
        yield blind if switches.fresh_times else Blind(first.R, blind.b, blind.B, blind.z)


def factor(draw: Draw) -> int:
    """R: a power of two and random bits below."""
    quarters = sum(draw.number(32) for _ in range(4))
    exponent = 300 + math.floor(Fraction(quarters, 4 * 2**32) * 256)
    return int(2**exponent + draw.number(560) // 2 ** (560 - exponent))


def pairs(p: int) -> list[tuple[int, int]]:
    """The places of a packed upper triangle."""
    return [(i, j) for i in range(p) for j in range(i, p)]


def sealed(
    sums: Sequence[int], p: int, blind: Blind, fuzz: Draw, switches: Switches = SOUND
) -> tuple[int, list[int], list[int], list[int]]:
    """One hospital's c, g, q, e of a pseudo-time from its S0, S1, S2, Z in a row."""
    S0, S1 = sums[0], sums[1 : 1 + p]
    S2, Z = sums[1 + p : 1 + p + p * (p + 1) // 2], sums[1 + p + p * (p + 1) // 2 :]
    wide = blind.R.bit_length() - 1 + 230 if switches.scaled else 232

    def noise(bits: int) -> int:
        return fuzz.number(bits) if switches.fuzz else 0

    c = blind.R * S0 + noise(232)
    g = [GRID * blind.R * S1[j] + blind.b[j] * c + noise(wide) for j in range(p)]
    q = [
        GRID * blind.R * S2[at]
        + blind.R * (blind.b[i] * S1[j] + S1[i] * blind.b[j])
        + blind.B[at] * c
        + noise(wide)
        for at, (i, j) in enumerate(pairs(p))
    ]
    e = [GRID * blind.R * Z[m] + blind.z[m] * c + noise(wide) for m in range(len(Z))]
    return c, g, q, e


@dataclass(frozen=True, slots=True)
class Point:
    """Totals that the blinding has been taken off, as exact fractions of what was opened."""

    score: list[list[Fraction]]
    information: list[list[Fraction]]
    ratio: list[list[Fraction]]


def point(totals: Mapping[str, Any], weights: Weights, p: int) -> Point:
    """Unblinded totals. Quotients are rounded down to 672 bits after the point, as designed."""
    h, spread, further = [], [], []
    for c, g, q, e in zip(*(totals[name] for name in ("c", "g", "q", "e")), strict=True):
        quotient = [_quotient(one, c) for one in g]
        h.append(quotient)
        spread.append(
            [
                _quotient(one, c) - quotient[i] * quotient[j]
                for one, (i, j) in zip(q, pairs(p), strict=True)
            ]
        )
        further.append([_quotient(one, c) for one in e])
    return Point(
        _unblinded(totals["score"], weights.score, h, GRID, sign=-1),
        _unblinded(totals["information"], weights.information, spread, GRID**2, sign=1),
        [
            [-one for one in row]
            for row in _unblinded(totals["ratio"], weights.ratio, further, GRID, sign=-1)
        ],
    )


def _quotient(above: int, below: int) -> Fraction:
    return Fraction((2**400 * above) // below, 2**672)


def _unblinded(
    opened: Sequence[Sequence[int]],
    weights: Sequence[Sequence[int]],
    blinded: Sequence[Sequence[Fraction]],
    grid: int,
    *,
    sign: int,
) -> list[list[Fraction]]:
    """What opened, plus or less the weighted sum of the blinded quotients, row by row."""
    return [
        [
            Fraction(own, grid * 2**64)
            + sign * dot([Fraction(w, 2**64) for w in each], blinded, column)
            for column, own in enumerate(row)
        ]
        for row, each in zip(opened, weights, strict=True)
    ]


def dot(k: Sequence[Fraction], rows: Sequence[Sequence[Fraction]], column: int) -> Fraction:
    """The weighted sum of one column."""
    return sum((w * row[column] for w, row in zip(k, rows, strict=True)), Fraction(0))


def brackets(
    drawn: Sequence[Blind], weights: Weights, p: int
) -> tuple[list[list[int]], list[list[int]], list[list[int]]]:
    """The sums of k b, k (b b' - B) and k z that open together with the hospitals' own part."""
    squares = [
        [blind.b[i] * blind.b[j] - GRID * blind.B[at] for at, (i, j) in enumerate(pairs(p))]
        for blind in drawn
    ]
    return (
        [_weighted(each, [blind.b for blind in drawn]) for each in weights.score],
        [_weighted(each, squares) for each in weights.information],
        [_weighted(each, [blind.z for blind in drawn]) for each in weights.ratio],
    )


def _weighted(each: Sequence[int], rows: Sequence[Sequence[int]]) -> list[int]:
    return [
        sum(w * row[column] for w, row in zip(each, rows, strict=True))
        for column in range(len(rows[0]))
    ]


def whole(value: float, bits: int) -> int:
    """The nearest multiple of 2^-bits, halves upwards, in units of it."""
    return math.floor(Fraction(value) * 2**bits + Fraction(1, 2))


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of each pseudo-time, 64 bits after the point.

    loglik: for the deaths that it stands for; score, information, ratio: by row.
    """

    loglik: list[int]
    score: list[list[int]]
    information: list[list[int]]
    ratio: list[list[int]]


def weights_of(ask: Ask) -> Weights:
    """The weights of an ask: 1 for a point of the likelihood; behind it g, g and g^2, and steps.

    Times the deaths at a time under Breslow's ties, and times the mean weight of those who die.
    """
    ties = [int(n) for n in ask.fixed["ties"]]
    counts = ask.floats.get("death_weights", np.ones(len(ties))).tolist()
    if ask.fixed["efron"]:
        step = [k for k, n in enumerate(ties) for _ in range(n)]
    else:
        step, counts = list(range(len(ties))), [w * n for w, n in zip(counts, ties, strict=True)]

    def over(rows: Sequence[Sequence[float]]) -> list[list[int]]:
        return [[whole(row[k] * counts[k], 64) for k in step] for row in rows]

    plain = over([[1.0] * len(ties)])
    if "steps" not in ask.fixed:
        return Weights(plain[0], plain, plain, [])
    g = ask.floats["weights"].tolist()
    squares = [[v * v for v in row] for row in g]
    return Weights(plain[0], over(g), over([*g, *squares]), over(_between(ask)))


def _between(ask: Ask) -> list[list[float]]:
    """1 for the deaths of a stratum behind one step and up to the next, by stratum and step."""
    steps = ask.fixed["steps"]
    when = [(s, t) for s, ticks in enumerate(ask.fixed["deaths"]) for t in ticks]
    return [
        [float(s == stratum and low < t <= high) for s, t in when]
        for stratum in range(len(ask.fixed["deaths"]))
        for low, high in zip([-1, *steps], steps, strict=False)
    ]


def share(rows: Rows, ask: Ask, sealer: Sealer, switches: Switches = SOUND) -> Arrays:
    """One hospital's share of a sealed ask, from what it puts in before blinding."""
    before = SUMS[ask.sum].compute(rows, ask)
    p = int(ask.fixed["columns"])
    weights = weights_of(ask)
    further = 1 if weights.ratio else 0
    assert sealer.secret is not None
    stream = blinds(
        sealer.secret, sealer.transcript, ask.identity(), p=p, further=further, switches=switches
    )
    drawn = [next(stream) for _ in weights.loglik]
    fuzz = Draw(sealer.fuzz, b"quorum/1/fuzz", sealer.transcript, ask.identity().encode())
    opened = []
    for k, blind in enumerate(drawn):
        one = [round(Fraction(v) * UNIT) for name in ("S0", "S1", "S2") for v in before[name][k]]
        one += [UNIT if sealer.leader else 0] * further
        opened.append(sealed(one, p, blind, fuzz, switches))
    score, information, ratio = brackets(drawn, weights, p)
    if not sealer.leader:
        score, information, ratio = (
            [[0] * len(row) for row in rows_] for rows_ in (score, information, ratio)
        )
    own = np.atleast_2d(before["score"]).tolist()
    logs = sum(n * log_at_272(b.R) for n, b in zip(weights.loglik, drawn, strict=True))
    return {
        "c": objects([c for c, _, _, _ in opened]),
        "g": objects([g for _, g, _, _ in opened]),
        "q": objects([q for _, _, q, _ in opened]),
        "e": objects([e for _, _, _, e in opened], (len(opened), further)),
        "loglik": objects([whole(float(before["loglik"][0]), 336) + sealer.leader * logs]),
        "score": objects(
            [
                [a + whole(v, 336) for a, v in zip(r, o, strict=True)]
                for r, o in zip(score, own, strict=True)
            ]
        ),
        "information": objects(information),
        "ratio": objects(ratio, (len(weights.ratio), 1)),
        "overflow": before["overflow"],
    }


def log_at_272(number: int) -> int:
    """log(number) with 272 bits after the point, right to about 2^-260: by halving the series.

    log(m) for 1 <= m < 2 is 2 artanh((m - 1) / (m + 1)).
    """
    exponent = number.bit_length() - 1
    return exponent * two_artanh(1, 3) + two_artanh(number - 2**exponent, number + 2**exponent)


def two_artanh(top: int, bottom: int, bits: int = 300) -> int:
    """2 artanh(top / bottom) for top / bottom up to a third, at 272 bits after the point."""
    t = (top << bits) // bottom
    square, term, total, odd = t * t >> bits, t, 0, 1
    while term:
        total += term // odd
        term, odd = term * square >> bits, odd + 2
    return 2 * total >> (bits - 272)


def objects(values: Sequence[Any], shape: tuple[int, ...] | None = None) -> Any:
    """Whole numbers of any size as an array."""
    array = np.array(values, dtype=object)
    return array if shape is None else array.reshape(shape)
