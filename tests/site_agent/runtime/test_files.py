"""Files that are whole or not there."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from site_agent.runtime.files import overwrite, write_at_once


@pytest.mark.parametrize("mode", [None, 0o644])
def test_a_planted_link_is_not_written_through(tmp_path: Path, mode: int | None) -> None:
    """Others may write in a collector's folder: what they link to keeps its text and rights."""
    key = tmp_path / "key"
    key.write_text("private", encoding="utf-8")
    key.chmod(0o600)
    (tmp_path / ".agent.prom.part").symlink_to(key)
    write_at_once(tmp_path / "agent.prom", b"metrics", mode)
    assert (tmp_path / "agent.prom").read_bytes() == b"metrics"
    assert not (tmp_path / "agent.prom").is_symlink()
    assert (key.read_bytes(), stat.S_IMODE(key.stat().st_mode)) == (b"private", 0o600)


def test_a_file_that_is_a_link_gives_way(tmp_path: Path) -> None:
    """The link is replaced, and not what it leads to."""
    ledger = tmp_path / "ledger"
    ledger.write_text("entries", encoding="utf-8")
    (tmp_path / "agent.prom").symlink_to(ledger)
    write_at_once(tmp_path / "agent.prom", b"metrics")
    assert (ledger.read_bytes(), (tmp_path / "agent.prom").read_bytes()) == (b"entries", b"metrics")


def test_a_line_is_written_over(tmp_path: Path) -> None:
    """The first makes the file; a shorter one leaves nothing of a longer one to be read."""
    file, found = tmp_path / "pulse.json", []
    for line in (b'{"at": 1}', b'{"at": 1, "more": [2, 3]}', b"{}"):
        overwrite(file, line)
        found.append(json.loads(file.read_bytes()))
    assert found == [{"at": 1}, {"at": 1, "more": [2, 3]}, {}]


def test_a_line_is_not_written_through_a_link(tmp_path: Path) -> None:
    """Another file, to which a link leads, keeps what it has."""
    other, link = tmp_path / "other", tmp_path / "pulse.json"
    other.write_bytes(b"of another")
    link.symlink_to(other)
    with pytest.raises(OSError, match="symbolic links"):
        overwrite(link, b"line")
    assert other.read_bytes() == b"of another"


def test_a_line_that_does_not_fit_on_the_disk_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a line is no line: the caller learns of it."""
    file = tmp_path / "pulse.json"
    overwrite(file, b"1")
    monkeypatch.setattr(os, "pwrite", lambda *_: 3)
    with pytest.raises(OSError, match="No space left on device") as told:
        overwrite(file, b"12345")
    assert told.value.filename == str(file)
