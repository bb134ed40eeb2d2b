"""The coordinating center's commands.

stdout is the result, stderr progress (on a terminal only) and messages. Exit codes: see
site_agent/contract/errors.py and docs/exit-codes.md.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

import click

from coordinator.center import (
    burn_release,
    finished_release,
    study_status,
)
from coordinator.center_words import results_in_words, state_in_words, status_in_words
from coordinator.command_options import FILE, JSON, home_here, typed_password
from coordinator.home import PUBLISHED, Home
from coordinator.party_commands import person, site
from coordinator.released import decide, entries, entry, refuse_altered, write_zip
from coordinator.report.page import print_report, write_report
from coordinator.report.published import read_published
from coordinator.report.terminal import summary
from coordinator.simulate import Surroundings, check_sites, simulate
from coordinator.store_commands import backup, exchange_command, restore
from coordinator.study_commands import study
from site_agent.contract.errors import ConfigurationError, NotReady, Unreachable
from site_agent.contract.version import VERSION
from site_agent.runtime.command import progress, run
from site_agent.runtime.http import patiently

NO_STUDY: Final = "no study was added yet: coordinator study add FILE"


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(cli, arguments))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="coordinator")
@click.option(
    "--home",
    type=FILE,
    default="center",
    show_default=True,
    envvar="QUORUM_HOME",
    help="Folder of the coordinating center: key, studies, results, settings (center.toml).",
)
@click.pass_context
def cli(context: click.Context, home: Path) -> None:
    """Pooled survival analysis across hospitals whose records stay where they are."""
    context.obj = home


@cli.command(name="simulate")
@click.argument("study_file", type=FILE)
@click.option(
    "--sites",
    type=FILE,
    required=True,
    help="Folder with one folder a site: <site>/<table>.parquet, and site.toml for attributes.",
)
@click.option(
    "--out", type=FILE, required=True, help="Folder for results, keys and ledgers; kept over runs."
)
@click.option(
    "--policy",
    type=click.Choice(["study", "none"]),
    default="study",
    show_default=True,
    help="none: set the study's disclosure policy aside, also for one or two sites and without "
    "a roster. Everything written is watermarked. For method development.",
)
@click.option("--dry-run", is_flag=True, help="Check study and data of all sites; run nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
def simulate_command(
    study_file: Path, sites: Path, out: Path, policy: str, dry_run: bool, as_json: bool
) -> None:
    """Run a whole release of STUDY_FILE in one process, every site on its own folder.

    Each site is a real agent core with its own key and ledger; only masked sums and
    their totals pass between them. Results go to OUT/release-<n>.

    Example: coordinator simulate studies/lung/study.yaml --sites build/lung --out build/out
    """
    development = policy == "none"
    if dry_run:
        names = check_sites(study_file, sites, development=development)
        click.echo(f"{len(names)} sites: the data of all fit the study")
        return
    beside = study_file.parent / PUBLISHED
    published = beside if beside.exists() else None
    if published:
        read_published(published)  # what is wrong with it is better told before than after
    around = Surroundings(progress=progress())
    done = simulate(study_file, sites, out, development=development, surroundings=around)
    report = write_report(done.folder, published)
    _tell(print_report(done.folder))
    if as_json:
        click.echo((done.folder / "manifest.json").read_text(encoding="utf-8"), nl=False)
        return
    click.echo(summary(done.folder, published))
    click.echo(f"\nresults  {done.folder}\nreport   {report}")


def _tell(sentence: str) -> None:
    """Tell what went otherwise on the way, where results do not stand."""
    if sentence:
        click.echo(sentence, err=True)


@cli.command()
@click.argument("release", type=FILE)
@click.option(
    "--published",
    type=FILE,
    help="File of published numbers to stand beside ours, here and in RELEASE/comparison.html. "
    "Without it there is no such page, and one that was there is removed.",
)
def report(release: Path, published: Path | None) -> None:
    """Write RELEASE/report.html and .pdf again from the files in RELEASE, and print the summary.

    Example: coordinator report build/out/release-1
    """
    if not (release / "manifest.json").exists():
        raise ConfigurationError(
            f"{release} holds no release (no manifest.json); expected a folder release-<n>"
        )
    written = write_report(release, published)
    _tell(print_report(release))
    click.echo(summary(release, published))
    click.echo(f"\nreport   {written}")


@cli.command()
@click.argument("study_name", metavar="[STUDY]", required=False)
@JSON
@click.pass_obj
def status(home: Path, study_name: str | None, as_json: bool) -> None:
    """Say where each study stands: who approved, who is online, which release waits for whom.

    Example: coordinator status anakinra
    """
    center = home_here(home)
    names = [study_name] if study_name else center.studies()
    found = patiently(lambda: [study_status(center, name) for name in names], tell=progress())
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    click.echo("\n\n".join(status_in_words(entry) for entry in found) or NO_STUDY)


@cli.command()
@click.argument("study_name", metavar="STUDY")
@click.argument("number", metavar="[RELEASE]", type=int, required=False)
@click.option(
    "--zip",
    "zip_file",
    type=FILE,
    help="Write all files of the release, as the exchange has them, into this archive.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the list, or the manifest, as JSON.")
@click.pass_obj
def results(
    home: Path, study_name: str, number: int | None, zip_file: Path | None, as_json: bool
) -> None:
    """List the drafts and releases of STUDY, or print the results of one.

    Files that are not what the center signed are named; the exit code is then 78.

    Example: coordinator results anakinra 1 --zip anakinra-1.zip
    """
    center = home_here(home)
    if number is None:
        if zip_file is not None:
            raise click.UsageError("--zip needs the number of a release")
        _list_results(center, study_name, as_json)
        return
    if zip_file is not None:
        found = patiently(lambda: entry(center, study_name, number), tell=progress())
        digest = write_zip(center, study_name, found, zip_file)
        click.echo(f"{zip_file}: release {number} of {study_name}, {found.state}, sha256 {digest}")
        return
    folder = finished_release(center, study_name, number)
    if as_json:
        click.echo((folder / "manifest.json").read_text(encoding="utf-8"), nl=False)
    else:
        click.echo(summary(folder, center.published(study_name)))
        click.echo(f"\nresults  {folder}\nreport   {folder / 'report.html'}")
    try:
        found = entry(center, study_name, number)
    except Unreachable as error:
        click.echo(f"whether it is released is not known: {error}", err=True)
        return
    except NotReady as error:
        click.echo(str(error), err=True)
        return
    if not as_json:
        click.echo(f"state    {state_in_words(found)}")
    refuse_altered(found)


def _list_results(center: Home, study_name: str, as_json: bool) -> None:
    found = patiently(lambda: entries(center, study_name), tell=progress())
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1, ensure_ascii=False))
        return
    if not found:
        raise NotReady(
            f"the study {study_name} has no release yet: coordinator refresh {study_name}"
        )
    for line in results_in_words(found):
        click.echo(line)


@cli.command(name="release")
@click.argument("study_name", metavar="STUDY")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why; it is kept with the release for good.")
@click.option("--reject", is_flag=True, help="Reject the draft: nobody else gets to see it.")
@click.option(
    "--person",
    envvar="QUORUM_PERSON",
    required=True,
    help="Who decides; their password is asked for, or read as a line from stdin.",
)
@click.pass_obj
def release_command(
    home: Path, study_name: str, number: int, reason: str, reject: bool, person: str
) -> None:
    """Release draft NUMBER of STUDY to its hospitals and the study lead, or reject it.

    A person who may do so decides, once and for good; look at the report before.

    Example: coordinator release anakinra 1 --reason "counts as expected" --person anna
    """
    center = home_here(home)
    found = patiently(lambda: entry(center, study_name, number), tell=progress())
    refuse_altered(found)
    decision = "rejected" if reject else "released"
    password = typed_password(f"Password of {person}")
    decide(center, found, person=person, password=password, decision=decision, reason=reason)
    click.echo(f"release {number} of {study_name} is {decision} by {person}")


@cli.command()
@click.argument("study_name", metavar="STUDY")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def burn(home: Path, study_name: str, yes: bool) -> None:
    """Give up the release of STUDY that is under way; its keys are erased everywhere.

    Example: coordinator burn anakinra
    """

    def ask(number: int) -> None:
        asked = f"Give up release {number} of {study_name}, for good?"
        if not yes and not click.confirm(asked, err=True):
            raise click.Abort

    click.echo(burn_release(home_here(home), study_name, ask))


for _command in (study, site, person, exchange_command, backup, restore):
    cli.add_command(_command)
