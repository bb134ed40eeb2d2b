"""The commands that write a backup of this hospital's agent and put it back."""

from __future__ import annotations

import os
from pathlib import Path

import click

from site_agent.command_options import FILE
from site_agent.site import open_site


@click.command(name="backup")
@click.argument("file", type=FILE)
@click.pass_obj
def backup_command(config: Path, file: Path) -> None:
    """Write a backup of settings, keys, ledger, records and studies to FILE; the agent may run.

    It holds no record of a patient, but the private key, and keyed digests of what patients
    contributed together with their key: keep it where only you can read. Make one after every
    release.

    Example: site-agent backup /backup/agent-2027-03-01.tar
    """
    from site_agent.backup import back_up

    said = back_up(open_site(config, os.environ), file)
    click.echo(f"{file}: backup of '{said.name}', {len(said.files)} files")
    click.echo(
        f"ledger of {said.about['entries']} entries, the last of {said.about['last'] or '-'}"
    )


@click.command(name="restore")
@click.argument("file", type=FILE)
@click.pass_obj
def restore_command(config: Path, file: Path) -> None:
    """Put the backup in FILE back where there is no agent yet; --config says where.

    If this hospital has answered since the backup was made, the other hospitals refuse it
    until its newest ledger is back, or a revision pins a new key of it.

    Example: site-agent restore /backup/agent-2027-03-01.tar
    """
    from site_agent.backup import restore

    said, site = restore(file, config, os.environ)
    click.echo(f"{config}: agent of '{said.name}' as of {said.made}, state in {site.state}")
    click.echo(
        f"ledger of {said.about['entries']} entries, the last of {said.about['last'] or '-'}"
    )
    click.echo("All approvals have ended: the steward reviews the studies and approves them again.")
    click.echo(
        "If this hospital has answered since then, do not run it: the others would refuse it "
        "(rewound). Look for a newer backup; without one, `site-agent rotate-key --lost`, and a "
        "revision. A release that was under way is burned; the next one goes on.",
        err=True,
    )
