"""Ordering a refresh from the Prefect server, and following it to its end."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterName,
    FlowRunFilter,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelling

from coordinator.driver import standings
from coordinator.home import Home
from coordinator.phases import place_of
from coordinator.schedule import FLOW
from flows.runner import FOLLOWS, UNDER_WAY
from site_agent.contract.errors import (
    INTERNAL,
    NOT_READY,
    Declined,
    NotReady,
    QuorumError,
    Unreachable,
)
from site_agent.runtime.http import BROKEN, Exchange, patiently

Result = TypeVar("Result")
POLL_S: Final = 0.5
ATTEMPTS: Final = 8  # a server that is started again is awaited for about a minute
TAKEN_UP_S: Final = 90.0
FOLLOW_S: Final = 30.0  # a crashed run is followed by another one within this time
CODE: Final = re.compile(r"\[(\d+)\] ", re.ASCII)
RELEASE: Final = re.compile(r"release (\d+):", re.ASCII)
CANCELLED: Final = (
    "the refresh was cancelled, by a person or because refresh.timeout_s is over. Its release "
    "stays open; refresh again and it goes on, or give it up with `coordinator burn`"
)
NOTHING_NEW: Final = ": nothing new, "


class Unfinished(QuorumError):
    """A refresh that ended without a release; has the exit code of its reason."""

    def __init__(self, message: str, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(message)


def order(study: str, parameters: Mapping[str, Any]) -> UUID:
    """Return the flow run that the runner will take up; Unreachable if there is no runner.

    parameters: those of the flow, beside the study.
    """
    parameters = {"study": study, **parameters}
    once = str(uuid4())  # the server takes it once, however often it is sent

    def ordered() -> UUID:
        try:
            return created()
        except ObjectNotFound:  # a study that was frozen just now gets it within seconds
            raise Unreachable(
                f"the Prefect server has no deployment of {study} yet; `coordinator up` runs the "
                f"flow runner that brings it"
            ) from None

    def created() -> UUID:
        with get_client(sync_client=True) as client:
            deployment = client.read_deployment_by_name(f"{FLOW}/{study}")
            return client.create_flow_run_from_deployment(
                deployment.id, parameters=parameters, idempotency_key=once
            ).id

    return patiently(_reaching(ordered, study), attempts=ATTEMPTS)


def _reaching(action: Callable[[], Result], study: str) -> Callable[[], Result]:
    """Return `action` with Unreachable in place of the errors of a broken connection."""

    def reached() -> Result:
        try:
            return action()
        except BROKEN:
            raise Unreachable(
                f"the Prefect server does not answer; is `coordinator up` running? A release that "
                f"was opened stays, and goes on when it runs: `coordinator status {study}`"
            ) from None

    return reached


def follow(
    identifier: UUID,
    home: Home,
    study: str,
    *,
    tell: Callable[[str], None],
    sleep: Callable[[float], None],
) -> tuple[int, str]:
    """Return a release when the run, or one that follows it, has completed: number and words.

    Unfinished with the run's words otherwise.
    """

    def again(action: Callable[[], Result]) -> Result:
        reached = _reaching(action, study)
        return patiently(reached, attempts=ATTEMPTS, sleep=sleep, tell=tell)

    last, crashed_s, scheduled_s = "", 0.0, 0.0
    with get_client(sync_client=True) as client, home.exchange() as exchange:
        while True:
            run = again(partial(client.read_flow_run, identifier))
            words = _words(run, exchange, home, study)
            if words != last:
                tell(words)
            last = words
            state = run.state
            scheduled_s = scheduled_s + POLL_S if state and state.is_scheduled() else 0.0
            if scheduled_s > TAKEN_UP_S:
                raise Unreachable(
                    f"no flow runner takes the refresh up; is `coordinator up` running? Its logs "
                    f"are in {home.folder / 'logs'}"
                )
            if state is not None and state.is_final():
                if state.type == StateType.CANCELLED:
                    raise Unfinished(CANCELLED, NOT_READY)
                if state.type != StateType.CRASHED:
                    return _ended(str(state.message or ""), state.is_completed())
                following = again(partial(_following, client, run))
                if following is None and crashed_s > FOLLOW_S:
                    raise Unfinished("the refresh crashed and none follows it", INTERNAL)
                crashed_s = 0.0 if following else crashed_s + POLL_S
                identifier = following or identifier
            sleep(POLL_S)


def cancel(study: str, sleep: Callable[[float], None]) -> int:
    """Cancel the runs of a study that are due or under way, and wait for their end; how many.

    Unreachable if the Prefect server does not answer, or no runner ends them.
    """

    def begun() -> list[UUID]:
        with get_client(sync_client=True) as client:
            return _cancelled(client, study)

    found = patiently(_reaching(begun, study), attempts=ATTEMPTS)
    for _ in range(int(TAKEN_UP_S / POLL_S)):
        if not patiently(_reaching(lambda: _open_runs(study), study), attempts=ATTEMPTS):
            return len(found)
        sleep(POLL_S)
    raise Unreachable(f"no flow runner ends the refresh of {study}; is `coordinator up` running?")


def _cancelled(client: SyncPrefectClient, study: str) -> list[UUID]:
    found = _open_runs(study)
    for identifier in found:
        client.set_flow_run_state(identifier, Cancelling(message="by `coordinator cancel`"))
    return found


def _open_runs(study: str) -> list[UUID]:
    """Return the runs of a study that are due and have not ended."""
    due = datetime.now(UTC) + timedelta(seconds=POLL_S)
    states = (*UNDER_WAY, StateType.SCHEDULED)
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))),
                expected_start_time=FlowRunFilterExpectedStartTime(before_=due),  # type: ignore[arg-type]
            ),
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=[study])),
        )
    return [run.id for run in runs]


def _ended(message: str, completed: bool) -> tuple[int, str]:
    """Return a run's last words and the release's number in them; Unfinished if there is none."""
    release = RELEASE.match(message)
    if completed and release:
        return int(release[1]), message
    code = CODE.match(message)
    text = CODE.sub("", message, count=1) or "the refresh ended without a word"
    raise Unfinished(text, int(code[1]) if code else INTERNAL)


def _following(client: SyncPrefectClient, crashed: FlowRun) -> UUID | None:
    """Return the run that follows a crashed one, if it is there."""
    for run in client.read_flow_runs(limit=20, sort="EXPECTED_START_TIME_DESC"):  # type: ignore[arg-type]
        later = run.created and crashed.created and run.created > crashed.created
        same = run.parameters.get("study") == crashed.parameters.get("study")
        if later and same and FOLLOWS in run.tags:
            return UUID(str(run.id))
    return None


def _words(run: FlowRun, exchange: Exchange, home: Home, study: str) -> str:
    """Return where the refresh is: its state, and what the exchange says of the release."""
    name = str(run.state.name) if run.state else "new"
    try:
        found = standings(exchange, home.frozen(study).hash)[:1]
    except (Unreachable, Declined, NotReady):
        found = []
    if not found or not found[0].under_way:
        return name
    last = found[0]
    where = place_of(last.phase, last.round)
    waits = f", waiting for {', '.join(last.waiting)}" if last.waiting else ""
    return f"{name}: release {last.number}, {where}{waits}"
