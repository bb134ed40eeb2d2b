"""The lives of a study, a release and a round, each as one table {state: {event: state}}.

An event that the state does not list is refused and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from site_agent.contract.errors import LifecycleError

Table = Mapping[str, Mapping[str, str]]

# What an approved revision replaces is superseded for good, approved here or not.
STUDY: Final[Table] = {
    "draft": {"freeze": "frozen"},
    "frozen": {"approve": "approved", "supersede": "superseded"},
    "approved": {"approve": "approved", "revoke": "revoked", "supersede": "superseded"},
    "revoked": {"approve": "approved", "supersede": "superseded"},
    "superseded": {},
}

# A release as one site lives it. Before the first share it may be opened again with another
# roster; from then on the roster is fixed, and the release is closed or burned.
SITE_RELEASE: Final[Table] = {
    "unknown": {"open": "ready"},
    "ready": {"open": "ready", "readies": "keyed", "burn": "burned"},
    "keyed": {
        "open": "ready",
        "readies": "keyed",
        "parts": "keyed",
        "share": "answering",
        "burn": "burned",
    },
    "answering": {"share": "answering", "audit": "answering", "close": "closed", "burn": "burned"},
    "closed": {},
    "burned": {},
}

# A release as the coordinator drives it.
CENTER_RELEASE: Final[Table] = {
    "opening": {"ready": "opening", "all_ready": "keyed", "secret": "parting", "burn": "burned"},
    "parting": {"part": "parting", "all_parts": "keyed", "burn": "burned"},
    "keyed": {"ask": "asking", "close": "closing", "burn": "burned"},
    "asking": {"share": "asking", "total": "keyed", "burn": "burned"},
    "closing": {"receipt": "closing", "all_receipts": "closed", "burn": "burned"},
    "closed": {},
    "burned": {},
}

# A round as one site lives it: the share is written down before it is sent, the same question
# again gets the same bytes, and the totals are believed once the shares have been added up.
SITE_ROUND: Final[Table] = {
    "asked": {"share": "shared"},
    "shared": {"share": "shared", "audit": "audited", "total": "totalled"},
    "audited": {"share": "audited", "audit": "audited", "total": "totalled"},
    "totalled": {"audit": "totalled", "total": "totalled"},
}


def advance(table: Table, state: str, event: str) -> str:
    """Return the state after `event`; LifecycleError if the state does not allow it."""
    following = table[state].get(event)
    if following is None:
        allowed = ", ".join(table[state]) or "nothing"
        raise LifecycleError(f"'{event}' while {state}: expected {allowed}")
    return following
