"""Keys of a party: signatures, sealed parts, fingerprints."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.contract.errors import ConfigurationError, Refused
from site_agent.contract.identity import (
    KEM_PUBLIC_BYTES,
    SECRET_BYTES,
    Identity,
    fingerprint,
    seal,
    verify,
)
from site_agent.contract.party import Member
from tests.protocol import entropy, identity

ALDER, BEECH = identity("alder"), identity("beech")
SIGNATURE = ALDER.sign(b"text")
ZEROS = base64.b64encode(bytes(KEM_PUBLIC_BYTES + 32)).decode()  # of low order
SEALED = seal(ALDER.member(), b"a sum", b"context")


def verified(member: Member, data: bytes, signature: bytes) -> str:
    """The code with which a signature is refused; "good" if it is not."""
    try:
        verify(member, data, signature)
    except Refused as refused:
        return refused.code
    return "good"


def opened(party: Identity, sealed: bytes, context: bytes) -> bytes | str:
    """What a sealed part holds, or the code with which it is refused."""
    try:
        return party.unseal(sealed, context)
    except Refused as refused:
        return refused.code


def test_an_identity_comes_back_from_its_secret() -> None:
    """The secret bytes are all of an identity."""
    again = Identity.from_secret("alder", ALDER.secret())
    assert again.member() == ALDER.member()


def test_the_same_randomness_gives_the_same_keys() -> None:
    """Randomness comes from outside; nothing else goes into the keys."""
    one, other = (Identity.create("x", entropy("seed")).secret() for _ in range(2))
    assert one == other


@pytest.mark.parametrize("length", [0, SECRET_BYTES - 1, SECRET_BYTES + 1])
def test_a_damaged_key_file(length: int) -> None:
    """Secret bytes of another length say so, and not what they hold."""
    with pytest.raises(ConfigurationError, match=f"has {length} bytes, expected {SECRET_BYTES}"):
        Identity.from_secret("alder", bytes(length))


def test_a_good_signature() -> None:
    """A signature by the pinned key is good."""
    assert verified(ALDER.member(), b"text", SIGNATURE) == "good"


def test_a_good_signature_is_good_again() -> None:
    """Verifying twice changes nothing."""
    found = [verified(ALDER.member(), data, SIGNATURE) for data in (b"text", b"tex", b"text")]
    assert found == ["good", "signature", "good"]


@given(st.integers(0, 8 * 64 - 1))
def test_every_flipped_bit_of_a_signature(bit: int) -> None:
    """No signature with a bit changed is good."""
    bad = bytearray(SIGNATURE)
    bad[bit // 8] ^= 1 << bit % 8
    assert verified(ALDER.member(), b"text", bytes(bad)) == "signature"


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:-1], SIGNATURE + b"\x00", bytes(64)])
def test_signatures_of_another_length(signature: bytes) -> None:
    """A cut signature is refused like a wrong one."""
    assert verified(ALDER.member(), b"text", signature) == "signature"


@pytest.mark.parametrize("key", ["", "no base64!", "AAAA", "ä", "A" * 43 + "="])
def test_a_roster_with_a_key_that_is_none(key: str) -> None:
    """A signing key that is no key verifies nothing."""
    member = replace(ALDER.member(), signing_key=key)
    assert verified(member, b"text", SIGNATURE) == "signature"


def test_the_signature_of_another_party() -> None:
    """A signature by another key of the roster is refused."""
    assert verified(ALDER.member(), b"text", BEECH.sign(b"text")) == "signature"


def test_a_sealed_part_opens() -> None:
    """The party that it is sealed to reads it."""
    assert opened(ALDER, SEALED, b"context") == b"a sum"


@pytest.mark.parametrize(("party", "context"), [(BEECH, b"context"), (ALDER, b"other")])
def test_a_sealed_part_does_not_open(party: Identity, context: bytes) -> None:
    """Neither another party nor another context opens it."""
    assert opened(party, SEALED, context) == "seal"


@settings(max_examples=60)
@given(st.integers(0, 8 * len(SEALED) - 1))
def test_every_flipped_bit_of_a_sealed_part(bit: int) -> None:
    """A sealed part with a bit changed is refused, and nothing else happens."""
    bad = bytearray(SEALED)
    bad[bit // 8] ^= 1 << bit % 8
    assert opened(ALDER, bytes(bad), b"context") == "seal"


@settings(max_examples=60)
@given(st.one_of(st.integers(0, len(SEALED) - 1).map(lambda n: SEALED[:n]), st.binary()))
def test_sealed_parts_cut_short(sealed: bytes) -> None:
    """Too few bytes, or any bytes, are refused, and nothing else happens."""
    assert opened(ALDER, sealed, b"context") == "seal"


@pytest.mark.parametrize("key", ["", "no base64!", "AAAA", "A" * 1624, ZEROS])
def test_sealing_to_a_key_that_is_none(key: str) -> None:
    """An encryption key that is no key is refused."""
    with pytest.raises(Refused) as refusal:
        seal(replace(ALDER.member(), encryption_key=key), b"a sum", b"context")
    assert refusal.value.code == "key"


def test_a_fingerprint_is_short() -> None:
    """Five groups of four letters and digits."""
    assert [len(group) for group in fingerprint(ALDER.member()).split("-")] == [4] * 5


@pytest.mark.parametrize("field", ["signing_key", "encryption_key"])
def test_a_fingerprint_stands_for_both_keys(field: str) -> None:
    """Another signing or encryption key has another fingerprint."""
    other = replace(ALDER.member(), **{field: getattr(BEECH.member(), field)})
    assert fingerprint(other) != fingerprint(ALDER.member())


def test_a_fingerprint_does_not_depend_on_the_name() -> None:
    """Keys are compared, not what a party calls itself."""
    assert fingerprint(replace(ALDER.member(), name="x")) == fingerprint(ALDER.member())
