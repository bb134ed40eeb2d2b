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

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from site_agent.contract.errors import Refused
from site_agent.contract.securesum.fixedpoint import negate
from site_agent.contract.securesum.vector import Layout, Vector, from_bytes, plus, total

KEY_BYTES: Final = 32


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

    def streams(others: Iterable[str]) -> Iterator[Vector]:
        for other in others:
            stream = _stream(
                secrets[other], transcript, section, own_site, other, length=layout.byte_length
            )
            yield from_bytes(layout, stream)

    later = total(layout, streams(name for name in secrets if name > own_site))
    earlier = total(layout, streams(name for name in secrets if name < own_site))
    return plus(later, {name: negate(limbs) for name, limbs in earlier.items()})


def _stream(
    secret: bytes, transcript: bytes, section: str, one: str, other: str, *, length: int
) -> bytes:
    first, second = sorted((one, other))
    info = b"\x00".join(
        [b"quorum/1/mask", section.encode(), transcript, first.encode(), second.encode()]
    )
    key = HKDFExpand(SHA256(), KEY_BYTES, info=info).derive(secret)
    encryptor = Cipher(algorithms.AES256(key), modes.CTR(bytes(16))).encryptor()
    return encryptor.update(bytes(length))
