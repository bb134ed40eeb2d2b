"""One refresh of a study at a time, and which flow runs are alive, however they ended."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from coordinator.home import Home, open_home
from flows.turns import TakenTurn, began_turn, holder, is_alive, turn

ROOT = Path(__file__).parents[2]
PROGRAM = """
import pathlib, sys, time
from coordinator.home import open_home
from flows.turns import turn
home = open_home(pathlib.Path(sys.argv[1]), {})
with turn(home, "lung", "run-1"):
    if sys.argv[2] == "within":
        print("within", flush=True)
        time.sleep(60)
print("behind", flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A center's folder."""
    return open_home(tmp_path / "center", {})


@contextmanager
def process(home: Home, where: str) -> Iterator[subprocess.Popen[str]]:
    """Flow run run-1 in a process that is within its turn, or behind it."""
    command = [sys.executable, "-c", PROGRAM, str(home.folder), where]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as found:
        assert found.stdout is not None
        assert found.stdout.readline() == f"{where}\n"
        try:
            yield found
        finally:
            found.kill()


def test_who_has_the_turn(home: Home) -> None:
    """The flow run, while it has it."""
    with turn(home, "lung", "run-1"):
        during = holder(home, "lung")
    assert (during, holder(home, "lung")) == ("run-1", None)


def test_nobody_had_a_turn_yet(home: Home) -> None:
    """Of an unknown study nobody has the turn."""
    assert holder(home, "lung") is None


def test_a_taken_turn(home: Home) -> None:
    """A second refresh of the study is not begun; it is told by whom and what to do."""
    first, second = turn(home, "lung", "run-1"), turn(home, "lung", "run-2")
    with first, pytest.raises(TakenTurn) as caught, second:
        pass
    assert str(caught.value) == (
        "a refresh of lung is running already (flow run run-1); wait for it (`coordinator status "
        "lung`), or stop it (`coordinator cancel lung`)"
    )


def test_who_was_turned_away_has_had_no_turn(home: Home) -> None:
    """A run that did not get the turn is not taken for one that was cut off."""
    with turn(home, "lung", "run-1"), pytest.raises(TakenTurn), turn(home, "lung", "run-2"):
        pass
    assert not began_turn(home, "run-2")


def test_studies_have_turns_of_their_own(home: Home) -> None:
    """Two studies are refreshed at a time."""
    with turn(home, "lung", "run-1"), turn(home, "anakinra", "run-2"):
        found = (holder(home, "lung"), holder(home, "anakinra"))
    assert found == ("run-1", "run-2")


def test_one_turn_after_the_other(home: Home) -> None:
    """A longer name before does not shine through."""
    with turn(home, "lung", "run-1234"):
        pass
    with turn(home, "lung", "run-5"):
        found = holder(home, "lung")
    assert found == "run-5"


def test_a_refresh_that_failed_frees_its_turn(home: Home) -> None:
    """An error within the turn ends it."""
    with pytest.raises(ZeroDivisionError), turn(home, "lung", "run-1"):
        raise ZeroDivisionError
    assert holder(home, "lung") is None


def test_a_process_that_is_killed_frees_its_turn(home: Home) -> None:
    """kill -9 leaves no lock behind."""
    with process(home, "within") as found:
        during = (holder(home, "lung"), is_alive(home, "run-1"))
        found.kill()
        found.wait()
        after = (holder(home, "lung"), is_alive(home, "run-1"), began_turn(home, "run-1"))
    assert (during, after) == (("run-1", True), (None, False, True))


def test_a_run_is_alive_until_its_process_ends(home: Home) -> None:
    """Behind its turn a run still tells the Prefect server of its end."""
    with process(home, "behind") as found:
        during = (holder(home, "lung"), is_alive(home, "run-1"))
        found.kill()
        found.wait()
    assert (during, is_alive(home, "run-1")) == ((None, True), False)


def test_a_run_that_never_began(home: Home) -> None:
    """It is neither alive nor has it begun."""
    assert (is_alive(home, "run-1"), began_turn(home, "run-1")) == (False, False)
