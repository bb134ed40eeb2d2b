"""The commands on study files: check, add, freeze, and plan how often to refresh."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import click

from coordinator.cadence import RUNS, Accrual, document, in_words, varied
from coordinator.center import (
    add_study,
    freeze_file,
    freeze_study,
)
from coordinator.command_options import FILE, JSON, home_here
from coordinator.freeze import changed_keys
from coordinator.schedule import known_schedule
from coordinator.simulate import read_study_file
from site_agent.contract.catalogue import KINDS
from site_agent.contract.study.at_center import at_center_sentences
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.runtime.command import progress
from site_agent.runtime.http import patiently


@click.group()
def study() -> None:
    """Check and freeze study files."""


@study.command()
@click.argument("study_file", type=FILE)
@JSON
def check(study_file: Path, as_json: bool) -> None:
    """Check STUDY_FILE and say what each analysis opens.

    Example: coordinator study check studies/lung/study.yaml
    """
    found = read_study(read_study_file(study_file), study_file.name)
    planned = known_schedule(found.schedule)
    if as_json:
        click.echo(json.dumps(_described(found), indent=1, ensure_ascii=False))
        return
    frozen = "frozen" if found.roster is not None else "not frozen"
    click.echo(f"{found.name}: {found.title}\nhash {found.hash} ({frozen})")
    click.echo(f"schedule {planned}\n" if planned else "")
    for name, analysis in found.analyses.items():
        click.echo(f"{name} ({analysis.kind})")
        for disclosure, what in KINDS[analysis.kind].uses(analysis.options):
            click.echo(f"  class {disclosure}: {what}")
    for sentence in at_center_sentences(found.at_center):
        click.echo(f"\n{sentence}")


def _described(found: Study) -> dict[str, Any]:
    return {
        "study": found.name,
        "hash": found.hash,
        "frozen": found.roster is not None,
        "at_center": found.at_center,
        "schedule": found.schedule,
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


@study.command()
@click.argument("study_file", type=FILE)
@click.pass_obj
def add(home: Path, study_file: Path) -> None:
    """Check STUDY_FILE and keep a copy of it, with published.yaml if that lies beside it.

    A study that was added may be added again, until it is as it should be when it is frozen.

    Example: coordinator study add studies/lung/study.yaml
    """
    center = home_here(home)
    found = add_study(center, study_file)
    click.echo(f"{found.name}: {found.title}")
    if center.is_frozen(found.name):
        click.echo("the frozen study of this name stays in force until this one is frozen")
    click.echo(f"next: invite its hospitals, then `coordinator study freeze {found.name}`")


@study.command(name="freeze")
@click.argument("study_name", metavar="STUDY")
@click.option(
    "--without", multiple=True, metavar="SITE", help="Leave an enrolled hospital out; repeatable."
)
@click.option(
    "--enrolments",
    type=FILE,
    help="Take the enrolment cards of a folder (*.json, or <site>/enrolment.json) and the study "
    "file STUDY instead of the exchange; with --center and --out.",
)
@click.option("--center", type=FILE, help="Folder of the center's key; made if missing.")
@click.option("--out", type=FILE, help="The frozen study file to write.")
@click.pass_obj
def freeze_command(
    home: Path,
    study_name: str,
    without: tuple[str, ...],
    enrolments: Path | None,
    center: Path | None,
    out: Path | None,
) -> None:
    """Put the roster of enrolled hospitals into STUDY and its hash, and send it to them.

    Compare the fingerprints with the hospitals by telephone before (`coordinator site list`).

    Example: coordinator study freeze lung
    """
    if enrolments is not None:
        if center is None or out is None:
            raise click.UsageError("--enrolments needs --center and --out")
        click.echo(freeze_file(Path(study_name), enrolments, center, out))
        return
    found = home_here(home)
    frozen = patiently(lambda: freeze_study(found, study_name, without=without), tell=progress())
    assert frozen.roster is not None
    click.echo(f"{frozen.name}: {len(frozen.roster.sites)} sites, hash {frozen.hash}")
    before = found.revised(frozen)
    if before is not None:
        click.echo(f"it takes the place of {before.hash}; earlier results are put aside")
        for line in changed_keys(before, frozen):
            click.echo(line)
    click.echo("next: the stewards review and approve it (`coordinator status` shows who has)")


AT_LEAST_1: Final = click.IntRange(min=1)


@study.command(name="cadence")
@click.option("--patients", type=AT_LEAST_1, required=True, help="Patients in all.")
@click.option(
    "--accrual-days", type=AT_LEAST_1, required=True, help="Days over which the patients come."
)
@click.option("--sites", type=AT_LEAST_1, required=True, help="Hospitals.")
@click.option(
    "--k", type=AT_LEAST_1, help="Patients by which two releases must differ. Default: 5."
)
@click.option(
    "--sites-changed", "m", type=AT_LEAST_1, help="Hospitals they must be of. Default: 3."
)
@click.option(
    "--every", type=AT_LEAST_1, default=7, show_default=True, help="Days between two looks."
)
@click.option(
    "--follow-up-days",
    type=click.IntRange(min=0),
    default=365,
    show_default=True,
    help="Days for which each patient is followed, and the study goes on after the last one.",
)
@click.option(
    "--events",
    type=click.FloatRange(0, 1),
    default=0.5,
    show_default=True,
    help="Share of the patients who have the event while they are followed.",
)
@click.option(
    "--seen-every",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Days after which a hospital updates when a patient was last seen; 0: never.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the simulation.")
@click.option(
    "--study",
    "study_file",
    type=FILE,
    help="Take k, m and the limits of the first release from a study file.",
)
@JSON
def cadence_command(
    patients: int,
    accrual_days: int,
    sites: int,
    k: int | None,
    m: int | None,
    every: int,
    follow_up_days: int,
    events: float,
    seen_every: int,
    seed: int,
    study_file: Path | None,
    as_json: bool,
) -> None:
    """Simulate how often a study could be refreshed while its patients come.

    Two releases differ by no patient, or by at least k patients of m hospitals; until then the
    next one is deferred. New patients, events and new days last seen count as changes.

    Example: coordinator study cadence --patients 43 --accrual-days 730 --sites 9
    """
    policy = read_study(read_study_file(study_file), study_file.name).policy if study_file else None
    accrual = Accrual(
        patients,
        accrual_days,
        sites,
        k=k or (policy.changed_patients if policy else 5),
        m=m or (policy.changed_sites if policy else 3),
        every_days=every,
        follow_up_days=follow_up_days,
        event_share=events,
        seen_every_days=seen_every,
        at_least_patients=policy.patients if policy else 10,
        at_least_sites=policy.sites if policy else 5,
    )
    found = varied(accrual, seed=seed)
    if as_json:
        click.echo(json.dumps(document(accrual, found, runs=RUNS), indent=1))
        return
    for line in in_words(accrual, found, runs=RUNS):
        click.echo(line)
