"""How a hospital comes into a roster: the center's invitation, and the hospital's card.

The card is a party's name, public keys and attributes, as they travel before freezing. A card with
new keys can say which ones they replace:

    said   = "quorum/1/replaces" | canonical JSON of the card with the old keys' fingerprint
    by_old = Ed25519(old key, said)      the hospital that had the old key wants the new one
    by_new = Ed25519(new key, said)      and whoever made the card has the new one

A card without, for keys that were lost or stolen, is as good as a first one: only a comparison of
fingerprints by telephone says whose it is.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from site_agent.contract.canonical import canonical_json
from site_agent.contract.errors import ConfigurationError, Refused
from site_agent.contract.identity import Identity, fingerprint, verify
from site_agent.contract.party import SITE_NAME, Member, Replaced

REPLACES: Final = b"quorum/1/replaces\x00"


def card(member: Member) -> dict[str, Any]:
    """Return the card of a party."""
    return {"quorum": 1, "name": member.name, **member.document()}


def write_card(member: Member) -> bytes:
    """Return the card as the file that a site sends to the center."""
    return (json.dumps(card(member), indent=1, sort_keys=True) + "\n").encode()


def read_card(document: Any, source: str) -> Member:
    """Return the party whose card this is; ConfigurationError naming `source` if it is no card."""
    try:
        texts = [document[field] for field in ("name", "signing_key", "encryption_key")]
        attributes = document["attributes"]
    except (KeyError, TypeError, IndexError):
        raise no_card(source) from None
    if not all(isinstance(text, str) for text in texts) or not isinstance(attributes, dict):
        raise ConfigurationError(f"{source}: an enrolment card with fields of another type")
    name, signing, encryption = texts
    values = {str(k): str(v) for k, v in attributes.items()}
    return Member(name, signing, encryption, values, _read_replaced(document, source))


def _read_replaced(document: Mapping[str, Any], source: str) -> Replaced | None:
    if "replaces" not in document:
        return None
    said = document["replaces"]
    names = ("fingerprint", "by_old", "by_new")
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in names):
        raise no_card(source)
    return Replaced(*(said[name] for name in names))


def succeeding(old: Identity, new: Identity, attributes: Mapping[str, str]) -> Member:
    """Return the public half of `new` with what says that it replaces `old`, signed by both."""
    member, before = new.member(dict(attributes)), fingerprint(old.member())
    said = _replacing(member, before)
    by_old, by_new = (base64.b64encode(key.sign(said)).decode() for key in (old, new))
    return replace(member, replaces=Replaced(before, by_old, by_new))


def signed_by_itself(member: Member) -> bool:
    """Return whether the party's own key signed what its card says of the keys before."""
    said = member.replaces
    return said is not None and _signed(member, said.by_new, _replacing(member, said.fingerprint))


def succeeds(member: Member, before: Member) -> bool:
    """Return whether the keys of `before` signed that those of `member` replace them."""
    said = member.replaces
    if said is None or said.fingerprint != fingerprint(before) or member.name != before.name:
        return False
    return _signed(before, said.by_old, _replacing(member, said.fingerprint)) and signed_by_itself(
        member
    )


def _replacing(member: Member, before: str) -> bytes:
    plain = card(replace(member, replaces=None))
    return REPLACES + canonical_json({**plain, "replaces": before})


def _signed(by: Member, signature: str, said: bytes) -> bool:
    try:
        verify(by, said, base64.b64decode(signature, validate=True))
    except (Refused, binascii.Error, ValueError):
        return False
    return True


def no_card(source: str) -> ConfigurationError:
    """Return the error for what is no enrolment card."""
    return ConfigurationError(
        f"{source} is not an enrolment card; expected the JSON file that the site's agent wrote "
        f"when it enrolled"
    )


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the center gives a hospital so that it can enrol: where, as whom, and a token.

    The token can be used once, until `expires` (Unix seconds).
    """

    site: str
    exchange: str
    center: Member
    token: str
    expires: int

    def write(self) -> bytes:
        """Return the invitation as a file."""
        document = {
            "quorum": 1,
            "site": self.site,
            "exchange": self.exchange,
            "center": card(self.center),
            "token": self.token,
            "expires": self.expires,
        }
        return (json.dumps(document, indent=1) + "\n").encode()


def read_invitation(data: bytes, source: str) -> Invitation:
    """Return the invitation that a file holds; ConfigurationError if it is none."""
    try:
        found = json.loads(data)
        texts = [found[name] for name in ("site", "exchange", "token")]
        expires, center = found["expires"], found["center"]
    except (ValueError, KeyError, TypeError, RecursionError):
        found, texts, expires, center = None, [], None, None
    if not texts or not all(isinstance(text, str) for text in texts) or type(expires) is not int:
        raise ConfigurationError(
            f"{source} is not an invitation; expected the JSON file that the coordinating center "
            f"wrote with `coordinator site invite`"
        )
    site, exchange, token = texts
    if not SITE_NAME.match(site):
        raise ConfigurationError(f"{source}: the name of the site in it is not one")
    return Invitation(site, exchange, read_card(center, source), token, expires)
