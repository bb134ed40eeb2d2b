"""The kept test vectors, against the slow computation and against the package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from site_agent.contract.securesum import fixedpoint, masks, pairing, transcript, vector
from site_agent.contract.securesum.fixedpoint import COUNT, ENCODINGS, REAL, SEALED, TALLY
from site_agent.contract.sums import Lane
from tests.site_agent.contract.securesum import slow
from tests.site_agent.contract.securesum.conftest import NAMES, NUMBERS, TIES, make

LAYOUT = vector.Layout(
    (
        (
            Lane("sealed", (len(NUMBERS["sealed"]),), SEALED),
            Lane("real", (len(NUMBERS["real"]),), REAL),
            Lane("count", (len(NUMBERS["count"]),), COUNT),
            Lane("tally", (len(NUMBERS["tally"]),), TALLY),
        ),
    )
)
ARRAYS = {
    name: np.array(values, dtype=object if name == "sealed" else np.float64)
    for name, values in NUMBERS.items()
}


def secrets(kept: dict[str, Any], name: str) -> dict[str, bytes]:
    """One site's pair secrets by the package, from the kept keys."""
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(kept["private"][name]))
    start = bytes.fromhex(kept["start"])
    return {
        other: masks.pair_secret(private, bytes.fromhex(public), start, halves(kept, name, other))
        for other, public in kept["public"].items()
        if other != name
    }


def halves(kept: dict[str, Any], one: str, other: str) -> bytes:
    """The pre-shared halves of two sites by the package, from the kept seeds."""
    seeds = {name: bytes.fromhex(seed) for name, seed in kept["seeds"].items()}
    found = {one: pairing.half(seeds[one], other), other: pairing.half(seeds[other], one)}
    return b"".join(found[name] for name in sorted(found))


def test_the_vectors_are_what_the_slow_computation_gives(vectors: dict[str, Any]) -> None:
    """What is kept is what exact whole numbers and RFC 5869 give today."""
    assert make() == vectors


@pytest.mark.parametrize("encoding", ["real", "count"])
def test_encoded_numbers(vectors: dict[str, Any], encoding: str) -> None:
    """Every kept number has the kept limbs."""
    numbers = np.array([float.fromhex(value) for value, _ in vectors["numbers"][encoding]])
    limbs = fixedpoint.encode(numbers, ENCODINGS[encoding], 3)
    assert [row.tobytes().hex() for row in limbs] == [w for _, w in vectors["numbers"][encoding]]


def test_tallies(vectors: dict[str, Any]) -> None:
    """Two kept tallies stand in a word, the first one low; the last of five is alone in its own."""
    limbs = fixedpoint.encode(np.array(NUMBERS["tally"]), TALLY, 3)
    kept = [bytes.fromhex(word)[:4].hex() for _, word in vectors["numbers"]["tally"]]
    assert limbs.tobytes().hex() == "".join([*kept, "00000000"])


def test_sealed_numbers(vectors: dict[str, Any]) -> None:
    """Every kept whole number has the kept limbs, in two's complement."""
    numbers = [int(value, 16) for value, _ in vectors["numbers"]["sealed"]]
    limbs = fixedpoint.encode_wide(numbers, SEALED)
    assert [row.tobytes().hex() for row in limbs] == [w for _, w in vectors["numbers"]["sealed"]]


@pytest.mark.parametrize("name", list(TIES))
def test_ties_go_to_the_even_neighbour(vectors: dict[str, Any], name: str) -> None:
    """Half a unit of 2^-128 goes to 0, one and a half to 2, two and a half to 2."""
    value, word = vectors["ties"][name]
    limbs = fixedpoint.encode(np.array([float.fromhex(value)]), REAL, 3)
    assert limbs.tobytes().hex() == word


def test_the_pair_secret(vectors: dict[str, Any]) -> None:
    """Both ends of a pair find the kept secret."""
    kept = vectors["masked"]
    found = {secrets(kept, "alder")["beech"].hex(), secrets(kept, "beech")["alder"].hex()}
    assert found == {kept["pair_secret"]}


def test_the_preshared_halves(vectors: dict[str, Any]) -> None:
    """Two sites join the kept halves in one order."""
    kept = vectors["masked"]
    found = {halves(kept, "alder", "beech").hex(), halves(kept, "beech", "alder").hex()}
    assert found == {kept["preshared"]}


@pytest.mark.parametrize("name", NAMES)
def test_parts_and_commitments(vectors: dict[str, Any], name: str) -> None:
    """Each site gives the kept part of the sites' secret, under the kept hash."""
    kept = vectors["masked"]
    own = pairing.part(bytes.fromhex(kept["seeds"][name]), bytes.fromhex(kept["start"]))
    expected = (kept["parts"][name], kept["commitments"][name])
    assert (own.hex(), pairing.commitment(own)) == expected


def test_an_encrypted_part(vectors: dict[str, Any]) -> None:
    """One site's part for one other stands on the wire as it is kept."""
    kept = vectors["masked"]
    own, pair = bytes.fromhex(kept["parts"]["alder"]), secrets(kept, "alder")["beech"]
    sent = pairing.encrypt(pair, pairing.PART, "alder", "beech", own)
    assert sent.hex() == kept["part_encrypted"]


def test_the_secret_of_the_sites(vectors: dict[str, Any]) -> None:
    """All parts make the kept secret."""
    kept = vectors["masked"]
    parts = {name: bytes.fromhex(part) for name, part in kept["parts"].items()}
    assert pairing.common_secret(parts, bytes.fromhex(kept["start"])).hex() == kept["secret"]


@pytest.mark.parametrize("section", ["open", "closed"])
@pytest.mark.parametrize("name", NAMES)
def test_masked_shares(vectors: dict[str, Any], name: str, section: str) -> None:
    """Each of three sites sends the kept bytes."""
    kept = vectors["masked"]
    asked = bytes.fromhex(kept["asked"])
    mask = masks.mask(LAYOUT, name, secrets(kept, name), transcript=asked, section=section)
    share = vector.plus(vector.encode(LAYOUT, [ARRAYS], 3), mask)
    assert vector.to_bytes(share).hex() == kept["shares"][section][name]


def test_the_shares_add_up(vectors: dict[str, Any]) -> None:
    """Three kept shares add up to three times the numbers, tiny doubles rounded once."""
    shares = vectors["masked"]["shares"]["open"].values()
    total = vector.from_bytes(LAYOUT, bytes(LAYOUT.byte_length))
    for share in shares:
        total = vector.plus(total, vector.from_bytes(LAYOUT, bytes.fromhex(share)))
    (found,) = vector.open_total(LAYOUT, total, 3)
    expected = [slow.decode(3 * slow.encode(x, "real") % 2**256, "real") for x in NUMBERS["real"]]
    threefold = {name: [3 * number for number in NUMBERS[name]] for name in ("sealed", "tally")}
    assert found["real"].tolist() == expected
    assert {name: found[name].tolist() for name in threefold} == threefold


def test_the_transcript(vectors: dict[str, Any]) -> None:
    """T0 over an OPEN and two READY messages, one of them empty."""
    assert transcript.opening(b"open", [b"ready 1", b""]).hex() == vectors["transcript"]


def test_hkdf_of_rfc_5869() -> None:
    """Appendix A.1 of RFC 5869: the slow HKDF gives the printed keying material."""
    key = slow.hkdf_extract(bytes(range(13)), b"\x0b" * 22)
    okm = slow.hkdf_expand(key, bytes(range(0xF0, 0xFA)), 42)
    assert okm.hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_aes_of_fips_197() -> None:
    """Appendix C.3 of FIPS 197: the block that counter mode by hand is made of."""
    key = bytes(range(32))
    found = slow.aes_block(key, bytes.fromhex("00112233445566778899aabbccddeeff"))
    assert found.hex() == "8ea2b7ca516745bfeafc49904b496089"
