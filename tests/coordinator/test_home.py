"""The center's folder: settings, addresses, key, studies."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from coordinator.home import HEAD, SETTINGS, Home, host_and_port, open_home
from site_agent.contract.errors import ConfigurationError, NotReady
from site_agent.runtime.settings import sample
from tests.coordinator.exchange.office import frozen_file


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A center's folder without anything in it."""
    return open_home(tmp_path / "center", {})


def add(home: Home, name: str) -> None:
    """Put a study file into its place."""
    home.study_folder(name).mkdir(parents=True)
    (home.study_folder(name) / "study.yaml").touch()


def with_settings(home: Home, text: str, **environment: str) -> Home:
    """The same folder with a settings file."""
    (home.folder / "center.toml").write_text(text, encoding="utf-8")
    return open_home(home.folder, environment)


def test_the_folder_is_for_its_owner_only(home: Home) -> None:
    """It will hold a private key."""
    assert stat.S_IMODE(home.folder.stat().st_mode) == 0o700


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    """A mistyped --home is told as such."""
    (tmp_path / "center").touch()
    with pytest.raises(ConfigurationError, match="is a file; expected the folder of the center"):
        open_home(tmp_path / "center", {})


def test_the_folder_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name is handed to processes that may run elsewhere."""
    monkeypatch.chdir(tmp_path)
    assert open_home(Path("center"), {}).folder == tmp_path / "center"


def test_the_key_is_made_once(home: Home) -> None:
    """The same keys whenever they are asked for, in a file that others cannot read."""
    found = home.identity().secret() == home.identity().secret()
    assert (found, stat.S_IMODE((home.folder / "key").stat().st_mode)) == (True, 0o600)


def test_addresses_without_settings(home: Home) -> None:
    """Everything listens on this machine only."""
    found = (home.local_url, home.public_url, home.prefect_url)
    assert found == ("http://127.0.0.1:8470", "http://127.0.0.1:8470", "http://127.0.0.1:4200")


def test_addresses_with_settings(home: Home) -> None:
    """Hospitals and this machine may reach the exchange under addresses of their own."""
    text = '[exchange]\nlisten = "0.0.0.0:1"\nurl = "https://x.org"\nfrom_here = "http://y:2"\n'
    found = with_settings(home, text)
    assert (found.listen, found.public_url, found.local_url) == (
        "0.0.0.0:1",
        "https://x.org",
        "http://y:2",
    )


def test_the_store_is_in_the_folder(home: Home) -> None:
    """Without a setting the exchange keeps its log beside the key."""
    assert home.database == f"sqlite:///{home.folder}/exchange.db"


def test_another_store_from_the_environment(home: Home) -> None:
    """A database with a password is given as a variable."""
    found = with_settings(home, "", QUORUM_EXCHANGE__DATABASE="postgresql://u:p@h/n")
    assert found.database == "postgresql://u:p@h/n"


def test_a_mistyped_setting_is_an_error(home: Home) -> None:
    """It is answered with the nearest one."""
    with pytest.raises(ConfigurationError, match="did you mean 'refresh.deadline_s'"):
        with_settings(home, "[refresh]\ndeadline = 3\n")


def test_the_sample_names_every_setting_and_loads(home: Home) -> None:
    """What documentation shows as a sample is a settings file of all defaults."""
    text = sample(SETTINGS, HEAD, {})
    named = all(f"{setting.key.partition('.')[2]} = " in text for setting in SETTINGS)
    assert (named, dict(with_settings(home, text).settings)) == (True, dict(home.settings))


def test_studies_that_were_added(home: Home) -> None:
    """By name."""
    add(home, "lung")
    add(home, "anakinra")
    assert home.studies() == ["anakinra", "lung"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lnug", "no study 'lnug' was added; did you mean 'lung'?"),
        ("zzz", "no study 'zzz' was added; known: lung; add one with `coordinator study add FILE`"),
    ],
)
def test_a_study_that_was_not_added(name: str, expected: str, home: Home) -> None:
    """The message names the nearest, or all that there are, and how to add one."""
    add(home, "lung")
    with pytest.raises(ConfigurationError) as caught:
        home.added(name)
    assert str(caught.value).startswith(expected)


def test_no_study_was_added(home: Home) -> None:
    """The message says what to do first."""
    with pytest.raises(ConfigurationError) as caught:
        home.added("lung")
    expected = "no study 'lung' was added; add one with `coordinator study add FILE`"
    assert str(caught.value) == expected


def test_a_study_that_is_not_frozen(home: Home) -> None:
    """What is not frozen yet is a matter of waiting for its hospitals."""
    add(home, "lung")
    with pytest.raises(NotReady, match="`coordinator study freeze lung`"):
        home.frozen("lung")


def test_the_frozen_study_in_force(home: Home) -> None:
    """The one that was kept last, with its text as it was published."""
    text, study = frozen_file()
    add(home, "protocol")
    path = home.keep_frozen(text, study)
    assert (home.frozen("protocol"), path.read_text(encoding="utf-8")) == (study, text)


def test_earlier_frozen_studies_are_kept(home: Home) -> None:
    """Their releases can be reported again."""
    (text, study), (other_text, other) = (
        frozen_file(),
        frozen_file(pinned=("alder", "elm", "beech")),
    )
    add(home, "protocol")
    home.keep_frozen(text, study)
    home.keep_frozen(other_text, other)
    first = home.frozen_file("protocol", study.hash).exists()
    assert (home.frozen("protocol").hash, first) == (other.hash, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("[::1]:8470", ("::1", 8470)),
        ("0.0.0.0:0", ("0.0.0.0", 0)),
    ],
)
def test_address_and_port(text: str, expected: tuple[str, int]) -> None:
    """As a socket takes them."""
    assert host_and_port(text, "exchange.listen") == expected


@pytest.mark.parametrize("text", ["", "8470", ":8470", "host", "host:", "host:x", "host:65536"])
def test_no_address_and_port(text: str) -> None:
    """The message names the setting and shows how it is written."""
    with pytest.raises(ConfigurationError) as caught:
        host_and_port(text, "prefect.listen")
    expected = f"prefect.listen is '{text}', expected address:port, as 127.0.0.1:8470"
    assert str(caught.value) == expected
