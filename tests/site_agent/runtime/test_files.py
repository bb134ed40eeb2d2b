"""Files that are whole or not there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from site_agent.runtime.files import write_at_once


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
