"""Whose turn it is when a release waits for a hospital, and to do what; without its data.

A hospital tells a code and nothing else of what hinders it; docs/agent.md says what it does about
each.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STEWARD: Final = "its steward reviews and approves the study (`site-agent review`, `approve`)"
DATA: Final = "its data manager mends the files; `site-agent check` there lists what does not fit"
_IT: Final = "its IT looks into the agent's log"
BY_CODE: Final[Mapping[str, str]] = {
    "not_approved": STEWARD,
    "expired": STEWARD,
    "other_study": STEWARD,
    "unfit_data": DATA,
    "overflow": DATA,
    "data_changed": "the center refreshes again, and its files stay as they are meanwhile",
    "configuration": f"{_IT}: a setting, folder or key cannot be used",
    "disk": f"{_IT}: a file cannot be read or written",
    "memory": f"{_IT}: the memory is not enough",
    "worker": f"{_IT}: the process that computes ended",
    "ledger": f"{_IT}, changes nothing, and telephones the center: the ledger is damaged",
    "internal": f"{_IT} and reports its line: a defect of Quorum",
    "rewound": "a hospital restores its newest ledger; the log of this one names it",
}
OTHER: Final = "its IT and the center look the code up in docs/agent.md"
AWAY: Final = "its IT starts the agent, or mends its way to the exchange"
SLOW: Final = "its agent is online and computes; if that takes long, its IT looks into the log"


def whose_turn(code: str, *, online: bool = True, approved: bool = True) -> str:
    """Return who does what next, of a hospital that is waited for."""
    if code:
        return BY_CODE.get(code, OTHER)
    if not approved:
        return STEWARD
    return SLOW if online else AWAY
