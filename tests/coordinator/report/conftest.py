"""Releases on disk, and their reports."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.report import build_report
from tests.coordinator.report.made import disclosure, write_release


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return the folder of a made-up release."""
    return write_release(tmp_path / "release-2")


@pytest.fixture
def accepted(tmp_path: Path) -> Path:
    """Return the folder of a made-up release whose curves are accepted exceptions."""
    changes = {"disclosure": disclosure("overall", "mortality")}
    return write_release(tmp_path / "accepted", changes)


@pytest.fixture
def report(release: Path) -> str:
    """Return the report of the made-up release."""
    return build_report(release).decode()
