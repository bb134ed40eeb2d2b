"""The flow runner: serves the refresh deployment, and takes up runs that were cut off.

A run that the server takes for running and whose process is gone (its turn is free) is
marked as crashed; a crashed run is followed by another one of the same parameters, which goes on
in the exchange's log where the first one was.
"""

from __future__ import annotations

import asyncio
import os
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
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.events.actions import ChangeFlowRunState
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture
from prefect.runner import Runner
from prefect.states import Crashed
from prefect.types.entrypoint import EntrypointType

from coordinator.home import Home, open_home
from flows.environment import HEARTBEAT_S
from flows.refresh import refresh
from flows.turns import began_turn, is_alive

NAME: Final = "refresh"
LOOK_S: Final = 2.0
STARTING_S: Final = 60.0  # a run may take so long from RUNNING to having its turn
MOST_IN_A_ROW: Final = 20
MOST_LOOKED_AT: Final = 100
FOLLOWS: Final = "follows"
ENDS: Final = ("Completed", "Failed", "Cancelled", "Crashed")


async def serve(home: Home) -> None:
    """Serve until the process is stopped."""
    runner = Runner(name="quorum", query_seconds=LOOK_S, pause_on_shutdown=False)
    deployment = await refresh.ato_deployment(
        NAME,
        description="One release of a study: ask the hospitals, add up, write the report.",
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    identifier = await runner.aadd_deployment(deployment)
    await install_zombie_automation()
    click.echo(f"the runner serves {NAME}")
    watching = asyncio.create_task(watch(home, identifier))
    try:
        await runner.start()
    finally:
        watching.cancel()


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


async def watch(home: Home, deployment: UUID) -> None:
    """Look after runs that were cut off, until cancelled."""
    while True:
        await asyncio.sleep(LOOK_S)
        try:
            async with get_client() as client:
                await _bury(client, home, deployment)
                await _follow(client, deployment)
        except Exception as error:  # the server may be down, and is started again
            click.echo(f"the Prefect server does not answer ({type(error).__name__})", err=True)
            await asyncio.sleep(LOOK_S)


async def _runs(
    client: PrefectClient, deployment: UUID, state: FlowRunFilterState | None = None
) -> list[FlowRun]:
    """Return the runs of the deployment, the newest first."""
    return await client.read_flow_runs(
        flow_run_filter=FlowRunFilter(state=state) if state else None,
        deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment])),
        sort=FlowRunSort.EXPECTED_START_TIME_DESC,
        limit=MOST_LOOKED_AT,
    )


async def _bury(client: PrefectClient, home: Home, deployment: UUID) -> None:
    """Mark as crashed what the server takes for running and no process runs."""
    running = FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.RUNNING]))
    for run in await _runs(client, deployment, running):
        began = run.start_time or run.expected_start_time or datetime.now(UTC)
        starting = datetime.now(UTC) - began < timedelta(seconds=STARTING_S)
        if is_alive(home, str(run.id)) or (starting and not began_turn(home, str(run.id))):
            continue
        # Its end may have come after it was listed; of a process that is gone nothing more comes.
        if (await client.read_flow_run(run.id)).state_type == StateType.RUNNING:
            state: State[None] = Crashed(message="its process is gone")
            await client.set_flow_run_state(run.id, state, force=True)


async def _follow(client: PrefectClient, deployment: UUID) -> None:
    """Start another run of each study whose last run crashed."""
    seen: dict[str, list[FlowRun]] = {}
    for run in await _runs(client, deployment):
        if run.state_type == StateType.SCHEDULED and _is_later(run):
            continue  # of a schedule: it says nothing of the runs before it
        seen.setdefault(str(run.parameters.get("study")), []).append(run)
    for runs in seen.values():
        crashed = 0
        for run in runs:
            if run.state_type != StateType.CRASHED:
                break
            crashed += 1
        if 0 < crashed <= MOST_IN_A_ROW:
            await client.create_flow_run_from_deployment(
                deployment, parameters=runs[0].parameters, tags=[FOLLOWS]
            )


def _is_later(run: FlowRun) -> bool:
    now = datetime.now(UTC)
    return (run.expected_start_time or now) > now + timedelta(seconds=LOOK_S)


def main() -> None:
    """Serve for the center in QUORUM_HOME."""
    asyncio.run(serve(open_home(Path(os.environ["QUORUM_HOME"]), os.environ)))


if __name__ == "__main__":
    main()
