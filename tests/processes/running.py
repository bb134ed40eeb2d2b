"""Processes of a test: started with a log of their own, killed and stopped by their ids."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 60.0
STOPS_WITHIN_S: Final = 15.0
LOOK_S: Final = 0.02
LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000  # below those from which calls go out
ROOT: Final = Path(__file__).parents[2]
LIBC: Final = ctypes.CDLL(None)
PR_SET_PDEATHSIG: Final = 1
KEPT: Final = ("PATH", "HOME", "LANG", "TMPDIR")


def free_port() -> int:
    """A port on which nothing listens, and from which no call goes out."""
    for port in random.SystemRandom().sample(range(LOWEST_PORT, HIGHEST_PORT), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port")


def until(holds: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Wait until something holds; AssertionError saying what did not come."""
    end = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {patience_s:g} s"
        time.sleep(LOOK_S)


def die_with_parent() -> None:
    """Have the kernel end this process when the test run ends, however it ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def environment(**own: str) -> dict[str, str]:
    """The environment of a process: nothing of this machine's settings, one thread a process."""
    inherited = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**inherited, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **own}


@dataclass
class Process:
    """A process that may be killed and started again; all its output is in one log."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=environment)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> Process:
        """Start it, in a session of its own."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
                cwd=self.log.parent,
            )
        return self

    @property
    def pid(self) -> int:
        """Its id."""
        assert self.process is not None
        return self.process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """End it at once (kill -9), it alone."""
        os.kill(self.pid, signal.SIGKILL)
        self.ended()

    def ended(self, patience_s: float = PATIENCE_S) -> int:
        """Its exit code, when it has ended."""
        assert self.process is not None
        try:
            return self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} does not end\n{self.text()}") from None

    def stop(self) -> None:
        """Ask it to stop; kill it, and what it has left behind, if it does not."""
        if self.process is None:
            return
        if self.runs:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOPS_WITHIN_S)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def text(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8", errors="replace") if self.log.exists() else ""

    def says(self, words: str, after: int = 0) -> None:
        """Wait until words stand in its log, behind a place."""
        until(lambda: words in self.text()[after:], f"{self.name} says '{words}'")


def children(pid: int) -> list[int]:
    """The processes that a process has started and that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(parent) == pid and state != "Z":
                    found.append(int(entry.name))
    return sorted(found)


def state_of(pid: int) -> str:
    """The letter by which the system calls a process's state: T is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def command_of(pid: int) -> str:
    """The command line of a process; "" if it has ended."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def with_variable(name: str, value: str) -> list[int]:
    """The processes whose environment has a variable with a value: what a test left behind."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if f"{name}={value}".encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return [pid for pid in found if command_of(pid)]
