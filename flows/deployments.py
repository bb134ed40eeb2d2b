"""One deployment of the refresh a study: its schedule, and its runs one at a time.

A study that is frozen while the center is up gets its deployment within seconds, and so does a
schedule that was changed. Of two runs of a study Prefect starts the second when the first has
ended. This limit is the second layer: who has the turn (turns.py) and the exchange decide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

import click
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound
from prefect.runner import Runner
from prefect.types.entrypoint import EntrypointType

from coordinator.home import Home
from coordinator.schedule import FLOW, schedule_of
from flows.refresh import refresh
from site_agent.contract.errors import QuorumError
from site_agent.contract.study.schedule import Schedule

ONE_AT_A_TIME: Final = ConcurrencyLimitConfig(
    limit=1, collision_strategy=ConcurrencyLimitStrategy.ENQUEUE
)


@dataclass
class Deployments:
    """The deployments that a runner serves, by study."""

    home: Home
    runner: Runner
    served: dict[str, UUID] = field(default_factory=dict)
    _seen: dict[str, tuple[Path, int]] = field(default_factory=dict)

    async def follow(self, client: PrefectClient) -> None:
        """Serve all frozen studies, each with its present schedule."""
        for study in self.home.studies():
            if not self.home.is_frozen(study):
                continue
            if study not in self.served:
                self.served[study] = await self._serve(client, study)
            await self._follow_file(client, study)

    async def _serve(self, client: PrefectClient, study: str) -> UUID:
        """Register a study's deployment; the schedules that the server has stay, paused or not."""
        try:
            found = (await client.read_deployment_by_name(f"{FLOW}/{study}")).schedules
        except ObjectNotFound:
            found = []
        deployment = await refresh.ato_deployment(
            study,
            schedules=[
                DeploymentScheduleCreate(schedule=one.schedule, active=one.active) for one in found
            ],
            description=f"The next release of {study}, or the one under way.",
            parameters={"study": study},
            tags=[study],
            concurrency_limit=ONE_AT_A_TIME,
            entrypoint_type=EntrypointType.MODULE_PATH,
        )
        return await self.runner.aadd_deployment(deployment)

    async def _follow_file(self, client: PrefectClient, study: str) -> None:
        """Read a study's file if it is another than last time, and have its schedule kept."""
        path = self.home.added(study)
        state = (path, path.stat().st_mtime_ns)
        if self._seen.get(study) == state:
            return
        try:
            wanted = schedule_of(self.home, study)
        except QuorumError as error:
            click.echo(f"{study}: its schedule stays as it is; {error}", err=True)
        else:
            await keep_schedule(client, self.served[study], wanted)
        self._seen[study] = state


async def keep_schedule(client: PrefectClient, deployment: UUID, wanted: Schedule | None) -> None:
    """Give a deployment this schedule; one that is there already stays, paused or not."""
    found = await client.read_deployment_schedules(deployment)
    plan = None if wanted is None else CronSchedule(cron=wanted.cron, timezone=wanted.zone)
    if [one.schedule for one in found] == ([] if plan is None else [plan]):
        return
    for one in found:
        await client.delete_deployment_schedule(deployment, one.id)
    if plan is not None:
        created = DeploymentScheduleCreate(schedule=plan, active=True)
        await client.create_deployment_schedules(deployment, [created])
