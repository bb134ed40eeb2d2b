"""Keys of a party: Ed25519 to sign, hybrid HPKE (ML-KEM-768 with X25519) to be written to.

Identity is in the message, not in the connection, because hospital proxies end TLS. Public keys
travel as base64 text; a fingerprint is short enough to read over the telephone.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from site_agent.contract.errors import ConfigurationError, Refused
from site_agent.contract.party import Member

SEED_BYTES: Final = 32
KEM_SEED_BYTES: Final = 64
KEM_PUBLIC_BYTES: Final = 1184
SECRET_BYTES: Final = SEED_BYTES + KEM_SEED_BYTES + SEED_BYTES

Entropy = Callable[[int], bytes]


def _suite() -> Suite:
    return Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


@dataclass(frozen=True, slots=True)
class Identity:
    """A party's private keys."""

    name: str
    signing: Ed25519PrivateKey
    kem: MLKEM768PrivateKey
    agreement: X25519PrivateKey

    @classmethod
    def create(cls, name: str, entropy: Entropy) -> Identity:
        """Return a new identity; `entropy(n)` gives n random bytes."""
        return cls.from_secret(name, entropy(SECRET_BYTES))

    @classmethod
    def from_secret(cls, name: str, secret: bytes) -> Identity:
        """Return the identity whose secret bytes these are; ConfigurationError if damaged."""
        if len(secret) != SECRET_BYTES:
            raise ConfigurationError(
                f"the key of {name} has {len(secret)} bytes, expected {SECRET_BYTES}; restore "
                f"it from its backup, or create a new one and enrol again"
            )
        rest = secret[SEED_BYTES:]
        return cls(
            name,
            Ed25519PrivateKey.from_private_bytes(secret[:SEED_BYTES]),
            MLKEM768PrivateKey.from_seed_bytes(rest[:KEM_SEED_BYTES]),
            X25519PrivateKey.from_private_bytes(rest[KEM_SEED_BYTES:]),
        )

    def secret(self) -> bytes:
        """Return the private keys as bytes, to be kept where nobody else can read."""
        return (
            self.signing.private_bytes_raw()
            + self.kem.private_bytes_raw()
            + self.agreement.private_bytes_raw()
        )

    def member(self, attributes: dict[str, str] | None = None) -> Member:
        """Return the public half, as it stands in a roster."""
        encryption = (
            self.kem.public_key().public_bytes_raw()
            + self.agreement.public_key().public_bytes_raw()
        )
        return Member(
            self.name,
            base64.b64encode(self.signing.public_key().public_bytes_raw()).decode(),
            base64.b64encode(encryption).decode(),
            attributes or {},
        )

    def sign(self, data: bytes) -> bytes:
        """Return the signature of `data`, 64 bytes."""
        return self.signing.sign(data)

    def unseal(self, sealed: bytes, context: bytes) -> bytes:
        """Return what was sealed to this party; Refused("seal") if it was not, or was altered."""
        key = MLKEM768X25519PrivateKey(self.kem, self.agreement)
        try:
            return _suite().decrypt(sealed, key, info=context)
        except (InvalidTag, ValueError):
            raise Refused(
                "seal", "a sealed part cannot be opened: altered, or not for us"
            ) from None


def verify(member: Member, data: bytes, signature: bytes) -> None:
    """Raise Refused("signature") unless `signature` is `member`'s on `data`."""
    try:
        _verified(member.signing_key, data, signature)
    except (InvalidSignature, ValueError):
        raise Refused(
            "signature",
            f"a message in the name of '{member.name}' is not signed with the key that the "
            f"study pins for it; compare fingerprints with them before going on",
        ) from None


@lru_cache(maxsize=512)
def _verified(key: str, data: bytes, signature: bytes) -> None:
    """Verify a signature; one that was found good is not computed again (a pure function).

    Headers are bounded (messages.LARGEST_HEADER), and so is what this keeps.
    """
    Ed25519PublicKey.from_public_bytes(_decoded(key)).verify(signature, data)


def seal(member: Member, data: bytes, context: bytes) -> bytes:
    """Return `data` encrypted so that only `member` can read it, bound to `context`.

    Raises Refused("key") if what the study pins as the member's key is none.
    """
    try:
        raw = _decoded(member.encryption_key)
        key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(raw[:KEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(raw[KEM_PUBLIC_BYTES:]),
        )
        return _suite().encrypt(data, key, info=context)
    except ValueError:
        raise Refused(
            "key",
            f"what the study pins as the encryption key of '{member.name}' is no key; have it "
            f"enrol again, and freeze the study anew",
        ) from None


def fingerprint(member: Member) -> str:
    """Return the first 100 bits of the hash of both public keys, in five groups of letters."""
    keys = f"{member.signing_key}|{member.encryption_key}".encode()
    text = base64.b32encode(hashlib.sha256(keys).digest()).decode()[:20]
    return "-".join(text[start : start + 4] for start in range(0, 20, 4))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError("not base64") from None
