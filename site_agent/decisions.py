"""Approving and revoking, as the steward's commands and the console do it: one way for both.

Each is a generator of what is to be told, so that what was done is told even if a later step fails.
Nothing is done before the first line is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from site_agent import revision
from site_agent.approvals import approvals
from site_agent.contract.errors import ConfigurationError, QuorumError
from site_agent.contract.identity import fingerprint
from site_agent.contract.study.model import Study
from site_agent.permission import Permission
from site_agent.runtime.clock import utc
from site_agent.shelf import Shelf, pinning
from site_agent.site import Site

VALID_DAYS: Final = 365
SHORT: Final = 16


@dataclass(frozen=True, slots=True)
class Said:
    """A line of what a decision brought; `aside` if it is a warning beside the result."""

    text: str
    aside: bool = False


def last_instant(until: datetime | None) -> str:
    """Return the instant at which an approval ends; a day given counts whole."""
    now = datetime.now(UTC)
    if until is None:
        return utc(now + timedelta(days=VALID_DAYS))
    end = until.replace(tzinfo=UTC) + timedelta(hours=23, minutes=59, seconds=59)
    if end <= now:
        raise ConfigurationError(f"the last day {until:%Y-%m-%d} is over; expected a day to come")
    return utc(end)


def question(site: Site, study: Study, until: str) -> str:
    """Return what the steward is asked before an approval is written.

    Refused("superseded") if a revision of the study was approved here.
    """
    revision.refuse_superseded(study, site.ledger())
    place = f", in place of {study.revises[:SHORT]}" if study.revises else ""
    return f"Approve {_named(study)} for '{site.name}' until {until}{place}?"


def approve(site: Site, study: Study, until: str) -> Iterator[Said]:
    """Write the approval of a study into the ledger, then tell the center."""
    shelf, ledger = Shelf(site), site.ledger()
    ended = revision.approve(shelf, study, Permission(study, site.name, ledger), until)
    for one in ended:
        yield Said(f"{one.hash[:SHORT]} is superseded: no release of it is opened any more")
    yield Said(f"{_named(study)} is approved until {until}; this is in the ledger")
    for other in revision.beside(study, ledger, list(shelf.readable().values())):
        yield Said(
            f"{other[:SHORT]} has the same name and stays approved: {study.hash[:SHORT]} does not "
            f"say that it revises it. `site-agent revoke {other[:SHORT]}` ends that approval",
            aside=True,
        )
    for name in [study.hash, *(one.hash for one in ended)]:
        yield from _tell(site, name)
    if site.keys.settle(site.ledger(), pinning(site)):
        yield Said(f"key          the old one is erased; {fingerprint(site.identity().member())}")


def refuse_unapproved(site: Site, study: Study) -> Permission:
    """Return the permission of an approved study; ConfigurationError if it is not approved."""
    permission = Permission(study, site.name, site.ledger())
    if permission.approval.state != "approved":
        raise ConfigurationError(f"{study.name} is not approved here; there is nothing to revoke")
    return permission


def revoke(site: Site, study: Study) -> Iterator[Said]:
    """Write the end of a study's approval into the ledger, then tell the center."""
    refuse_unapproved(site, study).note("revoked")
    yield Said(f"{_named(study)} is revoked; this is in the ledger")
    yield from _tell(site, study.hash)


def _named(study: Study) -> str:
    return f"{study.name} ({study.hash[:SHORT]})"


def _tell(site: Site, study: str) -> Iterator[Said]:
    """Tell the exchange what was approved or revoked; the running agent does it otherwise."""
    from site_agent.agent import tell_approval

    try:
        with site.exchange() as exchange:
            tell_approval(exchange, study, approvals(site.ledger().entries)[study])
    except QuorumError as error:
        yield Said(f"the center learns of it when the agent reaches it: {error}", aside=True)
