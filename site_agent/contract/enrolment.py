"""How a hospital comes into a roster: the center's invitation, and the hospital's card.

The card is a party's name, public keys and attributes, as they travel before freezing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from site_agent.contract.errors import ConfigurationError
from site_agent.contract.party import SITE_NAME, Member


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
    return Member(name, signing, encryption, {str(k): str(v) for k, v in attributes.items()})


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
