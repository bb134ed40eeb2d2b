"""SQL on persons, their sessions, and who came when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from coordinator.exchange.directory import upsert
from coordinator.exchange.roles import NAME
from coordinator.exchange.schema import access, persons, sessions

WRONG: Final = "wrong password"
CAME: Final = "logged in"
MOST_EVENTS: Final = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may log in: role, the password's hash, and when they were added."""

    name: str
    role: str
    password: str
    added: int


@dataclass(frozen=True, slots=True)
class Session:
    """A login that lasts; of its token only the hash is kept."""

    token_sha256: str
    person: str
    began: int
    seen: int


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log of access; no name of somebody who is not known here is kept."""

    at: int
    person: str
    address: str
    event: str


@dataclass(frozen=True, slots=True)
class Persons:
    """Persons and their sessions within one transaction."""

    connection: Connection

    def person(self, name: str) -> Person | None:
        """Return the person of this name; nobody's if it cannot be a person's name."""
        if not NAME.fullmatch(name):
            return None  # databases do not take every character
        row = self.connection.execute(select(persons).where(persons.c.name == name)).first()
        return None if row is None else Person(**row._mapping)

    def persons(self) -> list[Person]:
        """Return all persons by name."""
        rows = self.connection.execute(select(persons).order_by(persons.c.name))
        return [Person(**row._mapping) for row in rows]

    def put(self, person: Person) -> None:
        """Put in a person, or change role and password of the one that is there."""
        values = {"role": person.role, "password": person.password, "added": person.added}
        self.connection.execute(upsert(self.connection, persons, {"name": person.name}, values))

    def remove(self, name: str) -> None:
        """Remove a person."""
        self.connection.execute(delete(persons).where(persons.c.name == name))

    def begin(self, session: Session) -> None:
        """Put in a session."""
        self.connection.execute(insert(sessions).values(**_values(session)))

    def session(self, token_sha256: str) -> Session | None:
        """Return the session of a token."""
        query = select(sessions).where(sessions.c.token_sha256 == token_sha256)
        row = self.connection.execute(query).first()
        return None if row is None else Session(**row._mapping)

    def note_seen(self, token_sha256: str, *, at: int) -> None:
        """Note that a session is used."""
        row = update(sessions).where(sessions.c.token_sha256 == token_sha256)
        self.connection.execute(row.values(seen=at))

    def end(self, token_sha256: str) -> None:
        """End a session."""
        rows = delete(sessions).where(sessions.c.token_sha256 == token_sha256)
        self.connection.execute(rows)

    def end_all(self, person: str) -> None:
        """End all sessions of a person."""
        self.connection.execute(delete(sessions).where(sessions.c.person == person))

    def end_old(self, *, began_before: int, seen_before: int) -> None:
        """Remove the sessions that began or were used last before these seconds."""
        old = (sessions.c.began < began_before) | (sessions.c.seen < seen_before)
        self.connection.execute(delete(sessions).where(old))

    def note(self, event: Event) -> int:
        """Put a line into the log of access; return its id."""
        row = insert(access).values(
            at=event.at, person=event.person, address=event.address, event=event.event
        )
        return int(self.connection.execute(row.returning(access.c.id)).scalar_one())

    def correct(self, line: int, event: str) -> None:
        """Say of a line of the log what came of it."""
        self.connection.execute(update(access).where(access.c.id == line).values(event=event))

    def events(self) -> list[Event]:
        """Return the last lines of the log of access, the newest first."""
        query = select(access.c.at, access.c.person, access.c.address, access.c.event)
        rows = self.connection.execute(query.order_by(access.c.id.desc()).limit(MOST_EVENTS))
        return [Event(**row._mapping) for row in rows]

    def last_logins(self) -> dict[str, int]:
        """Return when each person logged in last."""
        query = select(access.c.person, func.max(access.c.at)).where(access.c.event == CAME)
        return {name: int(at) for name, at in self.connection.execute(query.group_by("person"))}

    def failures(self, name: str, *, since: int) -> int:
        """Return how often a person's password was wrong since then and since they came last."""
        came = select(func.coalesce(func.max(access.c.id), 0)).where(
            access.c.person == name, access.c.event == CAME
        )
        return self._wrong(access.c.person == name, access.c.id > came.scalar_subquery(), since)

    def failures_from(self, address: str, *, since: int) -> int:
        """Return how many passwords from an address were wrong since then."""
        return self._wrong(access.c.address == address, access.c.id > 0, since)

    def _wrong(self, whose: ColumnElement[bool], after: ColumnElement[bool], since: int) -> int:
        query = select(func.count()).select_from(access)
        query = query.where(whose, after, access.c.at >= since, access.c.event == WRONG)
        return int(self.connection.execute(query).scalar_one())


def _values(session: Session) -> Mapping[str, Any]:
    return {
        "token_sha256": session.token_sha256,
        "person": session.person,
        "began": session.began,
        "seen": session.seen,
    }
