"""The process that computes, as the agent sees it: ready, computing, ended when idle."""

from __future__ import annotations

import fcntl
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from site_agent.pipes import read_frame, write_frame

END_S = 5.0
PIPE_BYTES = 1 << 20  # the most that every user may have; messages are many times that


class WorkerDied(Exception):
    """The process that computes ended in the middle of a message."""


class Child:
    """A worker for the agent that `settings` (a file) sets up; see worker.py.

    standby: whether a new one stands ready, with libraries and nothing else, while none is needed.
    """

    def __init__(
        self,
        settings: Path,
        idle_s: float,
        *,
        standby: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._idle_s = idle_s
        self._standby = standby
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self._used: float | None = None  # when it last answered; None: it has not yet

    @property
    def pid(self) -> int | None:
        """Return the process's id while there is one."""
        return None if self._process is None else self._process.pid

    @property
    def running(self) -> bool:
        """Return whether the process of earlier messages is still there."""
        return self._used is not None and self._alive()

    def _alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Have a process that knows nothing of earlier messages."""
        if self._used is not None or not self._alive():
            self.end()
            self._process = self._begun()

    def answer(self, study: str, wire: bytes) -> tuple[dict[str, Any], bytes]:
        """Return the worker's answer to a message; WorkerDied if it ended instead."""
        if self._used is None:
            self.start()
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        try:
            write_frame(process.stdin, {"study": study}, wire)  # type: ignore[arg-type]
            answer = read_frame(process.stdout)  # type: ignore[arg-type]
        except (EOFError, BrokenPipeError):
            code = process.wait()
            self.end()
            raise WorkerDied(
                f"the process that computes ended ({_why(code)}); it is started again"
            ) from None
        self._used = self._clock()
        return answer

    def _begun(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "site_agent.worker", str(self._settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C is for the agent, which ends this
        )
        _widen(process)
        return process

    def rest(self) -> None:
        """End the worker if it has been idle for long enough; have one stand by if wanted."""
        if self._used is not None and self._clock() - self._used >= self._idle_s:
            self.end()
        if self._standby and self._process is None:
            self.start()

    def end(self) -> None:
        """End the worker; what it was computing is computed again."""
        process, self._process, self._used = self._process, None, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _close(process)


def _widen(process: subprocess.Popen[bytes]) -> None:
    """Have the pipes hold more at once, where the system lets this user have it."""
    if sys.platform == "linux":
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # fs.pipe-max-size, or the user's pipes have their most
                    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):  # of what it did not read any more
                pipe.close()


def _why(code: int) -> str:
    if code < 0:
        return f"signal {-code}; is the memory enough? See work.memory_mib"
    return f"exit code {code}; it said why in the lines before"
