"""A center that is also a hospital, over the exchange: who waits for whom, and what is the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.release import Release
from coordinator.simulate import simulate
from site_agent.contract import messages
from site_agent.contract.errors import NotReady
from site_agent.contract.messages import Round, Share, Split
from tests.coordinator.hospitals import Center, Dropped, kinds, opened_center
from tests.protocol import (
    AT_CENTER_STUDY,
    CENTER,
    POINT,
    SITES,
    STUDY,
    honest_totals,
    identity,
    patients,
    totals_of,
)

AT_CENTER, HELPER = "dogwood", "alder"


@pytest.fixture
def center(tmp_path: Path) -> Iterator[Center]:
    """A center one of whose five hospitals is its own."""
    with opened_center(tmp_path, AT_CENTER_STUDY) as found:
        yield found


def first(center: Center) -> Release:
    """Release 1, whether it is under way or over."""
    return Release(center.study, identity(CENTER), 1, 1, SITES)


def restarted(center: Center, site: str) -> None:
    """Start a hospital's agent anew; it reads its mail from the beginning."""
    center.hospitals.cores[site] = center.world.core(site)
    center.hospitals._read[site] = 0
    center.hospitals._looked[site] = -1


def test_the_totals_are_those_of_other_hospitals(center: Center) -> None:
    """To the last bit, driven over the exchange."""
    assert totals_of(center.run(center.driver())) == honest_totals()


def test_the_log_of_a_release(center: Center) -> None:
    """SPLIT is posted when the center's hospital has answered, and only with sealed sums."""
    log = [messages.read(wire) for wire in center.log(center.run(center.driver()))]
    rounds = [m.content["number"] for m in log if m.kind == Split.TYPE]
    before = [
        [
            one.sender
            for one in log[:at]
            if one.kind == Share.TYPE and one.content["number"] == number
        ]
        for at, number in (
            (at, m.content["number"]) for at, m in enumerate(log) if m.kind == "SPLIT"
        )
    ]
    waited = all(AT_CENTER in senders and HELPER not in senders for senders in before)
    assert (rounds, waited) == ([*range(POINT, len(honest_totals()))], True)


def test_four_parts_are_enough(center: Center) -> None:
    """The center waits for the PART of the four others."""
    log = [messages.read(wire) for wire in center.log(center.run(center.driver()))]
    senders = sorted(m.sender for m in log if m.kind == "PART")
    assert senders == [site for site in SITES if site != AT_CENTER]


def test_dropped_after_every_message(center: Center) -> None:
    """One driver a message, between SHARE and SPLIT too, and the release ends as it should."""
    driver = center.rounds(center.driver(), until=POINT)
    while driver.release.rounds < POINT + 2:
        center.wire.lives = 0
        driver = center.driver(first(center))
        try:
            center.rounds(driver)
        except Dropped:
            continue
    center.wire.lives = None
    release = center.run(center.driver(first(center)))
    assert totals_of(release) == honest_totals()


@pytest.mark.parametrize("site", [AT_CENTER, HELPER, "elm"])
@pytest.mark.parametrize("silent", [AT_CENTER, HELPER])
def test_a_restart_in_the_middle_of_a_round(center: Center, site: str, silent: str) -> None:
    """An agent started anew while others are still to answer: the same totals."""
    driver = center.rounds(center.driver(deadline_s=20), until=POINT)
    center.hospitals.silent = {silent}
    with pytest.raises(NotReady, match=silent):
        driver.round(POINT)
    restarted(center, site)
    center.hospitals.silent = set()
    assert totals_of(center.run(center.driver(first(center)))) == honest_totals()


def test_helpers_wait_for_the_centers_hospital(center: Center) -> None:
    """As long as it has not answered, the two that add its numbers do not answer either."""
    driver = center.rounds(center.driver(deadline_s=20), until=POINT)
    center.hospitals.silent = {AT_CENTER}
    with pytest.raises(NotReady, match=r"waits for alder, beech, dogwood to answer round 3"):
        driver.round(POINT)


def test_a_driver_that_finds_a_share_without_its_split(center: Center) -> None:
    """A driver dropped between the share and SPLIT leaves the next one to post it."""
    driver = center.rounds(center.driver(), until=POINT)
    center.exchange().post(driver.release.ask())
    for site in (AT_CENTER, "cedar", "elm"):
        assert center.hospitals._answers(site)
    log = center.log(driver.release)
    assert kinds(log)[-2:] == [Round.TYPE, Share.TYPE]
    assert totals_of(center.run(center.driver(first(center)))) == honest_totals()


# In one process

OWN_FILES = ("manifest.json", "log.jsonl", "report.html", "report.pdf")


def simulated(folder: Path, text: str) -> dict[str, bytes]:
    """The files of a simulated release, without those that tell of keys and dates."""
    for site in SITES:
        (folder / "data" / site).mkdir(parents=True)
        patients(site).to_parquet(folder / "data" / site / "patients.parquet", index=False)
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    found = simulate(folder / "study.yaml", folder / "data", folder / "out").folder
    return {path.name: path.read_bytes() for path in found.iterdir() if path.name not in OWN_FILES}


def test_simulated_results_are_the_same(tmp_path: Path) -> None:
    """`coordinator simulate` writes the same bytes with a hospital at the center and without."""
    found = []
    for name, text in (("one", AT_CENTER_STUDY), ("other", STUDY)):
        (tmp_path / name).mkdir()
        found.append(simulated(tmp_path / name, text))
    assert found[0] == found[1]
