"""Approving a study at a hospital, and what that ends: the studies that it revises.

A revision names the frozen study whose place it takes. Approving it supersedes that one, and those
that it revised in turn: their releases are not opened any more, so a key that the revision
replaces is of no more use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from site_agent.approvals import Approval, approvals
from site_agent.contract.enrolment import succeeds
from site_agent.contract.party import Member
from site_agent.contract.study.model import Study
from site_agent.ledger import Ledger
from site_agent.permission import Permission, superseded
from site_agent.shelf import Shelf


@dataclass(frozen=True, slots=True)
class Before:
    """A study that a revision takes the place of.

    study: None if it is not here. distrusted: hospitals whose keys were replaced since, without
    leave of the keys before.
    """

    hash: str
    study: Study | None
    distrusted: tuple[str, ...]


def studies_before(shelf: Shelf, study: Study) -> list[Before]:
    """Return the studies that `study` takes the place of, as far as they are here, newest first."""
    found: list[Before] = []
    distrusted: set[str] = set()
    later: Study | None = study
    while later is not None and later.revises and later.revises not in [b.hash for b in found]:
        earlier = shelf.earlier(later.revises)
        if earlier is not None:
            distrusted |= set(distrusted_keys(earlier, later))
        found.append(Before(later.revises, earlier, tuple(sorted(distrusted))))
        later = earlier
    return found


def distrusted_keys(before: Study, after: Study) -> list[str]:
    """Return the sites that have other keys after than before, not signed by those before."""
    assert before.roster is not None and after.roster is not None
    return [
        name
        for name, member in after.roster.sites.items()
        if name in before.roster.sites and unsigned(before.roster.sites[name], member)
    ]


def unsigned(before: Member, after: Member) -> bool:
    """Return whether a party has other keys, and those before did not sign that they may be."""
    return before.keys != after.keys and not succeeds(after, before)


def refuse_superseded(study: Study, ledger: Ledger) -> None:
    """Raise Refused("superseded") if a revision of the study was approved here."""
    approval = approvals(ledger.entries).get(study.hash, Approval())
    if approval.state == "superseded":
        raise superseded(approval)


def approve(shelf: Shelf, study: Study, permission: Permission, until: str) -> list[Before]:
    """Write the approval of a study into the ledger, after the end of those before; return them.

    Refused("superseded") if a revision of the study was approved here already.
    """
    refuse_superseded(study, permission.ledger)
    before = studies_before(shelf, study)
    known = approvals(permission.ledger.entries)
    ended = [one for one in before if known.get(one.hash, Approval()).state != "superseded"]
    for one in ended:
        permission.supersede(one.hash, by=study.hash, distrusted=list(one.distrusted))
    permission.note("approved", until=until)
    return ended


def beside(study: Study, ledger: Ledger, studies: Sequence[Study]) -> list[str]:
    """Return other approved studies of the same name, which this one does not take the place of."""
    standing = approvals(ledger.entries)

    def stands(other: Study) -> bool:
        return standing.get(other.hash, Approval()).stands(ledger.now())

    return [
        other.hash
        for other in studies
        if other.name == study.name and other.hash != study.hash and stands(other)
    ]
