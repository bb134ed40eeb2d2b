"""The hospital's commands.

stdout is the result, stderr progress and messages. Exit codes: see docs/exit-codes.md.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from site_agent.backing_up import backup_command, restore_command
from site_agent.command_options import FILE, JSON, site_here
from site_agent.console.command import console
from site_agent.contract.identity import fingerprint
from site_agent.contract.version import VERSION
from site_agent.local.command import figures
from site_agent.runtime.command import progress, run
from site_agent.runtime.http import patiently
from site_agent.steward_commands import approve, preview, review, revoke


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(cli, arguments))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="site-agent")
@click.option(
    "--config",
    type=FILE,
    default="agent.toml",
    show_default=True,
    envvar="QUORUM_CONFIG",
    help="Settings of this agent.",
)
@click.pass_context
def cli(context: click.Context, config: Path) -> None:
    """The agent of one hospital: its records stay here, masked sums leave."""
    context.obj = config


def _say(line: str) -> None:
    click.echo(line, err=True)


@cli.command()
@click.argument("invitation", type=FILE)
@click.option("--data", type=FILE, help="Folder with this hospital's Parquet files.")
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    help="What is fixed for this hospital and declared in studies, such as country=US.",
)
@click.option("--proxy", help="Proxy for the way out; without password. See exchange.proxy.")
@click.option("--ca-file", type=FILE, help="Certificates to trust beside the system's.")
@click.pass_obj
def init(
    config: Path,
    invitation: Path,
    data: Path | None,
    attributes: tuple[str, ...],
    proxy: str | None,
    ca_file: Path | None,
) -> None:
    """Set this hospital's agent up from the center's INVITATION: settings and key.

    Nothing is sent. What exists is kept: a key is never overwritten.

    Example: site-agent init invitation-north.json --data /srv/quorum/data --attribute country=US
    """
    from site_agent.setup import set_up

    found = set_up(config, invitation, data, attributes, proxy=proxy, ca_file=ca_file, tell=_say)
    click.echo(f"{config.absolute()}: settings of '{found.name}'; look through them")
    click.echo(f"key          {found.key}: make a backup that only you can read")
    click.echo(f"fingerprint  {fingerprint(found.identity().member())} ({found.name})")
    click.echo(f"fingerprint  {fingerprint(found.center())} (center; compare by telephone)")
    folder = found.settings.path("data.folder")
    if not folder.is_dir():
        click.echo(
            f"data         {folder} is not there yet; it has to be before a release", err=True
        )
    click.echo("next         site-agent enrol")


@cli.command()
@click.pass_obj
def enrol(config: Path) -> None:
    """Send this hospital's enrolment card, its public keys, to the exchange.

    Example: site-agent enrol
    """
    from site_agent.setup import enrol as send

    site = site_here(config)
    patiently(lambda: send(site), tell=progress())
    card = site.keys.card()
    signed = " (signed by the key before)" if card.replaces else ""
    click.echo(
        f"'{site.name}' is enrolled, fingerprint {fingerprint(card)}{signed}; the "
        f"center compares it with you by telephone before it freezes a study"
    )


@cli.command(name="rotate-key")
@click.option(
    "--lost",
    is_flag=True,
    help="The key was lost, or somebody may have it: it signs nothing any more.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def rotate_key(config: Path, lost: bool, yes: bool) -> None:
    """Make new keys for this hospital; nothing is sent until `site-agent enrol`.

    The old key signs that the new one replaces it, and goes on answering the studies that pin
    it. When the center has frozen its studies anew and the steward has approved the
    revisions, it is erased.

    Example: site-agent rotate-key
    """
    site = site_here(config)
    if not lost:
        old, new = site.keys.rotate(os.urandom)
        click.echo(f"key          {site.keys.next_path}: make a backup that only you can read")
        click.echo(f"fingerprint  {new} (new; read it to the center by telephone)")
        click.echo(f"fingerprint  {old} (old; in use until the revisions are approved)")
        click.echo("next         site-agent enrol")
        return
    asked = "Erase the present key at once? All studies then wait for a revision"
    if not yes and not click.confirm(asked, err=True):
        raise click.Abort
    old, new = site.keys.replace(os.urandom, site.ledger())
    click.echo(f"key          {site.key}: make a backup that only you can read")
    click.echo(f"fingerprint  {new} (new; no other key vouches for it: the center and each")
    click.echo("             hospital must compare it with you by telephone)")
    click.echo(
        f"fingerprint  {old or 'unknown'} (old; tell the center that it is not to be trusted)"
    )
    click.echo("next         a new invitation from the center, site-agent init, site-agent enrol")


@cli.command()
@JSON
@click.pass_obj
def studies(config: Path, as_json: bool) -> None:
    """Fetch the studies that the center has for this hospital, and say where each stands.

    Example: site-agent studies
    """
    from site_agent.standing import standing

    site = site_here(config)
    found = patiently(lambda: standing(site), tell=progress())
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for entry in found:
        click.echo(f"{entry['name']}  {entry['hash'][:16]}  {entry['standing']}")
        if entry.get("problem"):
            click.echo(f"  not taken: {entry['problem']}")
    if not found:
        click.echo("the center has no study for this hospital yet")


@cli.command()
@click.argument("study")
@JSON
@click.option("--html", type=FILE, help="Write the report as a page, too, for who mends the data.")
@click.option(
    "--show-keys",
    is_flag=True,
    help="Name the patients of each finding, on this terminal only; the first 50.",
)
@click.pass_obj
def check(config: Path, study: str, *, as_json: bool, html: Path | None, show_keys: bool) -> None:
    """Check this hospital's data against STUDY (name, hash or file); nothing is sent.

    Findings are what a release would be refused for, warnings what somebody should look at. Then
    come the missing values of each column, and who drops out of which analysis and why. Exit
    code 1 if there is a finding. Nothing shows a value.

    Example: site-agent check anakinra --html check.html
    """
    from site_agent.check import look_through
    from site_agent.checking.report import Unfit
    from site_agent.checking.words import in_words

    if show_keys and (as_json or not sys.stdout.isatty()):
        raise click.UsageError("--show-keys writes to a terminal, never to a file, pipe or JSON")
    report = look_through(site_here(config), study, show_keys=show_keys)
    if html is not None:
        from site_agent.checking.page import page
        from site_agent.runtime.files import write_private

        write_private(html, page(report).encode())
    if as_json:
        click.echo(json.dumps(report.document(), indent=1, ensure_ascii=False))
    else:
        for line in in_words(report, show_keys=show_keys):
            click.echo(line)
    if report.findings:
        raise Unfit(report)


@cli.command(name="import")
@click.argument("study")
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--draft",
    type=FILE,
    help="Write a mapping for these files, to be completed, and import nothing.",
)
@click.option(
    "--out",
    type=FILE,
    help="Folder for the tables. Default: the folder of the study's data in the settings.",
)
@JSON
@click.pass_obj
def import_command(
    config: Path,
    study: str,
    files: tuple[Path, ...],
    draft: Path | None,
    *,
    out: Path | None,
    as_json: bool,
) -> None:
    """Turn this hospital's FILES into the tables of STUDY (name, hash or file); nothing is sent.

    Without --draft, FILES is one mapping file, which says where each column comes from. With
    --draft, FILES are CSV, Excel, SPSS, Stata or SAS files, and REDCap's data dictionary if there
    is one. The tables are checked before they take the place of older ones. Exit code 1 if
    something does not fit; it is told by file, row and column, never by value. Warnings, on
    standard error, tell values that the mapping leaves out.

    Example: site-agent import anakinra --draft mapping.yaml export.csv dictionary.csv

    Example: site-agent import anakinra mapping.yaml
    """
    from site_agent.check import study_and_data
    from site_agent.importing.run import import_tables, write_draft

    site = site_here(config)
    wanted, folder, attributes = study_and_data(site, study)
    if draft is not None:
        left = write_draft(wanted, files, draft)
        click.echo(f"{draft}: drafted, {left} places stand open; complete it, then")
        click.echo(f"next         site-agent import {study} {draft}")
        return
    if len(files) > 1:
        raise click.UsageError("expected one mapping file; with --draft, the files to map")
    found = import_tables(wanted, files[0], out or folder, site.name, attributes)
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)
    if as_json:
        told = {"study": wanted.name, "folder": str(found.folder), "rows": dict(found.rows)}
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    counted = ", ".join(f"{count} in {name}" for name, count in found.rows.items())
    click.echo(f"{found.folder}: rows {counted}")
    click.echo(f"next         site-agent check {study}")


@cli.command(name="run")
@click.pass_obj
def run_command(config: Path) -> None:
    """Run the agent: fetch questions, answer those that are approved, until it is stopped.

    Example: site-agent run
    """
    from site_agent.service import serve

    serve(site_here(config))


@cli.command()
@click.argument("study")
@click.argument("number", metavar="[RELEASE]", type=int, required=False)
@click.option("--out", type=FILE, help="Folder to write it to. Default: in state.folder.")
@click.option("--list", "only_list", is_flag=True, help="List what is released; fetch nothing.")
@JSON
@click.pass_obj
def report(
    config: Path,
    study: str,
    number: int | None,
    out: Path | None,
    only_list: bool,
    as_json: bool,
) -> None:
    """Fetch the released report of STUDY: of RELEASE, or of the last one.

    It is kept only if the center that the study names has signed it. Exit code 75 if no person at
    the center has released one yet.

    Example: site-agent report anakinra --out reports
    """
    from site_agent.reports import fetch_report, list_reports

    site = site_here(config)
    if only_list:
        listed = patiently(lambda: list_reports(site, study), tell=progress())
        if as_json:
            click.echo(json.dumps(listed, indent=1, ensure_ascii=False))
            return
        for one in listed:
            click.echo(f"{one['study']}  release {one['release']}  released {one['released']}")
        if not listed:
            click.echo(f"no report of {study} is released yet")
        return
    found = patiently(lambda: fetch_report(site, study, number, out), tell=progress())
    if as_json:
        paths = [str(path) for path in found.paths]
        told = {"study": found.study, "release": found.number, "released": found.released}
        click.echo(json.dumps({**told, "files": paths}, indent=1, ensure_ascii=False))
        return
    for path in found.paths:
        click.echo(f"{path}: release {found.number} of {found.study}, released {found.released}")


@cli.group()
def ledger() -> None:
    """Look at what this hospital has answered, refused and approved."""


@ledger.command()
@JSON
@click.pass_obj
def show(config: Path, as_json: bool) -> None:
    """Say entry by entry what left this hospital, when, and for which analyses.

    Example: site-agent ledger show
    """
    from site_agent.ledger_words import in_words
    from site_agent.shelf import Shelf

    site = site_here(config)
    entries: list[dict[str, Any]] = site.ledger().entries
    if as_json:
        click.echo(json.dumps(entries, indent=1, ensure_ascii=False))
        return
    for line in in_words(entries, Shelf(site).readable()):
        click.echo(line)
    if not entries:
        click.echo("the ledger is empty: nothing was approved, answered or refused")


@ledger.command()
@click.pass_obj
def verify(config: Path) -> None:
    """Verify the ledger's chain; print its length and head.

    Example: site-agent ledger verify
    """
    found = site_here(config).ledger()
    click.echo(f"{found.path}: {len(found.entries)} entries, each follows from the one before")
    click.echo(f"head {found.head}")


@cli.group(name="config")
def config_group() -> None:
    """Look at this agent's settings."""


@config_group.command(name="show")
@JSON
@click.pass_obj
def config_show(config: Path, as_json: bool) -> None:
    """Show each setting, its value and where it comes from; secrets are masked.

    Example: site-agent config show
    """
    values = site_here(config).settings.values_by_key
    if as_json:
        shown = {key: {"value": v.shown(), "source": v.source} for key, v in values.items()}
        click.echo(json.dumps(shown, indent=1, ensure_ascii=False))
        return
    for key, value in values.items():
        click.echo(f"{key} = {value.shown()}    ({value.source})")


@cli.command()
@JSON
@click.pass_obj
def status(config: Path, as_json: bool) -> None:
    """Say whether the exchange answers, what is approved, and how the ledger stands.

    Exit code 75 if this hospital is not enrolled yet, 69 if the exchange is not reached, 78 if
    its key or its clock is not right.

    Example: site-agent status
    """
    from site_agent.standing import status as look

    found, trouble = look(site_here(config))
    _tell(found, as_json=as_json)
    if trouble is not None:
        raise trouble


def _tell(found: Mapping[str, str], *, as_json: bool) -> None:
    """Print named lines, or them as JSON."""
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for name, value in found.items():
        click.echo(f"{name:12} {value}")


@cli.command()
@JSON
@click.pass_obj
def health(config: Path, as_json: bool) -> None:
    """Say whether the agent that runs here is well, without asking anybody but its files.

    For supervisors of containers, and for people. Exit code 75 if none runs or it is stuck.

    Example: site-agent health
    """
    from site_agent.pulse import health as look

    _tell(look(site_here(config), time.time()), as_json=as_json)


for _command in (
    review,
    preview,
    approve,
    revoke,
    console,
    figures,
    backup_command,
    restore_command,
):
    cli.add_command(_command)
