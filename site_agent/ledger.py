"""The ledger: everything that a site did for a study, each entry chained to the one before.

One JSON line an entry, with the SHA-256 of the line before it. An entry is on disk
(fsync) before `append` returns, and so before anything that it records is sent.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from site_agent.contract.canonical import canonical_json, sha256
from site_agent.contract.errors import LedgerError
from site_agent.vault import PRIVATE, sync_folder, write_whole

START: Final = "0" * 64

Clock = Callable[[], str]


class Ledger:
    """An append-only file of chained entries; verified when it is opened."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self.entries: list[dict[str, Any]] = []
        self.head = START
        self._size = 0
        self._read()

    @property
    def _label(self) -> str:
        """Return file and folder: the folder says whose ledger it is."""
        return f"{self.path.parent.name}/{self.path.name}"

    def _read(self) -> None:
        """Read and verify the chain; a last line cut short by a crash is dropped."""
        data = self.path.read_bytes() if self.path.exists() else b""
        whole, _, torn = data.rpartition(b"\n")
        for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
            try:
                entry = json.loads(line)
                linked = isinstance(entry, dict) and entry.get("previous") == self.head
            except ValueError:
                linked = False
            if not linked:
                raise LedgerError(
                    f"{self._label}: entry {number} does not follow from the one before it; "
                    f"the ledger was altered or damaged. Restore it from its backup; until then "
                    f"this site answers nothing"
                )
            self.entries.append(entry)
            self.head = sha256(line)
        self._size = len(data) - len(torn)
        if torn:
            os.truncate(self.path, self._size)

    def append(self, event: str, **details: Any) -> None:
        """Write an entry and wait until it is on disk."""
        entry = {
            **details,
            "number": len(self.entries) + 1,
            "previous": self.head,
            "at": self._clock(),
            "event": event,
        }
        line = canonical_json(entry)
        self._write(line + b"\n")
        self.entries.append(entry)
        self.head = sha256(line)

    def _write(self, line: bytes) -> None:
        """Add a line to the file; if the disk fails, the file is left as it was."""
        new = not self.path.exists()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
        with os.fdopen(descriptor, "ab", buffering=0) as file:
            if file.seek(0, os.SEEK_END) != self._size:
                raise LedgerError(
                    f"{self._label}: the file is not as this process left it; another one "
                    f"writes to it. Stop one of them and start this one again"
                )
            try:
                write_whole(file, line)
            except OSError:
                file.truncate(self._size)
                raise
        if new:
            sync_folder(self.path.parent)
        self._size += len(line)

    def head_after(self, number: int) -> str:
        """Return the head of the chain as it was right behind entry `number`, from 1."""
        following = self.entries[number : number + 1]
        return str(following[0]["previous"]) if following else self.head

    def find(self, event: str, **details: Any) -> list[dict[str, Any]]:
        """Return the entries of an event whose details have these values, oldest first."""
        wanted = {"event": event, **details}.items()
        return [
            entry
            for entry in self.entries
            if all(entry.get(name) == value for name, value in wanted)
        ]
