"""Releases that are deferred, over a real exchange: burned, told until when, and opened anew."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.center_words import status_in_words
from coordinator.driver import DEFINITE, Deferred
from coordinator.home import Home
from coordinator.looks import DEFERRED, look, note_look
from coordinator.refresh import Refresh
from coordinator.simulate import simulate
from site_agent.contract import messages
from site_agent.contract.errors import NotReady, Refused
from tests.coordinator.hospitals import Center, home_of, opened_center
from tests.protocol import SITES, STUDY, patients, site_data
from tests.site_agent.differing import joined

UNTIL = "deferred until at least 5 patients of at least 3 hospitals differ"


@pytest.fixture
def center(tmp_path: Path) -> Iterator[Center]:
    """A center whose first release is done, and to whose data one patient was added since."""
    with opened_center(tmp_path) as found:
        found.run(found.driver())
        come(found, "elm")
        yield found


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The center's folder, with a folder for the study's files."""
    found = home_of(tmp_path / "center")
    found.study_folder("protocol").mkdir(parents=True)
    return found


def come(center: Center, *sites: str) -> None:
    """A new patient at each of these hospitals."""
    change = joined(of=sites)
    center.world.data = lambda site: site_data(center.study, site, change(site, patients(site)))


def words(center: Center) -> str:
    """With what the next release ends."""
    with pytest.raises(Deferred) as caught:
        center.rounds(center.driver())
    return str(caught.value)


def test_a_release_that_is_deferred(center: Center) -> None:
    """It says how many differ, and until when it waits."""
    assert f"{UNTIL}, or none: 1 patient of 1 hospital differs from release 1" in words(center)


def test_a_deferred_release_is_not_ready_yet(center: Center) -> None:
    """Exit code 75, as for anything that must happen elsewhere first."""
    words(center)
    assert Deferred.exit_code == 75


def test_a_deferred_release_is_burned(center: Center) -> None:
    """With the reason, for the hospitals."""
    driver = center.driver()
    with pytest.raises(Deferred):
        center.rounds(driver)
    last = messages.read(center.log(driver.release)[-1])
    assert (last.kind, last.content["code"]) == ("BURN", "deferred")


def test_the_hospitals_say_until_when(center: Center) -> None:
    """Each ledger has it, in the words of the study that its steward approved."""
    words(center)
    center.hospitals.answer_all()
    said = {site: center.world.ledger(site).entries[-1].get("until", "") for site in SITES}
    assert {text.partition(" differ")[0] for text in said.values()} == {
        "at least 5 patients of at least 3 hospitals"
    }


def test_the_next_refresh_opens_another_release(center: Center) -> None:
    """Release 2 is deferred; with enough new patients release 3 goes to its end."""
    words(center)
    center.hospitals.answer_all()
    come(center, *SITES)
    release = center.run(center.driver())
    assert (release.number, release.state) == (3, "closed")


def test_a_driver_that_was_dropped_defers_as_well(center: Center) -> None:
    """The guard's question is asked, the driver is gone, and another one goes on."""
    driver = center.driver()
    driver.open()
    driver.gather()
    driver._post(driver.release.ask())
    center.hospitals.answer_all()
    assert UNTIL in words(center)


def test_a_hospital_that_defers_first(center: Center) -> None:
    """Its code ends the release as the center's own finding does."""
    driver = center.driver()
    driver.open()
    center.hospitals.silent.update(SITES)
    center.hospitals.stand("elm", driver.release.digest, "deferred")
    with pytest.raises(Deferred, match=UNTIL):
        driver.gather()


def test_a_ledger_that_was_set_back_burns_the_release(center: Center) -> None:
    """Waiting does not mend it, and the code is what the center's status shows."""
    driver = center.driver()
    driver.open()
    center.hospitals.silent.update(SITES)
    center.hospitals.stand("elm", driver.release.digest, "rewound")
    with pytest.raises(Refused, match=r"elm \(rewound\)"):
        driver.gather()


def test_what_waiting_does_not_mend() -> None:
    """The codes of differencing and of ledgers are among them."""
    assert {"deferred", "rewound", "too_many_releases", "other_roster"} <= DEFINITE


# What `coordinator status` tells


def test_a_refresh_notes_why_it_was_deferred(
    center: Center, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The note is of this release, in the words of the refusal."""
    monkeypatch.setattr("coordinator.driver.POLL_S", 0.001)
    monkeypatch.setattr(Refresh, "_unfinished", lambda _: None)  # release 1 has no folder here
    running = Refresh(home, center.study, center.exchange(), deadline_s=0.001)
    running.gather()
    with pytest.raises(Deferred):
        running.round(0)
    assert UNTIL in look(home, center.study, 2)[DEFERRED]


def test_another_release_is_not_deferred(center: Center, home: Home) -> None:
    """A note of before tells nothing of a later release, nor of another hash."""
    note_look(home, center.study, 2, DEFERRED, UNTIL)
    assert (look(home, center.study, 2)[DEFERRED], look(home, center.study, 3)[DEFERRED]) == (
        UNTIL,
        "",
    )


def test_no_note(center: Center, home: Home) -> None:
    """Nothing was deferred yet."""
    assert look(home, center.study, 2)[DEFERRED] == ""


def test_a_damaged_note(center: Center, home: Home) -> None:
    """A note is no truth: one that cannot be read is none."""
    note_look(home, center.study, 2, DEFERRED, UNTIL)
    (home.study_folder("protocol") / "look.json").write_text("{")
    assert look(home, center.study, 2)[DEFERRED] == ""


def test_the_status_says_until_when() -> None:
    """In place of the bare word that the release is burned."""
    release = {"number": 2, "state": "burned", "deferred": f"release 2: {UNTIL}"}
    status = {"study": "lung", "hash": "a" * 64, "sites": [], "release": release, "note": ""}
    assert status_in_words(status).splitlines()[-1] == f"release 2: {UNTIL}"


# A hospital whose disk was set back, over the exchange


def test_a_disk_that_was_set_back(center: Center, tmp_path: Path) -> None:
    """The others refuse, the release is burned, and no share but its own was given."""
    disk, image = center.world.folder / "elm", tmp_path / "image"
    come(center)
    shutil.copytree(disk, image)
    center.run(center.driver())
    shutil.rmtree(disk)
    shutil.copytree(image, disk)
    center.hospitals.cores["elm"] = center.world.core("elm")
    driver = center.driver(deadline_s=5)
    with pytest.raises(Refused, match=r"\(rewound\)"):
        center.rounds(driver)
    log = [messages.read(wire) for wire in center.log(driver.release)]
    assert {message.sender for message in log if message.kind == "SHARE"} <= {"elm"}


# In one process


def simulated(folder: Path, *sites: str) -> str:
    """A simulation with a new patient at each of these hospitals; the words if it is deferred."""
    change = joined(of=sites)
    for site in SITES:
        (folder / "sites" / site).mkdir(parents=True, exist_ok=True)
        rows = change(site, patients(site))
        rows.to_parquet(folder / "sites" / site / "patients.parquet", index=False)
    file = folder / "out" / "study.frozen.yaml"
    if not file.exists():
        (folder / "out").mkdir(exist_ok=True)
        file = folder / "study.yaml"
        file.write_text(STUDY, encoding="utf-8")
    try:
        simulate(file, folder / "sites", folder / "out")
    except NotReady as deferred:
        return str(deferred)
    return "finished"


def test_a_simulation_is_deferred_as_well(tmp_path: Path) -> None:
    """Release 2 is burned, and with enough patients release 3 is written."""
    found = [simulated(tmp_path), simulated(tmp_path, "elm"), simulated(tmp_path, *SITES)]
    assert (found[0], UNTIL in found[1], found[2]) == ("finished", True, "finished")
