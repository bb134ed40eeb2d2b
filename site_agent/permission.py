"""What a site may answer at all: the steward's approval, and what the ledger says of releases.

Everything is read from the ledger, so it holds over restarts and for all releases of a study.
"""

from __future__ import annotations

from typing import Any

from site_agent.approvals import EVENTS, Approval, approvals
from site_agent.contract.errors import Refused
from site_agent.contract.lifecycle import STUDY, advance
from site_agent.contract.messages import Open
from site_agent.contract.roster import refuse_roster
from site_agent.contract.study.model import Study
from site_agent.earlier import Folders, Given, given, over_same_tables
from site_agent.ledger import Ledger


class Permission:
    """The standing of one frozen study at one site; `folder` gives where a study's data lie."""

    def __init__(
        self, study: Study, site: str, ledger: Ledger, folder: Folders = lambda _: ""
    ) -> None:
        self._study = study
        self._site = site
        self._ledger = ledger
        self._folder = folder

    @property
    def approval(self) -> Approval:
        """Return where the study stands here, by all that the ledger says up to now."""
        self._ledger.refresh()
        return approvals(self._ledger.entries).get(self._study.hash, Approval())

    def note(self, event: str, **details: Any) -> None:
        """Write `approved` or `revoked` into the ledger, if the state allows it."""
        advance(STUDY, self.approval.state, EVENTS[event])
        self._ledger.append(event, study=self._study.hash, **details)

    def supersede(self, study: str, *, by: str, distrusted: list[str]) -> None:
        """Write into the ledger that the revision `by` has taken the place of `study`, for good."""
        before = approvals(self.ledger.entries).get(study, Approval())
        advance(STUDY, before.state, EVENTS["superseded"])
        self.ledger.append("superseded", study=study, by=by, distrusted=distrusted)

    @property
    def ledger(self) -> Ledger:
        """Return the ledger, read up to now."""
        self._ledger.refresh()
        return self._ledger

    def over(self, number: int) -> bool:
        """Return whether release `number` was closed or burned here."""
        named = {"study": self._study.hash, "release": number}
        return bool(self._ledger.find("closed", **named) or self._ledger.find("burned", **named))

    def refuse_unapproved(self, *, sent: bool = False) -> None:
        """Raise Refused unless the steward's approval stands: "not_approved", "expired".

        What a revision has superseded is refused ("superseded"), but for what was `sent` before:
        a release under way can come to its end, if all keys of it are still trusted.
        """
        approval, now = self.approval, self._ledger.now()
        if approval.state == "superseded":
            if not (sent and approval.may_end):
                raise superseded(approval)
            return
        if approval.expired(now):
            raise Refused(
                "expired",
                f"this hospital's approval of the study ended at {approval.until}; its steward "
                f"must approve it again",
            )
        if not approval.stands(now):
            raise Refused("not_approved", "this hospital's steward has not approved the study")

    def refuse_open(self, opened: Open, *, sent: bool = False) -> None:
        """Refuse what the approval, the roster's rules or the ledger do not allow.

        sent: whether its READY was sent before.
        """
        if opened.study != self._study.hash:
            raise Refused("other_study", "the release is of another study than this one")
        self.refuse_unapproved(sent=sent)
        refuse_roster(self._study, self._site, opened.roster)
        if self.over(opened.release):
            raise Refused("release_over", f"release {opened.release} is over; open the next one")
        earlier = over_same_tables(self._study, given(self._ledger.entries), self._folder)
        accepted = {item.sites for item in self._study.policy.earlier_rosters}
        for item in earlier:
            if item.study == opened.study:
                _refuse_other_roster(opened, item)
            elif item.opened_totals and item.roster not in accepted:
                _refuse_unnamed_roster(opened, item)


def superseded(approval: Approval) -> Refused:
    """Return the refusal of what a revision has taken the place of."""
    keys = ""
    if approval.distrusted:
        named = ", ".join(approval.distrusted)
        keys = f", and keys that it replaces may be in other hands ({named})"
    return Refused(
        "superseded",
        f"this hospital's steward has approved the revision {approval.by[:16]} of this study"
        f"{keys}; the center opens releases of the revision, and burns what is left of this one",
    )


def _refuse_other_roster(opened: Open, earlier: Given) -> None:
    """Refuse a roster other than that of a share that was given in any release of the study."""
    same = earlier.roster == opened.roster
    if earlier.release == opened.release and not (same and earlier.attempt == opened.attempt):
        raise Refused(
            "second_roster",
            f"release {opened.release} was answered with another roster; two sums that differ "
            f"by a hospital would show that hospital. Continue it, or burn it",
        )
    if not same:
        raise Refused(
            "other_roster",
            "earlier releases had other hospitals; the difference of two releases would show "
            "those that joined or left. The stewards must approve a revision",
        )


def _refuse_unnamed_roster(opened: Open, earlier: Given) -> None:
    """Refuse a roster other than that of another study's release, which this study does not name.

    A hospital that joined or left is what the two releases differ by.
    """
    joined = [site for site in opened.roster if site not in earlier.roster]
    left = [site for site in earlier.roster if site not in opened.roster]
    if joined or left:
        said = [f"joined: {', '.join(joined)}"] * bool(joined)
        said += [f"left: {', '.join(left)}"] * bool(left)
        raise Refused(
            "other_roster",
            f"release {earlier.release} of study {earlier.study[:16]} over the same tables had "
            f"other hospitals ({'; '.join(said)}); the difference of two releases would show "
            f"them. The stewards must approve a revision that names its roster "
            f"(disclosure.earlier_rosters)",
        )
