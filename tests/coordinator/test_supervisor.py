"""Processes that run together, tried on small ones: their order, their ends, their restarts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from coordinator import supervisor
from coordinator.supervisor import Part, Supervisor
from site_agent.contract.errors import Unreachable

ROOT = Path(__file__).parents[2]
SLEEPS = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
PARENT = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(60)
"""


def until(holds: Callable[[], object], patience_s: float = 20) -> None:
    """Wait until something holds."""
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.01)


def is_there(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits for its parent does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def part(
    folder: Path,
    name: str,
    program: str,
    *arguments: str | Path,
    answers: Callable[[], bool] = lambda: True,
    patience_s: float = 20.0,
) -> Part:
    """A part that runs a program in Python."""
    command = [sys.executable, "-c", program, *map(str, arguments)]
    environment = {"PATH": os.environ["PATH"]}
    log = folder / "logs" / f"{name}.log"
    return Part(name, f"at {name}", command, environment, log, answers, patience_s)


def pid_of(found: Part) -> int:
    """The id of a part's process."""
    assert found.process is not None
    return found.process.pid


class Running:
    """A supervisor whose lines are kept, and which is always stopped."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.supervisors: list[Supervisor] = []

    def of(self, *parts: Part) -> Supervisor:
        """A supervisor of parts."""
        found = Supervisor(parts, self.said.append)
        self.supervisors.append(found)
        return found


@pytest.fixture
def running() -> Iterator[Running]:
    """Supervisors that are stopped at the end."""
    found = Running()
    yield found
    for one in found.supervisors:
        one.stop()


def test_a_part_starts_when_the_one_before_answers(tmp_path: Path, running: Running) -> None:
    """The second finds what the first makes when it is ready."""
    ready, seen = tmp_path / "ready", tmp_path / "seen"
    slow = "import pathlib, sys, time; time.sleep(0.3); pathlib.Path(sys.argv[1]).touch(); "
    look = "import pathlib, sys; found = pathlib.Path(sys.argv[1]).exists(); "
    write = "pathlib.Path(sys.argv[2]).write_text(str(found)); "
    running.of(
        part(tmp_path, "one", slow + SLEEPS, ready, answers=ready.exists),
        part(tmp_path, "two", look + write + SLEEPS, ready, seen, answers=seen.exists),
    ).start()
    assert seen.read_text(encoding="utf-8") == "True"


def test_where_parts_are_is_told_in_order(tmp_path: Path, running: Running) -> None:
    """A line a part when it answers."""
    running.of(part(tmp_path, "one", SLEEPS), part(tmp_path, "two", SLEEPS)).start()
    assert [line.split() for line in running.said] == [["one", "at", "one"], ["two", "at", "two"]]


def test_a_part_that_ends_at_its_start(tmp_path: Path, running: Running) -> None:
    """The end of its log is in the message."""
    program = "for i in range(30): print('line', i)\nraise SystemExit(3)"
    failing = part(tmp_path, "one", program, answers=lambda: False)
    with pytest.raises(Unreachable) as caught:
        running.of(failing).start()
    lines = str(caught.value).splitlines()
    assert (lines[0], lines[1:]) == (
        f"one ended; its log {tmp_path}/logs/one.log ends with",
        [f"  line {number}" for number in range(18, 30)],
    )


def test_a_part_that_does_not_answer(tmp_path: Path, running: Running) -> None:
    """After its patience, even if it runs."""
    silent = part(tmp_path, "one", SLEEPS, answers=lambda: False, patience_s=0.1)
    with pytest.raises(Unreachable, match=r"one did not answer in 0\.1 s; its log"):
        running.of(silent).start()


def test_what_has_started_is_stopped_when_another_does_not(
    tmp_path: Path, running: Running
) -> None:
    """After a start that failed nothing is left."""
    good = part(tmp_path, "one", SLEEPS)
    bad = part(tmp_path, "two", "raise SystemExit", answers=lambda: False)
    both = running.of(good, bad)
    with pytest.raises(Unreachable):
        both.start()
    both.stop()
    assert not is_there(pid_of(good))


class Clock:
    """A clock that a supervisor's pauses move on; interrupted after so many seconds."""

    def __init__(self, watched: Part, ends_s: float) -> None:
        self.watched = watched
        self.now = 1000.0
        self.ends = self.now + ends_s

    def monotonic(self) -> float:
        """The present second."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Wait until the process has ended, and let the time pass."""
        if self.watched.process is not None:
            self.watched.process.wait()
        self.now += seconds
        if self.now > self.ends:
            raise KeyboardInterrupt


def test_pauses_before_a_restart_grow(
    tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a second, then twice as long each time, up to half a minute."""
    ending = part(tmp_path, "one", "raise SystemExit(3)")
    started: list[float] = []
    clock = Clock(ending, 100)
    monkeypatch.setattr(supervisor, "time", clock)
    start = ending.start
    monkeypatch.setattr(Part, "start", lambda self: (started.append(clock.now), start())[1])
    ending.start()
    with pytest.raises(KeyboardInterrupt):
        running.of(ending).keep()
    pauses = [after - before for before, after in pairwise(started)]
    looks = 2 * supervisor.LOOK_S
    expected = [0.5, 1, 2, 4, 8, 16, 30, 30]
    assert [0 <= a - b <= looks for a, b in zip(pauses, expected, strict=True)] == [True] * 8


def test_a_part_that_held_for_long_is_started_at_once_again(
    tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a minute without an end the pauses begin anew."""
    steady = part(tmp_path, "one", SLEEPS)
    steady.failures = 5
    clock = Clock(part(tmp_path, "none", SLEEPS), 70)
    monkeypatch.setattr(supervisor, "time", clock)
    steady.start()
    with pytest.raises(KeyboardInterrupt):
        running.of(steady).keep()
    assert steady.failures == 0


def kept(one: Supervisor, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a supervisor look after its parts for a while."""
    clock = Clock(Part("none", "", [], {}, Path(), lambda: True), seconds)
    monkeypatch.setattr(supervisor, "time", clock)
    with pytest.raises(KeyboardInterrupt):
        one.keep()


def test_a_killed_part_is_started_again(
    tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs under another id, and people are told."""
    victim = part(tmp_path, "one", SLEEPS)
    one = running.of(victim)
    one.start()
    first = victim.process
    assert first is not None
    first.kill()
    first.wait()
    kept(one, 2, monkeypatch)
    said = f"one ended (-9); it is started again, log {victim.log}"
    assert (victim.ended, pid_of(victim) != first.pid, running.said[-1]) == (False, True, said)


def test_stopping_takes_down_what_parts_have_started(tmp_path: Path, running: Running) -> None:
    """A part's children end with it."""
    file = tmp_path / "child"
    one = running.of(part(tmp_path, "one", PARENT, file, answers=file.exists))
    one.start()
    until(lambda: file.read_text(encoding="utf-8"))
    child = int(file.read_text(encoding="utf-8"))
    one.stop()
    until(lambda: not is_there(child))
    assert not is_there(child)


def test_stopping_takes_down_what_a_killed_part_left_behind(
    tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The children of a part that was killed go on beside its successor, and end at the stop."""
    file = tmp_path / "child"
    victim = part(tmp_path, "one", PARENT, file, answers=file.exists)
    one = running.of(victim)
    one.start()
    until(lambda: file.read_text(encoding="utf-8"))
    child, first = int(file.read_text(encoding="utf-8")), victim.process
    assert first is not None
    first.kill()
    first.wait()
    kept(one, 2, monkeypatch)
    before = is_there(child)
    one.stop()
    until(lambda: not is_there(child))
    assert before


def test_a_part_that_does_not_stop_is_killed(
    tmp_path: Path, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left that does not listen."""
    monkeypatch.setattr(supervisor, "STOPS_WITHIN_S", 0.2)
    file = tmp_path / "ready"
    program = f"{STUBBORN} import pathlib, sys; pathlib.Path(sys.argv[1]).touch(); {SLEEPS}"
    stubborn = part(tmp_path, "one", program, file, answers=file.exists)
    one = running.of(stubborn)
    one.start()
    one.stop()
    assert (stubborn.ended, running.said[-1]) == (True, "one does not stop; it is killed")


def test_parts_stop_in_reverse_order(tmp_path: Path, running: Running) -> None:
    """What others stand on is stopped last."""
    log = tmp_path / "order"
    program = (
        "import pathlib, signal, sys, time\n"
        "def stop(*_):\n"
        "    with open(sys.argv[1], 'a') as file: file.write(sys.argv[2])\n"
        "    raise SystemExit\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "pathlib.Path(sys.argv[3]).touch()\n"
        "time.sleep(60)"
    )
    ready = [tmp_path / "ready1", tmp_path / "ready2"]
    one = running.of(
        *(
            part(tmp_path, name, program, log, name, file, answers=file.exists)
            for name, file in zip("ab", ready, strict=True)
        )
    )
    one.start()
    one.stop()
    assert log.read_text(encoding="utf-8") == "ba"


def test_stopping_twice(tmp_path: Path, running: Running) -> None:
    """Nothing happens the second time, nor to a part that was never started."""
    one = running.of(part(tmp_path, "one", SLEEPS), part(tmp_path, "two", SLEEPS))
    one.stop()
    one.stop()
    assert running.said == []


SUPERVISOR = """
import pathlib, sys, time
from coordinator.supervisor import Part, Supervisor
part = Part(
    'one', '', [sys.executable, '-c', 'import time; time.sleep(60)'], {},
    pathlib.Path(sys.argv[1]) / 'log', lambda: True,
)
Supervisor([part], lambda _: None).start()
(pathlib.Path(sys.argv[1]) / 'pid').write_text(str(part.process.pid))
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's end")
def test_parts_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    """kill -9 leaves no time to stop anything: the system stops the parts."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", SUPERVISOR, tmp_path], env=environment)
    file = tmp_path / "pid"
    until(lambda: file.exists() and file.read_text(encoding="utf-8"))
    child = int(file.read_text(encoding="utf-8"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    until(lambda: not is_there(child))
    assert not is_there(child)
