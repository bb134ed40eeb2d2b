"""A study of five hospitals and its revision, over other keys of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from coordinator.freeze import freeze, roster_of
from site_agent.contract.enrolment import succeeding
from site_agent.contract.identity import Identity
from site_agent.contract.party import Member
from site_agent.contract.study.model import Study
from site_agent.core import SiteCore
from site_agent.ledger import Ledger
from site_agent.permission import Permission
from site_agent.revision import Before, approve
from site_agent.shelf import Shelf
from site_agent.site import Site
from site_agent.vault import Vault
from tests.protocol import CENTER, SITES, STUDY, Play, World, entropy, identity
from tests.site_agent.hospital import set_up

ROTATED: Final = "elm"


@cache
def new_keys(site: str = ROTATED) -> Identity:
    """A hospital's keys after rotation, the same in every run."""
    return Identity.create(site, entropy(f"new keys of {site}"))


def card_of(site: str, *, lost: bool) -> Member:
    """The card of a hospital with new keys; the old ones sign unless they were lost."""
    new = new_keys(site)
    return new.member() if lost else succeeding(identity(site), new, {})


@cache
def frozen_first() -> tuple[str, Study]:
    """The study that is to be revised: its file, and itself."""
    roster = roster_of(identity(CENTER).member(), [identity(site).member() for site in SITES])
    return freeze(STUDY, "first", roster)


@cache
def frozen_revision(*, lost: bool = False, text: str = STUDY) -> tuple[str, Study]:
    """Its revision, in which one hospital has new keys."""
    members = [card_of(s, lost=lost) if s == ROTATED else identity(s).member() for s in SITES]
    roster = roster_of(identity(CENTER).member(), members)
    return freeze(text, "revision", roster, revises=frozen_first()[1].hash)


@dataclass
class Hospital:
    """A hospital that has both studies, on the ledger that its core writes to."""

    site: Site
    core: SiteCore

    @property
    def ledger(self) -> Ledger:
        """The ledger, as it is on disk now."""
        return self.core._ledger

    def approve(self, study: Study) -> list[Before]:
        """The steward's approval, as the command gives it."""
        permission = Permission(study, self.site.name, self.ledger)
        return approve(Shelf(self.site), study, permission, "")


def hospital(world: World, core: SiteCore, name: str, *, lost: bool = False) -> Hospital:
    """A hospital of a world, with the study and its revision on its shelf."""
    site = set_up(world.folder / name / "agent", name)
    folder = site.state / "studies"
    folder.mkdir()
    for file, study in (frozen_first(), frozen_revision(lost=lost)):
        (folder / f"{study.hash}.yaml").write_text(file, encoding="utf-8")
    return Hospital(site, core)


def hospitals(play: Play, *, lost: bool = False) -> dict[str, Hospital]:
    """All hospitals but the one with new keys, in a play of the first study."""
    return {
        name: hospital(play.world, core, name, lost=lost)
        for name, core in play.cores.items()
        if name != ROTATED
    }


@dataclass
class RevisedWorld(World):
    """The hospitals under the revision, of which one signs with its new keys; see World."""

    def core(self, site: str) -> SiteCore:
        """A site's core on what is in its folder."""
        if site != ROTATED:
            return super().core(site)
        home = self.folder / site
        home.mkdir(exist_ok=True)
        return SiteCore(
            self.study,
            new_keys(),
            lambda: self.data(site),
            ledger=self.ledger(site),
            vault=Vault(home / "vault"),
            entropy=entropy(f"{site} {len(self.ledger(site).entries)}"),
        )


def revised_world(folder: Path, *, lost: bool = False) -> RevisedWorld:
    """The hospitals under the revision, each on its own ledger."""
    return RevisedWorld(folder, frozen_revision(lost=lost)[1])
