"""What changed: only what is safe, by itself and beside what is told already."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.report.changes import FIRST, Changes, Told, changes
from coordinator.report.folder import read_previous, read_release
from coordinator.report.suppression import Suppressed
from coordinator.report.views import views
from tests.coordinator.report.made import NONE_LEFT_OUT, cox_fit, manifest, write_release

HIDDEN = Suppressed(5)


def changed(folder: Path, before: tuple[int, int], now: tuple[int, int]) -> Changes:
    """What changed between two releases of a model, each of so many patients and events."""
    for number, (rows, events) in enumerate((before, now), start=1):
        fit = {**cox_fit(rows=rows, events=events).document(), "left_out": NONE_LEFT_OUT}
        whole = {**manifest(["model"]), "release": number, "patients": rows}
        write_release(folder / f"release-{number}", whole, {"model": ("cox", fit)})
    release = read_release(folder / "release-2")
    earlier = read_previous(folder / "release-2", release)
    assert earlier is not None
    return changes(release, earlier, list(views(release)), list(views(earlier)))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ((140, 40), ("140", "+40", "40", "+10")),
        ((140, 33), ("140", "+40", "33", HIDDEN)),
        ((108, 35), ("108", "+8", "35", HIDDEN)),  # three more without an event
        ((102, 30), ("102", HIDDEN, "30", "0")),
        ((100, 30), ("100", "0", "30", "0")),
    ],
)
def test_changes_of_few_are_hidden(
    tmp_path: Path, now: tuple[int, int], expected: tuple[str, ...]
) -> None:
    """By themselves, and where they are the rest of another change."""
    _, counts, _ = changed(tmp_path, (100, 30), now).tables
    if now == (102, 30):  # the two more are without an event
        expected = ("102", HIDDEN, "30", HIDDEN)  # type: ignore[assignment]
    assert counts.rows[0][1:] == expected


def test_a_change_that_gives_another_back_is_hidden() -> None:
    """Ten more patients, seven more of them in an analysis: three lack a value."""
    told = Told(5)
    assert [told.cell(110, 100), told.cell(97, 90), told.cell(95, 90)] == ["+10", HIDDEN, "+5"]


def test_a_fall_has_a_minus_sign() -> None:
    """Patients who withdrew."""
    assert Told(5).cell(90, 100) == "−10"


def test_effects_stand_beside_each_other(tmp_path: Path) -> None:
    """As both reports round them."""
    *_, effects = changed(tmp_path, (100, 30), (140, 40)).tables
    assert effects.rows[0] == (
        "The model of survival",
        "Age, per year",
        "2.00 (0.75 to 5.33)",
        "2.00 (0.75 to 5.33)",
    )


def test_the_first_release_says_so(tmp_path: Path) -> None:
    """There is nothing to compare with, nor with a release of another study."""
    write_release(tmp_path / "release-1", {"release": 1, "study_hash": "f" * 64})
    release = read_release(write_release(tmp_path / "release-2"))
    assert read_previous(tmp_path / "release-2", release) is None
    assert changes(release, None, [], []) == Changes(FIRST)
