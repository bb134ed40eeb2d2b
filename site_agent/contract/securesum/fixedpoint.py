"""Numbers as wide integers: encoding, addition modulo 2^(64 L), decoding.

Counts take one 64-bit limb. Those of a histogram, of which there are many, take half of one: two
stand in a limb, and as no total reaches 2^32 the lower does not run over into the upper. Other sums
take four, with 128 bits after the point: every double from 2^-75 to 2^126 / S in size is held
exactly, smaller ones are rounded to a multiple of 2^-128, larger ones are refused. Sealed sums
(sealing.py) take twenty limbs and are whole numbers already when they come here. The sum of exact
integers does not depend on how patients are spread over sites, and decoding rounds once, to the
nearest double.

Limbs are little-endian uint64; an array of n numbers has shape (n, L).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from site_agent.contract.errors import Refused

Limbs = NDArray[np.uint64]
Floats = NDArray[np.float64]

LIMB_BITS: Final = 64
BLOCK: Final = 8192  # numbers at a time: what is formed on the way stays in a cache
MOST_TERMS: Final = 100  # whose carries are counted in 8 bits


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a lane holds a number: `limbs` of 64 bits, `fraction` bits after the point.

    packed: how many numbers, none below 0, share one limb.
    """

    name: str
    limbs: int
    fraction: int
    packed: int = 1

    @property
    def bits(self) -> int:
        """Return how many bits one number takes."""
        return LIMB_BITS * self.limbs // self.packed

    def rows(self, count: int) -> int:
        """Return how many rows of limbs `count` numbers take."""
        return -(-count // self.packed)

    def largest(self, parties: int) -> float:
        """Return the bound below which `parties` numbers can be added without overflow."""
        return float(2.0 ** (self.bits - 2 - self.fraction)) / parties


COUNT: Final = Encoding("count", limbs=1, fraction=0)
TALLY: Final = Encoding("tally", limbs=1, fraction=0, packed=2)
REAL: Final = Encoding("real", limbs=4, fraction=128)
SEALED: Final = Encoding("sealed", limbs=20, fraction=0)
ENCODINGS: Final = {encoding.name: encoding for encoding in (SEALED, REAL, COUNT, TALLY)}


def encode(numbers: Floats, encoding: Encoding, parties: int) -> Limbs:
    """Return `numbers` (n,) as limbs (n, L) in two's complement, or (n / 2, 1) of tallies.

    Raises Refused("overflow") for NaN, infinity and numbers too large for a sum over
    `parties` sites, for a fraction in a lane that holds counts, and for a tally below 0.
    """
    values = np.asarray(numbers, dtype=np.float64)
    if not bool(np.all(np.abs(values) < encoding.largest(parties))):  # NaN compares false
        raise Refused(
            "overflow",
            f"a sum holds a number that is not finite or not below "
            f"{encoding.largest(parties):.3g}, the bound of a {encoding.name} lane over "
            f"{parties} sites; check the units of the study's columns",
        )
    if encoding.fraction == 0 and bool(np.any(values != np.floor(values))):
        raise Refused("overflow", "a count lane holds a fraction; counts are whole numbers")
    if encoding is TALLY:
        return _pairs(values)
    if encoding is COUNT:
        return values.astype(np.int64).view(np.uint64)[:, None]
    limbs = np.empty((len(values), encoding.limbs), dtype=np.uint64)
    for start in range(0, len(values), BLOCK):
        block = slice(start, start + BLOCK)
        _place(values[block], encoding, limbs[block])
    return limbs


def _pairs(values: Floats) -> Limbs:
    """Return tallies (n,) two to a limb, the first one low; behind an odd number stands a 0."""
    if bool(np.any(values < 0)):
        raise Refused("overflow", "a tally below 0; a histogram counts rows")
    halves = np.zeros(2 * TALLY.rows(len(values)), dtype="<u4")
    halves[: len(values)] = values
    return halves.view("<u8").astype(np.uint64)[:, None]


def _place(values: Floats, encoding: Encoding, limbs: Limbs) -> None:
    """Put rint(x 2^E) into limbs (n, L) in two's complement, the highest limb first.

    What a limb holds is taken off before the next one is found. Powers of two, whole parts and
    these differences are exact in doubles; only the lowest limb is rounded, and cannot become
    2^64 by it: what is below 1 there has no bit above 2^53.
    """
    rest, sign = np.abs(values), (values < 0).astype(np.uint64)
    parts = np.empty((encoding.limbs, len(values)), dtype=np.uint64)
    for limb in range(encoding.limbs - 1, -1, -1):
        exponent = float(LIMB_BITS * limb - encoding.fraction)
        whole = (np.floor if limb else np.rint)(rest * 2.0**-exponent)
        parts[limb] = whole
        rest -= whole * 2.0**exponent
    ones, carry = np.uint64(0) - sign, sign
    for limb, part in enumerate(parts):  # a negative number is its complement plus one
        limbs[:, limb] = (part ^ ones) + carry
        carry = carry & (limbs[:, limb] == 0)


def encode_wide(numbers: Iterable[int], encoding: Encoding) -> Limbs:
    """Return whole numbers as limbs (n, L), modulo 2^(64 L)."""
    size = 8 * encoding.limbs
    modulus = (1 << (8 * size)) - 1
    words = [(number & modulus).to_bytes(size, "little") for number in numbers]
    limbs = np.frombuffer(b"".join(words), dtype="<u8", count=len(words) * encoding.limbs)
    return limbs.reshape(len(words), encoding.limbs).astype(np.uint64)


def decode_wide(limbs: Limbs) -> list[int]:
    """Return limbs (n, L) as whole numbers, in two's complement."""
    data, size = np.ascontiguousarray(limbs, dtype="<u8").tobytes(), 8 * limbs.shape[1]
    return [
        int.from_bytes(data[start : start + size], "little", signed=True)
        for start in range(0, len(data), size)
    ]


def add(left: Limbs, right: Limbs) -> Limbs:
    """Return left + right modulo 2^(64 L), row by row; shapes (n, L)."""
    total = left + right
    carry = total < left
    for limb in range(1, left.shape[1]):
        raised = total[:, limb] + carry[:, limb - 1]
        carry[:, limb] |= raised < total[:, limb]
        total[:, limb] = raised
    return total


class Accumulator:
    """The running sum of many arrays of limbs modulo 2^(64 L).

    Each limb is added up for itself, with a count of how often it ran over; the carries are
    settled once, at the end, and before their counts could.
    """

    def __init__(self, count: int, encoding: Encoding) -> None:
        self._limbs = np.zeros((count, encoding.limbs), dtype=np.uint64)
        self._carries = np.zeros(self._limbs.shape, dtype=np.int8)
        self._terms = 0

    def add(self, limbs: Limbs) -> None:
        """Add limbs (n, L)."""
        self._limbs += limbs
        self._carries += (self._limbs < limbs).view(np.int8)
        self._count()

    def subtract(self, limbs: Limbs) -> None:
        """Take limbs (n, L) off."""
        self._carries -= (self._limbs < limbs).view(np.int8)
        self._limbs -= limbs
        self._count()

    def _count(self) -> None:
        self._terms += 1
        if self._terms == MOST_TERMS:
            self._settle()

    def _settle(self) -> None:
        """Give each limb the carries of the one below it, until none is left.

        What is given is a word g modulo 2^64, and the limb that took it ran over if it is below g
        now. For a borrow, g = 2^64 - b, that is so unless the limb was below b.
        """
        carries = self._carries
        while carries[:, :-1].any():
            given = np.zeros(self._limbs.shape, dtype=np.int64)
            given[:, 1:] = carries[:, :-1]
            words = given.view(np.uint64)
            self._limbs += words
            carries = (self._limbs < words).view(np.int8) - (given < 0).view(np.int8)
        self._carries[:] = 0
        self._terms = 0

    def total(self) -> Limbs:
        """Return the sum as limbs (n, L), which are not to be changed."""
        self._settle()
        return self._limbs


def negate(limbs: Limbs) -> Limbs:
    """Return -limbs modulo 2^(64 L): the complement plus one."""
    one = np.zeros_like(limbs)
    one[:, 0] = 1
    return add(~limbs, one)


def decode(limbs: Limbs, encoding: Encoding) -> Floats:
    """Return limbs (n, L) as the nearest doubles (n,), ties to even; of tallies twice as many."""
    if encoding is TALLY:
        return np.ascontiguousarray(limbs[:, 0], dtype="<u8").view("<u4").astype(np.float64)
    if encoding is COUNT:
        return np.ascontiguousarray(limbs[:, 0]).view(np.int64).astype(np.float64)
    values = np.empty(len(limbs))
    for start in range(0, len(limbs), BLOCK):
        values[start : start + BLOCK] = _nearest(limbs[start : start + BLOCK], encoding)
    return values


def _nearest(limbs: Limbs, encoding: Encoding) -> Floats:
    negative = (limbs[:, -1] >> np.uint64(63)).astype(bool)
    magnitude = np.where(negative[:, None], negate(limbs), limbs)
    top = _highest_limb(magnitude)
    window, low_bit = _leading_bits(magnitude, top)
    exponent = LIMB_BITS * top - low_bit - encoding.fraction
    values = np.ldexp(window.astype(np.float64), exponent)
    return np.asarray(np.where(negative, -values, values))


def _highest_limb(magnitude: Limbs) -> NDArray[np.int64]:
    """Return the index of the highest limb that is not zero (0 for zero)."""
    limbs = magnitude.shape[1]
    reversed_nonzero = (magnitude != 0)[:, ::-1]
    found = limbs - 1 - np.argmax(reversed_nonzero, axis=1)
    return np.where(reversed_nonzero.any(axis=1), found, 0).astype(np.int64)


def _leading_bits(magnitude: Limbs, top: NDArray[np.int64]) -> tuple[Limbs, NDArray[np.int64]]:
    """Return the 64 leading bits and how many of them come from below limb `top`.

    What lies below the window is kept as a sticky lowest bit: 64 bits are 11 more than a
    double has, so the conversion rounds as if it saw all of them.
    """
    rows = np.arange(len(magnitude))
    high = magnitude[rows, top]
    next_limb = np.where(top > 0, magnitude[rows, np.maximum(top - 1, 0)], 0).astype(np.uint64)
    leading = (LIMB_BITS - _bit_length(high)) * (high != 0)
    shift = leading.astype(np.uint64)
    from_next = np.where(shift > 0, next_limb >> ((np.uint64(64) - shift) % np.uint64(64)), 0)
    window = (high << shift) | from_next.astype(np.uint64)
    below = np.cumsum(magnitude != 0, axis=1)[rows, np.maximum(top - 2, 0)] * (top >= 2)
    sticky = ((next_limb << shift) != 0) | (below > 0)
    return window | sticky.astype(np.uint64), leading


def _bit_length(words: Limbs) -> NDArray[np.int64]:
    """Return the number of significant bits of each word; halves are exact as doubles."""
    high, low = words >> np.uint64(32), words & np.uint64(0xFFFFFFFF)
    high_bits = np.frexp(high.astype(np.float64))[1]
    low_bits = np.frexp(low.astype(np.float64))[1]
    return np.where(high > 0, high_bits + 32, low_bits).astype(np.int64)
