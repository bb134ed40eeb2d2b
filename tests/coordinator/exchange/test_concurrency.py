"""Many at once: one release at a time, and ids that become visible in their order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from tests.coordinator.exchange.office import (
    FIRST,
    Office,
    code,
    opening,
    ready,
    share,
)
from tests.protocol import CENTER, SITES

ROUNDS = 12


@pytest.fixture
def pair(furnished_database: str) -> Iterator[tuple[Office, Office]]:
    """Two processes of an exchange over one database."""
    with Office(furnished_database) as first, Office(furnished_database) as second:
        yield first, second


def test_two_releases_at_once(pair: tuple[Office, Office]) -> None:
    """Of several OPEN that come at the same moment exactly one begins a release."""
    wires = [opening(roster=SITES[:count]) for count in (3, 4, 5)] * 2
    with ThreadPoolExecutor(6) as pool:
        offices = [pair[at % 2] for at in range(len(wires))]
        answers = list(pool.map(lambda o, w: o.post(CENTER, w), offices, wires))
    found = sorted(map(code, answers))
    assert found == ["200", "201", *["release_under_way"] * 4]


def test_a_share_and_another_attempt_at_once(pair: tuple[Office, Office]) -> None:
    """Either the SHARE is in the log, or the attempt is replaced: never both."""
    pair[0].post(CENTER, opening())
    with ThreadPoolExecutor(2) as pool:
        sharing = pool.submit(pair[0].post, "alder", share("alder"))
        again = pool.submit(pair[1].post, CENTER, opening(attempt=2))
        found = (code(sharing.result()), code(again.result()))
    assert found in [("201", "release_under_way"), ("release_over", "201")]


def test_the_same_message_at_once(pair: tuple[Office, Office]) -> None:
    """One of many equal messages is put in, and all get its id."""
    pair[0].post(CENTER, opening())
    with ThreadPoolExecutor(8) as pool:
        offices = [pair[at % 2] for at in range(8)]
        answers = list(pool.map(lambda o: o.post("alder", ready("alder")), offices))
    found = sorted(answer.status_code for answer in answers)
    assert (found, {a.json()["id"] for a in answers}) == ([200] * 7 + [201], {2})


def test_ids_are_seen_in_order(pair: tuple[Office, Office]) -> None:
    """A reader that asks for what is behind the last id misses nothing."""
    first, second = pair
    first.post(CENTER, opening())
    done = Event()

    def reader() -> list[str]:
        found: list[str] = []
        while True:
            last = done.is_set()
            after = found[-1] if found else "1"
            answer = second.mail(CENTER, f"open={FIRST}&after={after}")
            if answer.status_code == 200:
                found.append(answer.headers["Quorum-Message"])
            elif last:
                return found

    def writer(site: str) -> list[str]:
        office = pair[SITES.index(site) % 2]
        wires = [share(site, number) for number in range(ROUNDS)]
        return [str(office.post(site, wire).json()["id"]) for wire in wires]

    with ThreadPoolExecutor(6) as pool:
        reading = pool.submit(reader)
        written = [own for ids in pool.map(writer, SITES) for own in ids]
        done.set()
        seen = reading.result()
    assert (seen, len(seen)) == (sorted(written, key=int), len(SITES) * ROUNDS)
