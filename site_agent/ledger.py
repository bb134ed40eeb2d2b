"""The ledger: everything that a site did for a study, each entry chained to the one before.

One JSON line an entry, with the SHA-256 of the line before it. An entry is on disk
(fsync) before `append` returns, and so before anything that it records is sent. The agent and
its steward's commands write to one ledger, each under the file's lock and behind what the
other wrote.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

from site_agent.contract.canonical import canonical_json, sha256
from site_agent.contract.errors import LedgerError, Refused
from site_agent.runtime.files import sync_folder
from site_agent.vault import PRIVATE, write_whole

START: Final = "0" * 64
LONGEST_REASON: Final = 500  # a refusal may quote what it refuses; the ledger is not to swell

Clock = Callable[[], str]


class Ledger:
    """An append-only file of chained entries; verified when it is opened."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self.entries: list[dict[str, Any]] = []
        self.head = START
        self._size = 0
        self.refresh()

    @property
    def _label(self) -> str:
        """Return file and folder: the folder says whose ledger it is."""
        return f"{self.path.parent.name}/{self.path.name}"

    def now(self) -> str:
        """Return the present instant, as entries are dated."""
        return self._clock()

    def refresh(self) -> None:
        """Read and verify what another process has added since."""
        if self._length() == self._size:
            return
        with self._locked():
            self._read_on()

    def _length(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """Hold the file's lock, and nobody else does; yield its descriptor."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, PRIVATE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _read_on(self) -> None:
        """Read what stands behind the last known entry; a line cut short by a crash is dropped."""
        length = self._length()
        if length < self._size:
            raise LedgerError(
                f"{self._label}: the file is shorter than this process left it; it was cut or "
                f"set back. Restore it from its backup; until then this site answers nothing"
            )
        with self.path.open("rb") as file:
            file.seek(self._size)
            whole, _, torn = file.read().rpartition(b"\n")
        for line in whole.split(b"\n") if whole else []:
            self._take(line)
        self._size = length - len(torn)
        if torn:
            os.truncate(self.path, self._size)

    def _take(self, line: bytes) -> None:
        """Take an entry that follows from the one before it."""
        try:
            entry = json.loads(line)
            linked = isinstance(entry, dict) and entry.get("previous") == self.head
        except ValueError:
            linked = False
        if not linked:
            raise LedgerError(
                f"{self._label}: entry {len(self.entries) + 1} does not follow from the one "
                f"before it; the ledger was altered or damaged. Restore it from its backup; until "
                f"then this site answers nothing"
            )
        self.entries.append(entry)
        self.head = sha256(line)

    def append(self, event: str, **details: Any) -> None:
        """Write an entry and wait until it is on disk."""
        new = not self.path.exists()
        with self._locked() as descriptor:
            self._read_on()
            entry = {
                **details,
                "number": len(self.entries) + 1,
                "previous": self.head,
                "at": self._clock(),
                "event": event,
            }
            line = canonical_json(entry)
            self._write(descriptor, line + b"\n")
        if new:
            sync_folder(self.path.parent)
        self.entries.append(entry)
        self.head = sha256(line)

    def _write(self, descriptor: int, line: bytes) -> None:
        """Add a line to the file; if the disk fails, the file is left as it was."""
        with os.fdopen(descriptor, "ab", buffering=0, closefd=False) as file:
            try:
                write_whole(file, line)
            except OSError as error:
                file.truncate(self._size)
                error.filename = str(self.path)
                raise
        self._size += len(line)

    def append_refusal(self, refused: Refused) -> None:
        """Write a refusal, once if the same thing is tried again and again."""
        said = {"code": refused.code, "reason": str(refused)[:LONGEST_REASON]}
        tried = takewhile(lambda entry: entry["event"] == "refused", reversed(self.entries))
        if not any(said.items() <= entry.items() for entry in tried):
            self.append("refused", **said)

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
