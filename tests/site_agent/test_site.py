"""A hospital's agent as it is set up: what its settings lead to."""

from __future__ import annotations

from pathlib import Path

import pytest

from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.http import Connection
from site_agent.site import Site, open_site
from tests.protocol import CENTER, identity
from tests.site_agent.hospital import URL, set_up


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of an agent."""
    return tmp_path / "hospital"


def error(site: Site, what: str) -> str:
    """What is said when something of a site cannot be had."""
    with pytest.raises(ConfigurationError) as found:
        getattr(site, what)()
    return str(found.value)


def test_settings_that_are_not_there(tmp_path: Path) -> None:
    """Where there are no settings, the message says how to write or find them."""
    with pytest.raises(ConfigurationError) as found:
        open_site(tmp_path / "agent.toml", {})
    assert str(found.value) == (
        f"there are no settings at {tmp_path}/agent.toml; write them with `site-agent init "
        f"INVITATION`, or say with --config where they are"
    )


def test_the_parts_of_an_agent(folder: Path) -> None:
    """Name, key, center, ledger and vault are those of the folder."""
    site = set_up(folder)
    found = (site.name, site.identity().member(), site.center(), site.ledger().path)
    assert found == (
        *("alder", identity("alder").member(), identity(CENTER).member()),
        folder / "state" / "ledger.jsonl",
    )


def test_the_state_is_for_its_owner_alone(folder: Path) -> None:
    """A state folder that is made is closed to all others."""
    site = set_up(folder, more='\n[state]\nfolder = "deep/state"\n')
    assert (site.state, site.state.stat().st_mode & 0o777) == (folder / "deep" / "state", 0o700)


@pytest.mark.parametrize(("key", "what"), [("site.name", "identity"), ("exchange.url", "exchange")])
def test_a_setting_that_must_be_given(folder: Path, key: str, what: str) -> None:
    """A setting without a default that is not given is told when it is needed."""
    set_up(folder)
    kept = (folder / "agent.toml").read_text(encoding="utf-8").splitlines()
    name = key.partition(".")[2]
    lines = [line for line in kept if not line.startswith(f"{name} =")]
    (folder / "agent.toml").write_text("\n".join(lines), encoding="utf-8")
    found = error(open_site(folder / "agent.toml", {}), what)
    assert found.startswith(f"{folder}/agent.toml: {key} is not set; give it there")


def test_an_agent_without_key(folder: Path) -> None:
    """A missing key is told by its path."""
    site = set_up(folder)
    site.key.unlink()
    assert error(site, "identity").startswith(f"there is no key at {site.key}")


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"[]", b'{"name": 1}'])
def test_an_agent_without_its_center(folder: Path, content: bytes | None) -> None:
    """Keys of the center that are missing or damaged are told with the file's name."""
    site = set_up(folder)
    path = site.state / "center.json"
    path.unlink() if content is None else path.write_bytes(content)
    assert "center.json" in error(site, "center")


def test_the_connection(folder: Path) -> None:
    """Address, certificates, proxy and timeout are those of the settings."""
    more = 'proxy = "http://p:1"\nca_file = "ca.pem"\ntimeout_s = 5\n'
    expected = Connection(URL, folder / "ca.pem", "http://p:1", 5.0)
    assert set_up(folder, more=more).connection() == expected


def test_the_folder_of_a_study(folder: Path) -> None:
    """A study may have its data in a folder of its own, beside the settings or anywhere."""
    site = set_up(folder, more='\n[data.studies]\na = "of-a"\nb = "/srv/b"\n')
    found = [site.data(name) for name in ("a", "b", "c")]
    assert found == [folder / "of-a", Path("/srv/b"), folder / "data"]


def test_one_agent_runs_on_a_state(folder: Path) -> None:
    """A second agent of the same hospital does not run, and is told why."""
    site = set_up(folder)
    with site.running(), pytest.raises(ConfigurationError) as found, site.running():
        pass
    assert str(found.value) == (
        f"an agent is running already on {folder}/state; stop it first (two agents of one "
        f"hospital would answer twice)"
    )


def test_another_agent_may_run_afterwards(folder: Path) -> None:
    """When the first has ended, the next one runs."""
    site = set_up(folder)
    with site.running():
        pass
    with site.running():
        assert (site.state / "running").exists()


def test_an_error_of_the_agent_is_not_one_of_the_lock(folder: Path) -> None:
    """What goes wrong while an agent runs is not told as a second agent."""
    with pytest.raises(BlockingIOError), set_up(folder).running():
        raise BlockingIOError
