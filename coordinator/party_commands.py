"""The commands on hospitals and persons: who is invited, enrolled, may log in."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Final

import click

from coordinator.center import (
    invite_site,
    list_sites,
)
from coordinator.center_words import table
from coordinator.command_options import FILE, JSON, home_here, typed_password
from coordinator.exchange.roles import ROLES
from coordinator.persons import is_person, persons, put_person, remove_person
from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.command import progress
from site_agent.runtime.http import patiently


@click.group()
def site() -> None:
    """Invite hospitals and see who is enrolled and online."""


@site.command()
@click.argument("names", nargs=-1, required=True)
@click.option(
    "--out",
    type=FILE,
    default=".",
    show_default=True,
    help="Folder for the invitation files, invitation-<name>.json.",
)
@click.pass_obj
def invite(home: Path, names: tuple[str, ...], out: Path) -> None:
    """Write an invitation for each hospital of NAMES: where the exchange is, and a token.

    Send it by a way that others do not read. It is used once; inviting again replaces it.

    Example: coordinator site invite north south
    """
    center = home_here(home)
    for name in names:
        path = out / f"invitation-{name}.json"
        until = patiently(partial(invite_site, center, name, path), tell=progress())
        click.echo(f"{path}: invitation of '{name}', good until {until}")
    click.echo("next, at the hospital: site-agent init invitation-<name>.json --data FOLDER")


@site.command(name="list")
@JSON
@click.pass_obj
def list_command(home: Path, as_json: bool) -> None:
    """List the hospitals: invited or enrolled, fingerprint, when last seen.

    Example: coordinator site list
    """
    found = patiently(lambda: list_sites(home_here(home)), tell=progress())
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for line in table(
        ("site", "state", "fingerprint", "seen", "software"),
        [[s["name"], s["state"], s["fingerprint"], s["seen"], s["software"]] for s in found],
    ):
        click.echo(line)
    if not found:
        click.echo("no hospital is invited yet: coordinator site invite NAME")


@click.group()
def person() -> None:
    """Keep the persons who may log in and release drafts."""


ROLE: Final = click.Choice(list(ROLES))


@person.command(name="add")
@click.argument("name")
@click.option("--role", type=ROLE, required=True, help="See docs/center.md, Persons.")
@click.pass_obj
def person_add(home: Path, name: str, role: str) -> None:
    """Add person NAME; their first password is asked for twice, or read as a line from stdin.

    Example: coordinator person add anna --role statistician
    """
    center = home_here(home)
    if is_person(center, name):
        raise ConfigurationError(
            f"'{name}' is here already; `coordinator person role {name} ROLE` changes the role"
        )
    put_person(center, name, role=role, password=typed_password("Password", twice=True))
    click.echo(f"{name} is added as {role}: {ROLES[role]}")


@person.command(name="role")
@click.argument("name")
@click.argument("role", type=ROLE)
@click.pass_obj
def person_role(home: Path, name: str, role: str) -> None:
    """Give NAME another ROLE; they log in anew.

    Example: coordinator person role anna admin
    """
    put_person(home_here(home), name, role=role)
    click.echo(f"{name} is {role} now: {ROLES[role]}")


@person.command(name="password")
@click.argument("name")
@click.pass_obj
def person_password(home: Path, name: str) -> None:
    """Give NAME another password, as `person add` does; they log in anew.

    Example: coordinator person password anna
    """
    put_person(home_here(home), name, password=typed_password("New password", twice=True))
    click.echo(f"{name} has a new password")


@person.command(name="remove")
@click.argument("name")
@click.pass_obj
def person_remove(home: Path, name: str) -> None:
    """Remove NAME: they cannot log in any more. What they decided stays, with their name.

    Example: coordinator person remove anna
    """
    remove_person(home_here(home), name)
    click.echo(f"{name} is removed")


@person.command(name="list")
@JSON
@click.pass_obj
def person_list(home: Path, as_json: bool) -> None:
    """List who may log in, with roles and when they came last.

    Example: coordinator person list
    """
    found = persons(home_here(home))
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for line in table(
        ("person", "role", "added", "logged in last"),
        [[one["name"], one["role"], one["added"], one["came"]] for one in found],
    ):
        click.echo(line)
    if not found:
        click.echo("nobody may log in yet: coordinator person add NAME --role ROLE")
