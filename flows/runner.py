"""The flow runner: serves the refresh of each study, and takes up runs that were cut off.

A run that the server takes for running, or for about to run, and whose process is gone is
marked as crashed; a crashed run is followed by another one of the same parameters, which goes on
in the exchange's log where the first one was. A run that takes longer than refresh.timeout_s is
cancelled.
"""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

import click
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.runner import Runner
from prefect.states import Cancelled, Cancelling, Crashed

from coordinator.home import Home, open_home
from coordinator.reminders import remind
from flows.artifacts import OF_RELEASE
from flows.deployments import Deployments
from flows.environment import HEARTBEAT_S
from flows.refresh import refresh
from flows.turns import began_turn, is_alive
from site_agent.contract.errors import QuorumError

LOOK_S: Final = 2.0
REMIND_S: Final = 10.0
STARTING_S: Final = 60.0  # a run may take so long from RUNNING to having its turn
MOST_IN_A_ROW: Final = 20
UNDER_WAY: Final = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
MOST_LOOKED_AT: Final = 100
FOLLOWS: Final = "follows"
ENDS: Final = ("Completed", "Failed", "Cancelled", "Crashed")


async def serve(home: Home) -> None:
    """Serve until the process is stopped."""
    # Without a limit: refreshes that wait for hospitals are not to hold up those of other studies.
    runner = Runner(name="quorum", query_seconds=LOOK_S, pause_on_shutdown=False, limit=None)
    deployments = Deployments(home, runner)
    async with get_client() as client:
        await client.create_flow(refresh)
        await deployments.follow(client)
        await _skip_missed(client, list(deployments.served.values()))
    await install_zombie_automation()
    click.echo(f"the runner serves {', '.join(deployments.served) or 'no study yet'}")
    watching = [
        asyncio.create_task(watch(deployments)),
        asyncio.create_task(look_after_hospitals(home)),
    ]
    try:
        await runner.start()
    finally:
        for task in watching:
            task.cancel()


async def install_zombie_automation() -> None:
    """Have the server mark a run as crashed whose heartbeats stop; there is one of it.

    Without force: a run that has ended, under whatever name, keeps its end.
    """
    name = "quorum: runs whose heartbeats stop"
    wanted = AutomationCore(
        name=name,
        description="A flow run without a sign of life for three heartbeats is crashed.",
        trigger=EventTrigger(
            after={"prefect.flow-run.heartbeat"},
            expect={"prefect.flow-run.heartbeat", *(f"prefect.flow-run.{end}" for end in ENDS)},
            match={"prefect.resource.id": ["prefect.flow-run.*"]},
            for_each={"prefect.resource.id"},
            posture=Posture.Proactive,
            threshold=1,
            within=timedelta(seconds=3 * HEARTBEAT_S),
        ),
        actions=[
            ChangeFlowRunState(
                state=StateType.CRASHED, name="Crashed", message="no sign of life", force=False
            )
        ],
    )
    async with get_client() as client:
        found = await client.read_automations_by_name(name)
        if found:
            await client.update_automation(found[0].id, wanted)
        else:
            await client.create_automation(wanted)


async def watch(deployments: Deployments) -> None:
    """Look after studies that are new, and runs that were cut off, until cancelled."""
    while True:
        try:
            async with get_client() as client:
                await _look_on(client, deployments)
        except Exception as error:  # the server may be down, and is started again
            click.echo(f"the Prefect server does not answer ({type(error).__name__})", err=True)
            await asyncio.sleep(LOOK_S)


async def _look_on(client: PrefectClient, deployments: Deployments) -> None:
    """Look after them with one connection, until it breaks."""
    home = deployments.home
    while True:
        await asyncio.sleep(LOOK_S)
        await deployments.follow(client)
        served = list(deployments.served.values())
        await _bury(client, home, served)
        await _stop_overlong(client, home, served)
        await _follow(client, home, served)


async def look_after_hospitals(home: Home) -> None:
    """Note for whom each study's release waits and remind them, until cancelled."""
    while True:
        for study in home.studies():
            if home.is_frozen(study):
                await asyncio.to_thread(_look_after, home, study)
        await asyncio.sleep(REMIND_S)


def _look_after(home: Home, study: str) -> None:
    try:
        remind(home, home.frozen(study), time.time(), lambda line: click.echo(line, err=True))
    except (QuorumError, OSError) as error:  # the exchange may be away, and is started again
        click.echo(f"{study}: nobody is reminded ({error})", err=True)


async def _runs(
    client: PrefectClient, deployments: list[UUID], *states: StateType
) -> list[FlowRun]:
    """Return the runs that are due, or in one of these states by now, the newest first."""
    chosen = FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states)))
    due = datetime.now(UTC) + timedelta(seconds=LOOK_S)  # later ones are there for months ahead
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            state=chosen if states else None,
            expected_start_time=FlowRunFilterExpectedStartTime(before_=due),  # type: ignore[arg-type]
        ),
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=deployments)),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=MOST_LOOKED_AT,
    )


async def _skip_missed(client: PrefectClient, deployments: list[UUID]) -> None:
    """Of several runs that a schedule had while nothing ran here, leave the last of each study."""
    missed = await _runs(client, deployments, StateType.SCHEDULED)
    left: set[UUID | None] = set()
    for run in missed:
        if run.auto_scheduled and run.deployment_id in left:
            words = "missed, and so was a later one of the schedule"
            state: State[None] = Cancelled(name="Skipped", message=words)
            await client.set_flow_run_state(run.id, state, force=True)
        left.add(run.deployment_id)


async def _bury(client: PrefectClient, home: Home, deployments: list[UUID]) -> None:
    """Mark as crashed what the server takes for running, or about to, and no process runs.

    A run that is being cancelled and whose process is gone is cancelled.
    """
    for run in await _runs(client, deployments, *UNDER_WAY):
        began = run.state.timestamp if run.state else run.start_time or datetime.now(UTC)
        starting = datetime.now(UTC) - began < timedelta(seconds=STARTING_S)
        if is_alive(home, str(run.id)) or (starting and not began_turn(home, str(run.id))):
            continue
        # Its end may have come after it was listed; of a process that is gone nothing more comes.
        if (await client.read_flow_run(run.id)).state_type == run.state_type:
            gone = "its process is gone"
            cancelled = run.state_type == StateType.CANCELLING
            state: State[None] = Cancelled(message=gone) if cancelled else Crashed(message=gone)
            await client.set_flow_run_state(run.id, state, force=True)


async def _stop_overlong(client: PrefectClient, home: Home, deployments: list[UUID]) -> None:
    """Cancel what has been running for longer than the hard limit."""
    limit_s = home.settings["refresh.timeout_s"]
    for run in await _runs(client, deployments, StateType.RUNNING):
        began = run.start_time or datetime.now(UTC)
        if datetime.now(UTC) - began > timedelta(seconds=limit_s):
            words = f"refresh.timeout_s ({limit_s:g} s) is over"
            await client.set_flow_run_state(run.id, Cancelling(message=words))


async def _follow(client: PrefectClient, home: Home, deployments: list[UUID]) -> None:
    """Start another run of each study whose last run crashed, once its process is gone.

    A runner that is stopped calls its runs crashed before they have ended. A run that follows too
    early would find the turn taken, and end for good.
    """
    seen: dict[str, list[FlowRun]] = {}
    for run in await _runs(client, deployments):
        seen.setdefault(str(run.parameters.get("study")), []).append(run)
    for runs in seen.values():
        crashed = 0
        for run in runs:
            if run.state_type != StateType.CRASHED:
                break
            crashed += 1
        if is_alive(home, str(runs[0].id)):
            continue
        if 0 < crashed <= MOST_IN_A_ROW and runs[0].deployment_id:
            begun = [tag for tag in runs[0].tags if tag.startswith(OF_RELEASE)]
            await client.create_flow_run_from_deployment(
                runs[0].deployment_id, parameters=runs[0].parameters, tags=[FOLLOWS, *begun]
            )


def main() -> None:
    """Serve for the center in QUORUM_HOME."""
    asyncio.run(serve(open_home(Path(os.environ["QUORUM_HOME"]), os.environ)))


if __name__ == "__main__":
    main()
