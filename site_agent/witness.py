"""Hospitals witness one another's ledgers, so that one that was set back is noticed.

Who restores an old disk image makes a hospital forget what it answered. Its ledger is then
shorter, or goes on otherwise than before. So each READY carries a *mark* of the ledger, its
length and head with the entry of this READY included, and the marks of this site's READY messages
of before. The others write the marks that they saw into their own ledgers (`witnessed`). A mark
that a site has shown once must stay in what it shows later:

    remembered   the longest mark seen of this signing key
    accepted     the present mark was seen before (messages may come late), or the remembered one
                 is among those shown

No two READY messages have one mark, because the entry names the OPEN that it answers. What was set
back is refused (`rewound`) by every site that remembers more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from site_agent.contract.errors import Refused
from site_agent.contract.messages import Ready
from site_agent.contract.party import Member
from site_agent.ledger import Ledger

Entry = Mapping[str, Any]
MARK: Final = re.compile(r"(0|[1-9][0-9]{0,9}):[0-9a-f]{64}\Z")
EACH: Final = 32  # marks shown to each other site, which has accepted one of them, or none ever
MOST_MARKS: Final = 256
EVENT: Final = "witnessed"


def mark(length: int, head: str) -> str:
    """Return the mark of a ledger of this length and head."""
    return f"{length}:{head}"


def length_of(shown: str) -> int:
    """Return the length that a mark tells."""
    return int(shown.partition(":")[0])


def own_marks(ledger: Ledger, others: Iterable[str]) -> tuple[str, ...]:
    """Return the marks in this site's last READY messages to each of `others`, oldest first."""
    shown = dict.fromkeys(others, 0)
    found: list[str] = []
    for entry in reversed(ledger.find("ready")):
        told = [site for site in entry["roster"] if shown.get(site, EACH) < EACH]
        for site in told:
            shown[site] += 1
        if told:
            number = entry["number"]
            found.append(mark(number, ledger.head_after(number)))
    return tuple(reversed(found[:MOST_MARKS]))


def seen(entries: Iterable[Entry]) -> dict[str, set[str]]:
    """Return all marks that the ledger has seen, by signing key."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        if entry["event"] == EVENT:
            for said in entry["ledgers"].values():
                found.setdefault(said["key"], set()).update(said["marks"])
    return found


def new_marks(
    members: Mapping[str, Member], readies: Mapping[str, Ready], entries: Iterable[Entry]
) -> dict[str, dict[str, Any]]:
    """Return what to witness of the ledgers behind these READY messages, by site.

    Only what was not seen before. Raises Refused("rewound") if a ledger was set back.
    """
    known = seen(entries)
    found = {}
    for site, ready in readies.items():
        key = members[site].signing_key
        fresh = _fresh(site, ready, known.get(key, set()))
        if fresh:
            found[site] = {"key": key, "marks": fresh}
    return found


def _fresh(site: str, ready: Ready, known: set[str]) -> list[str]:
    """Return the marks of a READY that are longer than those known, the present one included."""
    present = mark(ready.ledger_length, ready.ledger_head)
    _check(site, [*ready.witness, present])
    if present in known:
        return []
    if not known:
        return list(dict.fromkeys([*ready.witness, present]))
    longest = max(known, key=length_of)
    shown = {*ready.witness, present}
    if longest not in shown:
        raise _rewound(site, length_of(longest), ready.ledger_length)
    longer = [item for item in ready.witness if length_of(item) > length_of(longest)]
    return list(dict.fromkeys([*longer, present]))


def _check(site: str, marks: Sequence[str]) -> None:
    if len(marks) > MOST_MARKS + 1 or not all(MARK.match(item) for item in marks):
        raise Refused("malformed", f"the READY of '{site}' tells of its ledger in no proper form")


def _rewound(site: str, before: int, now: int) -> Refused:
    how = f"had {before} entries and has {now} now"
    if now >= before:
        how = f"no longer has what it had at {before} entries"
    return Refused(
        "rewound",
        f"the ledger of '{site}' was set back: it {how}. What that hospital has answered since is "
        f"forgotten there. Its steward restores the newest ledger (an old disk image, or a copied "
        f"folder, is the usual cause); if it is gone, the stewards approve a revision with a new "
        f"key of that hospital. Until then nothing is answered",
    )
