"""The totals of a round on the wire: the answered arrays of all asks, as doubles, in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from site_agent.contract.catalogue import SUMS
from site_agent.contract.errors import Refused
from site_agent.contract.sums import Answer, Arrays, Ask


def write_totals(asks: Sequence[Ask], totals: Sequence[Arrays]) -> bytes:
    """Return the totals of all asks as little-endian doubles."""
    return b"".join(
        np.ascontiguousarray(arrays[lane.name], dtype="<f8").tobytes()
        for ask, arrays in zip(asks, totals, strict=True)
        for lane in SUMS[ask.sum].answered_lanes(ask)
    )


def read_totals(asks: Sequence[Ask], data: bytes) -> list[Answer]:
    """Return the answers that `data` holds; Refused("malformed") if it has another length."""
    lanes = [SUMS[ask.sum].answered_lanes(ask) for ask in asks]
    expected = 8 * sum(lane.size for own in lanes for lane in own)
    if len(data) != expected:
        raise Refused("malformed", f"totals of {len(data)} bytes, expected {expected}")
    answers, offset = [], 0
    for ask, own in zip(asks, lanes, strict=True):
        arrays = {}
        for lane in own:
            flat = np.frombuffer(data, dtype="<f8", count=lane.size, offset=offset)
            arrays[lane.name] = flat.reshape(lane.shape).astype(np.float64)
            offset += flat.nbytes
        answers.append(Answer(arrays, ask.floats))
    return answers
