"""The dependency of every signed route: the request's caller and its body, after all checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal

from anyio import to_thread
from fastapi import Request

from coordinator.exchange import auth
from coordinator.exchange.auth import Caller
from coordinator.exchange.bodies import LARGEST_JSON, EnrolmentBody, read_body
from coordinator.exchange.parties import read_enrolled
from coordinator.exchange.surroundings import Surroundings, surroundings
from site_agent.contract.party import Member
from site_agent.contract.problems import Problem
from site_agent.contract.requests import Credentials

SOFTWARE: Final = "quorum-software"
HASHED_AT_ONCE: Final = 1 << 16  # bytes: the way to another thread and back takes longer

Who = Literal["center", "site", "party"]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed request that passed all checks, and the second at which it was made."""

    caller: Caller
    body: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Enrolling:
    """A request to enrol, signed with the key on its card."""

    member: Member
    token: str


def signed(who: Who, largest: int | None = LARGEST_JSON) -> Callable[[Request], Awaitable[Signed]]:
    """Return the dependency of a route for `who`; without `largest` the largest message holds."""

    async def checked(request: Request) -> Signed:
        here = surroundings(request)
        came, said = here.clock(), auth.credentials(request)
        caller, key = await to_thread.run_sync(_caller, here, said, request)
        auth.check_clock(said, came)
        body = await auth.bounded_body(request, largest or here.largest_message)
        if len(body) > HASHED_AT_ONCE:
            await to_thread.run_sync(auth.check_body, said, body)
        else:
            auth.check_body(said, body)
        if auth.drops_former(caller, key):
            caller = await to_thread.run_sync(auth.drop_former, here.store, caller)
        if auth.is_seen_anew(caller, here.clock()):
            await to_thread.run_sync(_note_seen, here, caller, request)
        if who != "party" and caller.is_center != (who == "center"):
            raise Problem("forbidden", f"this is for a {who}, and '{caller.name}' is none")
        return Signed(caller, body, said.at)

    return checked


def _caller(here: Surroundings, said: Credentials, request: Request) -> tuple[Caller, str]:
    """Return who makes a request, and with which of its keys."""
    caller = auth.known(here.store, here.center, said.name)
    return caller, auth.check_caller(caller, said, request)


def _check(key: str, said: Credentials, request: Request, came: float) -> None:
    """Check signature and clock, by the time at which the request came."""
    auth.check(key, said, request)
    auth.check_clock(said, came)


def _note_seen(here: Surroundings, caller: Caller, request: Request) -> None:
    auth.note_seen(here.store, caller, here.clock(), request.headers.get(SOFTWARE, ""))


async def enrolling(request: Request) -> Enrolling:
    """Return the card and token of a request that is signed with the key on the card."""
    came, said = surroundings(request).clock(), auth.credentials(request)
    body = await auth.bounded_body(request, LARGEST_JSON)
    sent = read_body(body, EnrolmentBody)
    member = read_enrolled(sent.card, said.name)
    await to_thread.run_sync(_check, member.signing_key, said, request, came)
    await to_thread.run_sync(auth.check_body, said, body)
    return Enrolling(member, sent.token)
