"""Pairwise masks: who shares which key stream, and what the keys are bound to.

    P_ij   = the halves that i and j have sealed to each other (hybrid HPKE), by name
    K_ij   = HKDF-SHA256(salt = T0, ikm = X25519(e_i, e_j) | P_ij, info = "pair")
    k_ij,r = HKDF-Expand(K_ij, "mask" | section | T_r | i | j)
    stream = AES-256-CTR(k_ij,r), counter from zero, one key for one vector

Ephemeral keys keep what was recorded secret when a site's key is stolen later; the pre-shared
halves (ML-KEM-768 with X25519) keep it secret when X25519 falls. T0 hashes the signed READY
messages of all sites, T_r also the round's asks with their arguments: two sites that were asked
different things use different streams, and nothing cancels. HKDF: RFC 5869. X25519: RFC 7748.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from site_agent.contract.errors import Refused
from site_agent.contract.securesum.fixedpoint import Accumulator, Encoding, Limbs
from site_agent.contract.securesum.vector import ORDER, Layout, Vector, from_bytes

KEY_BYTES: Final = 32
BLOCK_BYTES: Final = 16  # of the cipher, whose output may go to a buffer that is longer by one
ZEROS: Final = memoryview(bytes(1 << 18))  # of which a stream encrypts one part after another


def pair_secret(own: X25519PrivateKey, other: bytes, transcript: bytes, preshared: bytes) -> bytes:
    """Return the secret that this site shares with one other for the whole release.

    `other` is the other site's ephemeral public key, `transcript` is T0, `preshared` P_ij.
    Raises Refused("key") for a key of low order.
    """
    try:
        shared = own.exchange(X25519PublicKey.from_public_bytes(other))
    except ValueError:
        raise Refused("key", "an ephemeral key is not a usable X25519 public key") from None
    pair = HKDF(SHA256(), KEY_BYTES, salt=transcript, info=b"quorum/1/pair")
    return pair.derive(shared + preshared)


def mask(
    layout: Layout,
    own_site: str,
    secrets: Mapping[str, bytes],
    *,
    transcript: bytes,
    section: str,
) -> Vector:
    """Return what `own_site` adds to its vector: streams with later sites less earlier ones.

    `secrets` maps each other site of the roster to the pair secret; sites are ordered by name;
    `transcript` is T_r.
    """
    nothing = from_bytes(layout, bytes(layout.byte_length))
    return masked(nothing, own_site, secrets, transcript=transcript, section=section)


def masked(
    vector: Vector,
    own_site: str,
    secrets: Mapping[str, bytes],
    *,
    transcript: bytes,
    section: str,
) -> Vector:
    """Return the vector of `own_site` with its mask added.

    All streams are taken in parts that stay in a processor's cache, side by side.
    """
    streams = [
        (other > own_site, _stream(secret, transcript, section, own_site, other))
        for other, secret in secrets.items()
    ]
    return {encoding.name: _masked(vector[encoding.name], encoding, streams) for encoding in ORDER}


def _masked(
    limbs: Limbs, encoding: Encoding, streams: Sequence[tuple[bool, CipherContext]]
) -> Limbs:
    out = np.empty(limbs.shape, dtype=np.uint64)
    step, buffer = len(ZEROS) // (8 * encoding.limbs), bytearray(len(ZEROS) + BLOCK_BYTES)
    for start in range(0, len(limbs), step):
        part = limbs[start : start + step]
        words = np.frombuffer(buffer, dtype="<u8", count=part.size).reshape(part.shape)
        sum_ = Accumulator(len(part), encoding)
        sum_.add(part)
        for later, stream in streams:
            stream.update_into(ZEROS[: 8 * part.size], buffer)
            (sum_.add if later else sum_.subtract)(words)
        out[start : start + step] = sum_.total()
    return out


def _stream(secret: bytes, transcript: bytes, section: str, one: str, other: str) -> CipherContext:
    first, second = sorted((one, other))
    info = b"\x00".join(
        [b"quorum/1/mask", section.encode(), transcript, first.encode(), second.encode()]
    )
    key = HKDFExpand(SHA256(), KEY_BYTES, info=info).derive(secret)
    return Cipher(algorithms.AES256(key), modes.CTR(bytes(16))).encryptor()
