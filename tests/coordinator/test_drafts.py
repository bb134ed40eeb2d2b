"""Which folders are finished releases, and which are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.drafts import drop_draft, finished, release_folder


def made(out: Path, *names: str) -> Path:
    """Folders with a manifest."""
    for name in names:
        (out / name).mkdir(parents=True)
        (out / name / "manifest.json").touch()
    return out


def test_a_release_has_a_folder_by_its_number() -> None:
    """Release 12 is in release-12."""
    assert release_folder(Path("results"), 12) == Path("results/release-12")


def test_finished_releases_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """Ten comes after two."""
    assert finished(made(tmp_path, "release-10", "release-2", "release-1")) == [1, 2, 10]


@pytest.mark.parametrize("name", ["release-1 (copy)", "release-", "release-01", "release-0"])
def test_folders_that_are_no_releases(name: str, tmp_path: Path) -> None:
    """What a person copied or named otherwise is passed over."""
    assert finished(made(tmp_path, name)) == []


def test_a_draft_is_not_finished(tmp_path: Path) -> None:
    """Neither under its own name nor without its manifest."""
    made(tmp_path, ".release-1.part")
    release_folder(tmp_path, 2).mkdir()
    assert finished(tmp_path) == []


def test_no_folder_holds_no_release(tmp_path: Path) -> None:
    """A study without releases has no folder of results yet."""
    assert finished(tmp_path / "nowhere") == []


def test_a_draft_is_dropped(tmp_path: Path) -> None:
    """With all that is in it; the finished release beside it stays."""
    made(tmp_path, ".release-1.part", "release-1")
    drop_draft(tmp_path, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["release-1"]


def test_no_draft_is_dropped_twice(tmp_path: Path) -> None:
    """Where there is none, nothing happens."""
    drop_draft(tmp_path, 1)
    assert list(tmp_path.iterdir()) == []
