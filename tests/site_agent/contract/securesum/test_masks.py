"""Masks cancel among sites that saw the same, and among no others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.errors import Refused
from site_agent.contract.securesum import masks, vector
from site_agent.contract.securesum.fixedpoint import COUNT, REAL, negate
from site_agent.contract.securesum.vector import Layout, Vector
from site_agent.contract.sums import Lane
from tests.site_agent.contract.securesum import slow

LAYOUT = Layout(((Lane("score", (3,), REAL), Lane("counts", (5,), COUNT)),))
ZERO = bytes(LAYOUT.byte_length)
ASKED = bytes(range(32))
FIVE = ("alder", "beech", "cedar", "dogwood", "elm")
LOW_ORDER = [bytes(32), (1).to_bytes(32, "little"), (2**255 - 20).to_bytes(32, "little")]


def secret(one: str, other: str) -> bytes:
    """A secret that two sites have in common."""
    return slow.hkdf_extract(b"test", "|".join(sorted((one, other))).encode())


def mask(site: str, sites: tuple[str, ...] = FIVE, **changed: Any) -> Vector:
    """One site's mask; `changed` is what this site alone saw otherwise."""
    secrets = {other: secret(site, other) for other in sites if other != site}
    asked = {"transcript": ASKED, "section": "open", **changed}
    return masks.mask(LAYOUT, site, secrets, **asked)


def added(vectors: Mapping[str, Vector]) -> bytes:
    """The sum of all vectors on the wire."""
    total = vector.from_bytes(LAYOUT, ZERO)
    for own in vectors.values():
        total = vector.plus(total, own)
    return vector.to_bytes(total)


@pytest.mark.parametrize("sites", [FIVE, FIVE[:2], FIVE[::-1], ("elm", "Elm", "elm-2")])
def test_masks_cancel_exactly(sites: tuple[str, ...]) -> None:
    """All masks of a roster add up to nothing, whatever the names and their order."""
    assert added({site: mask(site, sites) for site in sites}) == ZERO


def test_one_site_alone_has_no_mask() -> None:
    """Without another site there is nobody to share a stream with."""
    assert vector.to_bytes(mask("alder", ("alder",))) == ZERO


@pytest.mark.parametrize(
    "changed", [{"transcript": ASKED[::-1]}, {"section": "closed"}], ids=["transcript", "section"]
)
def test_masks_of_another_question_do_not_cancel(changed: dict[str, Any]) -> None:
    """One site that saw another transcript or section leaves random numbers everywhere."""
    own = {site: mask(site) for site in FIVE}
    total = added({**own, "cedar": mask("cedar", **changed)})
    words = [total[start : start + 8] for start in range(0, len(total), 8)]
    assert [word for word in words if word == bytes(8)] == []


def test_a_masked_vector_is_the_vector_and_its_mask() -> None:
    """Of more numbers than are masked at a time, in each encoding."""
    lanes = (Lane("score", (5000,), REAL), Lane("counts", (20_000,), COUNT))
    layout = Layout((lanes,))
    arrays = {lane.name: np.arange(lane.size) - 2500.0 for lane in lanes}
    own = vector.encode(layout, [arrays], 3)
    secrets = {other: secret("beech", other) for other in ("alder", "cedar")}
    found = masks.masked(own, "beech", secrets, transcript=ASKED, section="open")
    apart = masks.mask(layout, "beech", secrets, transcript=ASKED, section="open")
    assert vector.to_bytes(found) == vector.to_bytes(vector.plus(own, apart))


def test_masks_in_another_order_do_not_cancel() -> None:
    """Two sites that each take themselves for the first both add; nothing cancels."""
    streams = {"alder": mask("alder", FIVE[:2]), "beech": mask("alder", FIVE[:2])}
    assert added(streams) != ZERO


@pytest.mark.parametrize("left_out", FIVE)
def test_a_sum_without_one_site_says_nothing(left_out: str) -> None:
    """Four of five masks leave the fifth one's, which only all others together know."""
    total = added({site: mask(site) for site in FIVE if site != left_out})
    own = {name: negate(words) for name, words in mask(left_out).items()}
    assert total == vector.to_bytes(own)


@given(st.binary(min_size=32, max_size=32), st.sampled_from(["open", "closed"]))
def test_the_stream_is_aes_in_counter_mode(asked: bytes, section: str) -> None:
    """The earlier of two sites adds AES-256-CTR under HKDF's key, as computed by hand."""
    found = mask("alder", FIVE[:2], transcript=asked, section=section)
    names = ("beech", "alder")
    expected = slow.stream(secret(*names), names, asked, section, LAYOUT.byte_length)
    assert vector.to_bytes(found) == expected


def test_a_longer_vector_begins_with_the_same_stream() -> None:
    """The stream does not depend on the vector's length; T_r does, through the asks."""
    longer = Layout(((*LAYOUT.asks[0], Lane("more", (9,), COUNT)),))
    secrets = {"beech": secret("alder", "beech")}
    found = masks.mask(longer, "alder", secrets, transcript=ASKED, section="open")
    assert vector.to_bytes(found)[: len(ZERO)] == vector.to_bytes(mask("alder", FIVE[:2]))


def pair_secret(own: int = 1, start: bytes = b"0", preshared: bytes = bytes(64)) -> bytes:
    """The secret of a site whose private key is of this byte with one whose key is of twos."""
    private, other = (X25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (own, 2))
    return masks.pair_secret(private, other.public_key().public_bytes_raw(), start, preshared)


@pytest.mark.parametrize(
    "changed", [{"own": 3}, {"start": b"1"}, {"preshared": bytes(63) + b"\x01"}], ids=str
)
def test_everything_counts_in_the_pair_secret(changed: dict[str, Any]) -> None:
    """Another ephemeral key, another T0 or one bit of a half that was sealed: another secret.

    So who breaks X25519 later lacks the halves, and who breaks HPKE lacks the ephemeral keys.
    """
    assert pair_secret(**changed) != pair_secret()


def test_the_pair_secret_by_hand() -> None:
    """HKDF of RFC 5869 over the shared point and the halves, T0 as salt."""
    private, public = bytes([1]) * 32, slow.public_key(bytes([2]) * 32)
    assert pair_secret(preshared=ASKED * 2) == slow.pair_secret(private, public, b"0", ASKED * 2)


@pytest.mark.parametrize("key", [b"", b"short", bytes(33), *LOW_ORDER])
def test_unusable_keys_are_refused(key: bytes) -> None:
    """Keys of another length or of low order, whose secret anybody knows, are refused."""
    with pytest.raises(Refused) as refusal:
        masks.pair_secret(X25519PrivateKey.from_private_bytes(bytes(32)), key, ASKED, bytes(64))
    assert refusal.value.code == "key"


def test_a_masked_zero_looks_uniform() -> None:
    """Bytes of a masked zero vector: chi-square over 255 degrees of freedom within 5 sigma."""
    layout = Layout(((Lane("counts", (50_000,), COUNT),),))
    own = masks.mask(layout, "alder", {"elm": bytes(32)}, transcript=ASKED, section="open")
    counts = np.bincount(np.frombuffer(vector.to_bytes(own), np.uint8), minlength=256)
    statistic = ((counts - counts.mean()) ** 2 / counts.mean()).sum()
    assert abs(statistic - 255) < 5 * np.sqrt(2 * 255)
