"""A refresh from the first look to the report, and what the next one finds of one cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.driver import Late
from coordinator.home import Home, open_home
from coordinator.looks import DEFERRED, NOTHING_NEW, look
from coordinator.refresh import Refresh
from coordinator.released import left
from coordinator.report.page import FILE as REPORT
from coordinator.report.pdf import can_print
from site_agent.contract.errors import ConfigurationError, NotReady, Refused
from site_agent.contract.reports import PDF
from site_agent.runtime.clock import utc_of
from tests.coordinator.hospitals import Center, home_of, opened_center
from tests.protocol import SITES, patients, site_data
from tests.site_agent.differing import joined


class Desk:
    """A center with its folder, and refreshes of its study."""

    def __init__(self, center: Center, home: Home) -> None:
        self.center = center
        self.home = home
        self.out = home.results("protocol")

    def refresh(self, *without: str, deadline_s: float = 0.001) -> Refresh:
        """A refresh that begins."""
        return Refresh(
            self.home,
            self.center.study,
            self.center.exchange(),
            without=without,
            deadline_s=deadline_s,
        )

    def rounds(self) -> Refresh:
        """A refresh whose last round is done."""
        running = self.refresh()
        running.gather()
        number = 0
        while not running.finished:
            running.round(number)
            number += 1
        return running

    def whole(self) -> Refresh:
        """A refresh up to its report."""
        running = self.rounds()
        running.results()
        running.close()
        running.report()
        running.print_report()
        return running

    def names(self) -> set[str]:
        """What is in the folder of results, hidden or not."""
        return {path.name for path in self.out.iterdir()} if self.out.exists() else set()

    def manifest(self, number: int = 1) -> dict[str, Any]:
        """A release's manifest."""
        text = (self.out / f"release-{number}" / "manifest.json").read_text(encoding="utf-8")
        found: dict[str, Any] = json.loads(text)
        return found


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A center whose five hospitals have approved the study."""
    monkeypatch.setattr("coordinator.driver.POLL_S", 0.001)
    with opened_center(tmp_path) as center:
        home = home_of(tmp_path / "center")
        home.study_folder("protocol").mkdir(parents=True)
        yield Desk(center, home)


def test_a_refresh_leaves_a_release_and_its_report(desk: Desk) -> None:
    """Results, manifest and report have their names, and nothing else is left."""
    desk.whole()
    found = (desk.names(), (desk.out / "release-1" / "report.html").exists())
    assert found == ({"release-1"}, True)


def test_a_draft_is_there_before_its_pdf(desk: Desk) -> None:
    """One whose refresh was killed in between gets it from the next, which opens no release."""
    if not can_print():
        pytest.skip("WeasyPrint or Pango is not installed")
    running = desk.rounds()
    running.results()
    running.close()
    running.report()
    before = files(desk)
    following = desk.refresh()
    following.gather()
    following.print_report()
    added = {PDF} & files(desk)
    assert (before & {REPORT, PDF}, following.number, added, desk.refresh().number) == (
        {REPORT},
        1,
        {PDF},
        2,
    )


def test_a_draft_that_is_decided_before_its_pdf(desk: Desk) -> None:
    """It stays as it was decided, and no PDF is left in its folder."""
    running = desk.rounds()
    running.results()
    running.close()
    running.report()
    desk.center.office.put_person("anna", "statistician")
    desk.center.office.decide("anna", opened=running.driver.release.digest)
    running.print_report()
    found = (PDF in files(desk), (desk.out / "release-1" / PDF).exists())
    assert found == (False, False)


def files(desk: Desk) -> set[str]:
    """Names of the files that the exchange has of the first release."""
    found = left(desk.center.exchange(), "protocol", desk.center.listed(1)["open"])
    return set() if found is None else set(found.files)


def test_nothing_new(desk: Desk) -> None:
    """Nobody differs from the last release: it stands, and the look is told apart from it."""
    desk.whole()
    running = desk.refresh()
    running.gather()
    running.round(0)
    words = running.end_if_nothing_new()
    found = (words, desk.center.listed(2)["state"], look(desk.home, desk.center.study, 2))
    expected = (
        "release 1: nothing new, no patient differs from it. Release 2 opened this count only and "
        "is burned"
    )
    assert found == (expected, "burned", {DEFERRED: "", NOTHING_NEW: expected})


def test_the_hospitals_know_why_it_ended(desk: Desk) -> None:
    """Each ledger has the code."""
    desk.whole()
    running = desk.refresh()
    running.gather()
    running.round(0)
    running.end_if_nothing_new()
    desk.center.hospitals.answer_all()
    last = {site: desk.center.world.ledger(site).entries[-1] for site in SITES}
    assert {(one["event"], one["code"]) for one in last.values()} == {("burned", NOTHING_NEW)}


def test_the_first_release_is_new(desk: Desk) -> None:
    """There is nothing that it could repeat."""
    running = desk.refresh()
    running.gather()
    running.round(0)
    assert running.end_if_nothing_new() == ""


def test_enough_has_changed(desk: Desk) -> None:
    """Patients who differ by more than the study's limits make a release."""
    desk.whole()
    change, study = joined(of=SITES), desk.center.study
    desk.center.world.data = lambda site: site_data(study, site, change(site, patients(site)))
    running = desk.refresh()
    running.gather()
    running.round(0)
    assert running.end_if_nothing_new() == ""


def test_a_release_that_has_gone_further_is_not_ended(desk: Desk) -> None:
    """Somebody wanted it although nothing has changed; its next refresh goes on with it."""
    desk.whole()
    first = desk.refresh()
    first.gather()
    first.round(0)
    first.driver._post(first.driver.release.ask())
    running = desk.refresh()
    running.gather()
    running.round(0)
    assert running.end_if_nothing_new() == ""


def at_deadline(desk: Desk, what: str, *, rounds: int = 0) -> tuple[Refresh, Late]:
    """A refresh whose deadline is over, with elm away, before or behind the first round."""
    desk.home = open_home(desk.home.folder, {"QUORUM_REFRESH__AFTER_DEADLINE": what})
    running = desk.refresh()
    if rounds:
        running.gather()
    desk.center.hospitals.silent = {"elm"}
    with pytest.raises(Late) as caught:
        running.round(0) if rounds else running.gather()
    return running, caught.value


def test_after_the_deadline_a_release_waits(desk: Desk) -> None:
    """Unless the setting says otherwise; it stays open."""
    running, late = at_deadline(desk, "wait")
    with pytest.raises(Late, match="waits for elm to open it. It stays open"):
        running.after_deadline(late)
    assert desk.center.listed()["state"] == "under_way"


def test_after_the_deadline_a_release_goes_on(desk: Desk) -> None:
    """Without who is late, as another attempt."""
    running, late = at_deadline(desk, "continue")
    after = running.after_deadline(late)
    release = after.driver.release
    assert (release.sites, release.attempt) == (("alder", "beech", "cedar", "dogwood"), 2)


def test_a_release_that_has_asked_does_not_go_on_without(desk: Desk) -> None:
    """Its roster is fixed: it waits."""
    running, late = at_deadline(desk, "continue", rounds=1)
    with pytest.raises(Late):
        running.after_deadline(late)


def test_a_later_release_does_not_go_on_without(desk: Desk) -> None:
    """The difference of two releases would show the hospital: it waits."""
    desk.whole()
    running, late = at_deadline(desk, "continue")
    with pytest.raises(Late):
        running.after_deadline(late)


@pytest.mark.parametrize("rounds", [0, 1])
def test_after_the_deadline_a_release_is_burned(desk: Desk, rounds: int) -> None:
    """In whatever phase but the last, where all results are there."""
    running, late = at_deadline(desk, "burn", rounds=rounds)
    with pytest.raises(NotReady, match="release 1 waited for elm in vain and is burned"):
        running.after_deadline(late)
    assert desk.center.listed()["state"] == "burned"


def test_a_release_that_is_being_closed_is_not_burned(desk: Desk) -> None:
    """Only receipts are missing."""
    desk.home = open_home(desk.home.folder, {"QUORUM_REFRESH__AFTER_DEADLINE": "burn"})
    running = desk.rounds()
    running.results()
    desk.center.hospitals.silent = {"elm"}
    with pytest.raises(Late) as caught:
        running.close()
    with pytest.raises(Late):
        running.after_deadline(caught.value)


def test_an_unknown_word_for_the_deadline(desk: Desk) -> None:
    """It is told before anything is asked."""
    desk.home = open_home(desk.home.folder, {"QUORUM_REFRESH__AFTER_DEADLINE": "stop"})
    with pytest.raises(ConfigurationError, match="is 'stop', expected one of wait, continue, burn"):
        desk.refresh()


def test_whose_turn_it_is_stands_with_the_code(desk: Desk) -> None:
    """A hospital whose data do not fit keeps the release, and its data manager is named."""
    running = desk.refresh()
    desk.center.hospitals.silent = {"elm"}
    desk.center.hospitals.stand("elm", running.driver.release.digest, "unfit_data")
    with pytest.raises(
        Late, match=r"waits for elm \(unfit_data\) to open it\. elm: its data manager"
    ):
        running.gather()


def test_gather_tells_who_takes_part(desk: Desk) -> None:
    """Release and hospitals, as the task of the flow shows them."""
    sites = ["alder", "beech", "dogwood", "elm"]
    assert desk.refresh("cedar").gather() == {"release": 1, "sites": sites}


def test_results_are_on_disk_before_the_release_is_closed(desk: Desk) -> None:
    """A release whose receipts are awaited has its results, under a name of their own."""
    running = desk.rounds()
    said = running.results()
    release = running.driver.release
    assert release.outcome is not None
    found = (said, desk.names(), desk.center.listed()["phase"])
    expected = {"result": release.outcome.digest(), "analyses": 1}
    assert found == (expected, {".release-1.part"}, "asking")


def test_results_again_replace_those_half_written(desk: Desk) -> None:
    """What a refresh that was cut off left in the folder is not mixed with the rest."""
    (desk.out / ".release-1.part").mkdir(parents=True)
    (desk.out / ".release-1.part" / "stray.csv").touch()
    desk.whole()
    assert not (desk.out / "release-1" / "stray.csv").exists()


def test_the_manifest_tells_when_the_release_was_opened(desk: Desk) -> None:
    """`started` is when the release was opened, whoever finished it, and however much later."""
    opened = desk.center.office.now
    desk.rounds()
    desk.center.office.now += 1000
    desk.whole()
    assert desk.manifest()["started"] == utc_of(opened)


def test_the_manifest_tells_who_was_left_out(desk: Desk) -> None:
    """A hospital of the study that does not take part is named with the reason."""
    desk.refresh("cedar")
    desk.whole()
    assert desk.manifest()["sites_out"] == {"cedar": "not in the roster"}


def cut_off_before_closing(desk: Desk) -> None:
    """The process ended when the last round was done."""
    desk.rounds()


def cut_off_before_the_receipts(desk: Desk) -> None:
    """CLOSE is posted, and no hospital has answered it."""
    running = desk.rounds()
    running.results()
    desk.center.hospitals.silent = {"elm"}
    with pytest.raises(NotReady):
        running.close()
    desk.center.hospitals.silent = set()


def cut_off_after_the_last_receipt(desk: Desk) -> None:
    """The release is closed, and its folder has not got its name."""
    running = desk.rounds()
    running.results()
    running.driver.close()


def cut_off_before_the_report(desk: Desk) -> None:
    """The folder is there, and the report is not."""
    running = desk.rounds()
    running.results()
    running.close()


CUT_OFF = [
    cut_off_before_closing,
    cut_off_before_the_receipts,
    cut_off_after_the_last_receipt,
    cut_off_before_the_report,
]


@pytest.mark.parametrize("cut_off", CUT_OFF, ids=lambda case: case.__name__)
def test_the_next_refresh_finishes_what_was_cut_off(cut_off: Any, desk: Desk) -> None:
    """No release is left without its folder or its report, and none is opened instead."""
    cut_off(desk)
    number = desk.whole().number
    report = (desk.out / "release-1" / "report.html").exists()
    assert (number, desk.names(), report) == (1, {"release-1"}, True)


def test_after_a_finished_release_the_next_one_is_opened(desk: Desk) -> None:
    """A release that is closed and reported is not done again."""
    desk.whole()
    assert (desk.whole().number, desk.names()) == (2, {"release-1", "release-2"})


def test_giving_up_burns_the_release_and_drops_its_results(desk: Desk) -> None:
    """What was not closed is not kept."""
    running = desk.rounds()
    running.results()
    running.give_up()
    assert (desk.center.listed()["state"], desk.names()) == ("burned", set())


def test_a_refused_study_leaves_no_results(desk: Desk) -> None:
    """A release that a hospital refuses for good has no folder."""
    running = desk.refresh()
    desk.center.hospitals.silent = {"elm"}
    desk.center.hospitals.stand("elm", running.driver.release.digest, "too_few")
    with pytest.raises(Refused):
        running.gather()
    assert desk.names() == set()


def test_the_deadline_is_a_setting(desk: Desk) -> None:
    """Without an argument the center's setting says how long to wait."""
    assert desk.home.settings["refresh.deadline_s"] == 86400.0
