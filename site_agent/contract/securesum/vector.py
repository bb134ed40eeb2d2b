"""One vector for all asks of a round: lanes of every ask in order, a check lane in front.

Numbers of one encoding stand together, the widest first, so that a vector is a few
arrays of limbs. Sealed lanes hold whole numbers of any size (dtype object). Element 0 of the
doubles is the check lane: 1 at each site, so that the total must be the number of sites. A share
too many or too few, or a different question, leaves a random 256-bit number there
instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from site_agent.contract.errors import Refused
from site_agent.contract.securesum.fixedpoint import (
    COUNT,
    REAL,
    SEALED,
    TALLY,
    Accumulator,
    Encoding,
    Limbs,
    add,
    decode,
    decode_wide,
    encode_wide,
)
from site_agent.contract.securesum.fixedpoint import encode as encode_numbers
from site_agent.contract.sums import Arrays, Lane

ORDER: Final = (SEALED, REAL, COUNT, TALLY)
CHECK: Final = Lane("check", (1,), REAL)


@dataclass(frozen=True)
class Layout:
    """The lanes of a vector, ask by ask; sizes follow from them and from nothing else."""

    asks: tuple[tuple[Lane, ...], ...]

    @cached_property
    def lanes(self) -> Mapping[str, tuple[tuple[int, Lane], ...]]:
        """Return (ask index, lane) by the name of the encoding; the check lane is ask -1."""
        placed = [(-1, CHECK), *((i, lane) for i, lanes in enumerate(self.asks) for lane in lanes)]
        return {
            encoding.name: tuple((i, lane) for i, lane in placed if lane.encoding == encoding)
            for encoding in ORDER
        }

    @cached_property
    def sizes(self) -> Mapping[str, int]:
        """Return how many numbers the vector holds, by the name of the encoding."""
        return {name: sum(lane.size for _, lane in lanes) for name, lanes in self.lanes.items()}

    def rows(self, encoding: Encoding) -> int:
        """Return how many rows of limbs the numbers of an encoding take."""
        return encoding.rows(self.sizes[encoding.name])

    @cached_property
    def byte_length(self) -> int:
        """Return the length of the vector on the wire."""
        return sum(8 * encoding.limbs * self.rows(encoding) for encoding in ORDER)


Vector = Mapping[str, Limbs]


def encode(layout: Layout, arrays: Sequence[Arrays], parties: int) -> Vector:
    """Return one site's vector: its arrays, ask by ask, as limbs, the check lane 1."""
    given: list[Arrays] = [*arrays, {CHECK.name: np.ones(1)}]
    vector = {}
    for encoding in ORDER:
        parts = [_flat(given[index], lane) for index, lane in layout.lanes[encoding.name]]
        numbers: NDArray[Any] = np.concatenate(parts) if parts else np.zeros(0)
        if encoding is SEALED:
            vector[encoding.name] = encode_wide(numbers.tolist(), encoding)
        else:
            vector[encoding.name] = encode_numbers(numbers, encoding, parties)
    return vector


def _flat(arrays: Arrays, lane: Lane) -> NDArray[Any]:
    values = np.asarray(arrays[lane.name], dtype=object if lane.encoding is SEALED else np.float64)
    if values.shape != lane.shape:
        raise ValueError(f"lane {lane.name}: shape {values.shape}, the catalogue says {lane.shape}")
    return values.ravel()


def plus(left: Vector, right: Vector) -> Vector:
    """Return the sum of two vectors, each lane modulo its own power of two."""
    return {name: add(left[name], right[name]) for name in left}


def total(layout: Layout, vectors: Iterable[Vector]) -> Vector:
    """Return the sum of vectors, each lane modulo its own power of two; zero for none."""
    sums = {e.name: Accumulator(layout.rows(e), e) for e in ORDER}
    for vector in vectors:
        for name, limbs in vector.items():
            sums[name].add(limbs)
    return {name: accumulated.total() for name, accumulated in sums.items()}


def to_bytes(vector: Vector) -> bytes:
    """Return the vector on the wire: limbs little-endian, the widest encoding first."""
    return b"".join(np.ascontiguousarray(vector[e.name], dtype="<u8").data for e in ORDER)


def from_bytes(layout: Layout, data: bytes) -> Vector:
    """Return the vector that `data` holds; Refused("malformed") if the length is not right."""
    if len(data) != layout.byte_length:
        raise Refused(
            "malformed",
            f"a share of {len(data)} bytes where {layout.byte_length} were expected",
        )
    vector: dict[str, Limbs] = {}
    offset = 0
    for encoding in ORDER:
        count = layout.rows(encoding) * encoding.limbs
        words = np.frombuffer(data, dtype="<u8", count=count, offset=offset)
        vector[encoding.name] = words.reshape(-1, encoding.limbs)
        offset += words.nbytes
    return vector


def open_total(layout: Layout, summed: Vector, parties: int) -> list[Arrays]:
    """Return the totals ask by ask, after the check lane has been seen to be right.

    Raises Refused("check_lane") when the masks did not cancel.
    """
    decoded: dict[str, NDArray[Any]] = {
        encoding.name: decode(summed[encoding.name], encoding) for encoding in (REAL, COUNT, TALLY)
    }
    decoded[SEALED.name] = np.array(decode_wide(summed[SEALED.name]), dtype=object)
    expected = encode_numbers(np.array([float(parties)]), REAL, 1)
    if not np.array_equal(summed[REAL.name][:1], expected):
        raise Refused(
            "check_lane",
            f"the masks of {parties} sites do not cancel: a share is missing, altered, or was "
            f"given to another question; nothing can be read from this round",
        )
    arrays: list[dict[str, NDArray[Any]]] = [{} for _ in layout.asks]
    for encoding in ORDER:
        offset = 0
        for index, lane in layout.lanes[encoding.name]:
            if index >= 0:
                flat = decoded[encoding.name][offset : offset + lane.size]
                arrays[index][lane.name] = flat.reshape(lane.shape)
            offset += lane.size
    return list(arrays)
