"""The exchange's store copied into another one, of the same kind or not."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, product
from pathlib import Path

import pytest

from coordinator.exchange.copies import copy_store
from site_agent.contract.errors import ConfigurationError
from tests.coordinator.exchange.office import FIRST, Office, digest, opening
from tests.coordinator.exchange.postgres import new_database
from tests.protocol import CENTER

Urls = Callable[[str], str]


@pytest.fixture
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Urls:
    """The URL of an empty database of a kind."""
    numbers = count()

    def url(kind: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path}/{next(numbers)}.db"
        return new_database(str(request.getfixturevalue("postgresql")))

    return url


def finished(database: str) -> list[bytes]:
    """A store with a released report; the messages of its release."""
    with Office(database) as office:
        office.furnished()
        office.post(CENTER, opening())
        office.finished()
        office.put_draft()
        office.put_person("anna", "statistician")
        office.decide("anna")
        return office.log(FIRST)


def numbers(office: Office, opened: str) -> list[int]:
    """The ids of a release's messages."""
    found = office.letters(CENTER, f"open={opened}&")
    return [int(letter.headers["Quorum-Message"]) for letter in found]


@pytest.mark.parametrize(("before", "after"), [*product(("sqlite", "postgresql"), repeat=2)])
def test_all_is_there(empty: Urls, before: str, after: str) -> None:
    """Messages, the decision and its files, in their order and with their ids."""
    source, target = empty(before), empty(after)
    log = finished(source)
    assert copy_store(source, target) > len(log)
    with Office(source) as first, Office(target) as second:
        ids = [numbers(office, FIRST) for office in (first, second)]
        told = [o.ask(CENTER, "GET", "/v1/reports").json() for o in (first, second)]
        files = [o.ask(CENTER, "GET", f"/v1/reports/{FIRST}").content for o in (first, second)]
        assert second.log(FIRST) == log
    assert (ids[0], told[0], files[0]) == (ids[1], told[1], files[1])


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_copy_goes_on(empty: Urls, kind: str) -> None:
    """New messages come behind the old ones."""
    source, target = empty("sqlite"), empty(kind)
    finished(source)
    copy_store(source, target)
    with Office(target) as office:
        office.post(CENTER, opening(2))
        before, after = numbers(office, FIRST), numbers(office, digest(opening(2)))
        assert [number > max(before) for number in after] == [True]


def test_a_store_that_holds_something_stays(empty: Urls) -> None:
    """It may be newer than the copy."""
    source, target = empty("sqlite"), empty("sqlite")
    finished(source)
    log = finished(target)
    with pytest.raises(ConfigurationError, match="is not empty"):
        copy_store(source, target)
    with Office(target) as office:
        assert office.log(FIRST) == log
