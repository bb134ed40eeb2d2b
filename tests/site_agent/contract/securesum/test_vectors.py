"""The kept test vectors, against the slow computation and against the package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from site_agent.contract.securesum import fixedpoint, masks, transcript, vector
from site_agent.contract.securesum.fixedpoint import COUNT, ENCODINGS, REAL
from site_agent.contract.sums import Lane
from tests.site_agent.contract.securesum import slow
from tests.site_agent.contract.securesum.conftest import NAMES, NUMBERS, TIES, make

LAYOUT = vector.Layout(
    (
        (
            Lane("real", (len(NUMBERS["real"]),), REAL),
            Lane("count", (len(NUMBERS["count"]),), COUNT),
        ),
    )
)
ARRAYS = {name: np.array(values) for name, values in NUMBERS.items()}


def secrets(kept: dict[str, Any], name: str) -> dict[str, bytes]:
    """One site's pair secrets by the package, from the kept keys."""
    private = X25519PrivateKey.from_private_bytes(bytes.fromhex(kept["private"][name]))
    start = bytes.fromhex(kept["start"])
    return {
        other: masks.pair_secret(private, bytes.fromhex(public), start)
        for other, public in kept["public"].items()
        if other != name
    }


def test_the_vectors_are_what_the_slow_computation_gives(vectors: dict[str, Any]) -> None:
    """What is kept is what exact whole numbers and RFC 5869 give today."""
    assert make() == vectors


@pytest.mark.parametrize("encoding", list(NUMBERS))
def test_encoded_numbers(vectors: dict[str, Any], encoding: str) -> None:
    """Every kept number has the kept limbs."""
    numbers = np.array([float.fromhex(value) for value, _ in vectors["numbers"][encoding]])
    limbs = fixedpoint.encode(numbers, ENCODINGS[encoding], 3)
    assert [row.tobytes().hex() for row in limbs] == [w for _, w in vectors["numbers"][encoding]]


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
    """Three kept shares add up to three times the numbers, tiny ones rounded once."""
    shares = vectors["masked"]["shares"]["open"].values()
    total = vector.from_bytes(LAYOUT, bytes(LAYOUT.byte_length))
    for share in shares:
        total = vector.plus(total, vector.from_bytes(LAYOUT, bytes.fromhex(share)))
    (found,) = vector.open_total(LAYOUT, total, 3)
    expected = [slow.decode(3 * slow.encode(x, "real") % 2**256, "real") for x in NUMBERS["real"]]
    assert found["real"].tolist() == expected


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
