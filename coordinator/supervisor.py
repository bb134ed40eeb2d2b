"""Processes that run together: started in order, started again when they end, taken down."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from site_agent.contract.errors import Unreachable

PR_SET_PDEATHSIG: Final = 1
LOOK_S: Final = 0.25
STOPS_WITHIN_S: Final = 15.0
LONGEST_PAUSE_S: Final = 30.0
STEADY_S: Final = 60.0
TAIL: Final = 12


@dataclass
class Part:
    """One process: how it is started, where its output goes, and when it answers.

    where: what to tell people about it once it answers.
    """

    name: str
    where: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    answers: Callable[[], bool]
    patience_s: float = 120.0
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    again_at: float = 0.0
    left_behind: list[int] = field(default_factory=list)

    def start(self) -> None:
        """Start the process; its output is added to its log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(self.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        self.started = time.monotonic()

    @property
    def ended(self) -> bool:
        """Return whether the process has ended."""
        return self.process is None or self.process.poll() is not None

    def note_left_behind(self) -> None:
        """Remember the group of a process that ended, if others of the group are still there."""
        with suppress(ProcessLookupError):
            if self.process is not None:
                os.killpg(self.process.pid, 0)
                self.left_behind.append(self.process.pid)

    def tail(self) -> str:
        """Return the last lines of the log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n  ".join(lines[-TAIL:])


def _die_with_parent() -> None:
    """Have the kernel stop this process when the supervisor dies, even by kill -9."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """Keeps parts running until it is told to stop. `say` takes a line for people."""

    def __init__(self, parts: Sequence[Part], say: Callable[[str], None]) -> None:
        self._parts = parts
        self._say = say

    def start(self) -> None:
        """Start the parts in order, each when the one before answers.

        Unreachable with the end of its log if one does not come up.
        """
        for part in self._parts:
            part.start()
            until = time.monotonic() + part.patience_s
            while not part.answers():
                if part.ended or time.monotonic() > until:
                    why = "ended" if part.ended else f"did not answer in {part.patience_s:g} s"
                    raise Unreachable(
                        f"{part.name} {why}; its log {part.log} ends with\n  {part.tail()}"
                    )
                time.sleep(LOOK_S)
            self._say(f"{part.name:15} {part.where}")

    def keep(self) -> None:
        """Start again whatever ends, until interrupted."""
        while True:
            for part in self._parts:
                self._look_after(part)
            time.sleep(LOOK_S)

    def _look_after(self, part: Part) -> None:
        now = time.monotonic()
        if not part.ended:
            if part.failures and now - part.started > STEADY_S:
                part.failures = 0
            return
        if not part.again_at:
            pause = min(0.5 * 2.0**part.failures, LONGEST_PAUSE_S)
            part.failures, part.again_at = part.failures + 1, now + pause
            code = part.process.returncode if part.process else None
            self._say(f"{part.name} ended ({code}); it is started again, log {part.log}")
            part.note_left_behind()
        if now >= part.again_at:
            part.again_at = 0.0
            part.start()

    def stop(self) -> None:
        """Stop the parts in reverse order, and wait until they have ended."""
        for part in reversed(self._parts):
            if part.process is None:
                continue
            if not part.ended:
                part.process.terminate()
                try:
                    part.process.wait(STOPS_WITHIN_S)
                except subprocess.TimeoutExpired:
                    self._say(f"{part.name} does not stop; it is killed")
            for group in (*part.left_behind, part.process.pid):
                _kill_group(group)
            part.process.wait()


def _kill_group(pid: int) -> None:
    """End what a part has started and left behind."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
