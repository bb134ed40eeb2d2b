"""READY, PART and what keys come of them, among three sites without a core."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from site_agent.contract import messages
from site_agent.contract.canonical import sha256
from site_agent.contract.errors import Refused
from site_agent.contract.messages import Part, Ready
from site_agent.contract.securesum import pairing
from site_agent.handshake import (
    Offer,
    common_secret,
    pair_secrets,
    read_readies,
    write_part,
)
from tests.protocol import entropy, identity
from tests.site_agent.contract.securesum import slow

NAMES = ("alder", "beech", "elm")
OPEN, START = "a" * 64, b"T0"
OFFERS = {name: Offer.create(entropy(f"offer of {name}")) for name in NAMES}
ROSTER = {name: identity(name).member() for name in NAMES}


def ready(name: str, **changed: Any) -> bytes:
    """A site's READY; `changed` are fields, `halves` the sealed parts."""
    others = [ROSTER[other] for other in NAMES if other != name]
    halves = pairing.sealed_halves(OFFERS[name].seed, name, others, OPEN)
    halves = changed.pop("halves", halves)
    content = {
        "open": OPEN,
        "ephemeral": OFFERS[name].public,
        "snapshot": "snapshot",
        "ledger_head": "head",
        "ledger_length": 1,
        "software": "quorum",
        **changed,
    }
    return messages.write(identity(name), Ready(**content), halves)


def secrets(name: str, changed: dict[str, bytes] | None = None) -> dict[str, bytes]:
    """What a site shares with each other one."""
    wires = {**{other: ready(other) for other in NAMES}, **(changed or {})}
    found = read_readies(ROSTER, wires, OPEN)
    return pair_secrets(identity(name), OFFERS[name], found, OPEN, START)


def part(name: str) -> bytes:
    """A site's PART."""
    return write_part(identity(name), OFFERS[name], secrets(name), OPEN, START)


def secret(name: str, changed: dict[str, bytes] | None = None) -> bytes:
    """The sites' secret as one of them makes it."""
    wires = {**{other: part(other) for other in NAMES}, **(changed or {})}
    found = {other: messages.read(wire) for other, wire in wires.items()}
    return common_secret(name, OFFERS[name], secrets(name), found, START)


def code(action: Callable[..., Any], *arguments: Any) -> str:
    """The code with which something is refused; "taken" if it is not."""
    try:
        action(*arguments)
    except Refused as refused:
        return refused.code
    return "taken"


# The offer


def test_an_offer_comes_back_from_its_bytes() -> None:
    """What the vault keeps is all of it."""
    assert Offer.from_bytes(OFFERS["alder"].to_bytes()) == OFFERS["alder"]


def test_all_of_an_offer_is_random() -> None:
    """Salt, key and seed are drawn one after the other, 32 bytes each."""
    draw = entropy("offer of alder")
    assert OFFERS["alder"].to_bytes() == draw(32) + draw(32) + draw(32)


def test_the_commitment_is_salted() -> None:
    """Two sites with the same data commit to different hashes."""
    salt = OFFERS["alder"].salt
    found = OFFERS["alder"].snapshot("digest"), OFFERS["beech"].snapshot("digest")
    assert (found[0], found[0] != found[1]) == (sha256(salt + b"digest"), True)


# READY


def test_readies_come_back_by_site() -> None:
    """Each in the name and under the key that the study pins."""
    found = read_readies(ROSTER, {name: ready(name) for name in NAMES}, OPEN)
    assert {name: message.sender for name, message in found.items()} == {
        name: name for name in NAMES
    }


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (b"no message", "malformed"),
        (ready("beech"), "sender"),
        (ready("elm", open="b" * 64), "other_release"),
        (messages.write(identity("elm"), Part(OPEN, "c")), "malformed"),
    ],
)
def test_readies_that_are_not_taken(wire: bytes, expected: str) -> None:
    """No message, of another site, of another release, of another kind."""
    wires = {"alder": ready("alder"), "elm": wire}
    assert code(read_readies, ROSTER, wires, OPEN) == expected


def test_every_two_sites_have_one_secret() -> None:
    """Both ends find the same, and three pairs have three."""
    found = {name: secrets(name) for name in NAMES}
    pairs = {(one, other): found[one][other] for one in NAMES for other in NAMES if one != other}
    same = all(pairs[one, other] == pairs[other, one] for one, other in pairs)
    assert (same, len(set(pairs.values()))) == (True, 3)


def test_a_pair_secret_by_hand() -> None:
    """HKDF over X25519 and both sealed halves, T0 as salt."""
    seeds = {name: offer.seed for name, offer in OFFERS.items()}
    expected = slow.pair_secret(
        OFFERS["alder"].ephemeral,
        slow.public_key(OFFERS["elm"].ephemeral),
        START,
        slow.preshared(seeds, "alder", "elm"),
    )
    assert secrets("alder")["elm"] == expected


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"ephemeral": "AAAA"}, "key"),
        ({"ephemeral": "?"}, "key"),
        ({"ephemeral": ""}, "key"),
        ({"halves": []}, "malformed"),
        ({"halves": [b""]}, "malformed"),
        ({"halves": [b""] * 3}, "malformed"),
        ({"halves": [b"", b""]}, "seal"),
    ],
)
def test_readies_without_a_key(changed: dict[str, Any], expected: str) -> None:
    """A key that is none, halves too few, too many or not sealed to this site."""
    assert code(secrets, "alder", {"elm": ready("elm", **changed)}) == expected


def test_a_half_for_another_site_is_not_taken() -> None:
    """Halves in another order are sealed to another key."""
    first, second = (messages.read(ready("elm")).part(at) for at in (0, 1))
    assert code(secrets, "alder", {"elm": ready("elm", halves=[second, first])}) == "seal"


# PART


def test_all_sites_have_one_secret() -> None:
    """The hash of T0 and of all parts, as each site makes it."""
    parts = {name: slow.part(offer.seed, START) for name, offer in OFFERS.items()}
    assert {secret(name) for name in NAMES} == {slow.common_secret(parts, START)}


def test_a_part_is_told_to_nobody_else() -> None:
    """PART holds the hash of the part, and the part encrypted to each other site."""
    wire, own = part("alder"), slow.part(OFFERS["alder"].seed, START)
    said = messages.read(wire).content["commitment"]
    assert (said, own in wire, len(messages.read(wire).parts)) == (slow.commitment(own), False, 2)


def test_the_same_part_again() -> None:
    """A PART is not drawn anew: written again it has the same bytes."""
    assert part("alder") == part("alder")


def another_part(name: str, **changed: Any) -> bytes:
    """A site's PART with some of it changed; `sealed` are its ciphertexts."""
    message = messages.read(part(name))
    sealed = changed.pop("sealed", [message.part(at) for at in range(len(message.parts))])
    return messages.write(identity(name), Part(**{**message.content, **changed}), sealed)


def given_to_alder(data: bytes) -> list[bytes]:
    """Ciphertexts of elm of which the one to alder holds something else."""
    sent = pairing.encrypt(secrets("elm")["alder"], pairing.PART, "elm", "alder", data)
    return [sent, messages.read(part("elm")).part(1)]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (lambda: {}, "taken"),
        (lambda: {"commitment": "0" * 64}, "two_parts"),
        (lambda: {"sealed": given_to_alder(bytes(32))}, "two_parts"),
        (lambda: {"sealed": given_to_alder(b"")}, "two_parts"),
        (lambda: {"sealed": [b"", b""]}, "seal"),
        (lambda: {"sealed": given_to_alder(bytes(32))[::-1]}, "seal"),
        (lambda: {"sealed": []}, "malformed"),
        (lambda: {"sealed": [b"", b"", b""]}, "malformed"),
    ],
)
def test_parts_that_are_not_taken(changed: Callable[[], dict[str, Any]], expected: str) -> None:
    """A site that gives one site another part than it has told all is found out there."""
    assert code(secret, "alder", {"elm": another_part("elm", **changed())}) == expected


def test_who_got_the_true_part_does_not_see_it() -> None:
    """The other receiver takes its part; the one that was lied to stops the release for all."""
    lied = another_part("elm", sealed=given_to_alder(bytes(32)))
    assert code(secret, "beech", {"elm": lied}) == "taken"
