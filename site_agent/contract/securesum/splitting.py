"""How a hospital that must not know the sites' secret still has its numbers blinded.

The coordinating center's own hospital would unblind everything if it held the secret. It cuts the
whole numbers n that others would blind into two parts modulo 2^1280,

    n = m + (n - m),    m from its own key stream, fresh for each round,

and gives one part to each of two other sites, encrypted. Each part alone is random. Blinding is
linear, so the two sites add their part to their own numbers, and the totals are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from site_agent.contract.errors import Refused
from site_agent.contract.securesum.fixedpoint import SEALED, decode_wide, encode_wide
from site_agent.contract.securesum.sealing import Stream

HELPERS = 2


def halves(numbers: Sequence[int], seed: bytes, transcript: bytes) -> tuple[bytes, bytes]:
    """Return two parts of `numbers` as bytes; `seed` is the site's own, `transcript` T_r."""
    stream = Stream(seed, b"quorum/1/split", transcript)
    width = 64 * SEALED.limbs
    random = stream.numbers(width, len(numbers))
    rest = [number - part for number, part in zip(numbers, random, strict=True)]
    return encode_wide(random, SEALED).tobytes(), encode_wide(rest, SEALED).tobytes()


def numbers_of(part: bytes, counts: Sequence[int]) -> list[list[int]]:
    """Return a part as whole numbers, cut into as many for each sealed ask.

    Raises Refused("malformed") if there are more or fewer.
    """
    size = 8 * SEALED.limbs
    if len(part) != size * sum(counts):
        raise Refused("malformed", f"a split of {len(part)} bytes, expected {size * sum(counts)}")
    numbers = decode_wide(np.frombuffer(part, dtype="<u8").reshape(sum(counts), SEALED.limbs))
    ends = np.cumsum([0, *counts])
    return [numbers[start:end] for start, end in pairwise(ends)]
