"""SQL on drafts, their files, and what persons decided of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from coordinator.exchange.schema import decisions, drafts, files
from site_agent.contract.reports import FILE


@dataclass(frozen=True, slots=True)
class Draft:
    """A finished release as the center left it: the content of signed.json, and when it came."""

    open: str
    statement: bytes
    at: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided of a draft (released, rejected), why, and upon which statement.

    statement: SHA-256 of the content of signed.json.
    """

    open: str
    decision: str
    person: str
    reason: str
    at: int
    statement: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """Drafts and decisions within one transaction."""

    connection: Connection

    def draft(self, opened: str) -> Draft | None:
        """Return the draft of a release."""
        row = self.connection.execute(select(drafts).where(drafts.c.open == opened)).first()
        return None if row is None else Draft(**row._mapping)

    def put(self, draft: Draft, contents: Mapping[str, bytes]) -> None:
        """Put in a draft and its files."""
        values = {"open": draft.open, "statement": draft.statement, "at": draft.at}
        self.connection.execute(insert(drafts).values(values))
        self._insert(draft.open, contents)

    def add(self, opened: str, contents: Mapping[str, bytes], names: Sequence[str]) -> None:
        """Put files of these names into a draft, and the statement on all of them."""
        here = (files.c.open == opened) & files.c.name.in_(names)
        self.connection.execute(delete(files).where(here))
        self._insert(opened, {name: contents[name] for name in names})
        now = update(drafts).where(drafts.c.open == opened)
        self.connection.execute(now.values(statement=contents[FILE]))

    def _insert(self, opened: str, contents: Mapping[str, bytes]) -> None:
        rows = [
            {"open": opened, "name": name, "size": len(body), "body": body}
            for name, body in contents.items()
        ]
        self.connection.execute(insert(files), rows)

    def sizes(self, opened: str) -> dict[str, int]:
        """Return the sizes of a draft's files by name, bytes."""
        query = select(files.c.name, files.c.size).where(files.c.open == opened)
        return {row.name: row.size for row in self.connection.execute(query.order_by(files.c.name))}

    def file(self, opened: str, name: str) -> bytes | None:
        """Return one file of a draft."""
        query = select(files.c.body).where(files.c.open == opened, files.c.name == name)
        return self.connection.execute(query).scalar()

    def decision(self, opened: str) -> Decision | None:
        """Return what was decided of a draft, if anything was."""
        row = self.connection.execute(select(decisions).where(decisions.c.open == opened)).first()
        return None if row is None else Decision(**row._mapping)

    def decide(self, decision: Decision) -> None:
        """Put in what was decided of a draft."""
        self.connection.execute(
            insert(decisions).values(
                open=decision.open,
                decision=decision.decision,
                person=decision.person,
                reason=decision.reason,
                at=decision.at,
                statement=decision.statement,
            )
        )
