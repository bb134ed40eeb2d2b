"""Releases on disk, and their reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.report import build_report
from tests.coordinator.report.made import write_release


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return the folder of a made-up release."""
    return write_release(tmp_path / "release-2")


@pytest.fixture
def report(release: Path) -> str:
    """Return the report of the made-up release."""
    return build_report(release).decode()
