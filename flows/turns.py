"""One refresh of a study at a time on this machine, and who has the turn.

A lock on a file that the operating system lets go when its holder dies, however it dies: so it
also tells whether a run that the Prefect server takes for running still is. The
exchange refuses overlapping releases whatever happens here.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from coordinator.home import Home
from site_agent.contract.errors import NotReady
from site_agent.runtime.locks import locked


class TakenTurn(NotReady):
    """Another refresh of the study is running."""


@contextmanager
def turn(home: Home, study: str, run: str) -> Iterator[None]:
    """Have the turn of a study for a flow run; TakenTurn if another one has it."""
    with ExitStack() as stack:
        try:
            descriptor = stack.enter_context(locked(_path(home, study)))
        except BlockingIOError:
            raise TakenTurn(
                f"[{NotReady.exit_code}] a refresh of {study} is running already; wait for it "
                f"(`coordinator status {study}`)"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, run.encode())
        _began(home, run).touch()
        yield
        _began(home, run).unlink()


def holder(home: Home, study: str) -> str | None:
    """Return the flow run that has the turn of a study, or None if nobody has it."""
    path = _path(home, study)
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.read(descriptor, 100).decode("ascii", "replace")
        return None
    finally:
        os.close(descriptor)


def began_turn(home: Home, run: str) -> bool:
    """Return whether a flow run has had its turn and not come to its end."""
    return _began(home, run).exists()


def _path(home: Home, study: str) -> Path:
    return home.folder / "turns" / "studies" / study


def _began(home: Home, run: str) -> Path:
    folder = home.folder / "turns" / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / run
