"""Setting a hospital's agent up: from an invitation to settings, key and enrolment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from site_agent.contract.enrolment import (
    Invitation,
    card,
    read_invitation,
    write_card,
)
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.identity import Identity
from site_agent.runtime.files import write_private
from site_agent.runtime.keys import ensure_identity
from site_agent.runtime.settings import Value, sample
from site_agent.site import HEAD, SETTINGS, Site, open_site

INVITATION = "invitation.json"


def set_up(
    config: Path,
    invitation: Path,
    data: Path | None,
    attributes: tuple[str, ...],
    *,
    proxy: str | None = None,
    ca_file: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Site:
    """Write settings, key and the center's card from an invitation; return the agent.

    Settings that are there are kept; `tell` hears what they have otherwise.

    ConfigurationError if the file is no invitation, or settings of another hospital are there.
    """
    found = read_invitation(_read(invitation), invitation.name)
    given: dict[str, Any] = {"site.name": found.site, "exchange.url": found.exchange}
    if attributes:
        given["site.attributes"] = dict(_attribute(text) for text in attributes)
    if data is not None:
        given["data.folder"] = str(data.absolute())
    if proxy:
        given["exchange.proxy"] = proxy
    if ca_file is not None:
        given["exchange.ca_file"] = str(ca_file.absolute())
    if not config.exists():
        config.parent.mkdir(parents=True, exist_ok=True)
        write_private(config, sample(SETTINGS, HEAD, given).encode())
    else:
        _tell_kept(config, given, tell)
    site = open_site(config, os.environ)
    _refuse_another(site, found, config)
    ensure_identity(site.key, site.name, os.urandom)
    write_private(site.state / "center.json", write_card(found.center))
    write_private(site.state / INVITATION, found.write())
    return site


def _tell_kept(config: Path, given: Mapping[str, Any], tell: Callable[[str], None]) -> None:
    """Tell which of the `given` values the settings, which stay as they are, do not have."""
    kept = open_site(config, {}).settings
    for key, value in given.items():
        if kept[key] != value and key != "site.name":
            wanted = Value(kept.values_by_key[key].setting, value, "").shown()
            tell(f"{config} is kept, and does not say {key} = {wanted}; edit it if it should")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"there is no invitation at {path}") from None


def _refuse_another(site: Site, found: Invitation, config: Path) -> None:
    """Refuse an invitation for another hospital, or of another center, than was set up here."""
    if site.name != found.site:
        raise ConfigurationError(
            f"{config} is of '{site.name}', the invitation for '{found.site}'; take another "
            f"--config for another hospital"
        )
    if (site.state / "center.json").exists() and site.center() != found.center:
        raise ConfigurationError(
            "the invitation is of another center, with other keys, than this agent was set up "
            "for; compare fingerprints with the center by telephone. If it has new keys, remove "
            f"{site.state / 'center.json'} first"
        )


def _attribute(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise ConfigurationError(f"--attribute {text}: expected NAME=VALUE, such as country=US")
    return name.strip(), value.strip()


def enrol(site: Site) -> None:
    """Send this hospital's card with the invitation's token; the same again changes nothing."""
    new = site.keys.next()
    if new is not None:
        _enrol_new(site, new)
        return
    path = site.state / INVITATION
    if not path.exists():
        raise ConfigurationError(f"{path} is missing; write it with `site-agent init INVITATION`")
    found = read_invitation(path.read_bytes(), path.name)
    said = {"card": card(site.keys.card()), "token": found.token}
    with site.exchange() as exchange:
        exchange.hello()
        exchange.write("POST", "/v1/enrolments", said)


def _enrol_new(site: Site, new: Identity) -> None:
    """Send the card of new keys, which the old ones have signed: no invitation is needed."""
    with site.exchange() as exchange:
        exchange.sign_as(new)
        exchange.hello()
        exchange.write("POST", "/v1/enrolments", {"card": card(site.keys.card()), "token": ""})
