"""The refresh flow: one release of a study, one task a round.

A task's result is a pointer into the exchange's log, kept under study, release and round. A run
that was killed is followed by another, which reads the log and finds its rounds done.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE, CacheKeyFnPolicy
from prefect.client.schemas.objects import State
from prefect.context import TaskRunContext
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from coordinator.driver import Deferred, Late
from coordinator.home import Home, open_home
from coordinator.refresh import Refresh
from flows.artifacts import RoundsPage, name_run, of_release, publish
from flows.turns import turn
from site_agent.contract.errors import BAD_CONFIGURATION, NotReady, QuorumError, Refused
from site_agent.runtime.command import of_the_system

WAITING = "waiting for"  # what the driver tells of hospitals that it waits for
NAMES = {NotReady: "Not ready", Refused: "Refused"}


def _key(_: TaskRunContext, parameters: dict[str, Any]) -> str:
    """Return the key under which a round's pointer is kept: study, release and round."""
    return f"{parameters['release']}-round-{parameters['number']}"


def _round_name() -> str:
    from prefect.runtime import task_run

    return f"round {task_run.parameters['number']}"


@task(name="gather", task_run_name="gather", cache_policy=NO_CACHE)
def gather(refresh: Refresh) -> dict[str, Any]:
    """Have all hospitals ready."""
    return refresh.gather()


@task(
    name="round",
    task_run_name=_round_name,
    cache_policy=CacheKeyFnPolicy(cache_key_fn=_key),
    persist_result=True,
    result_serializer="json",
)
def ask_round(refresh: Refresh, release: str, number: int) -> dict[str, Any]:
    """Do one round of a release; `release` is the digest of its OPEN."""
    return refresh.round(number)


@task(name="results", task_run_name="results", cache_policy=NO_CACHE)
def write_results(refresh: Refresh) -> dict[str, Any]:
    """Write all results."""
    return refresh.results()


@task(name="close", task_run_name="close", cache_policy=NO_CACHE)
def close(refresh: Refresh) -> str:
    """Close the release at all hospitals."""
    return str(refresh.close())


@task(name="report", task_run_name="report", cache_policy=NO_CACHE)
def report(refresh: Refresh) -> str:
    """Write the report and leave it as a draft."""
    return str(refresh.report())


@task(name="artifacts", task_run_name="artifacts", cache_policy=NO_CACHE)
def show_artifacts(path: str, published: Path | None) -> None:
    """Show the parts of the report at `path` as artifacts."""
    publish(Path(path).parent, published)


@task(name="print", task_run_name="print", cache_policy=NO_CACHE)
def print_report(refresh: Refresh) -> None:
    """Add the report's PDF to the draft."""
    refresh.print_report()


def _run_name() -> str:
    return f"{flow_run.parameters['study']}"


@flow(name="refresh", flow_run_name=_run_name, validate_parameters=True)
def refresh(
    study: str,
    without: list[str] | None = None,
    deadline_s: float | None = None,
    anyway: bool = False,
) -> Any:
    """Refresh a study: its next release, or the one under way, up to the report.

    study: the name of a frozen study. without: hospitals to go on without. deadline_s: longest
    wait for hospitals in one phase, seconds; else the center's setting. anyway: go on although no
    patient differs from the last release.
    """
    home = open_home(Path(os.environ["QUORUM_HOME"]), os.environ)
    try:
        with turn(home, study, str(flow_run.id)):
            return _refreshed(home, study, without or [], deadline_s, anyway)
    except Deferred as deferred:
        return Completed(name="Deferred", message=f"[{deferred.exit_code}] {deferred}")
    except QuorumError as error:
        name = next((name for kind, name in NAMES.items() if isinstance(error, kind)), "Failed")
        return Failed(name=name, message=f"[{error.exit_code}] {error}")
    except OSError as error:
        return Failed(name="Failed", message=f"[{BAD_CONFIGURATION}] {of_the_system(error)}")


def _refreshed(
    home: Home, study: str, without: list[str], deadline_s: float | None, anyway: bool
) -> State[Any]:
    frozen, logger = home.frozen(study), get_run_logger()
    pages: list[RoundsPage] = []

    def tell(said: str) -> None:
        logger.info(said)
        if said.startswith(WAITING) and pages:
            pages[-1].write(said)

    def begun() -> Refresh:
        return Refresh(
            home, frozen, exchange, without=without, deadline_s=deadline_s, progress=tell
        )

    resumed = set(flow_run.tags)
    with home.exchange() as exchange:
        running = begun()
        if running.was_draft and of_release(running.number) not in resumed:
            # Something cut the last run off behind its draft. This one is for the next release.
            _reported(running, home)
            running = begun()
        try:
            return _through(running, home, anyway, pages)
        except Late as late:
            return _through(running.after_deadline(late), home, anyway, pages)


def _through(running: Refresh, home: Home, anyway: bool, pages: list[RoundsPage]) -> State[Any]:
    """Take a release from wherever it is to its end."""
    page = RoundsPage(running.driver.release)
    pages.append(page)
    name_run(running.driver.release)
    gather(running)
    page.write()
    number = 0
    while not running.finished or number < running.driver.release.rounds:
        pointer = ask_round(running, running.driver.release.digest, number)
        if pointer != running.round(number):
            raise Refused(
                "other_release",
                f"what was kept for round {number} is not what the exchange's log says; "
                f"one of the two was set back. If the exchange's store is the one that is "
                f"right, remove the folder prefect/storage of the center; else restore it",
            )
        page.round_done()
        nothing_new = "" if anyway else running.end_if_nothing_new()
        if nothing_new:
            return Completed(name="Nothing new", message=nothing_new)
        number += 1
    page.write()
    write_results(running)
    close(running)
    path = _reported(running, home)
    return Completed(message=f"release {running.number}: {path}")


def _reported(running: Refresh, home: Home) -> str:
    """Leave the draft, then add what may come while it is looked at; return the report's path."""
    path = report(running)
    show_artifacts(path, home.published(running.study.name))
    print_report(running)
    return path
