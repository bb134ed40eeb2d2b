"""What the pages tell, read from the store: studies, sites, releases and who is waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coordinator.exchange import parties, progress, reports
from coordinator.exchange.accounts import Visitor
from coordinator.exchange.directory import Approval, Shelved
from coordinator.exchange.reports import RELEASED, Report
from coordinator.exchange.store import Store
from coordinator.phases import place_of
from coordinator.presence import is_online


@dataclass(frozen=True, slots=True)
class Site:
    """A hospital: approval of a study in words, whether it is online, and what is waited for."""

    name: str
    approval: str
    online: bool
    seen: int | None
    software: str
    waits: str


@dataclass(frozen=True, slots=True)
class StudyPage:
    """A study under its name, as its last version stands; `under_way` in words, if anything is."""

    study: Shelved
    sites: Sequence[Site]
    under_way: str
    reports: Sequence[Report]
    versions: int

    @property
    def released(self) -> Report | None:
        """Return the last release."""
        return next((one for one in self.reports if one.state == RELEASED), None)

    @property
    def drafts(self) -> int:
        """Return how many drafts wait for a decision."""
        return sum(one.decision is None for one in self.reports)

    @property
    def approved(self) -> int:
        """Return how many hospitals approve."""
        return sum(site.approval.startswith("approved") for site in self.sites)


def study_pages(store: Store, visitor: Visitor, now: float) -> list[StudyPage]:
    """Return all studies by name."""
    shelf = store.read("studies", lambda tx: tx.directory.studies())
    return [_study(store, name, shelf, visitor, now) for name in sorted({s.name for s in shelf})]


def study_page(store: Store, name: str, visitor: Visitor, now: float) -> StudyPage | None:
    """Return a study by its name; None if it is not here."""
    shelf = store.read("studies", lambda tx: tx.directory.studies())
    known = any(one.name == name for one in shelf)
    return _study(store, name, shelf, visitor, now) if known else None


def _study(
    store: Store, name: str, shelf: Sequence[Shelved], visitor: Visitor, now: float
) -> StudyPage:
    versions = [one for one in shelf if one.name == name]
    study = versions[-1]
    last = next(iter(progress.listed(store, study.hash)["releases"]), None)
    found = store.read(
        "study",
        lambda tx: (
            tx.directory.pinned_keys(study.hash),
            {one.site: one for one in tx.directory.approvals(study.hash)},
            {one.name: one for one in tx.directory.parties()},
        ),
    )
    pinned, approvals, enrolled = found
    sites = [
        Site(
            site,
            _approval(approvals.get(site), now),
            online=site in enrolled and is_online(enrolled[site].seen, now),
            seen=enrolled[site].seen if site in enrolled else None,
            software=enrolled[site].software if site in enrolled else "",
            waits=_waits(last, site),
        )
        for site in pinned
    ]
    shown = shown_to(visitor, reports.reports(store, name))
    return StudyPage(study, sites, _under_way(last), shown, len(versions))


def shown_to(visitor: Visitor, found: Sequence[Report]) -> list[Report]:
    """Return the reports that somebody may see: drafts are for those who release."""
    everything = visitor.may("statistician")
    return [one for one in found if everything or one.state == RELEASED]


def _approval(said: Approval | None, now: float) -> str:
    if said is None:
        return "not yet"
    if said.state != "approved":
        return "revoked"
    if said.until is not None and said.until < now:
        return "ended"
    return "approved"


def _waits(last: Mapping[str, Any] | None, site: str) -> str:
    """Return why a release that is under way waits for a site; nothing if it does not."""
    if last is None or last["state"] != "under_way" or site not in last["waiting"]:
        return ""
    hindered = last["standing"].get(site, {}).get("code", "")
    return (
        f"hindered: {hindered}"
        if hindered
        else f"awaited ({place_of(last['phase'], last['round'])})"
    )


def _under_way(last: Mapping[str, Any] | None) -> str:
    if last is None or last["state"] != "under_way":
        return ""
    waiting = ", ".join(last["waiting"]) or "the center"
    return (
        f"release {last['number']}: {place_of(last['phase'], last['round'])}, waiting for {waiting}"
    )


def sites(store: Store, now: float) -> list[dict[str, Any]]:
    """Return the hospitals that are enrolled or invited, by name."""
    listed = parties.listed(store)
    found = {
        one["site"]: {"name": one["site"], "state": "invited", "online": False}
        | dict.fromkeys(("seen", "enrolled"), None)
        | dict.fromkeys(("software", "fingerprint"), "")
        for one in listed["invitations"]
        if one["used"] is None
    }
    for one in listed["sites"]:
        found[one["name"]] = {
            **{name: one[name] for name in ("name", "seen", "enrolled", "software", "fingerprint")},
            "state": "enrolled",
            "online": is_online(one["seen"], now),
        }
    return [found[name] for name in sorted(found)]


def before(found: Report, all_reports: Sequence[Report]) -> list[Report]:
    """Return what was released of the study before a report, the newest first."""
    opened = found.release.opened
    return [
        one
        for one in all_reports
        if one.state == RELEASED
        and (one.release.opened, one.release.number) < (opened, found.release.number)
    ]
