"""Reading a release's folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coordinator.report.folder import read_release
from site_agent.contract.errors import ConfigurationError
from tests.coordinator.report.made import DEVELOPMENT, SYNTHETIC, analyses, write_release


def test_analyses_come_in_the_study_s_order(release: Path) -> None:
    """The manifest lists what each analysis opened in the study's order."""
    assert [document.name for document in read_release(release).documents] == list(analyses())


def test_nothing_is_altered_in_a_fresh_release(release: Path) -> None:
    """Every file is what the manifest hashed."""
    assert read_release(release).altered == ()


def test_a_changed_file_is_noticed(release: Path) -> None:
    """A number edited after the release does not go unseen."""
    path = release / "model.json"
    path.write_text(path.read_text().replace("-38.5", "-30.5"))
    assert read_release(release).altered == ("model.json",)


def test_both_watermarks_are_parts(tmp_path: Path) -> None:
    """A synthetic study without a policy has two marks."""
    folder = write_release(tmp_path / "r", {"watermark": f"{DEVELOPMENT}; {SYNTHETIC}"})
    assert read_release(folder).marks == (DEVELOPMENT, SYNTHETIC)


def test_a_folder_without_a_manifest_is_no_release(tmp_path: Path) -> None:
    """The message says which folder to give."""
    with pytest.raises(ConfigurationError, match="give the folder release-<number>"):
        read_release(tmp_path)


def test_a_file_that_is_not_json_is_refused(release: Path) -> None:
    """A damaged file ends in a message, not in a traceback."""
    (release / "model.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"model\.json is not JSON"):
        read_release(release)


def test_another_schema_is_refused(release: Path) -> None:
    """A release of another version is not guessed at."""
    found = json.loads((release / "manifest.json").read_text())
    (release / "manifest.json").write_text(json.dumps({**found, "schema": 2}))
    with pytest.raises(ConfigurationError, match="schema 2, expected 1"):
        read_release(release)
