"""Who makes a request: the checks that every signed request passes, in their order.

Header readable, name known, signature, clock, and only then the body: it is counted as it comes
in, refused as soon as it is too large, and must be the one whose hash was signed.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from fastapi import Request

from coordinator.exchange.store import Store
from site_agent.contract import requests
from site_agent.contract.errors import Refused
from site_agent.contract.party import Member
from site_agent.contract.problems import Problem
from site_agent.contract.requests import Credentials

SEEN_EVERY_S: Final = 5
LONGEST_SOFTWARE: Final = 80
LATEST: Final = 253_402_300_799  # the last second of the year 9999, the last with a date
UNITS: Final = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


@dataclass(frozen=True, slots=True)
class Caller:
    """A party as it is known here now: its key, and when it came last (sites alone).

    former: the key before, which a site still uses until its studies pin the present one.
    """

    name: str
    signing_key: str
    is_center: bool
    seen: int | None = None
    former: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the signing keys that are the party's."""
        return (self.signing_key, self.former) if self.former else (self.signing_key,)


def target(request: Request) -> str:
    """Return what a request's signature covers of its address: from /v1/ on, with the query."""
    path = request.scope.get("raw_path") or request.url.path.encode()
    before, found, rest = path.decode("latin-1").partition("/v1/")
    query = request.scope.get("query_string", b"").decode("latin-1")
    return (found + rest if found else before) + (f"?{query}" if query else "")


def credentials(request: Request) -> Credentials:
    """Return what the header of a request says of its maker; Problem("unsigned")."""
    found = requests.read_credentials(request.headers.get("authorization", ""))
    if found is None:
        raise Problem(
            "unsigned",
            'expected a header Authorization: Quorum name="...", at="...", body="...", '
            'signature="..."; '
            "an address that opens in a browser is none of these",
        )
    return found


async def bounded_body(request: Request, largest: int) -> bytes:
    """Return the body of a request; Problem("too_large") as soon as it has more bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > largest:
        raise _too_large(largest)
    size, pieces = 0, []
    async for piece in request.stream():
        size += len(piece)
        if size > largest:
            raise _too_large(largest)
        pieces.append(piece)
    return b"".join(pieces)


def _too_large(largest: int) -> Problem:
    return Problem("too_large", f"the body has more than {largest} bytes, the most for this")


def known(store: Store, center: Member, name: str) -> Caller:
    """Return the party of this name; Problem("unknown_party")."""
    if name == center.name:
        return Caller(name, center.signing_key, is_center=True)
    found = store.read(
        "find party", lambda tx: (tx.directory.party(name), tx.directory.former_key(name))
    )
    party, former = found
    if party is None:
        raise Problem(
            "unknown_party",
            f"'{name}' is not enrolled at this exchange; enrol with the center's invitation",
        )
    return Caller(name, party.signing_key, is_center=False, seen=party.seen, former=former)


def check_caller(caller: Caller, said: Credentials, request: Request) -> str:
    """Return the key of the party that signed this request; Problem("signature") if none did."""
    for key in caller.keys[1:]:
        with suppress(Problem):
            check(key, said, request)
            return key
    check(caller.signing_key, said, request)
    return caller.signing_key


def drops_former(caller: Caller, key: str) -> bool:
    """Return whether a party has a former key still, and came with its present one."""
    return bool(caller.former) and key == caller.signing_key


def drop_former(store: Store, caller: Caller) -> Caller:
    """Note that a party uses its present key: the former is none any more."""
    store.write("drop former key", lambda tx: tx.directory.drop_former_key(caller.name))
    return replace(caller, former="")


def check(key: str, said: Credentials, request: Request) -> None:
    """Raise Problem("signature") unless the holder of `key` signed this request."""
    member = Member(said.name, key, "", {})
    try:
        requests.check(member, said, request.method, target(request))
    except Refused:
        raise _signature(said.name) from None


def check_body(said: Credentials, body: bytes) -> None:
    """Raise Problem("signature") unless the body is the one that was signed."""
    try:
        requests.check_body(said, body)
    except Refused:
        raise _signature(said.name) from None


def _signature(name: str) -> Problem:
    return Problem(
        "signature",
        f"the request in the name of '{name}' is not signed with the key that it enrolled with, "
        f"or was altered on its way; enrol again if the key is a new one",
    )


def check_clock(said: Credentials, now: float) -> None:
    """Raise Problem("clock") unless a request was made about now."""
    apart = said.at - int(now)
    if abs(apart) > requests.MAY_DIFFER_S:
        raise Problem(
            "clock",
            f"the request was made at {instant(said.at)}, and here it is {instant(int(now))}: "
            f"the clock of '{said.name}' is {_in_words(abs(apart))} "
            f"{'ahead' if apart > 0 else 'behind'}; set it, or have it set by NTP",
        )


def instant(at: int) -> str:
    """Return a Unix second as ISO 8601 in UTC."""
    if at > LATEST:
        return "a second after the year 9999"
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _in_words(seconds: int) -> str:
    """Return a length of time in its largest unit, rounded down."""
    unit, size = next((unit, size) for unit, size in UNITS if seconds >= size)
    count = seconds // size
    return f"{count} {unit}{'s' * (count != 1)}"


def is_seen_anew(caller: Caller, now: float) -> bool:
    """Return whether that a site came is worth a note: once in SEEN_EVERY_S, so polls are cheap."""
    return not caller.is_center and (caller.seen is None or now - caller.seen >= SEEN_EVERY_S)


def note_seen(store: Store, caller: Caller, now: float, software: str) -> None:
    """Note that a site came."""
    told = software if 0 < len(software) <= LONGEST_SOFTWARE and software.isprintable() else None
    store.write(
        "note seen", lambda tx: tx.directory.note_seen(caller.name, at=int(now), software=told)
    )
