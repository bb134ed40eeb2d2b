"""What a site keeps between messages of a release: its ephemeral key, and what it has sent.

One file a release, readable by the agent alone, to which records are appended: a line of JSON
(name, length, SHA-256), then the bytes. A record is on disk when `put` returns; one cut short by
a crash does not count, because nothing it stands for was sent. The file is overwritten
and removed when the release ends.
"""

from __future__ import annotations

import json
import os
from io import FileIO
from pathlib import Path
from typing import Final

from site_agent.contract.canonical import canonical_json, sha256

PRIVATE: Final = 0o600
ZEROS: Final = memoryview(bytes(1 << 20))  # with which a file is overwritten


class Vault:
    """Named bytes by release, kept on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, dict[str, bytes]] = {}

    def put(self, release: str, name: str, data: bytes) -> str:
        """Keep `data`, which is on disk when this returns; return its SHA-256."""
        kept = self._records(release)
        path = self._path(release)
        new = not path.exists()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = sha256(data)
        header = canonical_json({"name": name, "length": len(data), "sha256": digest})
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            before = file.seek(0, os.SEEK_END)
            try:
                write_whole(file, header + b"\n", data)
            except OSError as error:
                file.truncate(before)  # or what is put behind it would be lost with it
                error.filename = str(path)
                raise
        if new:
            sync_folder(self._folder)
        kept[name] = data
        return digest

    def get(self, release: str, name: str) -> bytes | None:
        """Return what was kept last under `name`, or None."""
        return self._records(release).get(name)

    def erase(self, release: str) -> None:
        """Remove everything kept for a release."""
        self._kept.pop(release, None)
        path = self._path(release)
        if path.exists():
            with path.open("r+b") as file:
                left = path.stat().st_size
                while left:
                    left -= file.write(ZEROS[:left])
                file.flush()
                os.fsync(file.fileno())
            path.unlink()

    def _path(self, release: str) -> Path:
        return self._folder / f"{release}.vault"

    def _records(self, release: str) -> dict[str, bytes]:
        if release not in self._kept:
            self._kept[release] = self._read(self._path(release))
        return self._kept[release]

    @staticmethod
    def _read(path: Path) -> dict[str, bytes]:
        """Return the records of a file; what a crash cut short is taken off its end."""
        data = path.read_bytes() if path.exists() else b""
        records: dict[str, bytes] = {}
        start = 0
        while start < len(data):
            record = _record(data, start)
            if record is None:
                os.truncate(path, start)
                break
            name, content, start = record
            records[name] = content
        return records


def _record(data: bytes, start: int) -> tuple[str, bytes, int] | None:
    """Return name and bytes of the record at `start`, and where it ends; None if it is torn."""
    end = data.find(b"\n", start) + 1
    try:
        header = json.loads(data[start:end])
        content = data[end : end + header["length"]]
        whole = sha256(content) == header["sha256"]
        return (header["name"], content, end + len(content)) if whole else None
    except (ValueError, KeyError, TypeError):
        return None


def write_whole(file: FileIO, *parts: bytes) -> None:
    """Write all of `parts`, one behind the other, and wait until they are on disk."""
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[file.write(rest) :]
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until a folder's list of names is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
