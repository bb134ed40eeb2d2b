"""Persons: who may log in, what their role lets them do, and for how long a login lasts.

Every attempt is put into the log as a failure before the password is looked at, and corrected if it
was right: attempts side by side count too.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from coordinator.exchange import passwords
from coordinator.exchange.persons import CAME, WRONG, Event, Person, Session
from coordinator.exchange.roles import NAME, NAME_IN_WORDS, ROLES, has
from coordinator.exchange.store import Store, Transaction
from site_agent.contract.problems import Problem

WINDOW_S: Final = 900
WRONG_OF_PERSON: Final = 5
WRONG_OF_ADDRESS: Final = 30
LASTS_S: Final = 12 * 3600
IDLE_S: Final = 3600
SEEN_EVERY_S: Final = 60
TOKEN_BYTES: Final = 32
AT_CENTER: Final = "the center's machine"  # stands for an address in the log


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in. The form token stands in each form that they are shown."""

    name: str
    role: str
    form_token: str

    def may(self, role: str) -> bool:
        """Return whether the person may do what this role may."""
        return has(self.role, role)


def put(
    store: Store, name: str, *, role: str = "", password: str = "", by: str, now: float
) -> bool:
    """Add a person, or change role or password (as passwords.keep has it); whether they are new.

    Problem("malformed") for what is none, or if something is missing of somebody who is new. All
    sessions of somebody who is changed end.
    """
    if not NAME.fullmatch(name):
        raise Problem("malformed", f"expected the name of a person: {NAME_IN_WORDS}")
    if role and role not in ROLES:
        raise Problem("malformed", f"expected a role: {', '.join(ROLES)}")
    if password and not passwords.is_kept(password):
        raise Problem("malformed", "expected the hash of a password as `coordinator person` makes")

    def work(tx: Transaction) -> bool:
        found = tx.persons.person(name)
        if found is None and not (role and password):
            raise Problem(
                "person",
                f"nobody is called '{name}' here; `coordinator person add {name} --role ROLE` adds "
                f"a person",
            )
        before = found or Person(name, role, password, int(now))
        tx.persons.put(Person(name, role or before.role, password or before.password, before.added))
        tx.persons.end_all(name)
        what = f"added as {role}" if found is None else _changed(role, password)
        tx.persons.note(Event(int(now), name, f"by {by}", what))
        return found is None

    return store.write("put person", work)


def _changed(role: str, password: str) -> str:
    said = [f"is {role} now"] * bool(role) + ["has a new password"] * bool(password)
    return " and ".join(said)


def remove(store: Store, name: str, *, by: str, now: float) -> None:
    """Remove a person and end their sessions; Problem("person") if nobody is called so."""

    def work(tx: Transaction) -> None:
        if tx.persons.person(name) is None:
            raise Problem("person", f"nobody is called '{name}' here")
        tx.persons.remove(name)
        tx.persons.end_all(name)
        tx.persons.note(Event(int(now), name, f"by {by}", "removed"))

    store.write("remove person", work)


def listed(store: Store) -> list[dict[str, object]]:
    """Return all persons by name, with their roles and when they logged in last."""

    def work(tx: Transaction) -> list[dict[str, object]]:
        came = tx.persons.last_logins()
        return [
            {"name": one.name, "role": one.role, "added": one.added, "came": came.get(one.name)}
            for one in tx.persons.persons()
        ]

    return store.read("list persons", work)


def check(store: Store, name: str, password: str, *, address: str, now: float) -> Person:
    """Return the person with this name and password.

    Problem("person") if there is none, without a word of which of both is wrong, and
    Problem("too_many") after WRONG_OF_PERSON failures, or WRONG_OF_ADDRESS from one address.
    """

    def begin(tx: Transaction) -> tuple[Person | None, int]:
        since, found = int(now) - WINDOW_S, tx.persons.person(name)
        known = "" if found is None else found.name  # what else was typed may be a password
        tries = tx.persons.failures(known, since=since) if known else 0
        if tries >= WRONG_OF_PERSON or (
            address != AT_CENTER
            and tx.persons.failures_from(address, since=since) >= WRONG_OF_ADDRESS
        ):
            raise Problem(
                "too_many",
                f"too many passwords were wrong; try again in {WINDOW_S // 60} minutes",
            )
        return found, tx.persons.note(Event(int(now), known, address, WRONG))

    found, line = store.write("begin login", begin)
    kept = None if found is None else found.password
    if not passwords.matches(password, kept) or found is None:
        raise Problem("person", "name or password is wrong")
    store.write("end login", lambda tx: tx.persons.correct(line, CAME))
    return found


def log_in(store: Store, name: str, password: str, *, address: str, now: float) -> str:
    """Begin a session; return its token. Problem as `check`."""
    person = check(store, name, password, address=address, now=now)
    token = secrets.token_urlsafe(TOKEN_BYTES)

    def work(tx: Transaction) -> None:
        tx.persons.end_old(began_before=int(now) - LASTS_S, seen_before=int(now) - IDLE_S)
        tx.persons.begin(Session(_hash(token), person.name, int(now), int(now)))

    store.write("begin session", work)
    return token


def visitor(store: Store, token: str, now: float) -> Visitor | None:
    """Return who is logged in with this token; None if it is no session's, or the session's over.

    A session is over LASTS_S after it began, IDLE_S after it was used last, and when the person's
    role or password is changed.
    """
    name = _hash(token)

    def work(tx: Transaction) -> tuple[Session, Person] | None:
        session = tx.persons.session(name)
        person = session and tx.persons.person(session.person)
        return (session, person) if session and person else None

    found = store.read("find session", work)
    if found is None or now - found[0].began > LASTS_S or now - found[0].seen > IDLE_S:
        return None
    session, person = found
    if now - session.seen >= SEEN_EVERY_S:
        store.write("note session", lambda tx: tx.persons.note_seen(name, at=int(now)))
    return Visitor(person.name, person.role, form_token(token))


def form_token(token: str) -> str:
    """Return what stands in the forms of a session, so that no other page can send one."""
    return hmac.new(token.encode(), b"quorum form", hashlib.sha256).hexdigest()


def log_out(store: Store, token: str, *, address: str, now: float) -> None:
    """End a session."""

    def work(tx: Transaction) -> None:
        session = tx.persons.session(_hash(token))
        if session is not None:
            tx.persons.end(session.token_sha256)
            tx.persons.note(Event(int(now), session.person, address, "logged out"))

    store.write("end session", work)


def change_password(
    store: Store, name: str, old: str, new: str, *, address: str, now: float
) -> None:
    """Give a person another password; all their sessions end. Problem as `check`."""
    check(store, name, old, address=address, now=now)
    put(store, name, password=passwords.keep(new), by=name, now=now)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
