"""Messages on the wire: what comes back, and that nothing else is read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract import messages
from site_agent.contract.canonical import canonical_json, sha256
from site_agent.contract.errors import Refused
from site_agent.contract.messages import (
    CONTEXT,
    LARGEST_HEADER,
    LARGEST_NUMBER,
    MOST_PARTS,
    WITHHELD,
    Close,
    Content,
    Open,
    Part,
    Parts,
    Readies,
    Ready,
    Receipt,
    Round,
    Share,
    Shares,
    Split,
)
from tests.protocol import identity

ALDER = identity("alder")
MEMBER = ALDER.member()
SHARE = Share("open", 3, "transcript")
CONTENTS: list[Content] = [
    Open("study", 1, 1, ("alder", "beech")),
    Ready("open", "key", "snapshot", "head", 7, "quorum"),
    Readies("open"),
    Part("open", "commitment"),
    Parts("open"),
    Split("open", 3),
    Round("open", 3, "transcript"),
    SHARE,
    Shares("open", 3),
    Close("open", 4, "result"),
    Receipt("open", "result", "head"),
]
PARTS = [b"first part", b"", b"third"]
WIRE = messages.write(ALDER, SHARE, PARTS)
HEADER: dict[str, Any] = json.loads(messages.read(WIRE).header)


def code(wire: bytes, expected: type[Content] = Share) -> str:
    """The code with which a message is refused; "read" if it and all its parts are read."""
    try:
        message = messages.read(wire)
        message.says(expected, MEMBER)
        for index in range(len(message.parts)):
            message.part(index)
    except Refused as refused:
        return refused.code
    return "read"


def wire_of(header: bytes, parts: bytes = b"") -> bytes:
    """A header, well signed, on the wire."""
    return len(header).to_bytes(4, "big") + header + ALDER.sign(CONTEXT + header) + parts


def said(**changed: Any) -> bytes:
    """A signed SHARE without parts whose header has other fields."""
    return wire_of(canonical_json({**HEADER, "parts": [], **changed}))


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content.TYPE)
def test_every_message_comes_back(content: Content) -> None:
    """What was said is read, once the signature is checked."""
    assert messages.read(messages.write(ALDER, content)).says(type(content), MEMBER) == content


def test_a_message_by_hand() -> None:
    """Length, header, signature, then each part behind its length."""
    header = canonical_json(
        {
            "type": "SHARES",
            "sender": "alder",
            "content": {"open": "o", "number": 2},
            "parts": [[3, sha256(b"abc")]],
        }
    )
    expected = wire_of(header, (3).to_bytes(8, "big") + b"abc")
    assert messages.write(ALDER, Shares("o", 2), [b"abc"]) == expected


def test_parts_come_back() -> None:
    """Parts are bytes, empty ones too."""
    message = messages.read(WIRE)
    assert [message.part(index) for index in range(3)] == PARTS


def test_the_same_message_has_the_same_bytes() -> None:
    """Signatures are deterministic: a message written again is the same."""
    assert messages.write(ALDER, SHARE, PARTS) == WIRE


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_withheld_part_is_not_there(index: int) -> None:
    """The part that is left out, and no other."""
    parts = messages.read(messages.withhold(messages.read(WIRE), index)).parts
    assert list(parts) == [None if at == index else part for at, part in enumerate(PARTS)]


@pytest.mark.parametrize("indices", [(), (0, 1), (1, 2), (0, 1, 2)])
def test_several_withheld_parts(indices: tuple[int, ...]) -> None:
    """Parts that are left out together: those, and no others."""
    parts = messages.read(messages.withhold(messages.read(WIRE), *indices)).parts
    assert list(parts) == [None if at in indices else part for at, part in enumerate(PARTS)]


def test_what_is_withheld_can_be_withheld_further() -> None:
    """A message that lacks a part loses another one, and is still signed."""
    less = messages.withhold(messages.read(WIRE), 0)
    least = messages.read(messages.withhold(messages.read(less), 2))
    assert (list(least.parts), least.says(Share, MEMBER)) == ([None, PARTS[1], None], SHARE)


def test_a_withheld_part_leaves_the_signature() -> None:
    """The signature still holds, and so does the digest."""
    less = messages.read(messages.withhold(messages.read(WIRE), 2))
    assert (less.says(Share, MEMBER), less.digest()) == (SHARE, messages.read(WIRE).digest())


@pytest.mark.parametrize("index", [1, 3])
def test_a_part_that_is_not_there_is_refused(index: int) -> None:
    """A withheld part, and one behind the last, are asked for in vain."""
    with pytest.raises(Refused, match=f"lacks its part {index}"):
        messages.read(messages.withhold(messages.read(WIRE), 1)).part(index)


@pytest.mark.parametrize("content", CONTENTS, ids=lambda content: content.TYPE)
def test_a_message_is_not_taken_for_another(content: Content) -> None:
    """Each type is refused where each other one is expected."""
    wire = messages.write(ALDER, content)
    others = [type(other) for other in CONTENTS if type(other) is not type(content)]
    assert {code(wire, other) for other in others} == {"malformed"}


def test_another_sender() -> None:
    """A message in another's name is refused before its signature is looked at."""
    assert code(messages.write(identity("beech"), SHARE)) == "sender"


def test_a_borrowed_name() -> None:
    """A message in one's name under another's key is refused."""
    stranger = replace(identity("beech"), name="alder")
    assert code(messages.write(stranger, SHARE)) == "signature"


def test_a_signature_of_something_else() -> None:
    """A signature of the header alone, without the context of messages, does not count."""
    header = messages.read(WIRE).header
    wire = WIRE.replace(messages.read(WIRE).signature, ALDER.sign(header))
    assert code(wire) == "signature"


@given(st.integers(0, len(WIRE) - 1), st.integers(1, 255))
def test_every_changed_byte_is_refused(at: int, by: int) -> None:
    """Wherever a byte is changed, the message is refused, and nothing else happens."""
    bad = bytearray(WIRE)
    bad[at] ^= by
    assert code(bytes(bad)) in ("malformed", "sender", "signature")


@given(st.integers(0, len(WIRE) - 1))
def test_every_cut_is_refused(length: int) -> None:
    """A message cut short anywhere is refused."""
    assert code(WIRE[:length]) == "malformed"


@given(st.integers(0, len(WIRE)), st.binary(min_size=1, max_size=20))
def test_every_insertion_is_refused(at: int, more: bytes) -> None:
    """Bytes put in anywhere are refused."""
    assert code(WIRE[:at] + more + WIRE[at:]) in ("malformed", "sender", "signature")


@given(st.binary(max_size=400))
def test_any_bytes_are_refused(wire: bytes) -> None:
    """Bytes that are no message are refused, and nothing else happens."""
    assert code(wire) == "malformed"


@given(st.binary(max_size=200))
def test_any_signed_header_is_refused(header: bytes) -> None:
    """A header that is no header is refused even if it is signed."""
    assert code(wire_of(header)) == "malformed"


HEADERS: dict[str, bytes] = {
    "white space": json.dumps(HEADER).encode(),
    "unsorted": json.dumps(dict(reversed(sorted(HEADER.items()))), separators=(",", ":")).encode(),
    "UTF-16": canonical_json(HEADER).decode().encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf" + canonical_json(HEADER),
    "a key twice": canonical_json(HEADER)[:-1] + b',"type":"SHARE"}',
    "NaN": b'{"content":NaN,"parts":[],"sender":"alder","type":"SHARE"}',
    "a lone surrogate": b'{"content":"\\ud800","parts":[],"sender":"alder","type":"SHARE"}',
    "deep": b"[" * 100_000,
    "a long number": b"1" * 10_000,
    "a list": b"[]",
    "a text": b'"SHARE"',
    "null": b"null",
    "nothing": b"",
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_in_another_spelling(name: str) -> None:
    """There is one spelling of a header; a signed header in another one is refused."""
    assert code(wire_of(HEADERS[name])) == "malformed"


FIELDS: dict[str, dict[str, Any]] = {
    "one field more": {"more": 1},
    "a type that is a number": {"type": 1},
    "a type that is null": {"type": None},
    "a sender that is a list": {"sender": ["alder"]},
    "parts that are a number": {"parts": 1},
    "a part that is a number": {"parts": [1]},
    "a part of three": {"parts": [[1, "a", "b"]]},
    "parts without number": {"parts": {}},
    "too many parts": {"parts": [[0, sha256(b"")]] * (MOST_PARTS + 1)},
    "a part that is not there": {"parts": [[0, sha256(b"")]]},
    "a type that nobody knows": {"type": "SHARD"},
    "content that is a list": {"content": []},
    "content that is null": {"content": None},
    "content without a field": {"content": {"open": "o", "number": 1}},
    "content with one field more": {
        "content": {"open": "o", "number": 1, "transcript": "t", "more": 1}
    },
}


@pytest.mark.parametrize("name", FIELDS)
def test_headers_with_other_fields(name: str) -> None:
    """A signed header that is not made as it should be is refused."""
    assert code(said(**FIELDS[name])) == "malformed"


def test_a_header_without_parts() -> None:
    """The header of this file's helper is read when nothing is wrong with it."""
    assert code(said()) == "read"


@pytest.mark.parametrize(
    "number", [True, "1", 1.0, None, [1], -1, LARGEST_NUMBER + 1, 10**300, 1.5]
)
def test_a_number_is_a_number(number: object) -> None:
    """Numbers are whole, from 0 on, and small enough for the name of a file."""
    content = {"open": "o", "number": number, "transcript": "t"}
    assert code(said(content=content)) == "malformed"


@pytest.mark.parametrize("number", [0, LARGEST_NUMBER])
def test_the_least_and_the_largest_number(number: int) -> None:
    """0 and 2^31 - 1 are read."""
    assert code(said(content={"open": "o", "number": number, "transcript": "t"})) == "read"


@pytest.mark.parametrize("text", [1, None, ["o"], True])
def test_a_text_is_a_text(text: object) -> None:
    """Texts are texts."""
    content = {"open": text, "number": 1, "transcript": "t"}
    assert code(said(content=content)) == "malformed"


@pytest.mark.parametrize("roster", ["alder", [1], None, {"alder": 1}, [["alder"]]])
def test_a_list_is_a_list_of_texts(roster: object) -> None:
    """A roster is a list of names."""
    content = {"study": "s", "release": 1, "attempt": 1, "roster": roster}
    assert code(said(type="OPEN", content=content), Open) == "malformed"


def test_a_header_too_long() -> None:
    """A header above four megabytes is not looked at."""
    header = canonical_json({**HEADER, "parts": [], "sender": "x" * LARGEST_HEADER})
    assert code(wire_of(header)) == "malformed"


@pytest.mark.parametrize("size", [WITHHELD - 1, 2**63, 11, 9])
def test_a_part_of_another_length(size: int) -> None:
    """A part whose length on the wire is not the header's is refused."""
    header = canonical_json({**HEADER, "parts": [[10, sha256(PARTS[0])]]})
    assert code(wire_of(header, size.to_bytes(8, "big") + PARTS[0])) == "malformed"


def test_a_part_of_the_same_length() -> None:
    """A part with other bytes is refused by its hash."""
    header = canonical_json({**HEADER, "parts": [[10, sha256(PARTS[0])]]})
    assert code(wire_of(header, (10).to_bytes(8, "big") + PARTS[0][::-1])) == "malformed"


@pytest.mark.parametrize("part", [b"other part", b""])
def test_the_digest_stands_for_the_parts(part: bytes) -> None:
    """Two messages that differ in a part have different digests."""
    other = messages.write(ALDER, SHARE, [part, *PARTS[1:]])
    assert messages.read(other).digest() != messages.read(WIRE).digest()
