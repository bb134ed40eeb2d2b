"""What reaches the coordinating center: masked vectors, and nothing that a patient is in.

A whole release is run over folders of Parquet, as `coordinator simulate` runs it, with everything
that the center receives written down. Then each site's true sums are computed again, and looked
for: in the messages, and in what the center unseals.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pytest

from coordinator.release import Release
from coordinator.simulate import Surroundings, simulate
from site_agent.contract import messages
from site_agent.contract.conductor import Conductor, entry, sections
from site_agent.contract.frames import Rows
from site_agent.contract.messages import Message, Receipt, Share
from site_agent.contract.securesum import transcript, vector
from site_agent.contract.sums import Arrays, Ask
from site_agent.contract.totals import read_totals
from tests.protocol import PATIENTS, SITES, STUDY, clock, entropy, patients, the_data

TRIVIAL = {bytes(32), (2**128).to_bytes(32, "little")}  # nothing, and the check lane


@dataclass(frozen=True)
class Overheard:
    """A finished release, everything that the center received, and what it unsealed of that."""

    release: Release
    received: tuple[bytes, ...]

    @cached_property
    def shares(self) -> list[Message]:
        """All SHARE messages."""
        found = [messages.read(wire) for wire in self.received]
        return [message for message in found if message.kind == Share.TYPE]

    @cached_property
    def unsealed(self) -> list[bytes]:
        """The sealed parts of all shares, opened with the center's key."""
        identity = self.release.identity
        return [
            identity.unseal(
                message.part(1),
                transcript.sealing(bytes.fromhex(message.content["transcript"]), message.sender),
            )
            for message in self.shares
            if message.part(1)
        ]

    @cached_property
    def all_bytes(self) -> bytes:
        """Everything that the center could read."""
        return b"".join([*self.received, *self.unsealed])

    def asks(self) -> Iterator[tuple[Ask, ...]]:
        """The questions of each round, as they were asked."""
        conductor = Conductor(self.release.study)
        for logged in self.release.log:
            asks = conductor.adopt(logged.arguments)
            yield asks
            conductor.advance(read_totals(asks, logged.totals))

    def true_vectors(self, site: str) -> Iterator[bytes]:
        """One site's vectors of each round and section, without a mask."""
        for asks in self.asks():
            arrays = [_unblinded(ask, the_data(site).rows(ask.frame)) for ask in asks]
            for chosen in sections(asks).values():
                if chosen:
                    yield _unmasked([asks[i] for i in chosen], [arrays[i] for i in chosen])

    def open_parts(self, site: str) -> bytes:
        """The open vectors that one site sent."""
        return b"".join(share.part(0) for share in self.shares if share.sender == site)


def _unblinded(ask: Ask, rows: Rows) -> Arrays:
    """One site's sums; of a sealed one what it would send if nothing were blinded."""
    if not entry(ask).sealed:
        return entry(ask).own(rows, ask)
    parts = [split(rows, ask) for split in [entry(ask).split] if split is not None]
    lanes = {lane.name: np.zeros(lane.shape, dtype=object) for lane in entry(ask).lanes(ask)}
    numbers = np.array(parts[0], dtype=object).reshape(len(lanes["c"]), -1)
    p = ask.fixed["columns"]
    return {
        **lanes,
        "c": numbers[:, 0],
        "g": numbers[:, 1 : 1 + p],
        "q": numbers[:, 1 + p :],
        "overflow": np.zeros(1),
    }


def _unmasked(asks: list[Ask], arrays: list[Arrays]) -> bytes:
    layout = vector.Layout(tuple(entry(ask).lanes(ask) for ask in asks))
    return vector.to_bytes(vector.encode(layout, arrays, len(SITES)))


@pytest.fixture(scope="module")
def overheard(tmp_path_factory: pytest.TempPathFactory) -> Overheard:
    """A release run over folders, with fixed randomness."""
    folder = tmp_path_factory.mktemp("simulated")
    (folder / "study.yaml").write_text(STUDY, encoding="utf-8")
    for site in SITES:
        (folder / "sites" / site).mkdir(parents=True)
        patients(site).to_parquet(folder / "sites" / site / "patients.parquet", index=False)
    received: list[bytes] = []
    around = Surroundings(entropy=entropy("simulated"), clock=clock, received=received.append)
    done = simulate(folder / "study.yaml", folder / "sites", folder / "out", surroundings=around)
    return Overheard(done.release, tuple(received))


def words(data: bytes) -> set[bytes]:
    """The wide numbers that a vector begins with, trivial ones left out."""
    found = {data[start : start + 32] for start in range(0, len(data) - 31, 32)}
    return {word for word in found if word not in TRIVIAL and len(set(word)) > 4}


def test_everything_was_received(overheard: Overheard) -> None:
    """A READY, a share for each round and a receipt of each site: nothing was overlooked."""
    rounds = len(overheard.release.log)
    kinds = [messages.read(wire).kind for wire in overheard.received]
    assert [kinds.count(kind) for kind in ("READY", "SHARE", "RECEIPT")] == [5, 5 * rounds, 5]


def test_the_true_sums_are_known_here(overheard: Overheard) -> None:
    """The sums computed again are the right ones: over all sites they are the totals."""
    first = [next(iter(overheard.true_vectors(site))) for site in SITES]
    counted = [int.from_bytes(own[32:40], "little") for own in first]
    assert counted == list(PATIENTS.values())


@pytest.mark.parametrize("site", SITES)
def test_no_true_vector_is_received(overheard: Overheard, site: str) -> None:
    """None of a site's wide numbers stands anywhere in what the center can read."""
    true = {word for own in overheard.true_vectors(site) for word in words(own)}
    found = [word for word in true if word in overheard.all_bytes]
    assert (found, len(true) > 10) == ([], True)


@pytest.mark.parametrize("site", SITES)
def test_no_true_count_is_received(overheard: Overheard, site: str) -> None:
    """None of a site's counts stands where it would stand in an unmasked vector."""
    true = list(overheard.true_vectors(site))
    parts = [s.part(0) for s in overheard.shares] + overheard.unsealed
    equal = [
        start
        for own in true
        for part in parts
        if len(part) == len(own)
        for start in range(0, len(own), 8)
        if own[start : start + 8] == part[start : start + 8]
    ]
    assert equal == []


@pytest.mark.parametrize("site", SITES)
def test_the_sum_of_four_sites_is_not_received(overheard: Overheard, site: str) -> None:
    """Four shares together say as little as one: their check lane is not the number four."""
    lanes = [share.part(0)[:32] for share in overheard.shares if share.sender != site]
    rounds = [lanes[start : start + 4] for start in range(0, len(lanes), 4)]
    sums = [sum(int.from_bytes(lane, "little") for lane in four) % 2**256 for four in rounds]
    assert [total for total in sums if total == 4 * 2**128] == []


@pytest.mark.parametrize("site", SITES)
def test_open_vectors_look_uniform(overheard: Overheard, site: str) -> None:
    """Bytes of all open vectors of one site: chi-square over 255 degrees within 5 sigma."""
    counts = np.bincount(np.frombuffer(overheard.open_parts(site), np.uint8), minlength=256)
    statistic = ((counts - counts.mean()) ** 2 / counts.mean()).sum()
    assert abs(statistic - 255) < 5 * np.sqrt(2 * 255)


def test_unsealed_vectors_look_uniform(overheard: Overheard) -> None:
    """The same for what was sealed to the center."""
    counts = np.bincount(np.frombuffer(b"".join(overheard.unsealed), np.uint8), minlength=256)
    statistic = ((counts - counts.mean()) ** 2 / counts.mean()).sum()
    assert abs(statistic - 255) < 5 * np.sqrt(2 * 255)


def test_no_two_vectors_share_a_mask(overheard: Overheard) -> None:
    """No wide number is received twice: no stream was used for two vectors."""
    parts = [share.part(0) for share in overheard.shares] + overheard.unsealed
    received = [word for part in parts for word in words(part)]
    assert len(received) == len(set(received))


def _spellings(value: float) -> list[bytes]:
    """A planted value as doubles, as text, and as a fixed-point number."""
    fixed = round(value * 2**128)
    return [
        *(struct.pack(form, value) for form in ("<d", ">d")),
        repr(value).encode(),
        f"{value:.6f}".encode(),
        fixed.to_bytes(32, "little"),
        fixed.to_bytes(32, "big"),
    ]


@pytest.mark.parametrize("site", SITES)
def test_no_planted_value_is_received(overheard: Overheard, site: str) -> None:
    """No dose of any patient, in any spelling, and no patient's name."""
    rows = patients(site)
    planted = [text for dose in rows["dose"] for text in _spellings(float(dose))]
    planted += [name.encode() for name in rows["patient"]]
    assert [text for text in [*planted, b"canary"] if text in overheard.all_bytes] == []


def test_receipts_say_nothing_but_hashes(overheard: Overheard) -> None:
    """A receipt holds three hashes."""
    receipts = [messages.read(wire) for wire in overheard.received]
    said = [m.content for m in receipts if m.kind == Receipt.TYPE]
    lengths = {len(value) for content in said for value in content.values()}
    assert lengths == {64}
