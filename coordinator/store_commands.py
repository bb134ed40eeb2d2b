"""The commands that run the exchange alone, back the center up and put it back."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import click

from coordinator.command_options import FILE, home_here
from coordinator.home import host_and_port
from site_agent.runtime.logs import Lines, log


@click.command(name="exchange")
@click.pass_obj
def exchange_command(home: Path) -> None:
    """Run the exchange alone, until it is stopped; `coordinator up` runs it with all else.

    Example: coordinator exchange
    """
    from coordinator.exchange.serve import serve

    center = home_here(home)
    host, port = host_and_port(center.listen, "exchange.listen")
    logging.basicConfig(handlers=[Lines(log(center.settings["log.format"], "exchange"))])
    serve(
        database=center.database,
        listen_host=host,
        listen_port=port,
        center=center.identity().member(),
        largest_message=center.settings["exchange.largest_message_mib"] << 20,
        ready=lambda url: click.echo(f"exchange {url}"),
    )


@click.command()
@click.argument("file", type=FILE)
@click.pass_obj
def backup(home: Path, file: Path) -> None:
    """Write a backup of settings, key, studies, results and the exchange's store to FILE.

    Everything may run meanwhile. It holds the center's private key: keep it where only you can
    read. The history of Prefect's runs is left out.

    Example: coordinator backup /backup/center-2027-03-01.tar
    """
    from coordinator.backup import back_up

    said = back_up(home_here(home), file)
    names = ", ".join(said.about["studies"]) or "none"
    click.echo(
        f"{file}: {len(said.files)} files, {said.about['rows']} rows of the exchange's store"
    )
    click.echo(f"studies: {names}")


@click.command()
@click.argument("file", type=FILE)
@click.pass_obj
def restore(home: Path, file: Path) -> None:
    """Put the backup in FILE back into a new folder (--home) and an empty database.

    The database is that of the settings in the backup, or of QUORUM_EXCHANGE__DATABASE; it need
    not be of the same kind. Persons log in again. Burn a release that was under way if it does
    not go on.

    Example: coordinator restore /backup/center-2027-03-01.tar
    """
    from coordinator.backup import restore as put_back

    said, center = put_back(file, home, os.environ)
    click.echo(f"{center.folder}: the center as of {said.made}")
