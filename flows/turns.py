"""One refresh of a study at a time on this machine, and who has the turn.

A lock on a file that the operating system lets go when its holder dies, however it dies: so it
also tells whether a run that the Prefect server takes for running still is. The
exchange refuses overlapping releases whatever happens here.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coordinator.home import Home
from site_agent.contract.errors import NotReady
from site_agent.runtime.locks import locked


class TakenTurn(NotReady):
    """Another refresh of the study is running."""


@contextmanager
def turn(home: Home, study: str, run: str) -> Iterator[None]:
    """Have the turn of a study for a flow run; TakenTurn if another one has it.

    The run is alive up to the end of this process: Prefect tells its server of a run's end only
    after the flow has returned.
    """

    with locked(_path(home, study), taken=lambda: taken_turn(home, study)) as descriptor:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, run.encode())
        _began(home, run).parent.mkdir(parents=True, exist_ok=True)
        alive = os.open(_began(home, run), os.O_RDWR | os.O_CREAT, 0o600)  # never closed
        fcntl.flock(alive, fcntl.LOCK_EX)
        yield


def taken_turn(home: Home, study: str) -> TakenTurn:
    """Return what to say to a second refresh of a study."""
    return TakenTurn(
        f"a refresh of {study} is running already (flow run {holder(home, study)}); wait for it "
        f"(`coordinator status {study}`), or stop it (`coordinator cancel {study}`)"
    )


def holder(home: Home, study: str) -> str | None:
    """Return the flow run that has the turn of a study, or None if nobody has it."""
    path = _path(home, study)
    return path.read_text(encoding="ascii", errors="replace") if _is_locked(path) else None


def began_turn(home: Home, run: str) -> bool:
    """Return whether a flow run has had its turn on this machine."""
    return _began(home, run).exists()


def is_alive(home: Home, run: str) -> bool:
    """Return whether the process is there in which a flow run has or had its turn."""
    return _is_locked(_began(home, run))


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _path(home: Home, study: str) -> Path:
    return home.folder / "turns" / "studies" / study


def _began(home: Home, run: str) -> Path:
    return home.folder / "turns" / "runs" / run
