"""The commands of the data steward: read a study, see what would leave, approve, revoke."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from site_agent.command_options import JSON, site_here


@click.command()
@click.argument("study")
@JSON
@click.pass_obj
def review(config: Path, study: str, as_json: bool) -> None:
    """Say in plain words what STUDY computes and what each class of sums gives away.

    Example: site-agent review anakinra
    """
    from site_agent.review import review as in_words
    from site_agent.review import review_document
    from site_agent.shelf import Shelf

    site = site_here(config)
    shelf = Shelf(site)
    found = shelf.find(study)
    before = shelf.earlier(found.revises) if found.revises else None
    if as_json:
        told = review_document(found, site.name, before)
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    click.echo(in_words(found, site.name, before))


@click.command()
@click.argument("study")
@JSON
@click.option("--full", is_flag=True, help="Show every number, not the first few of each array.")
@click.pass_obj
def preview(config: Path, study: str, as_json: bool, full: bool) -> None:
    """Show what would leave for STUDY (name, hash or file), number by number, not yet masked.

    Worked out on this machine from its own data; nothing is sent, and nothing is written down.
    These are this hospital's own numbers: keep what is printed as you keep the data.

    Example: site-agent preview anakinra
    """
    from site_agent.preview import preview as look
    from site_agent.preview_document import preview_document
    from site_agent.preview_words import in_words

    found = look(site_here(config), study)
    if as_json:
        click.echo(json.dumps(preview_document(found, full=full), indent=1, ensure_ascii=False))
        return
    click.echo(in_words(found, full=full), nl=False)


@click.command()
@click.argument("study")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Last day of the approval, UTC. Default: 365 days from now.",
)
@click.option("--yes", is_flag=True, help="Do not ask; for scripts of which the steward knows.")
@click.pass_obj
def approve(config: Path, study: str, until: datetime | None, yes: bool) -> None:
    """Approve STUDY for this hospital: from now on the agent answers its questions.

    Example: site-agent approve anakinra --until 2027-12-31
    """
    from site_agent import decisions
    from site_agent.shelf import Shelf

    site = site_here(config)
    found, end = Shelf(site).find(study), decisions.last_instant(until)
    asked = decisions.question(site, found, end)
    if not yes and not click.confirm(
        f"{asked} `site-agent review {study}` tells what it does", err=True
    ):
        raise click.Abort
    for said in decisions.approve(site, found, end):
        click.echo(said.text, err=said.aside)


@click.command()
@click.argument("study")
@click.pass_obj
def revoke(config: Path, study: str) -> None:
    """End the approval of STUDY: from now on none of its questions is answered.

    It asks nothing and has no --yes: to end is never harder than to approve. Releases that are
    closed cannot be taken back.

    Example: site-agent revoke anakinra
    """
    from site_agent import decisions
    from site_agent.shelf import Shelf

    site = site_here(config)
    for said in decisions.revoke(site, Shelf(site).find(study)):
        click.echo(said.text, err=said.aside)
