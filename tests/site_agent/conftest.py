"""What the tests of commands and of the console share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.coordinator.exchange.office import Office


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An exchange with five hospitals and their study."""
    path = tmp_path_factory.mktemp("office") / "exchange.db"
    with Office(f"sqlite:///{path}") as office:
        yield office.furnished()
