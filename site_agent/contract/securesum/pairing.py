"""What sites exchange before the first round: pre-shared halves, and the sites' own secret.

    half_i,j   = HKDF-Expand(seed_i, "half" | j), sealed to j's pinned key in i's READY
    part_i     = HKDF-Expand(seed_i, "part" | T0), encrypted to each other holder under K_ij
    secret     = H(part of all holders, by name)

The seed is random and of one release. Every PART states the hash of its part for all to see, so
a site that sends different parts to different sites is found out by each receiver, and all that
go on hold the same secret. The center's hospital, if there is one, is no holder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from site_agent.contract.canonical import sha256
from site_agent.contract.errors import Refused
from site_agent.contract.identity import Identity, seal
from site_agent.contract.party import Member

SEED_BYTES: Final = 32
NONCE: Final = bytes(12)  # each key encrypts one thing
PART: Final = b"quorum/1/part-to"
SPLIT: Final = b"quorum/1/split-to"  # followed by T_r


def _expand(secret: bytes, *info: bytes) -> bytes:
    return HKDFExpand(SHA256(), SEED_BYTES, info=b"\x00".join(info)).derive(secret)


def _half_context(opened: str, sender: str, receiver: str) -> bytes:
    return b"\x00".join([b"quorum/1/half", opened.encode(), sender.encode(), receiver.encode()])


def half(seed: bytes, receiver: str) -> bytes:
    """Return this site's half of the key that it shares with `receiver`."""
    return _expand(seed, b"quorum/1/half", receiver.encode())


def sealed_halves(seed: bytes, own: str, others: Sequence[Member], opened: str) -> list[bytes]:
    """Return this site's halves, each sealed to the other site's pinned key."""
    return [
        seal(other, half(seed, other.name), _half_context(opened, own, other.name))
        for other in others
    ]


def preshared(identity: Identity, seed: bytes, other: str, sealed: bytes, opened: str) -> bytes:
    """Return P_ij from this site's half and the other's, sealed to this one.

    Raises Refused("seal") if it was not sealed to this site by the release's messages.
    """
    theirs = identity.unseal(sealed, _half_context(opened, other, identity.name))
    if len(theirs) != SEED_BYTES:
        raise Refused("seal", f"the half of a key from '{other}' has not {SEED_BYTES} bytes")
    halves = {identity.name: half(seed, other), other: theirs}
    return b"".join(halves[name] for name in sorted(halves))


def part(seed: bytes, start: bytes) -> bytes:
    """Return this site's part of the sites' secret."""
    return _expand(seed, b"quorum/1/part", start)


def commitment(own_part: bytes) -> str:
    """Return the hash by which all can tell that everybody was given the same part."""
    return sha256(b"quorum/1/commitment\x00" + own_part)


def encrypt(pair: bytes, purpose: bytes, sender: str, receiver: str, data: bytes) -> bytes:
    """Return `data` encrypted under a key of one pair, purpose and direction, used once."""
    key = _expand(pair, purpose, sender.encode(), receiver.encode())
    return AESGCM(key).encrypt(NONCE, data, None)


def decrypt(pair: bytes, purpose: bytes, sender: str, receiver: str, data: bytes) -> bytes:
    """Return what `encrypt` was given; Refused("seal") if it was altered or is another's."""
    key = _expand(pair, purpose, sender.encode(), receiver.encode())
    try:
        return AESGCM(key).decrypt(NONCE, data, None)
    except InvalidTag:
        raise Refused("seal", f"what '{sender}' has encrypted to this site is altered") from None


def common_secret(parts: Mapping[str, bytes], start: bytes) -> bytes:
    """Return the sites' secret from all holders' parts and T0."""
    state = hashlib.sha256(b"quorum/1/secret\x00" + start)
    for site in sorted(parts):
        state.update(parts[site])
    return state.digest()


def holders(roster: Sequence[str], at_center: str) -> tuple[str, ...]:
    """Return the sites that share a secret: all but the hospital that is at the center."""
    return tuple(site for site in roster if site != at_center)
