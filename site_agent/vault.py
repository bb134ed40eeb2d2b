"""What a site keeps between messages of a release: its ephemeral key, and what it has sent.

A folder a release, a file a record, readable by the agent alone. A record is on disk when `put`
returns, and is whole or not there: it is written beside its place and moved into it. When the
release ends all files are removed, those of secrets after they were overwritten; what was sent is
masked, and tells nothing without them.
"""

from __future__ import annotations

import os
import shutil
from io import FileIO
from pathlib import Path
from typing import Final

from site_agent.runtime.files import sync_folder

PRIVATE: Final = 0o600
SECRET: Final = "secret-"  # how the names of records begin that are overwritten
UNDER_WAY: Final = ".part"


class Vault:
    """Named bytes by release, kept on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, release: str, name: str, data: bytes) -> None:
        """Keep `data`, which is on disk when this returns."""
        folder = self._folder / release
        if not folder.exists():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            sync_folder(self._folder)
        place, beside = folder / name, folder / f"{name}{UNDER_WAY}"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            try:
                write_whole(file, data)
            except OSError as error:
                error.filename = str(place)
                raise
        beside.rename(place)
        sync_folder(folder)

    def get(self, release: str, name: str) -> bytes | None:
        """Return what was kept last under `name`, or None."""
        try:
            return (self._folder / release / name).read_bytes()
        except FileNotFoundError:
            return None

    def erase(self, release: str) -> None:
        """Remove everything kept for a release."""
        folder = self._folder / release
        if not folder.exists():
            return
        for path in folder.glob(f"{SECRET}*"):
            with path.open("rb+", buffering=0) as file:
                write_whole(file, bytes(path.stat().st_size))
        shutil.rmtree(folder)


def write_whole(file: FileIO, *parts: bytes) -> None:
    """Write all of `parts`, one behind the other, and wait until they are on disk."""
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[file.write(rest) :]
    os.fsync(file.fileno())
