"""The commands that need Prefect, beside all others of the coordinating center."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import click

from coordinator.center import finished_release
from coordinator.cli import cli
from coordinator.driver import refuse_unknown
from coordinator.home import Home, open_home
from coordinator.report.terminal import summary
from site_agent.contract.errors import ConfigurationError, Unreachable
from site_agent.runtime.command import progress, run
from site_agent.runtime.http import answers


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(cli, arguments))


@cli.command()
@click.pass_obj
def up(home: Path) -> None:
    """Run the exchange, the Prefect server and the flow runner, until stopped.

    What ends by itself is started again. Addresses and ports stand in HOME/center.toml.

    Example: coordinator up
    """
    from flows.up import up as run_all

    run_all(open_home(home, os.environ), lambda line: click.echo(line))


@cli.command()
@click.argument("study_name", metavar="STUDY")
@click.option(
    "--without",
    multiple=True,
    metavar="SITE",
    help="Go on without a hospital; repeatable. Later releases must then have that roster too.",
)
@click.option(
    "--deadline",
    "deadline_s",
    type=click.FloatRange(min=1),
    help="Longest wait for hospitals in one phase, seconds. Default: refresh.deadline_s.",
)
@click.option("--anyway", is_flag=True, help="Go on although no patient has changed.")
@click.option("--wait/--no-wait", default=True, help="Wait for the end and print the results.")
@click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON.")
@click.pass_obj
def refresh(
    home: Path,
    study_name: str,
    without: tuple[str, ...],
    deadline_s: float | None,
    anyway: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Have the flow runner refresh STUDY: its next release, or the one under way.

    If no patient differs from the last release, the refresh ends as "nothing new", and that
    release is printed. Ctrl-C leaves the refresh running. Exit code 75: hospitals are awaited, or
    too few patients have changed; 77: refused.

    Example: coordinator refresh anakinra
    """
    center = open_home(home, os.environ)
    refuse_unknown(center.frozen(study_name), without)
    _refuse_second(center, study_name)
    _reach_prefect(center)
    # Prefect reads its variables when it is imported, which is here.
    from flows.ordering import NOTHING_NEW, follow, order

    said = {"without": list(without), "deadline_s": deadline_s, "anyway": anyway}
    identifier = order(study_name, said)
    click.echo(f"flow run  {center.prefect_url}/runs/flow-run/{identifier}", err=True)
    if not wait:
        click.echo(str(identifier))
        return
    try:
        number, words = follow(identifier, center, study_name, tell=progress(), sleep=time.sleep)
    except KeyboardInterrupt:
        click.echo(f"the refresh goes on; `coordinator status {study_name}` tells", err=True)
        raise
    if NOTHING_NEW in words:
        click.echo(words, err=True)
    folder = finished_release(center, study_name, number)
    if as_json:
        click.echo((folder / "manifest.json").read_text(encoding="utf-8"), nl=False)
        return
    click.echo(summary(folder, center.published(study_name)))
    click.echo(f"\nresults  {folder}\nreport   {folder / 'report.html'}")
    click.echo(f"a draft; to release it: coordinator release {study_name} {number} --reason ...")


@cli.command()
@click.argument("study_name", metavar="STUDY")
@click.pass_obj
def cancel(home: Path, study_name: str) -> None:
    """Stop the refresh of STUDY that is running; its release stays open for the next one.

    Example: coordinator cancel anakinra
    """
    center = open_home(home, os.environ)
    center.frozen(study_name)
    _reach_prefect(center)
    from flows.ordering import cancel as cancel_runs

    if not cancel_runs(study_name, time.sleep):
        raise ConfigurationError(f"no refresh of {study_name} is running; there is nothing to stop")
    click.echo(
        f"the refresh of {study_name} is stopped; its release stays open: `coordinator refresh "
        f"{study_name}` goes on with it, `coordinator burn {study_name}` gives it up"
    )


def _reach_prefect(center: Home) -> None:
    """Set the surroundings in which Prefect is imported; Unreachable if its server is away."""
    from flows.environment import surroundings

    if not answers(f"{center.prefect_url}/api/health"):
        raise Unreachable(
            f"no Prefect server answers at {center.prefect_url}; start it with `coordinator up`"
        )
    # Prefect's own patience says nothing for a minute; ours (ordering.py) tells what it waits for.
    os.environ.update(surroundings(center, os.environ) | {"PREFECT_CLIENT_MAX_RETRIES": "0"})


def _refuse_second(center: Home, study: str) -> None:
    """Raise NotReady if a refresh of a study is running: another one would wait behind it."""
    from flows.turns import holder, taken_turn

    if holder(center, study) is not None:
        raise taken_turn(center, study)
