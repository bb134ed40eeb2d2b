"""What sites exchange before the first round: halves of keys, and parts of their secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.errors import Refused
from site_agent.contract.identity import seal
from site_agent.contract.securesum import pairing
from tests.protocol import identity
from tests.site_agent.contract.securesum import slow

OPEN, START = "a" * 64, b"T0"
SEEDS = {"alder": bytes([1]) * 32, "beech": bytes([2]) * 32, "elm": bytes([3]) * 32}
NAMES = tuple(SEEDS)
PAIR = bytes(range(32))


def halves(sender: str, opened: str = OPEN) -> dict[str, bytes]:
    """One site's halves as it seals them, by receiver."""
    others = [name for name in NAMES if name != sender]
    members = [identity(name).member() for name in others]
    found = pairing.sealed_halves(SEEDS[sender], sender, members, opened)
    return dict(zip(others, found, strict=True))


def preshared(site: str, other: str, sealed: bytes, opened: str = OPEN) -> bytes:
    """The key that a site makes of its own half and one that was sealed to it."""
    return pairing.preshared(identity(site), SEEDS[site], other, sealed, opened)


def code(action: Callable[..., Any], *arguments: Any) -> str:
    """The code with which something is refused; "taken" if it is not."""
    try:
        action(*arguments)
    except Refused as refused:
        return refused.code
    return "taken"


# Halves


def test_both_ends_make_the_same_key() -> None:
    """Each from its own half and the other's, in the order of the names."""
    found = {
        preshared("alder", "elm", halves("elm")["alder"]),
        preshared("elm", "alder", halves("alder")["elm"]),
    }
    assert found == {slow.preshared(SEEDS, "alder", "elm")}


def test_a_half_is_for_one_site() -> None:
    """Each other site gets another half, by HKDF from the seed of the release."""
    found = [pairing.half(SEEDS["alder"], name) for name in ("beech", "elm")]
    assert found == [slow.half(SEEDS["alder"], name) for name in ("beech", "elm")]


def test_halves_are_sealed_afresh() -> None:
    """HPKE draws a key for each: two seals of one half differ, and hold the same."""
    one, other = (halves("elm")["alder"] for _ in range(2))
    assert (one != other, preshared("alder", "elm", one)) == (
        True,
        preshared("alder", "elm", other),
    )


MISUSED = {
    "sealed to another site": lambda: preshared("alder", "elm", halves("elm")["beech"]),
    "of another release": lambda: preshared("alder", "elm", halves("elm", "b" * 64)["alder"]),
    "in another site's name": lambda: preshared("alder", "beech", halves("elm")["alder"]),
    "altered": lambda: preshared("alder", "elm", halves("elm")["alder"][:-1] + b"?"),
    "empty": lambda: preshared("alder", "elm", b""),
    "too short": lambda: preshared("alder", "elm", of_length(31)),
    "too long": lambda: preshared("alder", "elm", of_length(33)),
}


def of_length(size: int) -> bytes:
    """A half of so many bytes, well sealed from elm to alder."""
    context = b"\x00".join([b"quorum/1/half", OPEN.encode(), b"elm", b"alder"])
    return seal(identity("alder").member(), bytes(size), context)


@pytest.mark.parametrize("name", MISUSED)
def test_halves_that_are_not_taken(name: str) -> None:
    """A seal is of one sender, receiver and release, and holds 32 bytes."""
    assert code(MISUSED[name]) == "seal"


# Parts of the sites' secret


def test_a_part_by_hand() -> None:
    """HKDF from the seed and T0: other READY messages, another part."""
    found = [pairing.part(SEEDS["alder"], start) for start in (START, b"T1")]
    assert found == [slow.part(SEEDS["alder"], start) for start in (START, b"T1")]


def test_a_part_is_no_half() -> None:
    """What is sealed to one site never is what enters the secret of all."""
    seed, name = SEEDS["alder"], "elm"
    assert pairing.part(seed, name.encode()) != pairing.half(seed, name)


def test_the_commitment_by_hand() -> None:
    """SHA-256 of the part under its own heading."""
    assert pairing.commitment(bytes(32)) == slow.commitment(bytes(32))


def test_the_secret_by_hand() -> None:
    """The hash of T0 and of all parts, by name, however they came."""
    parts = {name: pairing.part(seed, START) for name, seed in SEEDS.items()}
    shuffled = dict(reversed(parts.items()))
    found = {pairing.common_secret(given, START) for given in (parts, shuffled)}
    assert found == {slow.common_secret(parts, START)}


@pytest.mark.parametrize("changed", [*NAMES, "start", "one less"])
def test_everything_counts_in_the_secret(changed: str) -> None:
    """One bit of any hospital's part gives another secret: one honest part is enough."""
    parts = {name: pairing.part(seed, START) for name, seed in SEEDS.items()}
    other, start = dict(parts), START
    if changed == "start":
        start = b"T1"
    elif changed == "one less":
        del other["elm"]
    else:
        other[changed] = bytes([other[changed][0] ^ 1]) + other[changed][1:]
    assert pairing.common_secret(other, start) != pairing.common_secret(parts, START)


# Encryption between two sites


@given(st.binary(max_size=100))
def test_what_is_encrypted_comes_back(data: bytes) -> None:
    """Under the same pair, purpose and direction."""
    sent = pairing.encrypt(PAIR, pairing.PART, "alder", "elm", data)
    assert pairing.decrypt(PAIR, pairing.PART, "alder", "elm", sent) == data


def test_the_ciphertext_by_hand() -> None:
    """AES-256-GCM under a key of HKDF."""
    sent = pairing.encrypt(PAIR, pairing.PART, "alder", "elm", b"data")
    assert sent == slow.encrypted(PAIR, b"quorum/1/part-to", "alder", "elm", b"data")


@pytest.mark.parametrize(
    "changed",
    [
        {"pair": PAIR[::-1]},
        {"purpose": pairing.SPLIT},
        {"purpose": pairing.SPLIT + b"T_2"},
        {"sender": "elm", "receiver": "alder"},
        {"receiver": "beech"},
        {"data": b""},
        {"data": bytes(20)},
    ],
    ids=str,
)
def test_what_is_not_decrypted(changed: dict[str, Any]) -> None:
    """Under another key, for another purpose or round, the other way, or altered."""
    data = pairing.encrypt(PAIR, pairing.PART, "alder", "elm", b"data")
    asked = {
        "pair": PAIR,
        "purpose": pairing.PART,
        "sender": "alder",
        "receiver": "elm",
        "data": data,
    }
    assert code(pairing.decrypt, *{**asked, **changed}.values()) == "seal"


def test_no_key_encrypts_two_things() -> None:
    """Each pair, purpose, round and direction has its own key; the nonce can stay the same."""
    asked = [
        (purpose, sender, receiver)
        for purpose in (pairing.PART, pairing.SPLIT + b"1", pairing.SPLIT + b"2")
        for sender, receiver in [("alder", "elm"), ("elm", "alder"), ("alder", "beech")]
    ]
    found = {pairing.encrypt(PAIR, *one, bytes(32)) for one in asked}
    assert len(found) == len(asked)


# Who holds the secret


@pytest.mark.parametrize(
    ("at_center", "expected"),
    [("", NAMES), ("beech", ("alder", "elm")), ("fir", NAMES)],
)
def test_all_but_the_hospital_at_the_center(at_center: str, expected: tuple[str, ...]) -> None:
    """The center's own hospital holds no secret; one that takes no part changes nothing."""
    assert pairing.holders(NAMES, at_center) == expected
