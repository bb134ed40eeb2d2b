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

START: Final = "0" * 64

Clock = Callable[[], str]


class Ledger:
    """An append-only file of chained entries; verified when it is opened."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self.entries: list[dict[str, Any]] = []
        self.head = START
        self._read()

    def _read(self) -> None:
        """Read and verify the chain; a last line cut short by a crash is dropped."""
        data = self._path.read_bytes() if self._path.exists() else b""
        whole, _, torn = data.rpartition(b"\n")
        for number, line in enumerate(whole.split(b"\n") if whole else [], start=1):
            try:
                entry = json.loads(line)
                linked = isinstance(entry, dict) and entry.get("previous") == self.head
            except ValueError:
                linked = False
            if not linked:
                raise LedgerError(
                    f"{self._path.name}: entry {number} does not follow from the one before it; "
                    f"the ledger was altered or damaged. Restore it from its backup; until then "
                    f"this site answers nothing"
                )
            self.entries.append(entry)
            self.head = sha256(line)
        if torn:
            with self._path.open("r+b") as file:
                file.truncate(len(data) - len(torn))

    def append(self, event: str, **details: Any) -> None:
        """Write an entry and wait until it is on disk."""
        entry = {
            "number": len(self.entries) + 1,
            "previous": self.head,
            "at": self._clock(),
            "event": event,
            **details,
        }
        line = canonical_json(entry)
        with self._path.open("ab") as file:
            file.write(line + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.entries.append(entry)
        self.head = sha256(line)

    def find(self, event: str, **details: Any) -> list[dict[str, Any]]:
        """Return the entries of an event whose details have these values, oldest first."""
        wanted = {"event": event, **details}.items()
        return [
            entry
            for entry in self.entries
            if all(entry.get(name) == value for name, value in wanted)
        ]
