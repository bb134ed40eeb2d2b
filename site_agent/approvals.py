"""What a steward has approved, as the ledger says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from site_agent.contract.lifecycle import STUDY, advance

EVENTS: Final = {"approved": "approve", "revoked": "revoke", "superseded": "supersede"}


@dataclass(frozen=True, slots=True)
class Approval:
    """Where a frozen study stands at a site: frozen, approved, revoked, superseded; since when.

    Instants are ISO 8601 with Z; `until` is "" for an approval without an end. by: the revision
    that superseded it. distrusted: hospitals whose keys the revision replaces without leave of
    the keys before, which may be in other hands.
    """

    state: str = "frozen"
    at: str = ""
    until: str = ""
    by: str = ""
    distrusted: tuple[str, ...] = ()

    def stands(self, now: str) -> bool:
        """Return whether the study is approved at this instant."""
        return self.state == "approved" and not self.expired(now)

    def expired(self, now: str) -> bool:
        """Return whether an approval has come to its end."""
        return self.state == "approved" and bool(self.until) and now > self.until

    @property
    def may_end(self) -> bool:
        """Return whether a release that is under way may still be closed."""
        return self.state == "superseded" and not self.distrusted


def approvals(entries: Iterable[Mapping[str, Any]]) -> dict[str, Approval]:
    """Return the standing of each study, by its hash, from a ledger's entries."""
    found: dict[str, Approval] = {}
    for entry in entries:
        if entry["event"] in EVENTS:
            before = found.get(entry["study"], Approval())
            state = advance(STUDY, before.state, EVENTS[entry["event"]])
            found[entry["study"]] = Approval(
                state,
                entry["at"],
                str(entry.get("until", "")),
                str(entry.get("by", "")),
                tuple(entry.get("distrusted", ())),
            )
    return found
