"""Deployments of studies: one a frozen study, with the schedule of the file added last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import ConcurrencyLimitStrategy
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.runner import Runner

from coordinator.center import add_study
from coordinator.home import Home
from coordinator.schedule import FLOW
from flows.deployments import Deployments
from site_agent.contract.study.schedule import FIELDS, Field, read_schedule
from tests.coordinator.exchange.office import frozen_file
from tests.coordinator.hospitals import SHORT, home_of


def item(field: Field) -> st.SearchStrategy[str]:
    """An item of a field of a cron expression, right or wrong."""
    numbers = st.integers(max(field.least - 1, 0), field.largest + 1).map(str)
    words = st.one_of(numbers, st.just("*"), st.sampled_from([*field.names, "x"]))
    ranges = st.tuples(words, words).map("-".join)
    return st.one_of(words, ranges, st.tuples(st.one_of(words, ranges), numbers).map("/".join))


@given(st.tuples(*(st.lists(item(one), min_size=1, max_size=2).map(",".join) for one in FIELDS)))
def test_what_is_a_schedule_prefect_takes(fields: tuple[str, ...]) -> None:
    """No schedule passes at `study check` that the Prefect server would refuse."""
    try:
        found = read_schedule(" ".join(fields))
    except ValueError:
        return
    assert found is not None
    assert CronSchedule(cron=found.cron, timezone=found.zone).cron == found.cron


class Desk:
    """A center with a study, and what its runner tells the Prefect server."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home: Home = home_of(folder / "center")
        self.deployments = Deployments(self.home, Runner(name="test"))

    def add(self, schedule: str) -> None:
        """The study, added with this schedule."""
        file = self.folder / "study.yaml"
        file.write_text(SHORT + (f'schedule: "{schedule}"\n' if schedule else ""))
        add_study(self.home, file)

    def freeze(self) -> None:
        """The study is frozen from now on."""
        text, study = frozen_file(SHORT)
        self.home.keep_frozen(text, study)

    def follow(self) -> None:
        """One look of the runner."""
        self._over(self.deployments.follow)

    def deployment(self) -> DeploymentResponse:
        """The study's deployment, as the server has it."""

        async def read(client: PrefectClient) -> DeploymentResponse:
            return await client.read_deployment_by_name(f"{FLOW}/protocol")

        found: DeploymentResponse = self._over(read)
        return found

    def schedules(self) -> list[tuple[str, str, bool]]:
        """Its schedules: cron, time zone, active."""
        found = self.deployment().schedules
        return [(one.schedule.cron, one.schedule.timezone, one.active) for one in found]  # type: ignore[union-attr, misc]

    def pause(self) -> None:
        """What a person does in Prefect's pages."""

        async def pause(client: PrefectClient) -> None:
            found = await client.read_deployment_by_name(f"{FLOW}/protocol")
            await client.update_deployment_schedule(found.id, found.schedules[0].id, active=False)

        self._over(pause)

    def forget(self) -> None:
        """The server forgets the deployment."""

        async def forget(client: PrefectClient) -> None:
            for identifier in self.deployments.served.values():
                await client.delete_deployment(identifier)

        self._over(forget)

    def _over(self, work: Callable[[PrefectClient], Awaitable[Any]]) -> Any:
        async def connected() -> Any:
            async with get_client() as client:
                return await work(client)

        return asyncio.run(connected())


@pytest.fixture
def desk(tmp_path: Path, prefect_server: None) -> Iterator[Desk]:
    """A center, of which the server knows nothing afterwards."""
    found = Desk(tmp_path)
    yield found
    found.forget()


def test_a_study_that_is_not_frozen_is_not_served(desk: Desk) -> None:
    """Whatever schedule it has."""
    desk.add("0 6 * * 1")
    desk.follow()
    assert desk.deployments.served == {}


def test_a_study_that_is_frozen_while_the_center_is_up(desk: Desk) -> None:
    """It gets its deployment, with its name, its schedule, and one run at a time."""
    desk.add("0 6 * * 1 Europe/Paris")
    desk.follow()
    desk.freeze()
    desk.follow()
    found = desk.deployment()
    assert found.concurrency_options is not None and found.global_concurrency_limit is not None
    assert (
        desk.schedules(),
        found.parameters,
        found.tags,
        found.global_concurrency_limit.limit,
        found.concurrency_options.collision_strategy,
    ) == (
        [("0 6 * * 1", "Europe/Paris", True)],
        {"study": "protocol"},
        ["protocol"],
        1,
        ConcurrencyLimitStrategy.ENQUEUE,
    )


def served(desk: Desk, schedule: str) -> Desk:
    """The study, served with a schedule."""
    desk.add(schedule)
    desk.freeze()
    desk.follow()
    return desk


@pytest.mark.parametrize(
    ("later", "expected"), [("30 5 * * 2", [("30 5 * * 2", "UTC", True)]), ("", [])]
)
def test_a_schedule_that_is_changed(desk: Desk, later: str, expected: Any) -> None:
    """Adding the file again is enough."""
    served(desk, "0 6 * * 1")
    desk.add(later)
    desk.follow()
    assert desk.schedules() == expected


def test_a_schedule_that_is_paused_stays_paused(desk: Desk) -> None:
    """A runner that starts again finds it as it is, and leaves it."""
    served(desk, "0 6 * * 1")
    desk.pause()
    desk.deployments = Deployments(desk.home, Runner(name="test"))
    desk.follow()
    assert desk.schedules() == [("0 6 * * 1", "UTC", False)]


def test_a_file_that_cannot_be_read_leaves_the_schedule(desk: Desk) -> None:
    """Somebody has edited the center's copy by hand."""
    served(desk, "0 6 * * 1")
    desk.home.added("protocol").write_text("study: {")
    desk.follow()
    assert desk.schedules() == [("0 6 * * 1", "UTC", True)]
