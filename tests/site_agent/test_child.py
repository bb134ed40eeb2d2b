"""The process that computes, as the agent sees it: started, ended, and dead.

The processes of these tests compute nothing; what the real one does is in test_worker.py.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from site_agent import child as module
from site_agent.child import Child, WorkerDied

ROOT = Path(__file__).parents[2]
PROGRAM = f"""\
#!{sys.executable}
import os, signal, sys, time
sys.path.insert(0, {str(ROOT)!r})
from site_agent.pipes import read_frame, write_frame
while True:
    header, body = read_frame(sys.stdin.buffer)
    if header["study"] == "dies":
        os._exit(70)
    if header["study"] == "is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if header["study"] == "is deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    write_frame(sys.stdout.buffer, {{"arguments": sys.argv[1:]}}, body)
"""


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def child(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    """A process that gives each message back, or does what its study is called."""
    program = tmp_path / "program"
    program.write_text(PROGRAM, encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    found = Child(tmp_path / "agent.toml", 60, clock=clock)
    yield found
    found.end()


def test_no_process_before_the_first_message(child: Child) -> None:
    """An agent to which nothing was said has no process that computes."""
    assert (child.running, child.pid) == (False, None)


def test_a_message_is_answered(child: Child, tmp_path: Path) -> None:
    """The process is started for the agent's settings, and gives header and body."""
    expected = {"arguments": ["-m", "site_agent.worker", str(tmp_path / "agent.toml")]}
    assert child.answer("study", b"wire") == (expected, b"wire")


def test_a_large_message_is_answered(child: Child) -> None:
    """A message that is larger than a pipe holds goes through."""
    wire = os.urandom(1 << 20)
    assert child.answer("study", wire)[1] == wire


def test_one_process_for_all_messages(child: Child) -> None:
    """The process stays for the next message."""
    child.answer("study", b"1")
    first = child.pid
    child.answer("study", b"2")
    assert (child.pid, child.running) == (first, True)


def test_a_killed_process_is_told(child: Child) -> None:
    """A process that the system killed is told with its signal, and a guess at the reason."""
    with pytest.raises(WorkerDied) as died:
        child.answer("is killed", b"wire")
    assert str(died.value) == (
        "the process that computes ended (signal 9; is the memory enough? See work.memory_mib); "
        "it is started again"
    )


def test_a_process_that_gave_up_is_told(child: Child) -> None:
    """A process that ended by itself is told with its exit code."""
    with pytest.raises(WorkerDied, match="exit code 70; it said why in the lines before"):
        child.answer("dies", b"wire")


def test_a_killed_process_is_started_again(child: Child) -> None:
    """The next message is given to another process."""
    child.answer("study", b"1")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(WorkerDied):
        child.answer("study", b"2")
    assert child.answer("study", b"3")[1] == b"3"


def test_a_dead_process_does_not_run(child: Child) -> None:
    """The agent sees that what earlier messages brought is lost."""
    child.answer("study", b"1")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.running is False


def test_a_dead_process_leaves_no_noise(
    child: Child, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large message to a dead process leaves nothing in the log but what the agent says."""
    child.answer("study", b"1")
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    monkeypatch.setattr(sys, "unraisablehook", sys.__unraisablehook__)
    with pytest.raises(WorkerDied):
        child.answer("study", bytes(1 << 20))
    gc.collect()
    assert capfd.readouterr().err == ""


def test_an_idle_process_is_ended(child: Child, clock: Clock) -> None:
    """After so many seconds without a message, the process and its memory are gone."""
    child.answer("study", b"1")
    clock.now = 60
    child.rest()
    assert (child.running, child.pid) == (False, None)


def test_a_process_that_was_used_stays(child: Child, clock: Clock) -> None:
    """Before that it stays."""
    clock.now = 30
    child.answer("study", b"1")
    clock.now = 89
    child.rest()
    assert child.running is True


def test_rest_without_a_process(child: Child, clock: Clock) -> None:
    """Where there is no process, there is nothing to end."""
    clock.now = 100
    child.rest()
    assert child.pid is None


def test_a_start_begins_with_nothing(child: Child) -> None:
    """A process that is started on purpose is another one, and knows of no message."""
    child.answer("study", b"1")
    first = child.pid
    child.start()
    assert (child.pid == first, child.running) == (False, False)


def test_a_process_to_which_nothing_was_said_is_kept(child: Child) -> None:
    """Who knows nothing need not be started again to know nothing."""
    child.start()
    first = child.pid
    child.start()
    child.answer("study", b"1")
    assert (first is not None, child.pid, child.running) == (True, first, True)


def test_a_process_that_died_unasked_is_replaced(child: Child) -> None:
    """A process that died before its first message costs none."""
    child.start()
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert child.answer("study", b"1")[1] == b"1"


@pytest.fixture
def standing_by(child: Child, tmp_path: Path, clock: Clock) -> Iterator[Child]:
    """The same with a process that stands by."""
    found = Child(tmp_path / "agent.toml", 60, standby=True, clock=clock)
    yield found
    found.end()


def test_a_process_stands_by(standing_by: Child) -> None:
    """An agent at rest has a process that knows nothing, and gives it the first message."""
    standing_by.rest()
    first = standing_by.pid
    standing_by.rest()
    running = standing_by.running
    standing_by.answer("study", b"1")
    assert (first is not None, running, standing_by.pid) == (True, False, first)


def test_an_idle_process_is_relieved(standing_by: Child, clock: Clock) -> None:
    """After a release, another process stands by: it holds none of the data."""
    standing_by.answer("study", b"1")
    first, clock.now = standing_by.pid, 60
    standing_by.rest()
    assert (Path(f"/proc/{first}").exists(), standing_by.running) == (False, False)
    assert standing_by.pid not in (None, first)


def test_a_process_that_died_in_a_message_is_relieved(standing_by: Child) -> None:
    """After that, too, another one stands by."""
    with pytest.raises(WorkerDied):
        standing_by.answer("dies", b"1")
    standing_by.rest()
    assert (standing_by.running, standing_by.pid is None) == (False, False)


def test_an_interrupt_from_the_terminal_is_for_the_agent(child: Child) -> None:
    """The process is none of the agent's group, to which a terminal sends Ctrl-C."""
    child.start()
    assert child.pid is not None
    assert os.getpgid(child.pid) != os.getpgid(0)


def test_an_ended_process_is_gone(child: Child) -> None:
    """No process is left behind, not even as a zombie."""
    child.answer("study", b"1")
    pid = child.pid
    child.end()
    assert not Path(f"/proc/{pid}").exists()


def test_a_process_that_does_not_listen_is_killed(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that does not end when it is asked to is killed after a while."""
    monkeypatch.setattr(module, "END_S", 0.05)
    child.answer("is deaf", b"1")
    pid, began = child.pid, time.monotonic()
    child.end()
    assert (Path(f"/proc/{pid}").exists(), time.monotonic() - began < 5) == (False, True)


def test_a_system_that_grants_no_wide_pipes(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user's pipes may have their most already: it computes with those that there are."""

    def refused(*_: object) -> int:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("fcntl.fcntl", refused)
    assert child.answer("any", b"message")[1] == b"message"
