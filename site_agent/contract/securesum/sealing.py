"""Sealed quotients: the pooled ratios behind an unstratified Cox model, which nobody sees.

Notation. At one pseudo-time (a death), over all hospitals: S0 = sum of r, S1 = sum of r x (p,),
S2 = sum of r x x' (packed), and a column Z of further totals to be divided by S0 (a constant 1
gives 1/S0). The sites share a secret that the coordinator has not. From it they draw, afresh
for every ask of every round and every pseudo-time,

    R   a factor,          log2 R = 300 + 256 times the mean of four uniforms, random mantissa
    b   a vector (p,),     |b| < 2^79, 272 bits after the point; likewise z for the column Z
    B   symmetric, packed, |B| < 2^159, 272 bits after the point

and each site adds fuzz u, v, w of its own. Opened for each pseudo-time, linear at a site:

    c = R S0 + u           g = R S1 + b c + v           e = R Z + z c + v
    q = R S2 + R (b S1' + S1 b') + B c + w

Whoever holds the totals divides: h = g/c = S1/S0 + b and q/c - h h' = S2/S0 - E E' + B - b b', with
E = S1/S0: both are blinded. What takes the blinding away opens as *totals* over pseudo-times
(weights k, one set for a score, several for a test):

    score        sum over deaths of k x + [sum of k b]           - sum of k h
    information  sum of k (q/c - h h')  + [sum of k (b b' - B)]
    ratio        sum of k e/c           - [sum of k z]
    loglik       sum over deaths of x beta + [sum of log R]      - sum of log c

Each bracket opens together with the hospitals' own part, as one number.

Why so: exact integers without fuzz fell to a greatest common divisor, so nothing that opens for
one time is exact (u < 2^232; v, w < R 2^230, because fuzz that does not scale with R lets E show
below the last bit of b). R blurs the size of S0 with smooth tails; it does not hide it perfectly.
Errors: u/c < 2^-196/S0 and v/(c 2^272) < 2^-169/S0 for each hospital; beside b in h h' the latter
leaves 2^-88/S0 in the spread. Both are far below a double's unless S0 is below 2^-35.

All numbers are whole: S at 128 bits after the point, c at 128, g and q at 400, quotients at 672.
The widest, B c, stays below 2^1216 in lanes of 1280 bits for |S| < 2^100.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import combinations_with_replacement
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from site_agent.contract.errors import Refused

POINT: Final = 128  # bits after the point of S, and so of c
BLIND_POINT: Final = 272  # of b, B, z
BLIND_BITS: Final = 352  # b and z, sign included: |b| < 2^79
SQUARE_BITS: Final = 432  # B, sign included: |B| < 2^159
GUARD: Final = 400  # further bits of a quotient
QUOTIENT: Final = BLIND_POINT + GUARD
WEIGHT_POINT: Final = 64
LOG_POINT: Final = 272
FACTOR_LEAST: Final = 300  # log2 R
FACTOR_BITS: Final = 560
FUZZ_BITS: Final = 232  # of u
FUZZ_OVER_FACTOR: Final = 230  # of v and w, beyond R
KEY_BYTES: Final = 32
LOG_GUARD: Final = 16  # further bits of a logarithm's series


class Stream:
    """Bits of AES-256-CTR under a key of HKDF, in order."""

    def __init__(self, secret: bytes, *info: bytes) -> None:
        key = HKDFExpand(SHA256(), KEY_BYTES, info=b"\x00".join(info)).derive(secret)
        self._encryptor = Cipher(algorithms.AES256(key), modes.CTR(bytes(16))).encryptor()

    def take(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        return self._encryptor.update(bytes(count))

    def numbers(self, bits: int, count: int) -> list[int]:
        """Return `count` whole numbers of `bits` bits, each from whole bytes of the stream."""
        size = -(-bits // 8)
        data, spare = self.take(size * count), 8 * size - bits
        return [
            int.from_bytes(data[start : start + size], "little") >> spare
            for start in range(0, size * count, size)
        ]

    def signed(self, bits: int, count: int) -> list[int]:
        """Return `count` whole numbers from -2^(bits - 1) to 2^(bits - 1) - 1."""
        half = 1 << (bits - 1)
        return [number - half for number in self.numbers(bits, count)]


@dataclass(frozen=True)
class Blinding:
    """What the sites draw for one pseudo-time: R, b (p,), B packed, z (m,)."""

    factor: int
    vector: tuple[int, ...]
    square: tuple[int, ...]
    further: tuple[int, ...]

    @cached_property
    def log_factor(self) -> int:
        """Return log R with LOG_POINT bits after the point."""
        return log_of(self.factor)


def blindings(
    secret: bytes, transcript: bytes, ask: str, *, columns: int, further: int
) -> Iterator[Blinding]:
    """Yield the blinding of each pseudo-time in order; endless, and the same at every site.

    `transcript` is T_r, `ask` the identity of the question within the round.
    """
    stream = Stream(secret, b"quorum/1/blinding", transcript, ask.encode())
    packed = columns * (columns + 1) // 2
    while True:
        yield Blinding(
            draw_factor(stream),
            tuple(stream.signed(BLIND_BITS, columns)),
            tuple(stream.signed(SQUARE_BITS, packed)),
            tuple(stream.signed(BLIND_BITS, further)),
        )


def draw_factor(stream: Stream) -> int:
    """Return R: 2^e and e random bits below, e = 300 + 256 times the mean of four uniforms."""
    exponent = FACTOR_LEAST + (sum(stream.numbers(32, 4)) >> 26)
    (mantissa,) = stream.numbers(FACTOR_BITS, 1)
    return (1 << exponent) | mantissa >> (FACTOR_BITS - exponent)


@dataclass(frozen=True, slots=True)
class Sealer:
    """What a hospital brings to the sealed sums of one round.

    secret: the sites' secret, None at a hospital whose center has the totals; transcript: T_r;
    fuzz: bytes that nobody else knows; leader: whether this site puts in what all draw alike;
    given: by ask, another hospital's numbers that this one adds to its own (splitting.py).
    """

    secret: bytes | None
    transcript: bytes
    fuzz: bytes
    leader: bool
    given: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def blindings(self, ask: str, *, columns: int, further: int) -> Iterator[Blinding] | None:
        """Return the blinding of each pseudo-time of an ask in order; None without the secret."""
        if self.secret is None:
            return None
        return blindings(self.secret, self.transcript, ask, columns=columns, further=further)

    def stream(self, ask: str) -> Stream:
        """Return this site's own fuzz for an ask."""
        return Stream(self.fuzz, b"quorum/1/fuzz", self.transcript, ask.encode())


@dataclass(frozen=True, slots=True)
class Sums:
    """One hospital's part of a pseudo-time's totals, whole numbers at POINT."""

    zeroth: int
    first: Sequence[int]
    second: Sequence[int]
    further: Sequence[int] = ()

    def flat(self) -> list[int]:
        """Return all numbers in order."""
        return [self.zeroth, *self.first, *self.second, *self.further]

    def plus(self, given: Sequence[int]) -> Sums:
        """Return these sums and another hospital's, which come flat."""
        numbers = [own + other for own, other in zip(self.flat(), given, strict=True)]
        first, second = 1 + len(self.first), 1 + len(self.first) + len(self.second)
        return Sums(numbers[0], numbers[1:first], numbers[first:second], numbers[second:])


@dataclass(frozen=True, slots=True)
class Opened:
    """What opens for one pseudo-time: c, g, q, e; a hospital's part of it, or the total."""

    c: int
    g: Sequence[int]
    q: Sequence[int]
    e: Sequence[int] = ()


def sealed(sums: Sums, blinding: Blinding, fuzz: Stream) -> Opened:
    """Return one hospital's part of what opens for a pseudo-time."""
    factor, b = blinding.factor, blinding.vector
    beyond = factor.bit_length() - 1 + FUZZ_OVER_FACTOR
    (u,) = fuzz.numbers(FUZZ_BITS, 1)
    c = factor * sums.zeroth + u
    scaled = [factor * value for value in sums.first]
    g = [
        (value << BLIND_POINT) + own * c + v
        for value, own, v in zip(scaled, b, fuzz.numbers(beyond, len(b)), strict=True)
    ]
    w = fuzz.numbers(beyond, len(sums.second))
    q = [
        (factor * value << BLIND_POINT) + b[i] * scaled[j] + scaled[i] * b[j] + own * c + noise
        for (i, j), value, own, noise in zip(
            _pairs(len(b)), sums.second, blinding.square, w, strict=True
        )
    ]
    e = [
        (factor * value << BLIND_POINT) + own * c + v
        for value, own, v in zip(
            sums.further,
            blinding.further,
            fuzz.numbers(beyond, len(sums.further)),
            strict=True,
        )
    ]
    return Opened(c, g, q, e)


@dataclass(frozen=True, slots=True)
class Quotients:
    """What the coordinator divides out of one pseudo-time's totals, still blinded.

    mean (p,): h at QUOTIENT. spread (packed): q/c - h h' at 2 QUOTIENT. further (m,): e/c at
    QUOTIENT. log: log(c) less the point, at LOG_POINT.
    """

    mean: tuple[int, ...]
    spread: tuple[int, ...]
    further: tuple[int, ...]
    log: int


def quotients(opened: Opened) -> Quotients:
    """Return the blinded quotients.

    Raises Refused("malformed") if c is not positive: a share has been made up, no risk set has it.
    """
    if opened.c <= 0:
        raise Refused(
            "malformed",
            "a sealed risk set is not positive: the share of some hospital was made up. Nothing "
            "can be read from this round; burn the release, and ask the hospitals",
        )
    h = tuple((value << GUARD) // opened.c for value in opened.g)
    spread = tuple(
        (((value << GUARD) // opened.c) << QUOTIENT) - h[i] * h[j]
        for (i, j), value in zip(_pairs(len(h)), opened.q, strict=True)
    )
    further = tuple((value << GUARD) // opened.c for value in opened.e)
    return Quotients(h, spread, further, log_of(opened.c) - POINT * LOG_2)


def unblinding(blinding: Blinding) -> tuple[list[int], list[int]]:
    """Return b at BLIND_POINT and b b' - B at twice that: what a bracket holds of a pseudo-time."""
    b = blinding.vector
    square = [
        b[i] * b[j] - (own << BLIND_POINT)
        for (i, j), own in zip(_pairs(len(b)), blinding.square, strict=True)
    ]
    return list(b), square


@cache
def _pairs(columns: int) -> tuple[tuple[int, int], ...]:
    """Return the places of a packed upper triangle, row by row."""
    return tuple(combinations_with_replacement(range(columns), 2))


def log_of(number: int) -> int:
    """Return log(number) with LOG_POINT bits after the point, right to 2^-256.

    So the log-likelihood does not depend on R in its last bit.
    """
    exponent = number.bit_length() - 1
    return exponent * LOG_2 + _twice_artanh(number - (1 << exponent), number + (1 << exponent))


def _twice_artanh(above: int, below: int) -> int:
    """Return 2 artanh(above/below) = log((below + above)/(below - above)) at LOG_POINT.

    By its series, for above/below of at most a third.
    """
    bits = LOG_POINT + LOG_GUARD
    term = (above << bits) // below
    square, total, power = term * term >> bits, 0, 1
    while term:
        total += term // power
        term, power = term * square >> bits, power + 2
    return total >> LOG_GUARD - 1


LOG_2: Final = _twice_artanh(1, 3)


def to_point(value: float, point: int) -> int:
    """Return the whole number of any size that is nearest to value 2^point, halves upwards."""
    mantissa, exponent = math.frexp(value)
    shift = exponent - 53 + point
    whole = int(math.ldexp(mantissa, 53))
    return whole << shift if shift >= 0 else (whole + (1 << (-shift - 1))) >> -shift


def from_point(number: int, point: int) -> float:
    """Return number / 2^point, rounded once."""
    return number / (1 << point)
