"""The coordinating center's commands.

stdout is the result, stderr progress (on a terminal only) and messages. Exit codes: see
site_agent/contract/errors.py and docs/exit-codes.md.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from coordinator.cadence import RUNS, Accrual, document, in_words, varied
from coordinator.center import (
    add_study,
    burn_release,
    finished_release,
    freeze_file,
    freeze_study,
    invite_site,
    list_sites,
    study_status,
)
from coordinator.center_words import results_in_words, state_in_words, status_in_words, table
from coordinator.exchange.roles import ROLES
from coordinator.freeze import changed_keys
from coordinator.home import PUBLISHED, Home, host_and_port, open_home
from coordinator.persons import is_person, persons, put_person, remove_person
from coordinator.released import decide, entries, entry, refuse_altered, write_zip
from coordinator.report.page import print_report, write_report
from coordinator.report.published import read_published
from coordinator.report.terminal import summary
from coordinator.schedule import known_schedule
from coordinator.simulate import Surroundings, check_sites, read_study_file, simulate
from site_agent.contract.catalogue import KINDS
from site_agent.contract.errors import ConfigurationError, NotReady, Unreachable
from site_agent.contract.study.at_center import at_center_sentences
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.contract.version import VERSION
from site_agent.runtime.command import progress, run
from site_agent.runtime.http import patiently

NO_STUDY: Final = "no study was added yet: coordinator study add FILE"
FILE: Final = click.Path(path_type=Path, readable=False)


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


@cli.group()
def study() -> None:
    """Check and freeze study files."""


def _home(folder: Path) -> Home:
    return open_home(folder, os.environ)


@study.command()
@click.argument("study_file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
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
    center = _home(home)
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
    found = _home(home)
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
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
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


@cli.command(name="exchange")
@click.pass_obj
def exchange_command(home: Path) -> None:
    """Run the exchange alone, until it is stopped; `coordinator up` runs it with all else.

    Example: coordinator exchange
    """
    from coordinator.exchange.serve import serve

    center = _home(home)
    host, port = host_and_port(center.listen, "exchange.listen")
    serve(
        database=center.database,
        listen_host=host,
        listen_port=port,
        center=center.identity().member(),
        largest_message=center.settings["exchange.largest_message_mib"] << 20,
        ready=lambda url: click.echo(f"exchange {url}"),
    )


@cli.command()
@click.argument("file", type=FILE)
@click.pass_obj
def backup(home: Path, file: Path) -> None:
    """Write a backup of settings, key, studies, results and the exchange's store to FILE.

    Everything may run meanwhile. It holds the center's private key: keep it where only you can
    read. The history of Prefect's runs is left out.

    Example: coordinator backup /backup/center-2027-03-01.tar
    """
    from coordinator.backup import back_up

    said = back_up(_home(home), file)
    names = ", ".join(said.about["studies"]) or "none"
    click.echo(
        f"{file}: {len(said.files)} files, {said.about['rows']} rows of the exchange's store"
    )
    click.echo(f"studies: {names}")


@cli.command()
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


@cli.group()
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
    center = _home(home)
    for name in names:
        path = out / f"invitation-{name}.json"
        until = patiently(partial(invite_site, center, name, path), tell=progress())
        click.echo(f"{path}: invitation of '{name}', good until {until}")
    click.echo("next, at the hospital: site-agent init invitation-<name>.json --data FOLDER")


@site.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def list_command(home: Path, as_json: bool) -> None:
    """List the hospitals: invited or enrolled, fingerprint, when last seen.

    Example: coordinator site list
    """
    found = patiently(lambda: list_sites(_home(home)), tell=progress())
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


@cli.command()
@click.argument("study_name", metavar="[STUDY]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def status(home: Path, study_name: str | None, as_json: bool) -> None:
    """Say where each study stands: who approved, who is online, which release waits for whom.

    Example: coordinator status anakinra
    """
    center = _home(home)
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
    center = _home(home)
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
    center = _home(home)
    found = patiently(lambda: entry(center, study_name, number), tell=progress())
    refuse_altered(found)
    decision = "rejected" if reject else "released"
    password = _password(f"Password of {person}")
    decide(center, found, person=person, password=password, decision=decision, reason=reason)
    click.echo(f"release {number} of {study_name} is {decision} by {person}")


def _password(asked: str, *, twice: bool = False) -> str:
    """Return a password that is typed without being shown, or the first line of stdin."""
    if sys.stdin.isatty():
        found: str = click.prompt(asked, hide_input=True, confirmation_prompt=twice, err=True)
        return found
    return sys.stdin.readline().rstrip("\r\n")


@cli.group()
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
    center = _home(home)
    if is_person(center, name):
        raise ConfigurationError(
            f"'{name}' is here already; `coordinator person role {name} ROLE` changes the role"
        )
    put_person(center, name, role=role, password=_password("Password", twice=True))
    click.echo(f"{name} is added as {role}: {ROLES[role]}")


@person.command(name="role")
@click.argument("name")
@click.argument("role", type=ROLE)
@click.pass_obj
def person_role(home: Path, name: str, role: str) -> None:
    """Give NAME another ROLE; they log in anew.

    Example: coordinator person role anna admin
    """
    put_person(_home(home), name, role=role)
    click.echo(f"{name} is {role} now: {ROLES[role]}")


@person.command(name="password")
@click.argument("name")
@click.pass_obj
def person_password(home: Path, name: str) -> None:
    """Give NAME another password, as `person add` does; they log in anew.

    Example: coordinator person password anna
    """
    put_person(_home(home), name, password=_password("New password", twice=True))
    click.echo(f"{name} has a new password")


@person.command(name="remove")
@click.argument("name")
@click.pass_obj
def person_remove(home: Path, name: str) -> None:
    """Remove NAME: they cannot log in any more. What they decided stays, with their name.

    Example: coordinator person remove anna
    """
    remove_person(_home(home), name)
    click.echo(f"{name} is removed")


@person.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_obj
def person_list(home: Path, as_json: bool) -> None:
    """List who may log in, with roles and when they came last.

    Example: coordinator person list
    """
    found = persons(_home(home))
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

    click.echo(burn_release(_home(home), study_name, ask))
