"""Runs that were cut off: buried once their process is gone, and followed by another one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from prefect.client.orchestration import PrefectClient, get_client
from prefect.client.schemas.objects import FlowRun, State, StateType

from coordinator.home import SETTINGS, Home, open_home
from flows import runner
from flows.runner import FOLLOWS, MOST_IN_A_ROW, STARTING_S, install_zombie_automation
from flows.turns import is_alive, turn
from site_agent.runtime.settings import read_settings

DEPLOYMENT = uuid4()
NOWHERE = Home(Path("/nowhere"), read_settings(SETTINGS, Path("/nowhere/center.toml"), {}))


class Server:
    """What the runner asks of the Prefect server; `says` is what it says when asked again."""

    def __init__(self, *runs: FlowRun) -> None:
        self.runs = list(runs)
        self.says: dict[UUID, FlowRun] = {run.id: run for run in runs}
        self.buried: list[UUID] = []
        self.ends: list[StateType] = []
        self.stopped: list[tuple[UUID, bool]] = []
        self.ordered: list[tuple[UUID, Any, Any]] = []

    async def read_flow_runs(self, flow_run_filter: Any = None, **_: Any) -> list[FlowRun]:
        """The runs that are due, newest first; those of the types that the filter names."""
        due = flow_run_filter.expected_start_time.before_
        runs = [run for run in self.runs if (run.expected_start_time or due) <= due]
        if flow_run_filter.state is None:
            return runs
        wanted = flow_run_filter.state.type.any_
        return [run for run in runs if run.state_type in wanted]

    async def read_flow_run(self, identifier: UUID) -> FlowRun:
        """One run as it stands."""
        return self.says[identifier]

    async def set_flow_run_state(
        self, identifier: UUID, state: State[Any], force: bool = False
    ) -> None:
        """A run's new state."""
        if state.type == StateType.CANCELLING:
            self.stopped.append((identifier, force))
            return
        self.ends.append(state.type)
        assert force
        self.buried.append(identifier)

    async def create_flow_run_from_deployment(
        self, deployment: UUID, *, parameters: Any, tags: Any
    ) -> None:
        """Another run."""
        self.ordered.append((deployment, parameters, tags))


def run(state: StateType, study: str = "lung", *, ago_s: float = 0.0, **parameters: Any) -> FlowRun:
    """A flow run of a study, as the server lists it."""
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    return FlowRun(
        flow_id=uuid4(),
        deployment_id=DEPLOYMENT,
        state_type=state,
        parameters={"study": study, **parameters},
        start_time=at,
        expected_start_time=at,
    )


def again(found: FlowRun, state: StateType) -> FlowRun:
    """The same run in another state."""
    return found.model_copy(update={"state_type": state})


def buried(server: Server, home: Home) -> list[UUID]:
    """Which runs are marked as crashed."""
    asyncio.run(runner._bury(cast(PrefectClient, server), home, [DEPLOYMENT]))
    return server.buried


def followed(*runs: FlowRun, home: Home = NOWHERE) -> list[tuple[UUID, Any, Any]]:
    """Which runs are ordered after these, the newest first."""
    server = Server(*runs)
    asyncio.run(runner._follow(cast(PrefectClient, server), home, [DEPLOYMENT]))
    return server.ordered


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A center's folder."""
    return open_home(tmp_path / "center", {})


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Turns that are held to the end of a test."""
    with ExitStack() as found:
        yield found


# Burying


def gone(home: Home, found: FlowRun) -> None:
    """A run whose process has had its turn and is gone."""
    folder = home.folder / "turns" / "runs"
    folder.mkdir(parents=True)
    (folder / str(found.id)).touch()


def test_a_run_whose_process_is_gone_is_buried(home: Home) -> None:
    """At once, if it has had its turn."""
    found = run(StateType.RUNNING)
    gone(home, found)
    assert buried(Server(found), home) == [found.id]


def test_a_run_that_has_its_turn_is_not_buried(home: Home, stack: ExitStack) -> None:
    """However long it has been running."""
    found = run(StateType.RUNNING, ago_s=1e6)
    stack.enter_context(turn(home, "lung", str(found.id)))
    assert buried(Server(found), home) == []


def test_a_run_that_comes_to_its_end_is_not_buried(home: Home) -> None:
    """Behind its turn its process still tells the server of its end."""
    found = run(StateType.RUNNING, ago_s=1e6)
    with turn(home, "lung", str(found.id)):
        pass
    assert (buried(Server(found), home), is_alive(home, str(found.id))) == ([], True)


def test_a_run_that_ended_since_it_was_listed_is_not_buried(home: Home) -> None:
    """The server is asked again: a completed refresh is not to be done twice."""
    found = run(StateType.RUNNING)
    gone(home, found)
    server = Server(found)
    server.says[found.id] = again(found, StateType.COMPLETED)
    assert buried(server, home) == []


# Half an hour ahead: a machine that is held up in the middle of the test does not age the run.
@pytest.mark.parametrize(("ago_s", "expected"), [(-1800, 0), (STARTING_S + 10, 1)])
def test_a_run_that_never_had_its_turn(ago_s: float, expected: int, home: Home) -> None:
    """It has a minute to begin."""
    assert len(buried(Server(run(StateType.RUNNING, ago_s=ago_s)), home)) == expected


@pytest.mark.parametrize(("ago_s", "expected"), [(-1800, 0), (STARTING_S + 10, 1)])
def test_a_run_that_was_never_started(ago_s: float, expected: int, home: Home) -> None:
    """A runner that ended between taking a run up and starting it leaves it pending for good."""
    found = run(StateType.PENDING, ago_s=ago_s)
    assert len(buried(Server(found), home)) == expected


def test_a_run_that_was_cancelled_ends_so(home: Home) -> None:
    """Its process is gone before the runner could say that it is; it is not followed."""
    found = run(StateType.CANCELLING)
    gone(home, found)
    server = Server(found)
    buried(server, home)
    assert server.ends == [StateType.CANCELLED]


@pytest.mark.parametrize("state", [StateType.SCHEDULED, StateType.COMPLETED, StateType.FAILED])
def test_only_runs_under_way_are_buried(state: StateType, home: Home) -> None:
    """What waits or has ended is left alone."""
    assert buried(Server(run(state, ago_s=1e6)), home) == []


# What a schedule had while nothing ran


def test_of_missed_runs_the_last_one_is_left() -> None:
    """A machine that was away for days looks once at each study, not once for each day."""
    runs = [run(StateType.SCHEDULED, ago_s=86400.0 * day) for day in range(4)]
    for one in runs[:3]:
        one.auto_scheduled = True  # the oldest was ordered by a person
    other = run(StateType.SCHEDULED, "anakinra", ago_s=86400)
    other.auto_scheduled, other.deployment_id = True, uuid4()
    server = Server(*runs, other)
    asyncio.run(runner._skip_missed(cast(PrefectClient, server), [DEPLOYMENT]))
    assert server.buried == [runs[1].id, runs[2].id]


# The hard limit


@pytest.mark.parametrize(("ago_s", "expected"), [(50, 0), (70, 1)])
def test_a_run_that_takes_too_long_is_cancelled(
    ago_s: float, expected: int, tmp_path: Path
) -> None:
    """Not by force: one that has ended by then keeps its end."""
    center = open_home(tmp_path / "center", {"QUORUM_REFRESH__TIMEOUT_S": "60"})
    found = run(StateType.RUNNING, ago_s=ago_s)
    server = Server(found)
    asyncio.run(runner._stop_overlong(cast(PrefectClient, server), center, [DEPLOYMENT]))
    assert server.stopped == [(found.id, False)] * expected


# Following


def test_a_crashed_run_is_followed() -> None:
    """By one of the same parameters."""
    found = followed(run(StateType.CRASHED, without=["elm"], deadline_s=5))
    parameters = {"study": "lung", "without": ["elm"], "deadline_s": 5}
    assert found == [(DEPLOYMENT, parameters, [FOLLOWS])]


def test_a_run_that_follows_has_the_release_of_the_crashed_one() -> None:
    """So that it ends with that one, and opens no other that nobody ordered."""
    crashed = run(StateType.CRASHED)
    crashed.tags = ["lung", "release-7"]
    ((_, _, tags),) = followed(crashed)
    assert tags == [FOLLOWS, "release-7"]


def test_a_crashed_run_whose_process_is_there_is_not_followed_yet(
    home: Home, stack: ExitStack
) -> None:
    """A runner that is stopped says so of its runs before they have ended; they have the turn."""
    found = run(StateType.CRASHED)
    stack.enter_context(turn(home, "lung", str(found.id)))
    assert followed(found, home=home) == []


@pytest.mark.parametrize(
    "state",
    [
        StateType.SCHEDULED,
        StateType.PENDING,
        StateType.RUNNING,
        StateType.COMPLETED,
        StateType.FAILED,
        StateType.CANCELLED,
        StateType.CANCELLING,
    ],
)
def test_a_crashed_run_is_followed_once(state: StateType) -> None:
    """Whatever came after it, and however that ended by itself."""
    assert followed(run(state), run(StateType.CRASHED, ago_s=10)) == []


@pytest.mark.parametrize("state", [StateType.COMPLETED, StateType.FAILED, StateType.CANCELLED])
def test_what_ended_by_itself_is_not_followed(state: StateType) -> None:
    """Neither done, nor refused, nor stopped by a person."""
    assert followed(run(state)) == []


def test_a_scheduled_run_of_next_week_does_not_stand_for_it() -> None:
    """A schedule's runs are there long before; the crashed one is followed all the same."""
    later = run(StateType.SCHEDULED, ago_s=-7 * 86400)
    assert len(followed(later, run(StateType.CRASHED))) == 1


def test_each_study_is_followed() -> None:
    """A run of one study does not stand for another's."""
    found = followed(
        run(StateType.COMPLETED, "anakinra"),
        run(StateType.CRASHED, "lung", ago_s=10),
        run(StateType.CRASHED, "anakinra", ago_s=20),
        run(StateType.CRASHED, "breast", ago_s=30),
    )
    assert [parameters["study"] for _, parameters, _ in found] == ["lung", "breast"]


@pytest.mark.parametrize(("crashed", "expected"), [(MOST_IN_A_ROW, 1), (MOST_IN_A_ROW + 1, 0)])
def test_crashes_in_a_row(crashed: int, expected: int) -> None:
    """A run that crashes again and again is given up."""
    assert len(followed(*(run(StateType.CRASHED, ago_s=i) for i in range(crashed)))) == expected


def test_crashes_before_one_that_ended_do_not_count() -> None:
    """The count begins anew."""
    old = [run(StateType.CRASHED, ago_s=i) for i in range(2, 30)]
    assert len(followed(run(StateType.CRASHED), run(StateType.FAILED, ago_s=1), *old)) == 1


# The server's own watch


@pytest.mark.usefixtures("prefect_server")
def test_the_automation_is_installed_once() -> None:
    """However often the runner starts."""

    async def install() -> int:
        await install_zombie_automation()
        await install_zombie_automation()
        async with get_client() as client:
            found = await client.read_automations_by_name("quorum: runs whose heartbeats stop")
        return len(found)

    assert asyncio.run(install()) == 1


def test_a_run_that_ended_keeps_its_end() -> None:
    """The automation does not force: a run that ended as "Not ready" is not made a crashed one."""

    async def forced() -> list[bool]:
        await install_zombie_automation()
        async with get_client() as client:
            found = await client.read_automations_by_name("quorum: runs whose heartbeats stop")
        return [getattr(action, "force", True) for one in found for action in one.actions]

    assert asyncio.run(forced()) == [False]
