"""Releases one behind the other over data that change in between, for tests of differencing.

A change is a function of a site's name and its patients. Each `release` runs with all changes made
so far, over ledgers and records that stay on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from coordinator.release import Release
from site_agent.contract.conductor import Conductor
from site_agent.contract.earlier import respects
from site_agent.contract.errors import Refused
from site_agent.contract.study.model import Study
from site_agent.contract.totals import read_totals
from tests.protocol import Play, World, patients, site_data, the_study

Change = Callable[[str, pd.DataFrame], pd.DataFrame]


@dataclass
class Course:
    """The releases of a study, or of several, over one set of folders."""

    folder: Path
    study: Study = field(default_factory=the_study)
    changes: list[Change] = field(default_factory=list)
    number: int = 0

    def rows(self, site: str) -> pd.DataFrame:
        """A site's patients after all changes."""
        found = patients(site)
        for change in self.changes:
            found = change(site, found)
        return found

    def world(self) -> World:
        """The sites as they are now."""
        read = {site: site_data(self.study, site, self.rows(site)) for site in self.sites}
        return World(self.folder, self.study, lambda site: read[site])

    @property
    def sites(self) -> Sequence[str]:
        """The sites that the study pins."""
        assert self.study.roster is not None
        return tuple(self.study.roster.sites)

    def play(self, number: int | None = None, roster: Sequence[str] | None = None) -> Play:
        """The next release, or the one of this number, at its beginning."""
        self.number = self.number + 1 if number is None else number
        world = self.world()
        return Play(world, world.release(roster, number=self.number))

    def release(self, roster: Sequence[str] | None = None) -> str:
        """The code with which the next release is refused and burned; "finished" if it is not."""
        play = self.play(roster=roster)
        try:
            play.finish()
        except Refused as refused:
            self.burn(play, refused.code)
            return refused.code
        return "finished"

    def burn(self, play: Play, code: str = "") -> None:
        """Give a release up at every site at which it began."""
        for core in play.cores.values():
            try:
                core.burn(play.release.number, code)
            except Refused:
                continue

    def other_study(self, study: Study) -> Course:
        """The releases of another study over the same folders and data."""
        return replace(self, study=study, changes=list(self.changes), number=0)


def joined(*, of: Sequence[str], each: int = 1, label: str = "new") -> Change:
    """New patients at some sites."""

    def change(site: str, rows: pd.DataFrame) -> pd.DataFrame:
        if site not in of:
            return rows
        more = pd.concat([rows.iloc[[0]]] * each, ignore_index=True)
        more["patient"] = [f"{label}-{site}-{index}" for index in range(each)]
        more["dose"] = [1.25 + index for index in range(each)]
        return pd.concat([rows, more], ignore_index=True)

    return change


def corrected(column: str, by: float, *, of: Sequence[str], each: int = 1) -> Change:
    """Another value of the first patients of some sites."""

    def change(site: str, rows: pd.DataFrame) -> pd.DataFrame:
        if site in of:
            rows = rows.copy()
            rows.loc[rows.index[:each], column] = rows.loc[rows.index[:each], column] + by
        return rows

    return change


def totals(release: Release, name: str) -> list[list[float]]:
    """What the guard counted in its first round as changed: patients, or sites."""
    asks = Conductor(release.study, respects(release.study, release.earlier)).asks
    answers = read_totals(asks, release.log[0].totals)
    return [answer.totals[name].tolist() for answer in answers[1:]]
