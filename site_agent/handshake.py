"""How the sites of a release come to share keys: READY, READIES, PART, PARTS at one site.

Pure but for what is handed in. What the site keeps to itself of a release is its Offer; it goes to
the vault before READY is sent, and is erased when the release is over.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from site_agent.contract import messages
from site_agent.contract.canonical import sha256
from site_agent.contract.errors import Refused
from site_agent.contract.identity import Entropy, Identity
from site_agent.contract.messages import Message, Part, Ready
from site_agent.contract.party import Member
from site_agent.contract.securesum import masks, pairing

SALT_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Offer:
    """A site's own secrets of one release: salt of the commitment, ephemeral key, seed."""

    salt: bytes
    ephemeral: bytes
    seed: bytes

    @classmethod
    def create(cls, entropy: Entropy) -> Offer:
        """Return a new offer; `entropy(n)` gives n random bytes."""
        return cls(entropy(SALT_BYTES), entropy(masks.KEY_BYTES), entropy(pairing.SEED_BYTES))

    @classmethod
    def from_bytes(cls, kept: bytes) -> Offer:
        """Return the offer that `kept` holds."""
        end = SALT_BYTES + masks.KEY_BYTES
        return cls(kept[:SALT_BYTES], kept[SALT_BYTES:end], kept[end:])

    def to_bytes(self) -> bytes:
        """Return the offer as it is kept."""
        return self.salt + self.ephemeral + self.seed

    @property
    def key(self) -> X25519PrivateKey:
        """Return the ephemeral private key."""
        return X25519PrivateKey.from_private_bytes(self.ephemeral)

    @property
    def public(self) -> str:
        """Return the ephemeral public key as it stands in READY."""
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def snapshot(self, digest: str) -> str:
        """Return the commitment to data with this digest."""
        return sha256(self.salt + digest.encode())


def read_readies(
    roster: Mapping[str, Member], wires: Mapping[str, bytes], opened: str
) -> dict[str, Message]:
    """Return the READY messages by site, each signed with the key that the study pins.

    `opened` is the digest of OPEN. Raises Refused: "malformed", "sender", "signature",
    "other_release".
    """
    found = {}
    for site, wire in wires.items():
        message = messages.read(wire)
        if message.says(Ready, roster[site]).open != opened:
            raise Refused("other_release", f"the READY of '{site}' is of another release")
        found[site] = message
    return found


def pair_secrets(
    identity: Identity, offer: Offer, readies: Mapping[str, Message], opened: str, start: bytes
) -> dict[str, bytes]:
    """Return the secret shared with each other site; `start` is T0.

    Raises Refused: "key", "seal", and "malformed" if a READY has not one half for each other site.
    """
    secrets = {}
    for site, message in readies.items():
        if site == identity.name:
            continue
        receivers = [name for name in readies if name != site]
        if len(message.parts) != len(receivers):
            raise Refused("malformed", f"the READY of '{site}' has not a part for each other site")
        sealed = message.part(receivers.index(identity.name))
        preshared = pairing.preshared(identity, offer.seed, site, sealed, opened)
        ephemeral = _ephemeral(site, message)
        secrets[site] = masks.pair_secret(offer.key, ephemeral, start, preshared)
    return secrets


def _ephemeral(site: str, message: Message) -> bytes:
    try:
        return base64.b64decode(message.content["ephemeral"], validate=True)
    except ValueError:
        raise Refused("key", f"the ephemeral key of '{site}' is not base64") from None


def write_part(
    identity: Identity, offer: Offer, secrets: Mapping[str, bytes], opened: str, start: bytes
) -> bytes:
    """Return PART: this site's part of the sites' secret for the holders that `secrets` names."""
    own = pairing.part(offer.seed, start)
    sealed = [
        pairing.encrypt(secrets[site], pairing.PART, identity.name, site, own)
        for site in sorted(secrets)
    ]
    return messages.write(identity, Part(opened, pairing.commitment(own)), sealed)


def common_secret(
    own: str,
    offer: Offer,
    secrets: Mapping[str, bytes],
    parts: Mapping[str, Message],
    start: bytes,
) -> bytes:
    """Return the sites' secret from the PART messages of all holders.

    Raises Refused: "seal", "malformed", and "two_parts" if what a site gave to this one is not
    what it has told all others that it gives.
    """
    found = {}
    for site, message in parts.items():
        if site == own:
            found[site] = pairing.part(offer.seed, start)
            continue
        receivers = [name for name in sorted(parts) if name != site]
        if len(message.parts) != len(receivers):
            raise Refused("malformed", f"the PART of '{site}' has not a part for each holder")
        sealed = message.part(receivers.index(own))
        found[site] = pairing.decrypt(secrets[site], pairing.PART, site, own, sealed)
        if pairing.commitment(found[site]) != message.content["commitment"]:
            raise Refused(
                "two_parts",
                f"'{site}' gave this site another part of the sites' secret than it has told all "
                f"sites; the release cannot go on. Burn it, and ask that hospital",
            )
    return pairing.common_secret(found, start)
