"""A refresh: one release of a frozen study, from the first look to the report.

Its steps are called one by one (flows/refresh.py makes each a task); each can be done again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from coordinator.drafts import drop_draft, finish_draft, release_folder, write_draft
from coordinator.driver import Deferred, Driver, Late, begin, standings
from coordinator.home import Home
from coordinator.looks import DEFERRED, NOTHING_NEW, note_look
from coordinator.release import Release
from coordinator.released import Left, leave_draft, left
from coordinator.report.page import FILE as REPORT
from coordinator.report.page import print_report, write_report
from coordinator.report.pdf import can_print
from coordinator.results import Circumstances
from site_agent.contract.errors import ConfigurationError, Declined, NotReady
from site_agent.contract.reports import PDF
from site_agent.contract.study.model import Study
from site_agent.runtime.clock import utc_now, utc_of
from site_agent.runtime.http import Exchange, patiently

T = TypeVar("T")
WAIT, CONTINUE, BURN = "wait", "continue", "burn"


class Refresh:
    """One refresh of a study at the coordinating center.

    was_draft: its release was a draft before, and only the report's PDF is missing.
    """

    def __init__(
        self,
        home: Home,
        study: Study,
        exchange: Exchange,
        *,
        without: Sequence[str] = (),
        deadline_s: float | None = None,
        progress: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.home = home
        self.study = study
        self._exchange = exchange
        self._progress = progress
        self.out = home.results(study.name)
        self.was_draft = False
        after_deadline(home)  # what is wrong with it is better told before than after
        identity = home.identity()
        release = patiently(
            lambda: self._unfinished() or begin(study, identity, exchange, without=without),
            tell=progress,
        )
        waits_s = home.settings["refresh.deadline_s"] if deadline_s is None else deadline_s
        self._deadline_s = waits_s
        self.driver = Driver(release, exchange, deadline_s=waits_s, progress=progress)
        self.driver.open()

    def _unfinished(self) -> Release | None:
        """Return a release that was closed and is no draft yet, or one without its PDF, if any."""
        for last in standings(self._exchange, self.study.hash)[:1]:
            if last.state != "closed":
                continue
            found = left(self._exchange, self.study.name, last.open)
            if not (self._folder(last.number) / REPORT).exists():
                found = None
            printed = found is None or self._is_printed(last.number, found)
            self.was_draft = not printed and can_print()
            if found is None or self.was_draft:
                identity = self.home.identity()
                return Release(self.study, identity, last.number, last.attempt, last.roster)
        return None

    def _is_printed(self, number: int, found: Left) -> bool:
        """Return whether the PDF is in its places, or nobody may add it any more."""
        both = PDF in found.files and (self._folder(number) / PDF).exists()
        return both or not found.is_draft

    def _left(self) -> Left | None:
        """Return what the exchange has of this release."""
        digest = self.driver.release.digest
        return patiently(lambda: left(self._exchange, self.study.name, digest))

    def _folder(self, number: int) -> Path:
        return release_folder(self.out, number)

    @property
    def number(self) -> int:
        """Return the release's number."""
        return self.driver.release.number

    def gather(self) -> dict[str, Any]:
        """Have all hospitals ready; return who takes part."""
        self._noting(self.driver.gather)
        return {"release": self.number, "sites": list(self.driver.release.sites)}

    @property
    def finished(self) -> bool:
        """Return whether the last round is done."""
        return self.driver.release.outcome is not None

    def round(self, number: int) -> dict[str, Any]:
        """Do a round, or find it done; return a pointer to it in the log."""
        return self._noting(lambda: self.driver.round(number))

    def _noting(self, step: Callable[[], T]) -> T:
        """Take a step; a release that is deferred is noted for `coordinator status`."""
        try:
            return step()
        except Deferred as deferred:
            note_look(self.home, self.study, self.number, DEFERRED, str(deferred))
            raise

    def end_if_nothing_new(self) -> str:
        """Burn the release if it would show what the last one shows; return words that say so.

        To be called after round 0, whose counts tell who has changed; the empty text afterwards,
        and if anything is new.
        """
        changed = self.driver.release.changed
        last = self._last_closed() if changed else None
        if last is None or changed.get(f"{self.study.hash}/{last}") != 0:
            return ""
        self.driver.burn(NOTHING_NEW)
        words = (
            f"release {last}: nothing new, no patient differs from it. Release {self.number} "
            f"opened this count only and is burned"
        )
        note_look(self.home, self.study, self.number, NOTHING_NEW, words)
        return words

    def _last_closed(self) -> int | None:
        found = patiently(lambda: standings(self._exchange, self.study.hash))
        return next((one.number for one in found if one.state == "closed"), None)

    def results(self) -> dict[str, Any]:
        """Write all results beside their place; return the hash over which all sites agree."""
        if not self._folder(self.number).exists():
            write_draft(self.out, self.driver.release)
        outcome = self.driver.release.outcome
        assert outcome is not None
        return {"result": outcome.digest(), "analyses": len(outcome.results)}

    def close(self) -> Path:
        """Close the release at all hospitals; return the folder of its results."""
        self.driver.close()
        release = self.driver.release
        folder = self._folder(release.number)
        if not folder.exists():
            folder = finish_draft(self.out, release, self._circumstances(release))
        return folder

    def _circumstances(self, release: Release) -> Circumstances:
        assert self.study.roster is not None
        opened = next(
            standing.opened
            for standing in patiently(lambda: standings(self._exchange, self.study.hash))
            if standing.open == release.digest
        )
        absent = {s: "not in the roster" for s in self.study.roster.sites if s not in release.sites}
        return Circumstances(utc_of(opened), utc_now(), absent)

    def report(self) -> Path:
        """Write the report of the finished release and leave it as a draft; return its path.

        A draft that is there already stays as it is.
        """
        folder = self._folder(self.number)
        there, published = folder / REPORT, self.home.published(self.study.name)
        if self._left() is not None:
            return there if there.exists() else write_report(folder, published)
        path = write_report(folder, published)
        self._leave(folder)
        return path

    def print_report(self) -> None:
        """Add the PDF to the draft, which can be looked at before; a decided one stays as it is."""
        folder, found = self._folder(self.number), self._left()
        if found is None or self._is_printed(self.number, found):
            return
        if sentence := print_report(folder):
            self._progress(sentence)
            return
        try:
            self._leave(folder)
        except Declined as declined:
            if declined.code != "conflict":
                raise
            (folder / PDF).unlink()
            self._progress("no PDF of the report: a person decided before it was made")

    def _leave(self, folder: Path) -> None:
        """Leave what is in the folder of this release at the exchange."""
        center, release = self.home.identity(), self.driver.release
        patiently(lambda: leave_draft(self._exchange, center, release, folder))

    def after_deadline(self, late: Late) -> Refresh:
        """Do what refresh.after_deadline says; return the refresh that goes on, else raise.

        wait: `late` itself. burn: NotReady, the release is given up, unless only receipts are
        missing. continue: a refresh without who is late, or `late` if the roster is fixed.
        """
        what, sites = after_deadline(self.home), ", ".join(late.sites)
        if what == BURN and self.driver.release.state != "closing":
            self.give_up()
            raise NotReady(
                f"release {self.number} waited for {sites} in vain and is burned, as "
                f"refresh.after_deadline says; the next refresh opens another"
            )
        if what == CONTINUE and self._may_go_on_without():
            self._progress(f"going on without {sites}, awaited in vain")
            return Refresh(
                self.home,
                self.study,
                self._exchange,
                without=late.sites,
                deadline_s=self._deadline_s,
                progress=self._progress,
            )
        raise late

    def _may_go_on_without(self) -> bool:
        """Return whether no release of the study has asked anything: its roster is not fixed."""
        found = patiently(lambda: standings(self._exchange, self.study.hash))
        return all(one.round is None for one in found)

    def give_up(self) -> None:
        """Burn the release."""
        self.driver.burn()
        drop_draft(self.out, self.number)


def after_deadline(home: Home) -> str:
    """Return what happens to a release whose deadline is over; ConfigurationError if unknown."""
    found, known = str(home.settings["refresh.after_deadline"]), (WAIT, CONTINUE, BURN)
    if found not in known:
        raise ConfigurationError(
            f"refresh.after_deadline is '{found}', expected one of {', '.join(known)}"
        )
    return found
