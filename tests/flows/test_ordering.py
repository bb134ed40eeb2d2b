"""Ordering a refresh and following it: what a command tells, and with which exit code it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import flow
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.states import Completed, Crashed, Failed, Pending, Running, Scheduled

from coordinator.home import Home
from flows import ordering
from flows.ordering import Unfinished, follow, order
from flows.runner import FOLLOWS
from site_agent.contract.errors import NotReady, Unreachable
from site_agent.runtime.http import BROKEN, patiently
from tests.coordinator.exchange.office import frozen_file
from tests.coordinator.hospitals import home_of


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A center with a frozen study whose exchange does not answer."""
    found = home_of(tmp_path / "center")
    text, study = frozen_file()
    found.study_folder("protocol").mkdir(parents=True)
    (found.study_folder("protocol") / "study.yaml").touch()
    found.keep_frozen(text, study)
    return found


# How a run's last words are read


def test_a_completed_run_names_its_release() -> None:
    """The number, which leads to the folder."""
    words = "release 12: /x/release-12/report.html"
    assert ordering._ended(words, True) == (12, words)


@pytest.mark.parametrize(
    ("message", "completed", "code", "text"),
    [
        ("[75] release 1 waits for elm", False, 75, "release 1 waits for elm"),
        ("[77] release 1 was refused [by elm]", False, 77, "release 1 was refused [by elm]"),
        ("[69] http://x cannot be reached", False, 69, "http://x cannot be reached"),
        ("Flow run encountered an exception", False, 70, "Flow run encountered an exception"),
        ("", False, 70, "the refresh ended without a word"),
        ("", True, 70, "the refresh ended without a word"),
        ("release 1: x", False, 70, "release 1: x"),
    ],
)
def test_other_ends_have_the_code_of_their_reason(
    message: str, completed: bool, code: int, text: str
) -> None:
    """The code stands before the words, and is not shown twice."""
    with pytest.raises(Unfinished) as caught:
        ordering._ended(message, completed)
    assert (caught.value.exit_code, str(caught.value)) == (code, text)


# Over a server


@flow(name="stand-in")
def stand_in(study: str) -> None:
    """Nothing: its runs are put into their states by hand."""


@pytest.fixture
def client(prefect_server: None) -> Any:
    """The Prefect server."""
    with get_client(sync_client=True) as found:
        yield found


def made(client: SyncPrefectClient, state: Any, *tags: str, study: str = "protocol") -> UUID:
    """A flow run in a state."""
    found = client.create_flow_run(stand_in, parameters={"study": study}, tags=list(tags))
    client.set_flow_run_state(found.id, state, force=True)
    return found.id


def followed(
    client: SyncPrefectClient,
    home: Home,
    identifier: UUID,
    *then: Callable[[], Any],
    tell: Callable[[str], None] = lambda _: None,
) -> tuple[int, str]:
    """Follow a run; while the command waits, this happens one after the other."""
    events = list(then)

    def sleep(_: float) -> None:
        if events:
            events.pop(0)()

    return follow(identifier, home, "protocol", tell=tell, sleep=sleep)


def test_ordering_without_a_runner(
    client: SyncPrefectClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No deployment, no refresh: what brings it is told."""
    monkeypatch.setattr(ordering, "ATTEMPTS", 1)
    with pytest.raises(Unreachable, match="`coordinator up` runs the flow runner"):
        order("protocol", {})


def test_following_to_the_end(client: SyncPrefectClient, home: Home) -> None:
    """Through its states to the release's number."""
    run = made(client, Pending())

    def then(state: Any) -> Callable[[], Any]:
        return lambda: client.set_flow_run_state(run, state, force=True)

    end = Completed(message="release 3: x")
    assert followed(client, home, run, then(Running()), then(end)) == (3, "release 3: x")


def test_what_is_told_on_the_way(client: SyncPrefectClient, home: Home) -> None:
    """Each state once; nothing of a release while the exchange does not answer."""
    run, told = made(client, Running()), list[str]()
    end = Completed(message="release 3: x")
    followed(
        client,
        home,
        run,
        lambda: None,
        lambda: client.set_flow_run_state(run, end, force=True),
        tell=told.append,
    )
    assert told == ["Running", "Completed"]


def test_a_run_that_is_not_ready(client: SyncPrefectClient, home: Home) -> None:
    """Its words and code are those of the command."""
    run = made(client, Failed(name="Not ready", message="[75] release 1 waits for elm"))
    with pytest.raises(Unfinished) as caught:
        followed(client, home, run)
    assert (caught.value.exit_code, str(caught.value)) == (
        NotReady.exit_code,
        "release 1 waits for elm",
    )


def test_a_crashed_run_is_followed_by_the_next(client: SyncPrefectClient, home: Home) -> None:
    """The command goes on with the run that the runner put in its place."""
    run = made(client, Crashed())
    end = Completed(message="release 4: x")
    found = followed(client, home, run, lambda: made(client, end, FOLLOWS))
    assert found == (4, "release 4: x")


def test_another_studys_run_does_not_follow(
    client: SyncPrefectClient, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one that somebody ordered; after a while the command says that none came."""
    monkeypatch.setattr(ordering, "FOLLOW_S", 2)
    run = made(client, Crashed(), study="protocol")
    end = Completed(message="release 4: x")
    others = [
        lambda: made(client, end, FOLLOWS, study="lung"),
        lambda: made(client, end),
    ]
    with pytest.raises(Unfinished, match="crashed and none follows it"):
        followed(client, home, run, *others)


def test_a_run_that_nobody_takes_up(
    client: SyncPrefectClient, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a runner a run stays scheduled; where the logs are is told."""
    monkeypatch.setattr(ordering, "TAKEN_UP_S", 2)
    run = made(client, Scheduled())
    with pytest.raises(Unreachable, match="no flow runner takes the refresh up"):
        followed(client, home, run)


def test_a_prefect_server_that_went_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that breaks is waited for, then told as what it is, with exit code 69."""
    waited: list[float] = []

    def broken() -> None:
        raise BROKEN[0]("refused")

    with pytest.raises(Unreachable, match="the Prefect server does not answer"):
        patiently(ordering._reaching(broken, "lung"), attempts=3, sleep=waited.append)
    assert waited == [0.5, 1.0]
