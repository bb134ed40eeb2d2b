"""Who may log in to the exchange's pages and release drafts, as the center's commands keep them."""

from __future__ import annotations

from typing import Any

from coordinator.exchange.passwords import check_password, keep
from coordinator.exchange.roles import NAME, NAME_IN_WORDS
from coordinator.home import Home
from site_agent.contract.errors import ConfigurationError, Declined
from site_agent.runtime.clock import utc_of


def persons(home: Home) -> list[dict[str, Any]]:
    """Return the persons who may log in, with their roles."""
    with home.exchange() as exchange:
        listed: list[dict[str, Any]] = exchange.read("/v1/persons")["persons"]
    return [
        {
            "name": one["name"],
            "role": one["role"],
            "added": utc_of(one["added"]),
            "came": "never" if one["came"] is None else utc_of(one["came"]),
        }
        for one in listed
    ]


def put_person(home: Home, name: str, *, role: str = "", password: str = "") -> None:
    """Add a person, or change role or password; the password itself stays on this machine."""
    _check_name(name)
    if password:
        check_password(password)
    said = {"role": role, "password": keep(password) if password else ""}
    with home.exchange() as exchange:
        exchange.write("PUT", f"/v1/persons/{name}", said)


def is_person(home: Home, name: str) -> bool:
    """Return whether somebody of this name may log in."""
    return any(one["name"] == name for one in persons(home))


def remove_person(home: Home, name: str) -> None:
    """Remove a person and end their sessions; ConfigurationError if nobody is called so."""
    _check_name(name)
    with home.exchange() as exchange:
        try:
            exchange.call("DELETE", f"/v1/persons/{name}")
        except Declined as declined:
            raise ConfigurationError(str(declined)) from None


def _check_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise ConfigurationError(f"'{name}' cannot be a person's name: expected {NAME_IN_WORDS}")
