"""Writing a file so that it is whole or not there."""

from __future__ import annotations

import os
from pathlib import Path


def write_at_once(path: Path, data: bytes, mode: int | None = None) -> None:
    """Write a file in place of one that is there: readers find the one or the other.

    mode: its rights, whatever the process's mask says; else those that the mask leaves.
    """
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(data)
    if mode is not None:
        beside.chmod(mode)
    beside.replace(path)


def write_private(path: Path, data: bytes, *, durable: bool = False) -> None:
    """Write a file of mode 600 in place of one that is there, whatever that one's mode.

    durable: it is on disk, with its name, when this returns.
    """
    beside = path.with_name(f".{path.name}.part")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    beside.rename(path)
    if durable:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until a folder's list of names is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
