"""The transcript: one hash that stands for everything the parties have seen so far.

    T0  = H("ready" | OPEN | READY of all sites, by name)
    T0' = H("parts" | T0 | PART of all holders, by name)        if there are sealed sums
    T_r = H("round" | T_(r-1) | r | asks of round r with arguments | totals of round r-1)

Everybody computes it from what they received; the masks depend on it, so they cancel only
among sites that saw the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from site_agent.contract.sums import Ask


def _hash(parts: Iterable[bytes]) -> bytes:
    """Return SHA-256 over length-prefixed parts, so that no two lists collide."""
    state = hashlib.sha256()
    for part in parts:
        state.update(len(part).to_bytes(8, "big"))
        state.update(part)
    return state.digest()


def opening(open_message: bytes, ready_messages: Sequence[bytes]) -> bytes:
    """Return T0 from OPEN and the READY messages in the order of the roster."""
    return _hash([b"quorum/1/ready", open_message, *ready_messages])


def parting(previous: bytes, part_messages: Sequence[bytes]) -> bytes:
    """Return T0' from T0 and the PART messages in the order of the holders."""
    return _hash([b"quorum/1/parts", previous, *part_messages])


def asking(previous: bytes, number: int, asks: Sequence[Ask], totals: bytes) -> bytes:
    """Return T_r from T_(r-1), the asks of round `number` and the totals of the one before."""
    identities = [ask.identity().encode() for ask in asks]
    return _hash([b"quorum/1/round", previous, number.to_bytes(4, "big"), totals, *identities])


def sealing(bound: bytes, site: str) -> bytes:
    """Return what a share sealed to the center is bound to: T_r and the site."""
    return _hash([b"quorum/1/sealed", bound, site.encode()])
