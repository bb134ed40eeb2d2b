"""The messages of a release: signed headers with binary parts.

On the wire: length of the header (4 bytes), header (canonical JSON), signature (64 bytes), then
each part with its length (8 bytes). The header holds length and SHA-256 of every part, so
a part can be withheld from a reader (length 2^64 - 1) and the signature still holds.

    OPEN     center -> sites    a release begins: study, number, attempt, roster
    READY    site -> all        ephemeral key, commitment to the data, head of the ledger
    READIES  center -> sites    all READY messages
    PART     site -> center     a site's part of the sites' secret, encrypted to each other site
    PARTS    center -> sites    all PART messages; PART and PARTS only with sealed sums
    ROUND    center -> sites    totals of the round before, arguments of this one
    SHARE    site -> center     the masked vectors: part 0 open to all, part 1 sealed to the center
    SPLIT    center -> sites    the SHARE of the hospital at the center, its numbers in two parts
    SHARES   center -> sites    all SHARE messages of a round, part 1 withheld
    CLOSE    center -> sites    the last totals, and the hash of the result
    RECEIPT  site -> center     the hash of the result, signed
    BURN     center -> sites    the release is given up for good
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final, Self, TypeVar

from site_agent.contract.canonical import canonical_json, sha256
from site_agent.contract.errors import Refused
from site_agent.contract.identity import Identity, verify
from site_agent.contract.party import Member

SIGNATURE_BYTES: Final = 64
WITHHELD: Final = 2**64 - 1
LARGEST_HEADER: Final = 1 << 18
MOST_PARTS: Final = 2000
MOST_EARLIER: Final = 1000  # releases with which a new one is compared
LARGEST_NUMBER: Final = 2**31 - 1  # of a release, a round, an attempt: part of names of files
CONTEXT: Final = b"quorum/1/message\x00"


@dataclass(frozen=True, slots=True)
class Content:
    """Base of what a message says; its fields are texts, whole numbers and lists of them."""

    TYPE: ClassVar[str] = ""

    @classmethod
    def from_document(cls, document: Any) -> Self:
        """Return the content that `document` holds; Refused("malformed") if it does not fit."""
        names = {field.name: field.type for field in fields(cls)}
        if not isinstance(document, dict) or set(document) != set(names):
            raise Refused(
                "malformed", f"a {cls.TYPE} message has other fields than {sorted(names)}"
            )
        for name, kind in names.items():
            value = document[name]
            if kind == "tuple[str, ...]":
                if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
                    raise Refused("malformed", f"{cls.TYPE}: '{name}' is not a list of texts")
                document = {**document, name: tuple(value)}
            elif not (isinstance(value, str) if kind == "str" else _counts(value)):
                raise Refused("malformed", f"{cls.TYPE}: '{name}' is not of type {kind}")
        return cls(**document)


def _counts(value: object) -> bool:
    """Return whether `value` is a whole number from 0 to LARGEST_NUMBER."""
    return type(value) is int and 0 <= value <= LARGEST_NUMBER


@dataclass(frozen=True, slots=True)
class Open(Content):
    """A release begins."""

    TYPE: ClassVar[str] = "OPEN"
    study: str
    release: int
    attempt: int
    roster: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ready(Content):
    """A site takes part: its ephemeral X25519 key, data commitment, ledger head.

    earlier: names of the releases with which this site compares (earlier.py). witness: what its
    ledger was in READY messages of before, each `<length>:<head>`. The parts are one for each
    other site of the roster in order: its half of the pre-shared key of the two, sealed to that
    site's pinned key.
    """

    TYPE: ClassVar[str] = "READY"
    open: str
    ephemeral: str
    snapshot: str
    ledger_head: str
    ledger_length: int
    software: str
    earlier: tuple[str, ...] = ()
    witness: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Readies(Content):
    """All READY messages of a release, as parts in the order of the roster."""

    TYPE: ClassVar[str] = "READIES"
    open: str


@dataclass(frozen=True, slots=True)
class Part(Content):
    """A site's part of the sites' secret, as parts for each other holder in order."""

    TYPE: ClassVar[str] = "PART"
    open: str
    commitment: str


@dataclass(frozen=True, slots=True)
class Parts(Content):
    """All PART messages of a release, as parts in the order of the holders of the secret."""

    TYPE: ClassVar[str] = "PARTS"
    open: str


@dataclass(frozen=True, slots=True)
class Round(Content):
    """A round is asked: part 0 the totals of the round before, further parts arguments by ask."""

    TYPE: ClassVar[str] = "ROUND"
    open: str
    number: int
    transcript: str


@dataclass(frozen=True, slots=True)
class Share(Content):
    """A site's masked vectors of a round: part 0 open, part 1 sealed to the center.

    With sealed sums the hospital at the center adds parts 2 and 3: what it would blind, split in
    two, each half encrypted to one of two other sites.
    """

    TYPE: ClassVar[str] = "SHARE"
    open: str
    number: int
    transcript: str


@dataclass(frozen=True, slots=True)
class Split(Content):
    """The SHARE of the hospital at the center, as part 0, for the two that add its numbers."""

    TYPE: ClassVar[str] = "SPLIT"
    open: str
    number: int


@dataclass(frozen=True, slots=True)
class Shares(Content):
    """All SHARE messages of a round, as parts in the order of the roster."""

    TYPE: ClassVar[str] = "SHARES"
    open: str
    number: int


@dataclass(frozen=True, slots=True)
class Close(Content):
    """A release ends: part 0 the totals of the last round."""

    TYPE: ClassVar[str] = "CLOSE"
    open: str
    rounds: int
    result: str


@dataclass(frozen=True, slots=True)
class Receipt(Content):
    """A site has closed the release over this result."""

    TYPE: ClassVar[str] = "RECEIPT"
    open: str
    result: str
    ledger_head: str


@dataclass(frozen=True, slots=True)
class Burn(Content):
    """The center gives up a release, `code` says why; its keys and shares are erased."""

    TYPE: ClassVar[str] = "BURN"
    open: str
    code: str = ""


Said = TypeVar("Said", bound=Content)


@dataclass(frozen=True, slots=True)
class Message:
    """A message as received: who claims to have sent it, its header, signature and parts."""

    kind: str
    sender: str
    content: Any
    header: bytes
    signature: bytes
    parts: tuple[bytes | None, ...]
    wire: bytes

    def says(self, expected: type[Said], member: Member) -> Said:
        """Return the content as `expected` after checking type, sender and signature.

        Raises Refused: "malformed", "sender" or "signature".
        """
        if self.kind != expected.TYPE:
            raise Refused("malformed", f"a {self.kind} message where {expected.TYPE} was expected")
        if self.sender != member.name:
            raise Refused(
                "sender", f"a {self.kind} message from '{self.sender}', expected '{member.name}'"
            )
        verify(member, CONTEXT + self.header, self.signature)
        return expected.from_document(self.content)

    def part(self, index: int) -> bytes:
        """Return a part that must be present."""
        part = self.parts[index] if index < len(self.parts) else None
        if part is None:
            raise Refused("malformed", f"a {self.kind} message lacks its part {index}")
        return part

    def digest(self) -> str:
        """Return the hash of header and signature, which stand for the parts too."""
        return sha256(self.header + self.signature)


def write(identity: Identity, content: Content, parts: Sequence[bytes] = ()) -> bytes:
    """Return a signed message on the wire."""
    header = canonical_json(
        {
            "type": content.TYPE,
            "sender": identity.name,
            "content": asdict(content),
            "parts": [[len(part), sha256(part)] for part in parts],
        }
    )
    signature = identity.sign(CONTEXT + header)
    return _wire(header, signature, parts)


def _wire(header: bytes, signature: bytes, parts: Sequence[bytes | None]) -> bytes:
    out = [len(header).to_bytes(4, "big"), header, signature]
    for part in parts:
        length = WITHHELD if part is None else len(part)
        out += [length.to_bytes(8, "big"), part or b""]
    return b"".join(out)


def withhold(message: Message, *indices: int) -> bytes:
    """Return a message on the wire with some parts left out; its signature still holds."""
    parts = [None if at in indices else part for at, part in enumerate(message.parts)]
    return _wire(message.header, message.signature, parts)


def read(wire: bytes) -> Message:
    """Return the message on the wire, its parts checked against its header.

    The signature is checked by `Message.says`. Raises Refused("malformed").
    """
    length = int.from_bytes(wire[:4], "big")
    start = 4 + length + SIGNATURE_BYTES
    if len(wire) < start or length > LARGEST_HEADER:
        raise Refused("malformed", "a message that is cut short or has no proper header")
    header, signature = wire[4 : 4 + length], wire[4 + length : start]
    document = _header(header)
    parts: list[bytes | None] = []
    for expected_length, expected_hash in document["parts"]:
        size = int.from_bytes(wire[start : start + 8], "big")
        start += 8
        if size == WITHHELD:
            parts.append(None)
            continue
        part = wire[start : start + size]
        start += size
        if len(part) != expected_length or sha256(part) != expected_hash:
            raise Refused("malformed", "a part of a message is not what its header says")
        parts.append(part)
    if start != len(wire):
        raise Refused("malformed", "a message with something behind its end")
    return Message(
        document["type"],
        document["sender"],
        document["content"],
        header,
        signature,
        tuple(parts),
        wire,
    )


def _header(header: bytes) -> dict[str, Any]:
    try:
        document = json.loads(header)
        fits = canonical_json(document) == header
    except (ValueError, UnicodeDecodeError, RecursionError):
        raise Refused("malformed", "a message whose header is not JSON") from None
    if not fits or not isinstance(document, dict):
        raise Refused("malformed", "a message whose header is not in canonical form")
    parts = document.get("parts")
    texts = isinstance(document.get("type"), str) and isinstance(document.get("sender"), str)
    if (
        set(document) != {"type", "sender", "content", "parts"}
        or not texts
        or not isinstance(parts, list)
        or len(parts) > MOST_PARTS
        or not all(isinstance(part, list) and len(part) == 2 for part in parts)
    ):
        raise Refused("malformed", "a message whose header has other fields than it should")
    return document
