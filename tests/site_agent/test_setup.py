"""Setting an agent up: from an invitation to settings, key and enrolment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from site_agent.contract.errors import ConfigurationError, Declined, Unreachable
from site_agent.runtime.http import Exchange
from site_agent.setup import enrol, set_up
from site_agent.site import Site
from tests.coordinator.exchange.office import Office
from tests.protocol import CENTER, identity
from tests.site_agent.hospital import NAME, URL, Way, invitation


@pytest.fixture
def invited(tmp_path: Path) -> Path:
    """The invitation of a hospital."""
    path = tmp_path / "invitation.json"
    path.write_bytes(invitation())
    return path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The place of settings that are not there yet."""
    return tmp_path / "quorum" / "agent.toml"


@pytest.fixture
def way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    """The way of all agents to an exchange in this process."""
    with Office(f"sqlite:///{tmp_path}/exchange.db") as office:
        way = Way(office)
        monkeypatch.setattr(Site, "exchange", lambda site: _exchange(way, site))
        yield way


def _exchange(way: Way, site: Site) -> Exchange:
    found = way.exchange()
    found._identity = site.identity()
    return found


def error(config: Path, invited: Path, *attributes: str) -> str:
    """Why an agent is not set up."""
    with pytest.raises(ConfigurationError) as found:
        set_up(config, invited, None, attributes)
    return str(found.value)


# What is written


def test_the_settings_are_those_of_the_invitation(config: Path, invited: Path) -> None:
    """Name and address come from the invitation; the rest has its default."""
    found = set_up(config, invited, None, ())
    assert (found.name, found.settings["exchange.url"], found.data("any")) == (
        *(NAME, URL),
        config.parent / "data",
    )


def test_what_is_given_is_in_the_settings(config: Path, invited: Path, tmp_path: Path) -> None:
    """Folder, attributes, proxy and certificates are written into the settings."""
    data, ca_file = tmp_path / "data", tmp_path / "ca.pem"
    found = set_up(
        config, invited, data, ("country=US", "unit no = 4"), proxy="http://p:1", ca_file=ca_file
    )
    connection = found.connection()
    assert (found.data("any"), dict(found.attributes), connection.proxy, connection.ca_file) == (
        *(data, {"country": "US", "unit no": "4"}, "http://p:1"),
        ca_file,
    )


def test_the_center_is_that_of_the_invitation(config: Path, invited: Path) -> None:
    """The center's keys are kept as the invitation gave them."""
    assert set_up(config, invited, None, ()).center() == identity(CENTER).member()


def test_only_its_owner_can_read_what_is_written(config: Path, invited: Path) -> None:
    """Settings, key, card and token are closed to all others."""
    found = set_up(config, invited, None, ())
    files = [config, *found.state.iterdir()]
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in files} == dict.fromkeys(
        ("agent.toml", "key", "center.json", "invitation.json"), "0o600"
    )


def test_nothing_is_sent(config: Path, invited: Path, way: Way) -> None:
    """Setting up does not go out."""
    set_up(config, invited, None, ())
    assert way.requests == []


def test_setting_up_again_keeps_the_key(config: Path, invited: Path) -> None:
    """A second time gives the same agent."""
    first = set_up(config, invited, None, ()).identity().secret()
    assert set_up(config, invited, None, ()).identity().secret() == first


def test_setting_up_again_keeps_the_settings(config: Path, invited: Path) -> None:
    """Settings that somebody edited stay as they are."""
    set_up(config, invited, None, ())
    config.write_text(config.read_text() + "# edited\n", encoding="utf-8")
    set_up(config, invited, None, ())
    assert config.read_text().endswith("# edited\n")


def test_what_kept_settings_do_not_say_is_told(config: Path, invited: Path, tmp_path: Path) -> None:
    """If kept settings differ from what is given now, that is told, value by value."""
    set_up(config, invited, tmp_path / "data", ())
    invited.write_bytes(invitation(url="https://elsewhere.example"))
    lines: list[str] = []
    set_up(config, invited, tmp_path / "data", (), proxy="http://u:secret@p:1", tell=lines.append)
    assert lines == [
        f"{config} is kept, and does not say exchange.url = https://elsewhere.example; edit it if "
        f"it should",
        f"{config} is kept, and does not say exchange.proxy = ****; edit it if it should",
    ]


# What is not taken


def test_no_invitation(config: Path, tmp_path: Path) -> None:
    """A missing invitation is told by its path."""
    found = error(config, tmp_path / "invitation.json")
    assert found == f"there is no invitation at {tmp_path}/invitation.json"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"site": 1}', b"[" * 100_000])
def test_a_file_that_is_no_invitation(config: Path, invited: Path, content: bytes) -> None:
    """Another file is told with what was expected."""
    invited.write_bytes(content)
    assert "invitation.json is not an invitation; expected the JSON file" in error(config, invited)


def test_a_name_that_is_none(config: Path, invited: Path) -> None:
    """A name that would lead out of a folder is not taken."""
    invited.write_bytes(invitation().replace(b'"site": "alder"', b'"site": "../alder"'))
    assert "the name of the site in it is not one" in error(config, invited)


def test_nothing_is_written_for_what_is_no_invitation(config: Path, invited: Path) -> None:
    """A bad invitation leaves no settings behind."""
    invited.write_bytes(b"{}")
    error(config, invited)
    assert not config.parent.exists()


def test_an_invitation_for_another_hospital(config: Path, invited: Path) -> None:
    """Settings are of one hospital."""
    set_up(config, invited, None, ())
    invited.write_bytes(invitation("beech"))
    assert error(config, invited) == (
        f"{config} is of 'alder', the invitation for 'beech'; take another --config for another "
        f"hospital"
    )


def test_an_invitation_of_another_center(config: Path, invited: Path) -> None:
    """Another center's keys are not taken in the place of those that are known."""
    found = set_up(config, invited, None, ())
    invited.write_bytes(invitation(center="stranger"))
    assert f"remove {found.state / 'center.json'} first" in error(config, invited)


def test_another_center_changes_nothing(config: Path, invited: Path) -> None:
    """After such an invitation, the known center stays."""
    found = set_up(config, invited, None, ())
    invited.write_bytes(invitation(center="stranger"))
    error(config, invited)
    assert found.center() == identity(CENTER).member()


@pytest.mark.parametrize("attribute", ["country", "=US", " = US"])
def test_an_attribute_without_name_or_value(config: Path, invited: Path, attribute: str) -> None:
    """An attribute is told with the form that is expected."""
    expected = f"--attribute {attribute}: expected NAME=VALUE, such as country=US"
    assert error(config, invited, attribute) == expected


# Enrolment


@pytest.fixture
def ready(config: Path, invited: Path, way: Way) -> Site:
    """An agent that is set up, and invited at its exchange."""
    way.office.invite(NAME)
    return set_up(config, invited, None, ("country=US",))


def parties(way: Way) -> list[str]:
    """The hospitals that the exchange knows."""
    listed = way.office.ask(CENTER, "GET", "/v1/parties").json()["sites"]
    return [site["name"] for site in listed]


def test_an_enrolment(ready: Site, way: Way) -> None:
    """The exchange knows a hospital that has enrolled."""
    enrol(ready)
    assert parties(way) == [NAME]


def test_an_enrolment_again(ready: Site, way: Way) -> None:
    """The same again changes nothing."""
    enrol(ready)
    enrol(ready)
    assert parties(way) == [NAME]


def test_what_is_sent_is_the_card(ready: Site, way: Way) -> None:
    """Public keys, attributes and the token go out, and no private key."""
    enrol(ready)
    (body,) = way.bodies("POST /v1/enrolments")
    assert (json.loads(body)["card"]["attributes"], sorted(json.loads(body))) == (
        *({"country": "US"},),
        ["card", "token"],
    )


def test_an_exchange_is_asked_before_the_token_is_sent(ready: Site, way: Way) -> None:
    """The token, which can be used once, is shown to nobody that is no exchange."""
    way.said["GET /v1/"] = httpx.Response(200, html="<html>login</html>")
    with pytest.raises(Unreachable):
        enrol(ready)
    assert way.bodies("POST") == []


def test_an_uninvited_hospital_is_declined(config: Path, invited: Path, way: Way) -> None:
    """An invitation that the exchange does not know is declined in its words."""
    with pytest.raises(Declined) as declined:
        enrol(set_up(config, invited, None, ()))
    assert (declined.value.code, declined.value.exit_code) == ("invitation", 77)


def test_an_enrolment_before_the_set_up_is_whole(ready: Site) -> None:
    """Without the invitation that `init` kept, the message says to call it."""
    (ready.state / "invitation.json").unlink()
    with pytest.raises(ConfigurationError, match="write it with `site-agent init INVITATION`"):
        enrol(ready)
