"""SQL on releases and their messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from coordinator.exchange.schema import messages, pinned, places, releases
from site_agent.contract.messages import Burn, Open, Receipt, Round, Share, Shares, Split

UNDER_WAY: Final = "under_way"
BURNED: Final = "burned"


@dataclass(frozen=True, slots=True)
class LoggedRelease:
    """A release as the log knows it; `open` is the digest of its OPEN, and its name."""

    open: str
    study: str
    number: int
    attempt: int
    state: str
    opened: int
    ended: int | None


@dataclass(frozen=True, slots=True)
class Slot:
    """The one place in a release for a message of this kind, number and sender."""

    open: str
    kind: str
    number: int
    sender: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A slot that has its message: the message's id, and the SHA-256 of its bytes."""

    id: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it is handed out."""

    id: int
    study: str
    number: int
    open: str
    sender: str
    wire: bytes


@dataclass(frozen=True, slots=True)
class Log:
    """The log of messages within one transaction."""

    connection: Connection

    def release(self, opened: str) -> LoggedRelease | None:
        """Return the release with this OPEN."""
        row = self.connection.execute(select(releases).where(releases.c.open == opened)).first()
        return None if row is None else LoggedRelease(**row._mapping)

    def releases(self, study: str) -> list[LoggedRelease]:
        """Return the releases of a study, the newest first."""
        query = select(releases).where(releases.c.study == study)
        query = query.order_by(releases.c.number.desc(), releases.c.attempt.desc())
        return [LoggedRelease(**row._mapping) for row in self.connection.execute(query)]

    def last_release(self, study: str) -> LoggedRelease | None:
        """Return the newest release of a study."""
        query = select(releases).where(releases.c.study == study)
        query = query.order_by(releases.c.number.desc(), releases.c.attempt.desc()).limit(1)
        row = self.connection.execute(query).first()
        return None if row is None else LoggedRelease(**row._mapping)

    def open_release(self, opened: str, said: Open, *, at: int) -> None:
        """Put in a release that begins."""
        self.connection.execute(
            insert(releases).values(
                open=opened,
                study=said.study,
                number=said.release,
                attempt=said.attempt,
                state=UNDER_WAY,
                opened=at,
            )
        )
        sites = [{"open": opened, "site": site} for site in said.roster]
        self.connection.execute(insert(places), sites)

    def end_release(self, opened: str, state: str, *, at: int) -> None:
        """Note how a release has ended."""
        row = update(releases).where(releases.c.open == opened)
        self.connection.execute(row.values(state=state, ended=at))

    def count_releases(self) -> dict[str, int]:
        """Return how many releases there are in each state."""
        query = select(releases.c.state, func.count()).group_by(releases.c.state)
        return {state: count for state, count in self.connection.execute(query)}

    def roster(self, opened: str) -> list[str]:
        """Return the sites of a release by name."""
        query = select(places.c.site).where(places.c.open == opened).order_by(places.c.site)
        return list(self.connection.execute(query).scalars())

    def filled(self, slot: Slot) -> Filled | None:
        """Return what is in a slot."""
        query = select(messages.c.id, messages.c.sha256).where(
            messages.c.open == slot.open,
            messages.c.kind == slot.kind,
            messages.c.number == slot.number,
            messages.c.sender == slot.sender,
        )
        row = self.connection.execute(query).first()
        return None if row is None else Filled(row.id, row.sha256)

    def append(self, slot: Slot, wire: bytes, sha256: str) -> int:
        """Put a message behind all others; return its id."""
        row = insert(messages).values(
            open=slot.open,
            kind=slot.kind,
            number=slot.number,
            sender=slot.sender,
            sha256=sha256,
            body=wire,
        )
        return int(self.connection.execute(row.returning(messages.c.id)).scalar_one())

    def senders(self, opened: str, kind: str, number: int = 0) -> set[str]:
        """Return who has sent a message of this kind and number."""
        query = select(messages.c.sender).where(
            messages.c.open == opened, messages.c.kind == kind, messages.c.number == number
        )
        return set(self.connection.execute(query).scalars())

    def has(self, opened: str, kind: str) -> bool:
        """Return whether a release has any message of this kind."""
        found = exists().where(messages.c.open == opened, messages.c.kind == kind)
        return bool(self.connection.execute(select(found)).scalar_one())

    def last_round(self, opened: str) -> int | None:
        """Return the number of the last ROUND of a release."""
        query = select(func.max(messages.c.number)).where(
            messages.c.open == opened, messages.c.kind == Round.TYPE
        )
        found: int | None = self.connection.execute(query).scalar_one()
        return found

    def erase_shares(self, study: str) -> None:
        """Erase the bodies of SHARE, SPLIT and SHARES of a study's releases that have ended."""
        ended = select(releases.c.open).where(
            releases.c.study == study, releases.c.state != UNDER_WAY
        )
        rows = update(messages).where(
            messages.c.open.in_(ended),
            messages.c.kind.in_([Share.TYPE, Split.TYPE, Shares.TYPE]),
            messages.c.body.is_not(None),
        )
        self.connection.execute(rows.values(body=None))

    def next_for_site(
        self, site: str, keys: Sequence[str], center: str, after: int
    ) -> Letter | None:
        """Return the center's first message behind id `after` for a site with these signing keys.

        Of releases under way all until the site's RECEIPT, of burned ones BURN alone.
        """
        said = {"site": site, "keys": list(keys), "center": center, "after": after}
        return self._first(_FIRST_FOR_SITE, said)

    def next_of_release(self, opened: str, after: int) -> Letter | None:
        """Return the first message of a release behind id `after`."""
        return self._first(_FIRST_OF_RELEASE, {"open": opened, "after": after})

    def newest(self) -> int:
        """Return the id of the last message of all; 0 if there is none."""
        found: int | None = self.connection.execute(select(func.max(messages.c.id))).scalar_one()
        return found or 0

    def _first(self, query: Select[tuple[int]], said: dict[str, Any]) -> Letter | None:
        # First the id alone: sorting would carry every body along.
        number = self.connection.execute(query, said).scalar()
        if number is None:
            return None
        row: Row[tuple[int, str, int, str, str, bytes]] | None
        row = self.connection.execute(_LETTER, {"id": number}).first()
        return None if row is None else Letter(**row._mapping)


def _first_behind(query: Select[tuple[int]]) -> Select[tuple[int]]:
    """Return the query of the first message with a body behind the id `after`."""
    behind = and_(messages.c.id > bindparam("after"), messages.c.body.is_not(None))
    return query.where(behind).order_by(messages.c.id).limit(1)


def _for_site() -> Select[tuple[int]]:
    receipts = messages.alias()
    over = exists().where(
        receipts.c.open == releases.c.open,
        receipts.c.kind == Receipt.TYPE,
        receipts.c.sender == bindparam("site"),
    )
    due = or_(
        and_(releases.c.state == UNDER_WAY, ~over),
        and_(releases.c.state == BURNED, messages.c.kind == Burn.TYPE),
    )
    return (
        select(messages.c.id)
        .join(releases, releases.c.open == messages.c.open)
        .join(places, places.c.open == releases.c.open)
        .join(pinned, and_(pinned.c.study == releases.c.study, pinned.c.site == places.c.site))
        .where(places.c.site == bindparam("site"))
        .where(pinned.c.signing_key.in_(bindparam("keys", expanding=True)))
        .where(messages.c.sender == bindparam("center"), due)
    )


# Queries of every poll: to put one together takes as long as to have it answered.
_FIRST_FOR_SITE: Final = _first_behind(_for_site())
_FIRST_OF_RELEASE: Final = _first_behind(
    select(messages.c.id).where(messages.c.open == bindparam("open"))
)
_LETTER: Final = (
    select(
        messages.c.id,
        releases.c.study,
        releases.c.number,
        messages.c.open,
        messages.c.sender,
        messages.c.body.label("wire"),
    )
    .join(releases, releases.c.open == messages.c.open)
    .where(messages.c.id == bindparam("id"), messages.c.body.is_not(None))
)
