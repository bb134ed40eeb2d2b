"""What a site may answer at all: the steward's approval, and what the ledger says of releases.

Everything is read from the ledger, so it holds over restarts and for all releases of a study.
"""

from __future__ import annotations

from site_agent.approvals import EVENTS, Approval, approvals
from site_agent.contract.errors import Refused
from site_agent.contract.lifecycle import STUDY, advance
from site_agent.contract.messages import Open
from site_agent.contract.roster import refuse_roster
from site_agent.contract.study.model import Study
from site_agent.ledger import Ledger


class Permission:
    """The standing of one frozen study at one site."""

    def __init__(self, study: Study, site: str, ledger: Ledger) -> None:
        self._study = study
        self._site = site
        self._ledger = ledger

    @property
    def approval(self) -> Approval:
        """Return where the study stands here, by all that the ledger says up to now."""
        self._ledger.refresh()
        return approvals(self._ledger.entries).get(self._study.hash, Approval())

    def note(self, event: str, **details: str) -> None:
        """Write `approved` or `revoked` into the ledger, if the state allows it."""
        advance(STUDY, self.approval.state, EVENTS[event])
        self._ledger.append(event, study=self._study.hash, **details)

    def over(self, number: int) -> bool:
        """Return whether release `number` was closed or burned here."""
        named = {"study": self._study.hash, "release": number}
        return bool(self._ledger.find("closed", **named) or self._ledger.find("burned", **named))

    def refuse_unapproved(self) -> None:
        """Raise Refused unless the steward's approval stands: "not_approved", "expired"."""
        approval, now = self.approval, self._ledger.now()
        if approval.expired(now):
            raise Refused(
                "expired",
                f"this hospital's approval of the study ended at {approval.until}; its steward "
                f"must approve it again",
            )
        if not approval.stands(now):
            raise Refused("not_approved", "this hospital's steward has not approved the study")

    def refuse_open(self, opened: Open) -> None:
        """Refuse what the approval, the roster's rules or the ledger do not allow."""
        if opened.study != self._study.hash:
            raise Refused("other_study", "the release is of another study than this one")
        self.refuse_unapproved()
        refuse_roster(self._study, self._site, opened.roster)
        if self.over(opened.release):
            raise Refused("release_over", f"release {opened.release} is over; open the next one")
        for share in self._ledger.find("share", study=opened.study):
            _refuse_other_roster(opened, int(share["release"]), share["attempt"], share["roster"])


def _refuse_other_roster(opened: Open, release: int, attempt: int, roster: list[str]) -> None:
    """Refuse a roster other than the one of a share that was given, in any release."""
    if release == opened.release and (attempt, roster) != (opened.attempt, list(opened.roster)):
        raise Refused(
            "second_roster",
            f"release {opened.release} was answered with another roster; two sums that differ "
            f"by a hospital would show that hospital. Continue it, or burn it",
        )
    if roster != list(opened.roster):
        raise Refused(
            "other_roster",
            "earlier releases had other hospitals; the difference of two releases would show "
            "those that joined or left. The stewards must approve a revision",
        )
