"""Locks on files, which the operating system lets go when their holder ends, however it ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock of a file; the file is not made.

    For this the lock is held for an instant, by readers together.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def locked(
    path: Path, *, wait: bool = False, taken: Callable[[], Exception] = BlockingIOError
) -> Iterator[int]:
    """Hold the lock of a file, which is made if needed; yield its descriptor.

    If another process holds it and `wait` is false, what `taken` gives is raised.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise taken() from None
        yield descriptor
    finally:
        os.close(descriptor)
