"""What a site keeps between messages of a release: its ephemeral key, and what it has sent.

Files in a folder that only the agent can read. Each is complete or absent: written beside,
synced, then renamed. The folder of a release is erased when the release ends.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path


class Vault:
    """Named bytes by release, kept on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, release: str, name: str, data: bytes) -> None:
        """Keep `data`; it is on disk when this returns."""
        folder = self._folder / release
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = folder / f"{name}.part"
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(folder / name)
        self._sync(folder)

    def get(self, release: str, name: str) -> bytes | None:
        """Return what was kept under `name`, or None."""
        path = self._folder / release / name
        return path.read_bytes() if path.exists() else None

    def erase(self, release: str) -> None:
        """Remove everything kept for a release."""
        shutil.rmtree(self._folder / release, ignore_errors=True)

    @staticmethod
    def _sync(folder: Path) -> None:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
