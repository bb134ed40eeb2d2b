"""`coordinator up`: once a center, on free addresses, and gone without a trace."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.cli import cli
from coordinator.home import Home, open_home
from coordinator.supervisor import Supervisor
from flows.up import parts, up
from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.locks import locked


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """What SIGTERM did before a test it does after it."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def center(folder: Path, exchange: int, prefect: int) -> Home:
    """A center that listens on two ports."""
    folder.mkdir(exist_ok=True)
    (folder / "center.toml").write_text(
        f'[exchange]\nlisten = "127.0.0.1:{exchange}"\n[prefect]\nlisten = "127.0.0.1:{prefect}"\n',
        encoding="utf-8",
    )
    return open_home(folder, {})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A center on free ports."""
    return center(tmp_path / "center", free_port(), free_port())


def test_the_parts_in_order(home: Home) -> None:
    """Flows need the server, and everything needs the exchange."""
    assert [part.name for part in parts(home)] == ["exchange", "Prefect server", "flow runner"]


def test_every_part_has_the_surroundings(home: Home) -> None:
    """The same center and the same server for all."""
    found = {(p.environment["QUORUM_HOME"], p.environment["PREFECT_API_URL"]) for p in parts(home)}
    assert found == {(str(home.folder), f"{home.prefect_url}/api")}


def test_commands_hold_no_secret(home: Home) -> None:
    """A command line can be read by every user of the machine."""
    (home.folder / "center.toml").write_text('[exchange]\ndatabase = "postgresql://u:secret@h/n"\n')
    found = parts(open_home(home.folder, {}))
    assert "secret" not in " ".join(word for part in found for word in part.command)


def test_our_commands_exist(home: Home) -> None:
    """The exchange is started by a command of ours."""
    assert parts(home)[0].command[-1] in cli.commands


def test_a_center_that_is_up_already(home: Home) -> None:
    """A second `up` of the same folder is told so."""
    with locked(home.folder / "up.lock"), pytest.raises(ConfigurationError) as caught:
        up(home, print)
    expected = f"the center in {home.folder} is up already; stop it first, or take another --home"
    assert (str(caught.value), caught.value.exit_code) == (expected, 78)


def test_a_center_that_is_up_keeps_its_marker(home: Home) -> None:
    """The second one leaves the file of the first alone."""
    marker = home.folder / "up.json"
    marker.touch()
    with locked(home.folder / "up.lock"), pytest.raises(ConfigurationError):
        up(home, print)
    assert marker.exists()


@pytest.mark.parametrize("key", ["exchange.listen", "prefect.listen"])
def test_an_address_that_is_in_use(key: str, tmp_path: Path) -> None:
    """Setting and address are named before anything is started."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        taken = int(sock.getsockname()[1])
        ports = (taken, free_port()) if key == "exchange.listen" else (free_port(), taken)
        home = center(tmp_path / "center", *ports)
        with pytest.raises(ConfigurationError) as caught:
            up(home, print)
    assert str(caught.value).startswith(f"{key} is 127.0.0.1:{taken}, and nothing can listen there")


def test_an_address_that_is_none(home: Home) -> None:
    """The setting is named."""
    changed = open_home(home.folder, {"QUORUM_PREFECT__LISTEN": "here"})
    with pytest.raises(ConfigurationError, match=r"prefect\.listen is 'here', expected address"):
        up(changed, print)


class Idle(Supervisor):
    """A supervisor without parts that is interrupted at once."""

    marker: Path
    seen: str = ""

    def keep(self) -> None:
        Idle.seen = Idle.marker.read_text(encoding="utf-8")
        raise KeyboardInterrupt


@pytest.fixture
def idle(home: Home, monkeypatch: pytest.MonkeyPatch) -> type[Idle]:
    """`up` without its processes."""
    Idle.marker = home.folder / "up.json"
    monkeypatch.setattr("flows.up.Supervisor", Idle)
    monkeypatch.setattr("flows.up.parts", lambda _: [])
    return Idle


def test_the_marker_while_it_is_up(home: Home, idle: type[Idle]) -> None:
    """Addresses for people and programs, gone when it is stopped."""
    up(home, lambda _: None)
    found = json.loads(idle.seen)
    expected = (home.local_url, home.prefect_url, False)
    assert (found["exchange"], found["prefect"], idle.marker.exists()) == expected


def test_what_is_told(home: Home, idle: type[Idle]) -> None:
    """That it is ready, how to stop it, that it is being stopped, that it has stopped."""
    said: list[str] = []
    up(home, said.append)
    assert said == ["ready; Ctrl-C stops everything", "stopping", "stopped"]


def test_sigterm_stops_like_an_interrupt(home: Home, idle: type[Idle]) -> None:
    """A service manager stops it as Ctrl-C does."""
    up(home, lambda _: None)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGTERM)
