"""Settings: where each comes from, what is wrong with them, and what is shown of them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from coordinator.home import SETTINGS as CENTER_SETTINGS
from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.settings import Setting, Settings, Value, masked, read_settings, sample
from site_agent.site import HEAD, SETTINGS

TABLE = (
    Setting("site.name", "text", "", "Name."),
    Setting("site.attributes", "texts", {}, "Attributes."),
    Setting("exchange.url", "url", "", "Address."),
    Setting("exchange.proxy", "text", "", "Proxy.", secret=True),
    Setting("exchange.timeout_s", "number", 30.0, "Longest wait, seconds.", least=1),
    Setting("exchange.poll_s", "integer", 25, "Poll, seconds.", least=1),
    Setting("data.folder", "path", "data", "Folder."),
    Setting("work.careful", "flag", False, "Whether to be careful."),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The place of a settings file that is not there."""
    return tmp_path / "agent.toml"


def read(
    file: Path,
    text: str = "",
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
) -> Settings:
    """The settings of a file with this text."""
    file.write_text(text, encoding="utf-8")
    return read_settings(TABLE, file, environment or {}, flags)


def wrong(file: Path, text: str = "", environment: Mapping[str, str] | None = None) -> str:
    """What is said of settings that do not fit, without the first line."""
    with pytest.raises(ConfigurationError) as error:
        read(file, text, environment)
    return str(error.value).partition("\n  ")[2]


def source(found: Settings, key: str) -> tuple[Any, str]:
    """A value and where it comes from."""
    value = found.values_by_key[key]
    return value.value, value.source


# Where a value comes from


@pytest.fixture
def secrets(tmp_path: Path) -> str:
    """A folder of secret files with one in it."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "site__name").write_text("of a secret\n", encoding="utf-8")
    return str(folder)


NAMED = '[site]\nname = "of the file"\n'


@pytest.mark.parametrize(
    ("given", "shown"), [({}, "false"), ({"QUORUM_WORK__CAREFUL": "yes"}, "true")]
)
def test_a_flag_is_shown_as_a_file_has_it(file: Path, given: dict[str, str], shown: str) -> None:
    """A flag reads as it would be written into the file."""
    assert read(file, NAMED, given).values_by_key["work.careful"].shown() == shown


def test_a_flag_comes_first(file: Path, secrets: str) -> None:
    """What the command line says is before all else."""
    environment = {"QUORUM_SITE__NAME": "of the environment", "QUORUM_SECRETS": secrets}
    found = read(file, NAMED, environment, {"site.name": "of a flag"})
    assert source(found, "site.name") == ("of a flag", "flag")


def test_the_environment_comes_second(file: Path, secrets: str) -> None:
    """A variable is before secret file and settings file."""
    environment = {"QUORUM_SITE__NAME": "of the environment", "QUORUM_SECRETS": secrets}
    found = read(file, NAMED, environment, {"site.name": None})
    assert source(found, "site.name") == ("of the environment", "QUORUM_SITE__NAME")


def test_a_secret_file_comes_third(file: Path, secrets: str) -> None:
    """A secret file is before the settings file; its line end is not part of the value."""
    found = read(file, NAMED, {"QUORUM_SECRETS": secrets})
    assert source(found, "site.name") == ("of a secret", f"{secrets}/site__name")


def test_the_settings_file_comes_fourth(file: Path) -> None:
    """The settings file is before the default."""
    assert source(read(file, NAMED), "site.name") == ("of the file", str(file))


def test_the_default_comes_last(file: Path) -> None:
    """What nobody gives has its default."""
    assert source(read(file), "exchange.poll_s") == (25, "default")


def test_without_a_file_there_are_defaults(file: Path) -> None:
    """A settings file that is not there is as good as an empty one."""
    assert dict(read_settings(TABLE, file, {}))["exchange.timeout_s"] == 30.0


def test_other_variables_are_not_ours(file: Path) -> None:
    """Variables of other programs, and those that name folders, are no settings."""
    environment = {"PATH": "/bin", "QUORUM_CONFIG": "agent.toml", "QUORUM_HOME": "center"}
    assert read(file, "", environment)["site.name"] == ""


# Kinds


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("site.name", "north", "north"),
        ("site.attributes", "country=US, beds = 200", {"country": "US", "beds": "200"}),
        ("site.attributes", "", {}),
        ("exchange.url", "https://quorum.example/exchange", "https://quorum.example/exchange"),
        ("exchange.url", "http://[::1]:8470", "http://[::1]:8470"),
        ("exchange.timeout_s", "2.5", 2.5),
        ("exchange.poll_s", "5", 5),
        ("data.folder", "/srv/data", "/srv/data"),
        ("work.careful", "yes", True),
        ("work.careful", "0", False),
    ],
)
def test_a_variable_is_read_by_its_kind(file: Path, key: str, text: str, expected: object) -> None:
    """A text from the environment becomes a value of the setting's kind."""
    variable = "QUORUM_" + key.upper().replace(".", "__")
    assert read(file, "", {variable: text})[key] == expected


@pytest.mark.parametrize(
    ("text", "key", "expected"),
    [
        ("[exchange]\ntimeout_s = 5", "exchange.timeout_s", 5.0),
        ("[exchange]\npoll_s = 5.0", "exchange.poll_s", 5),
        ("[work]\ncareful = true", "work.careful", True),
        ('[site]\nattributes = {country = "US", beds = 200}', "site.attributes", None),
        ('[site.attributes]\ncountry = "US"\nbeds = 200', "site.attributes", None),
    ],
)
def test_toml_is_read_by_its_kind(file: Path, text: str, key: str, expected: object) -> None:
    """A value of the settings file becomes one of the setting's kind; tables hold texts."""
    assert read(file, text)[key] == (expected or {"country": "US", "beds": "200"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[site]\nname = 7", "site.name from FILE is '7', expected a text"),
        ('[site]\nattributes = ["US"]', "expected a table of texts"),
        ("[site.attributes]\ncountry = [1]", "expected a table of texts"),
        ('[exchange]\nurl = "quorum.example"', "http:// or https:// and a host"),
        ('[exchange]\nurl = "http://"', "http:// or https:// and a host"),
        ('[exchange]\nurl = "http://quorum.example:port"', "http:// or https:// and a host"),
        ('[exchange]\nurl = "http://[::1"', "http:// or https:// and a host"),
        ("[exchange]\ntimeout_s = 0.5", "expected a number of at least 1"),
        ("[exchange]\ntimeout_s = true", "expected a number of at least 1"),
        ("[exchange]\ntimeout_s = nan", "expected a number of at least 1"),
        ("[exchange]\ntimeout_s = inf", "expected a number of at least 1"),
        ("[exchange]\npoll_s = inf", "expected a whole number of at least 1"),
        ("[exchange]\npoll_s = 2.5", "expected a whole number of at least 1"),
        ('[exchange]\npoll_s = "soon"', "expected a whole number of at least 1"),
        ("[data]\nfolder = 1", "expected a path"),
        ('[work]\ncareful = "perhaps"', "expected true or false"),
    ],
)
def test_a_value_that_does_not_fit(file: Path, text: str, expected: str) -> None:
    """A bad value is told with its setting, its source and what was expected."""
    assert expected.replace("FILE", str(file)) in wrong(file, text)


def test_a_bad_variable_is_named(file: Path) -> None:
    """A bad value from the environment is told with the name of the variable."""
    expected = (
        "exchange.poll_s from QUORUM_EXCHANGE__POLL_S is '0', expected a whole number of at least 1"
    )
    assert wrong(file, "", {"QUORUM_EXCHANGE__POLL_S": "0"}) == expected


def test_several_problems_are_told_at_once(file: Path) -> None:
    """Everything that does not fit is told, not the first thing alone."""
    text = '[exchange]\npoll_s = 0\ntimeout_s = 0\nulr = "http://x"\n'
    assert len(wrong(file, text, {"QUORUM_SITE__NMAE": "north"}).splitlines()) == 4


# Unknown keys


def test_an_unknown_key_of_the_file(file: Path) -> None:
    """A typing error in the settings file is answered with the nearest name."""
    expected = "'exchange.ulr' in agent.toml is no setting; did you mean 'exchange.url'?"
    assert wrong(file, '[exchange]\nulr = "http://x"') == expected


def test_an_unknown_table_of_the_file(file: Path) -> None:
    """A table that is none is told with its keys."""
    expected = "'exchang.url' in agent.toml is no setting; did you mean 'exchange.url'?"
    assert wrong(file, '[exchang]\nurl = "http://x"') == expected


def test_a_key_outside_of_a_table(file: Path) -> None:
    """A key that stands above all tables is none."""
    assert wrong(file, 'name = "north"').startswith("'name' in agent.toml is no setting")


def test_an_unknown_variable(file: Path) -> None:
    """A typing error in a variable is answered with the nearest name."""
    expected = (
        "'QUORUM_EXCHANGE__ULR' in the environment is no setting; did you mean "
        "'QUORUM_EXCHANGE__URL'?"
    )
    assert wrong(file, "", {"QUORUM_EXCHANGE__ULR": "http://x"}) == expected


def test_one_underscore_for_two(file: Path) -> None:
    """A variable with one underscore where two belong is not passed over in silence."""
    expected = (
        "'QUORUM_EXCHANGE_POLL_S' in the environment is no setting; did you mean "
        "'QUORUM_EXCHANGE__POLL_S'?"
    )
    assert wrong(file, "", {"QUORUM_EXCHANGE_POLL_S": "5"}) == expected


def test_a_folder_of_secrets_that_is_not_there(file: Path) -> None:
    """A folder of secrets that was not mounted is not passed over in silence."""
    expected = "QUORUM_SECRETS names /nowhere/secrets, which is no folder here"
    assert wrong(file, "", {"QUORUM_SECRETS": "/nowhere/secrets"}) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"[site\n", "is not TOML"), (b'[site]\nname = "\xff"\n', "is not UTF-8 text")],
)
def test_a_file_that_cannot_be_read(file: Path, data: bytes, expected: str) -> None:
    """A settings file that is no TOML is told by its path."""
    file.write_bytes(data)
    with pytest.raises(ConfigurationError, match=f"agent.toml {expected}"):
        read_settings(TABLE, file, {})


# What is shown


def test_a_secret_is_masked(file: Path) -> None:
    """Of a secret, nothing is shown."""
    found = read(file, '[exchange]\nproxy = "http://user:password@proxy:3128"')
    assert found.values_by_key["exchange.proxy"].shown() == "****"


def test_a_secret_that_is_not_set_is_shown_as_such(file: Path) -> None:
    """One sees whether a secret is set."""
    assert read(file).values_by_key["exchange.proxy"].shown() == ""


def test_a_bad_secret_is_not_quoted(file: Path) -> None:
    """The message about a secret that does not fit does not hold it."""
    assert wrong(file, "[exchange]\nproxy = 1234567") == (
        f"exchange.proxy from {file} is ****, expected a text"
    )


@pytest.mark.parametrize("key", ["exchange.database", "prefect.database"])
def test_the_password_of_a_database_is_not_shown(key: str) -> None:
    """The addresses of databases, which hold passwords, are shown without them."""
    setting = next(s for s in CENTER_SETTINGS if s.key == key)
    shown = Value(setting, "postgresql://quorum:secret@db:5432/exchange", "").shown()
    assert ("secret" in shown, "****" in shown) == (False, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://u:p@ss@host/x", "postgresql://u:****@host/x"),
        ("http://host:8470", "http://host:8470"),
        ("http://[::1", "http://[::1"),
        ("/srv/data", "/srv/data"),
    ],
)
def test_what_is_masked_of_a_text(text: str, expected: str) -> None:
    """Only the password of an address is masked."""
    assert masked(text) == expected


def test_an_address_with_a_password_is_not_taken(file: Path) -> None:
    """The exchange's address has no password, which would be in messages, and none is shown."""
    found = wrong(file, '[exchange]\nurl = "http://user:secret@quorum.example"')
    assert ("without user and password" in found, "secret" in found) == (True, False)


def test_a_table_is_shown_in_a_line(file: Path) -> None:
    """A table of texts is shown as name = value."""
    found = read(file, '[site.attributes]\ncountry = "US"\nbeds = 200')
    assert found.values_by_key["site.attributes"].shown() == "country = US, beds = 200"


# Paths


def test_a_relative_path_begins_at_the_file(file: Path) -> None:
    """A relative path is taken from the folder of the settings, wherever the command runs."""
    assert read(file).path("data.folder") == file.parent / "data"


def test_an_absolute_path_stays(file: Path) -> None:
    """An absolute path is taken as it is."""
    assert read(file, '[data]\nfolder = "/srv/data"').path("data.folder") == Path("/srv/data")


# The sample


@pytest.mark.parametrize("table", [TABLE, SETTINGS, CENTER_SETTINGS], ids=["own", "site", "center"])
def test_the_sample_lists_every_setting(table: tuple[Setting, ...]) -> None:
    """A settings file that was written anew has a line for each key."""
    document = tomllib.loads(_uncommented(sample(table, "", {})))
    found = [f"{section}.{key}" for section, keys in document.items() for key in keys]
    assert sorted(found) == sorted(setting.key for setting in table)


@pytest.mark.parametrize("table", [TABLE, SETTINGS, CENTER_SETTINGS], ids=["own", "site", "center"])
def test_the_sample_shows_the_defaults(table: tuple[Setting, ...], file: Path) -> None:
    """With all its lines in force, the sample gives the defaults."""
    file.write_text(_uncommented(sample(table, "", {})), encoding="utf-8")
    assert dict(read_settings(table, file, {})) == {s.key: s.default for s in table}


def _uncommented(text: str) -> str:
    """The sample with the lines in force that show defaults."""
    lines = text.splitlines()
    return "\n".join(line.removeprefix("# ") if " = " in line else line for line in lines)


def test_the_sample_loads_as_it_is(file: Path) -> None:
    """The settings that `init` writes have the given values, and defaults for the rest."""
    given = {"site.name": "north", "site.attributes": {"country": "US"}}
    file.write_text(sample(SETTINGS, HEAD, given), encoding="utf-8")
    found = read_settings(SETTINGS, file, {})
    assert {k: v for k, v in found.items() if source(found, k)[1] != "default"} == given


def test_the_sample_keeps_odd_texts(file: Path) -> None:
    """Quotes, backslashes and names that are not bare words survive."""
    given = {"site.name": 'a "b" \\ c\n\x7f', "site.attributes": {"country": "US", "unit no": "4"}}
    file.write_text(sample(TABLE, "", given), encoding="utf-8")
    found = read_settings(TABLE, file, {})
    assert {key: found[key] for key in given} == given


def test_the_sample_says_what_each_setting_does() -> None:
    """The help of a setting stands above it, in lines that can be read."""
    text = sample(TABLE, "Settings.", {"exchange.poll_s": 5})
    assert "# Poll, seconds.\npoll_s = 5\n" in text


def test_a_path_in_the_folder_of_nobody(tmp_path: Path) -> None:
    """A user that the machine does not have is named, with the setting."""
    found = read_settings(TABLE, tmp_path / "a.toml", {"QUORUM_DATA__FOLDER": "~nobody-of-us/data"})
    with pytest.raises(ConfigurationError, match="data.folder is '~nobody-of-us/data'"):
        found.path("data.folder")
