"""`coordinator backup` from SQLite and `coordinator restore` into PostgreSQL, as typed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coordinator.cli import cli
from coordinator.home import Home, open_home
from coordinator.released import entries
from site_agent.contract.errors import ConfigurationError
from tests.coordinator.exchange.postgres import new_database
from tests.coordinator.hospitals import Served
from tests.coordinator.test_released import begun, whole


def typed(*words: str) -> Result:
    """What a command of the center answers."""
    return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)


def releases(home: Home) -> list[tuple[int, str, tuple[str, ...]]]:
    """Number and state of each release, and which of its files were altered."""
    return [(one.number, one.state, one.altered) for one in entries(home, "protocol")]


def test_a_center_moves_to_postgresql(
    tmp_path: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its releases are there, unaltered and served by an exchange over the other database."""
    with Served(f"sqlite:///{tmp_path}/store.db") as office:
        home, center = begun(office, tmp_path)
        opened = whole(home, center).driver.release.digest
        office.decide("anna", opened=opened)
        monkeypatch.setenv("QUORUM_EXCHANGE__DATABASE", f"sqlite:///{tmp_path}/store.db")
        made = typed("--home", str(home.folder), "backup", str(tmp_path / "backup.tar"))
        before = releases(home)
    database = new_database(postgresql)
    monkeypatch.setenv("QUORUM_EXCHANGE__DATABASE", database)
    put = typed("--home", str(tmp_path / "again"), "restore", str(tmp_path / "backup.tar"))
    assert (made.exit_code, put.exit_code, before) == (0, 0, [(1, "released", ())])
    with Served(database) as office:
        monkeypatch.setenv("QUORUM_EXCHANGE__FROM_HERE", f"http://{office.listen}")
        again = open_home(tmp_path / "again", os.environ)
        assert releases(again) == before
    assert list((tmp_path / "again").glob("*.db*")) == []
    with pytest.raises(ConfigurationError, match="database is not empty"):
        typed("--home", str(tmp_path / "third"), "restore", str(tmp_path / "backup.tar"))
