"""The surroundings of Prefect's processes: quiet, at home, and nothing of ours lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.home import Home, open_home
from flows.environment import QUIET, surroundings


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A center's folder."""
    return open_home(tmp_path / "center", {})


def test_quiet_variables_are_all_there(home: Home) -> None:
    """No telemetry, no analytics, no promotion."""
    found = surroundings(home, {})
    assert {name: found[name] for name in QUIET} == dict(QUIET)


@pytest.mark.parametrize(
    "name", ["DO_NOT_TRACK", "PREFECT_SERVER_ANALYTICS_ENABLED", "PREFECT_SERVER_EPHEMERAL_ENABLED"]
)
def test_quiet_variables_are_not_overruled(name: str, home: Home) -> None:
    """What is inherited does not make it loud."""
    assert surroundings(home, {name: "loud"})[name] == QUIET[name]


@pytest.mark.parametrize("name", ["PREFECT_API_KEY", "PREFECT_PROFILE", "PREFECT_CLOUD_API_URL"])
def test_variables_of_prefect_are_not_inherited(name: str, home: Home) -> None:
    """A profile of this machine does not send a study's names elsewhere."""
    assert name not in surroundings(home, {name: "x"})


def test_the_server_is_our_own(home: Home) -> None:
    """Whatever address the machine has set."""
    found = surroundings(home, {"PREFECT_API_URL": "https://api.prefect.cloud/api"})
    assert found["PREFECT_API_URL"] == "http://127.0.0.1:4200/api"


def test_all_else_is_inherited(home: Home) -> None:
    """Path, proxies, and our own secrets reach the exchange and the flows."""
    ours = {"PATH": "/bin", "QUORUM_SECRETS": "/run/secrets", "QUORUM_EXCHANGE__DATABASE": "x"}
    found = surroundings(home, ours)
    assert {name: found[name] for name in ours} == ours


def test_prefect_keeps_everything_in_the_centers_folder(home: Home) -> None:
    """Nothing is written into the home folder of the user."""
    found = surroundings(home, {"PREFECT_HOME": "/root/.prefect"})
    places = ("PREFECT_HOME", "PREFECT_PROFILES_PATH", "PREFECT_LOCAL_STORAGE_PATH")
    assert all(Path(found[name]).is_relative_to(home.folder) for name in places)


def test_flows_find_the_same_center(home: Home) -> None:
    """A relative folder or another center in the environment does not lead them astray."""
    assert surroundings(home, {"QUORUM_HOME": "elsewhere"})["QUORUM_HOME"] == str(home.folder)


def test_the_store_of_the_server(home: Home) -> None:
    """Another database than SQLite is a setting of ours."""
    (home.folder / "center.toml").write_text('[prefect]\ndatabase = "postgresql+asyncpg://x/y"\n')
    found = surroundings(open_home(home.folder, {}), {})
    assert found["PREFECT_SERVER_DATABASE_CONNECTION_URL"] == "postgresql+asyncpg://x/y"


def test_no_store_of_the_server_without_a_setting(home: Home) -> None:
    """Then it is SQLite in the center's folder."""
    assert "PREFECT_SERVER_DATABASE_CONNECTION_URL" not in surroundings(home, {})
