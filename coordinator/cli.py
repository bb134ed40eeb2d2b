"""The coordinating center's commands.

stdout is the result, stderr progress (on a terminal only) and messages. Exit codes: see
site_agent/contract/errors.py and docs/exit-codes.md.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from coordinator.freeze import freeze, read_enrolment, roster_of
from coordinator.report.page import write_report
from coordinator.report.published import read_published
from coordinator.report.terminal import summary
from coordinator.simulate import (
    CENTER,
    Surroundings,
    check_sites,
    load_identity,
    read_study_file,
    simulate,
)
from site_agent.contract.catalogue import KINDS
from site_agent.contract.errors import (
    BAD_CONFIGURATION,
    DONE,
    INTERNAL,
    INTERRUPTED,
    USAGE,
    ConfigurationError,
    QuorumError,
)
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.contract.version import VERSION

PUBLISHED: Final = "published.yaml"
FILE: Final = click.Path(path_type=Path, readable=False)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(cli, arguments))


def run(command: click.Command, arguments: list[str] | None) -> int:
    """Run a command; return its exit code after telling on stderr what went wrong."""
    try:
        command.main(arguments, standalone_mode=False)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except QuorumError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        click.echo(f"error: {where}{error.strerror}; check path, rights and space", err=True)
        return BAD_CONFIGURATION
    except Exception as error:
        click.echo(_internal(error), err=True)
        return INTERNAL
    return DONE


def _internal(error: Exception) -> str:
    """Return where an unforeseen error arose; its text might hold a value of the data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = "; ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-4:])
    return (
        f"error: internal error ({type(error).__name__} at {place}). This is a defect of Quorum: "
        f"please report this line; nothing was released"
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="coordinator")
def cli() -> None:
    """Pooled survival analysis across hospitals whose records stay where they are."""


@cli.group()
def study() -> None:
    """Check and freeze study files."""


@study.command()
@click.argument("study_file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(study_file: Path, as_json: bool) -> None:
    """Check STUDY_FILE and say what each analysis opens.

    Example: coordinator study check studies/lung/study.yaml
    """
    found = read_study(read_study_file(study_file), study_file.name)
    if as_json:
        click.echo(json.dumps(_described(found), indent=1, ensure_ascii=False))
        return
    frozen = "frozen" if found.roster is not None else "not frozen"
    click.echo(f"{found.name}: {found.title}\nhash {found.hash} ({frozen})\n")
    for name, analysis in found.analyses.items():
        click.echo(f"{name} ({analysis.kind})")
        for disclosure, what in KINDS[analysis.kind].uses(analysis.options):
            click.echo(f"  class {disclosure}: {what}")


def _described(found: Study) -> dict[str, Any]:
    return {
        "study": found.name,
        "hash": found.hash,
        "frozen": found.roster is not None,
        "analyses": {
            name: {
                "kind": analysis.kind,
                "opens": [
                    {"class": disclosure, "what": what}
                    for disclosure, what in KINDS[analysis.kind].uses(analysis.options)
                ],
            }
            for name, analysis in found.analyses.items()
        },
        "canonical": found.document(),
    }


@study.command(name="freeze")
@click.argument("study_file", type=FILE)
@click.option(
    "--enrolments",
    type=FILE,
    required=True,
    help="Folder with the sites' enrolment cards: *.json, or <site>/enrolment.json.",
)
@click.option(
    "--center", type=FILE, required=True, help="Folder of the center's key; made if missing."
)
@click.option("--out", type=FILE, required=True, help="The frozen study file to write.")
def freeze_command(study_file: Path, enrolments: Path, center: Path, out: Path) -> None:
    """Put the roster of enrolled sites into STUDY_FILE and its hash.

    Example: coordinator study freeze study.yaml --enrolments cards --center center --out
    study.frozen.yaml
    """
    cards = sorted([*enrolments.glob("*.json"), *enrolments.glob("*/enrolment.json")])
    if not cards:
        raise ConfigurationError(
            f"{enrolments} has no enrolment cards; expected *.json or <site>/enrolment.json"
        )
    identity = load_identity(center, CENTER, Surroundings().entropy)
    roster = roster_of(identity.member(), [read_enrolment(card) for card in cards])
    text, frozen = freeze(read_study_file(study_file), study_file.name, roster)
    out.write_text(text, encoding="utf-8")
    click.echo(f"{out}: {len(roster.sites)} sites, hash {frozen.hash}")


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
    published = study_file.parent / PUBLISHED
    if published.exists():
        read_published(published)  # what is wrong with it is better told before than after
    around = Surroundings(progress=_progress())
    done = simulate(study_file, sites, out, development=development, surroundings=around)
    report = write_report(done.folder)
    if as_json:
        click.echo((done.folder / "manifest.json").read_text(encoding="utf-8"), nl=False)
        return
    click.echo(summary(done.folder, published if published.exists() else None))
    click.echo(f"\nresults  {done.folder}\nreport   {report}")


def _progress() -> Callable[[str], None]:
    """Return where progress goes: to stderr on a terminal, nowhere otherwise."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda line: click.echo(f"  {line}", err=True)


@cli.command()
@click.argument("release", type=FILE)
@click.option("--published", type=FILE, help="File of published numbers to stand beside ours.")
def report(release: Path, published: Path | None) -> None:
    """Write RELEASE/report.html again from the files in RELEASE, and print the summary.

    Example: coordinator report build/out/release-1
    """
    if not (release / "manifest.json").exists():
        raise ConfigurationError(
            f"{release} holds no release (no manifest.json); expected a folder release-<n>"
        )
    written = write_report(release)
    click.echo(summary(release, published))
    click.echo(f"\nreport   {written}")
