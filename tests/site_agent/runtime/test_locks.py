"""Locks on files: one holder at a time, and none is left behind."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from site_agent.runtime.locks import is_locked, locked

HOLDER = """
import sys, time
from pathlib import Path
from site_agent.runtime.locks import is_locked, locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_has_one_holder(tmp_path: Path) -> None:
    """Who does not wait is told at once that another one holds it."""
    with locked(tmp_path / "lock"), pytest.raises(BlockingIOError), locked(tmp_path / "lock"):
        pass


def test_a_lock_is_let_go(tmp_path: Path) -> None:
    """After its holder, the next one gets it."""
    with locked(tmp_path / "lock"):
        pass
    with locked(tmp_path / "lock") as descriptor:
        assert descriptor > 0


def test_a_lock_makes_its_folder(tmp_path: Path) -> None:
    """The folder of a lock is made, for its owner alone."""
    with locked(tmp_path / "state" / "lock"):
        assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


def test_one_may_wait_for_a_lock(tmp_path: Path) -> None:
    """Who waits comes behind who holds it."""
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path / "lock", wait=True):
            order.append("second")

    thread = threading.Thread(target=second)
    with locked(tmp_path / "lock"):
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    """The lock of a process that was killed (kill -9) is free."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    with locked(tmp_path / "lock") as descriptor:
        assert descriptor > 0


def test_whether_a_lock_is_held(tmp_path: Path) -> None:
    """A lock is held while it has a holder, and neither before nor after."""
    path = tmp_path / "lock"
    before = is_locked(path)
    with locked(path):
        during = is_locked(path)
    assert (before, during, is_locked(path)) == (False, True, False)


def test_to_ask_makes_no_file(tmp_path: Path) -> None:
    """Asking whether a lock is held leaves nothing behind."""
    is_locked(tmp_path / "lock")
    assert list(tmp_path.iterdir()) == []
