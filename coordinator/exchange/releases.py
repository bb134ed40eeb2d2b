"""What the exchange takes into the log of a release, and what the log says of it.

A release is under way until all its sites have sent RECEIPT, or the center BURN, or another
attempt replaces it before any SHARE. Of one study, one release is under way at a time, and
numbers have no gap. The first message in a slot stays; the same bytes again change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from coordinator.exchange.auth import Caller
from coordinator.exchange.directory import Standing
from coordinator.exchange.log import UNDER_WAY, LoggedRelease, Slot
from coordinator.exchange.store import Store, Transaction
from site_agent.contract import messages
from site_agent.contract.canonical import sha256
from site_agent.contract.errors import Refused
from site_agent.contract.lifecycle import Table, advance
from site_agent.contract.messages import (
    Burn,
    Close,
    Content,
    Message,
    Open,
    Part,
    Parts,
    Readies,
    Ready,
    Receipt,
    Round,
    Share,
    Shares,
    Split,
)
from site_agent.contract.party import Member
from site_agent.contract.problems import Problem

OF_CENTER: Final[tuple[type[Content], ...]] = (
    *(Open, Readies, Parts, Round, Split, Shares, Close, Burn),
)
OF_SITE: Final[tuple[type[Content], ...]] = (Ready, Part, Share, Receipt)
CONTENTS: Final = {content.TYPE: content for content in (*OF_CENTER, *OF_SITE)}
NUMBERED: Final = (Round.TYPE, Share.TYPE, Split.TYPE, Shares.TYPE)

RELEASE: Final[Table] = {
    UNDER_WAY: {"all_receipts": "closed", "burn": "burned", "open_again": "replaced"},
    "closed": {},
    "burned": {},
    "replaced": {},
}

DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")

# What a refusal to read a message is called among the problems.
PROBLEMS: Final[Mapping[str, str]] = {"sender": "forbidden", "signature": "signature"}


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that is in the log: its id and kind, and whether it was put in just now."""

    id: int
    kind: str
    new: bool


@dataclass(frozen=True, slots=True)
class Posted:
    """A message as posted: read, but its signature not yet checked."""

    message: Message
    content: Any
    slot: Slot
    sha256: str


def read_posted(wire: bytes, caller: Caller) -> Posted:
    """Return a message that this party may send; Problem("malformed" or "forbidden")."""
    try:
        message = replace(messages.read(wire), parts=())  # they are in the wire; once is enough
        expected = CONTENTS.get(message.kind)
        if expected is None:
            raise Refused("malformed", f"a message of another kind than {', '.join(CONTENTS)}")
        content: Any = expected.from_document(message.content)
    except Refused as refused:
        raise Problem(PROBLEMS.get(refused.code, "malformed"), str(refused)) from None
    if message.sender != caller.name:
        raise Problem("forbidden", "a message of another sender than the party that posts it")
    if expected not in (OF_CENTER if caller.is_center else OF_SITE):
        raise Problem("forbidden", f"'{caller.name}' does not send {message.kind}")
    opened = message.digest() if expected is Open else content.open
    if not DIGEST.match(content.study if expected is Open else opened):
        raise Problem("malformed", f"a {message.kind} message that names no digest")
    number = content.number if message.kind in NUMBERED else 0
    slot = Slot(opened, message.kind, number, message.sender)
    return Posted(message, content, slot, sha256(wire))


def take(store: Store, center: Member, wire: bytes, caller: Caller, now: float) -> Taken:
    """Put a message into the log, or find it there; Problem says why not."""
    posted = read_posted(wire, caller)
    work = _take_open if posted.message.kind == Open.TYPE else _take_other
    return store.write(f"take {posted.message.kind}", lambda tx: work(tx, center, posted, int(now)))


def _take_open(tx: Transaction, center: Member, posted: Posted, now: int) -> Taken:
    said: Open = posted.content
    keys = tx.directory.pinned_keys(said.study)
    if not keys:
        raise Problem("unknown_study", "the study of this OPEN is not here; put it here first")
    _check_signed(posted, center)
    found = _found(tx, posted)
    if found is not None:
        return found
    if not said.roster or len(set(said.roster)) != len(said.roster) or set(said.roster) - set(keys):
        raise Problem("malformed", "the roster of OPEN is not a choice of the study's sites")
    last = tx.log.last_release(said.study)
    _check_number(tx, said, last)
    if last is not None and last.state == UNDER_WAY:
        tx.log.end_release(last.open, advance(RELEASE, last.state, "open_again"), at=now)
    tx.log.open_release(posted.slot.open, said, at=now)
    tx.log.erase_shares(said.study)
    return _append(tx, posted)


def _check_number(tx: Transaction, said: Open, last: LoggedRelease | None) -> None:
    """Raise Problem unless a release may begin under this number and attempt."""
    if last is None or last.state != UNDER_WAY:
        expected = 1 if last is None else last.number + 1
        if said.release != expected:
            raise Problem(
                "release_number",
                f"release {said.release} of the study, expected {expected}: the numbers of its "
                f"releases go up without a gap",
            )
    elif said.release != last.number or said.attempt <= last.attempt:
        raise Problem(
            "release_under_way",
            f"release {last.number} of the study, attempt {last.attempt}, is under way; wait "
            f"until it is closed, or burn it",
        )
    elif tx.log.has(last.open, Share.TYPE):
        raise Problem(
            "release_under_way",
            f"release {last.number} of the study has a SHARE already, so its roster is fixed; "
            f"wait until it is closed, or burn it",
        )


def _take_other(tx: Transaction, center: Member, posted: Posted, now: int) -> Taken:
    slot, release = posted.slot, tx.log.release(posted.slot.open)
    if release is None:
        raise unknown_release()
    roster = tx.log.roster(slot.open)
    if slot.sender not in (center.name, *roster):
        raise Problem("forbidden", f"'{slot.sender}' is not in the roster of this release")
    keys = tx.directory.pinned_keys(release.study)
    from_center = slot.sender == center.name
    _check_signed(posted, center if from_center else Member(slot.sender, keys[slot.sender], "", {}))
    if release.state != UNDER_WAY:
        return _found_after_end(tx, posted, release)
    found = _found(tx, posted)
    if found is not None:
        return found
    taken = _append(tx, posted)
    tx.directory.clear_standing(slot.open, slot.sender)
    if slot.kind == Burn.TYPE:
        tx.log.end_release(slot.open, advance(RELEASE, release.state, "burn"), at=now)
    elif slot.kind == Receipt.TYPE and tx.log.senders(slot.open, Receipt.TYPE) >= set(roster):
        tx.log.end_release(slot.open, advance(RELEASE, release.state, "all_receipts"), at=now)
    return taken


def _check_signed(posted: Posted, member: Member) -> None:
    try:
        posted.message.says(type(posted.content), member)
    except Refused as refused:
        raise Problem(PROBLEMS.get(refused.code, "malformed"), str(refused)) from None


def _found(tx: Transaction, posted: Posted) -> Taken | None:
    """Return the same message if it is in the log; Problem("conflict") if another is."""
    found = tx.log.filled(posted.slot)
    if found is not None and found.sha256 != posted.sha256:
        raise Problem(
            "conflict",
            f"another {posted.slot.kind} of '{posted.slot.sender}' with number "
            f"{posted.slot.number} is there already; the first one stays",
        )
    return None if found is None else Taken(found.id, posted.slot.kind, new=False)


def _found_after_end(tx: Transaction, posted: Posted, release: LoggedRelease) -> Taken:
    found = tx.log.filled(posted.slot)
    if found is None or found.sha256 != posted.sha256:
        raise Problem(
            "release_over",
            f"release {release.number}, attempt {release.attempt}, is over ({release.state}); "
            f"nothing more is taken into it",
        )
    return Taken(found.id, posted.slot.kind, new=False)


def _append(tx: Transaction, posted: Posted) -> Taken:
    number = tx.log.append(posted.slot, posted.message.wire, posted.sha256)
    return Taken(number, posted.slot.kind, new=True)


def unknown_release() -> Problem:
    """Return the problem of a release that is not here, or not for who asks."""
    return Problem("unknown_release", "no release with this OPEN is here for this party")


def stand(store: Store, standing: Standing, caller: Caller) -> None:
    """Keep what hinders a site of a release; Problem("unknown_release")."""

    def work(tx: Transaction) -> None:
        release = tx.log.release(standing.open)
        if release is None or standing.site not in tx.log.roster(standing.open):
            raise unknown_release()
        if tx.directory.pinned_keys(release.study)[standing.site] not in caller.keys:
            raise unknown_release()
        if standing.code:
            tx.directory.put_standing(standing)
        else:
            tx.directory.clear_standing(standing.open, standing.site)

    store.write("put standing", work)
