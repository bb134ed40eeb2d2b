"""Backup of a center that runs, and its next release after it was put back."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.backup import back_up, restore
from coordinator.home import Home, open_home
from coordinator.released import entries
from site_agent.contract.errors import ConfigurationError
from tests.coordinator.hospitals import Center, Served
from tests.coordinator.test_released import begun, whole


def kept(home: Home) -> dict[str, bytes]:
    """Studies, results, settings and key."""
    return {
        str(path.relative_to(home.folder)): path.read_bytes()
        for path in home.folder.rglob("*")
        if path.is_file() and path.name.partition(".db")[1] == ""
    }


@pytest.fixture
def restored(tmp_path: Path) -> tuple[Home, Home, Center]:
    """A center with a released report, the same put back elsewhere, and its hospitals."""
    with Served(f"sqlite:///{tmp_path}/store.db") as office:
        home, center = begun(office, tmp_path)
        opened = whole(home, center).driver.release.digest
        office.decide("anna", opened=opened)
        database = {"QUORUM_EXCHANGE__DATABASE": f"sqlite:///{tmp_path}/store.db"}
        running = open_home(home.folder, database)
        back_up(running, tmp_path / "backup.tar")
    _, again = restore(tmp_path / "backup.tar", tmp_path / "again", {})
    return running, again, center


def test_all_is_put_back(restored: tuple[Home, Home, Center]) -> None:
    """Every file has its bytes, and no copy of the store is left beside it."""
    home, again, _ = restored
    assert kept(again) == kept(home)


def test_the_next_release_goes_on(restored: tuple[Home, Home, Center]) -> None:
    """The released report is there unaltered, and hospitals answer the next release."""
    _, again, center = restored
    with Served(again.database) as office:
        settings = (again.folder / "center.toml").read_text(encoding="utf-8")
        listen = f'[exchange]\nlisten = "{office.listen}"\n'
        (again.folder / "center.toml").write_text(
            listen + settings.partition("\n[prefect]")[1] + settings.partition("\n[prefect]")[2]
        )
        home = open_home(again.folder, {})
        center.office = center.hospitals.office = office
        before = [(e.number, e.state, e.altered) for e in entries(home, "protocol")]
        whole(home, center)
        after = [(e.number, e.state, e.altered) for e in entries(home, "protocol")]
    assert (before, after) == (
        [(1, "released", ())],
        [(2, "draft", ()), (1, "released", ())],
    )


def test_never_over_a_center(restored: tuple[Home, Home, Center], tmp_path: Path) -> None:
    """What is there may be newer."""
    _, again, _ = restored
    before = kept(again)
    with pytest.raises(ConfigurationError, match="is not empty"):
        restore(tmp_path / "backup.tar", again.folder, {})
    assert kept(again) == before
