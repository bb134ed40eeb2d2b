"""Requests to the exchange, signed by the party that makes them.

The signature is in a header of the request and not in the connection, because hospital proxies
end TLS. It covers method, target, body and the second at which the request was made:

    Authorization: Quorum name="north", at="1795234567", body="<SHA-256>", signature="<base64>"

The hash of the body is in the header, so that the signature is checked before the body is read.
The target is the path from /v1/ on with its query, so that a proxy may serve the exchange under
a prefix. A request is good for MAY_DIFFER_S seconds around its time; it can be repeated in them,
and every request is idempotent.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from site_agent.contract.canonical import canonical_json, sha256
from site_agent.contract.errors import Refused
from site_agent.contract.identity import Identity, verify
from site_agent.contract.party import Member

SCHEME: Final = "Quorum"
CONTEXT: Final = b"quorum/1/request\x00"
MAY_DIFFER_S: Final = 300
HEADER: Final = re.compile(
    r'Quorum name="(?P<name>[a-z0-9][a-z0-9_.-]{0,39})", at="(?P<at>[0-9]{1,16})", '
    r'body="(?P<body>[0-9a-f]{64})", signature="(?P<signature>[A-Za-z0-9+/=]{1,128})"\Z'
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the header of a signed request says.

    name: who made it. at: when, Unix seconds. body: SHA-256 of the body. signature: 64 bytes.
    """

    name: str
    at: int
    body: str
    signature: bytes


def sign(identity: Identity, method: str, target: str, body: bytes, *, at: int) -> str:
    """Return the value of the Authorization header of a request made at second `at`."""
    digest = sha256(body)
    signature = identity.sign(_signed(identity.name, method, target, digest, at))
    encoded = base64.b64encode(signature).decode()
    return f'{SCHEME} name="{identity.name}", at="{at}", body="{digest}", signature="{encoded}"'


def read_credentials(header: str) -> Credentials | None:
    """Return what an Authorization header says, or None if it is not of this scheme."""
    found = HEADER.match(header)
    if found is None:
        return None
    try:
        signature = base64.b64decode(found["signature"], validate=True)
    except binascii.Error:
        return None
    return Credentials(found["name"], int(found["at"]), found["body"], signature)


def check(member: Member, credentials: Credentials, method: str, target: str) -> None:
    """Raise Refused("signature") unless `member` signed a request with this header."""
    if member.name != credentials.name:
        raise Refused("signature", "a request that another party signed")
    said = _signed(member.name, method, target, credentials.body, credentials.at)
    verify(member, said, credentials.signature)


def check_body(credentials: Credentials, body: bytes) -> None:
    """Raise Refused("signature") unless this is the body whose hash was signed."""
    if sha256(body) != credentials.body:
        raise Refused("signature", "the body of a request is not the one that was signed")


def _signed(name: str, method: str, target: str, digest: str, at: int) -> bytes:
    said = {"name": name, "method": method, "target": target, "body": digest, "at": at}
    return CONTEXT + canonical_json(said)
