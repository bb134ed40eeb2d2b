"""Writing a file so that it is whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import BinaryIO


def write_at_once(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write a file in place of one that is there: readers find the one or the other.

    mode: its rights, whatever the process's mask says; else those that the mask leaves.
    """
    beside = path.with_name(f".{path.name}.part")
    with _new(beside, 0o666) as file:
        file.write(data)
        if mode is not None:
            os.fchmod(file.fileno(), mode)
    beside.replace(path)


def overwrite(path: Path, data: bytes) -> None:
    """Write a line over the one that is there, by a single call, with blanks behind a shorter one.

    For what is written many times a second and may be lost: a new file in place of an old one
    waits for the disk whenever something else is being written to it.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        write_at_once(path, data)
        return
    try:
        line = data.ljust(os.fstat(descriptor).st_size)
        if os.pwrite(descriptor, line, 0) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    finally:
        os.close(descriptor)


def write_private(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file of mode 600 in place of one that is there, whatever that one's mode.

    durable: it is on disk, with its name, when this returns.
    """
    beside = path.with_name(f".{path.name}.part")
    with _new(beside, 0o600) as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    beside.rename(path)
    if durable:
        sync_folder(path.parent)


def _new(path: Path, mode: int) -> BinaryIO:
    """Open a file that is new: what another user has put there, a link too, is not written to."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")


def sync_folder(folder: Path) -> None:
    """Wait until a folder's list of names is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
