"""A hospital whose steward opens the console; its way out leads to an exchange in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from site_agent.site import Site
from tests.coordinator.exchange.office import Office
from tests.site_agent.console.serving import Served, served
from tests.site_agent.hospital import Way, furnished


@dataclass(frozen=True, slots=True)
class Hospital:
    """A hospital's agent with data and study, and its way out."""

    site: Site
    way: Way

    def entries(self) -> list[dict[str, Any]]:
        """What the ledger says."""
        return self.site.ledger().entries


@pytest.fixture
def hospital(office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hospital:
    """A hospital whose steward has not decided yet."""
    way = Way(office)
    monkeypatch.setattr(Site, "exchange", lambda _: way.exchange())
    return Hospital(furnished(tmp_path / "hospital"), way)


@pytest.fixture
def closed(hospital: Hospital) -> Iterator[Served]:
    """A console whose link was not used yet."""
    with served(hospital.site) as found:
        yield found


@pytest.fixture
def console(closed: Served) -> Served:
    """A console that was entered."""
    closed.enter()
    return closed
