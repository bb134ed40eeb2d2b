"""SQL on parties, invitations and studies, and on what sites say of studies and releases."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Insert, Table, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from coordinator.exchange.schema import (
    approvals,
    former_keys,
    invitations,
    parties,
    pinned,
    standings,
    studies,
)
from site_agent.contract.party import Member
from site_agent.contract.study.model import Study


@dataclass(frozen=True, slots=True)
class Party:
    """An enrolled site: its card, when it enrolled, when and with what software it came last."""

    name: str
    signing_key: str
    card: Mapping[str, Any]
    enrolled: int
    seen: int | None
    software: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """Leave, given at `at`, to enrol with a token of which only the hash is kept."""

    site: str
    token_sha256: str
    expires: int
    at: int
    used: int | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """What a site says of a study: approved or revoked, until when, said when."""

    study: str
    site: str
    state: str
    until: int | None
    at: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What hinders a site in a release."""

    open: str
    site: str
    code: str
    at: int


@dataclass(frozen=True, slots=True)
class Shelved:
    """A study as it is listed."""

    hash: str
    name: str
    title: str
    added: int


@dataclass(frozen=True, slots=True)
class Directory:
    """Who is known here, and which studies, within one transaction."""

    connection: Connection

    def party(self, name: str) -> Party | None:
        """Return the enrolled site of this name."""
        row = self.connection.execute(select(parties).where(parties.c.name == name)).first()
        return None if row is None else _party(row._mapping)

    def parties(self) -> list[Party]:
        """Return all enrolled sites by name."""
        rows = self.connection.execute(select(parties).order_by(parties.c.name))
        return [_party(row._mapping) for row in rows]

    def enrol(self, member: Member, card: str, *, at: int) -> None:
        """Put in a site, or replace its card and key."""
        values = {"signing_key": member.signing_key, "card": card, "enrolled": at}
        key = {"name": member.name}
        self.connection.execute(upsert(self.connection, parties, key, values))

    def former_key(self, name: str) -> str:
        """Return the signing key that a site had before and still uses; "" if there is none."""
        query = select(former_keys.c.signing_key).where(former_keys.c.site == name)
        return self.connection.execute(query).scalar() or ""

    def keep_former_key(self, name: str, signing_key: str) -> None:
        """Let a site use the key that it had before, beside its present one."""
        key, values = {"site": name}, {"signing_key": signing_key}
        self.connection.execute(upsert(self.connection, former_keys, key, values))

    def drop_former_key(self, name: str) -> None:
        """Note that a site uses its present key alone."""
        self.connection.execute(delete(former_keys).where(former_keys.c.site == name))

    def note_seen(self, name: str, *, at: int, software: str | None) -> None:
        """Note that a site came, and its software if it told."""
        row = update(parties).where(parties.c.name == name).values(seen=at)
        self.connection.execute(row if software is None else row.values(software=software))

    def invitation(self, site: str) -> Invitation | None:
        """Return the invitation of a site."""
        query = select(invitations).where(invitations.c.site == site)
        row = self.connection.execute(query).first()
        return None if row is None else Invitation(**row._mapping)

    def invitations(self) -> list[Invitation]:
        """Return all invitations by site."""
        rows = self.connection.execute(select(invitations).order_by(invitations.c.site))
        return [Invitation(**row._mapping) for row in rows]

    def invite(self, invitation: Invitation) -> None:
        """Put in an invitation in place of an earlier one of the site."""
        values = {
            "token_sha256": invitation.token_sha256,
            "expires": invitation.expires,
            "at": invitation.at,
            "used": invitation.used,
        }
        key = {"site": invitation.site}
        self.connection.execute(upsert(self.connection, invitations, key, values))

    def use_invitation(self, site: str, *, at: int) -> None:
        """Note that a site has enrolled under its invitation."""
        row = update(invitations).where(invitations.c.site == site)
        self.connection.execute(row.values(used=at))

    def add_study(self, study: Study, file: bytes, *, at: int) -> None:
        """Put in a frozen study with the keys that it pins."""
        assert study.roster is not None
        self.connection.execute(
            insert(studies).values(
                hash=study.hash, name=study.name, title=study.title, file=file, added=at
            )
        )
        keys = [
            {"study": study.hash, "site": name, "signing_key": member.signing_key}
            for name, member in study.roster.sites.items()
        ]
        self.connection.execute(insert(pinned), keys)

    def study_file(self, study: str) -> bytes | None:
        """Return the file of a study."""
        query = select(studies.c.file).where(studies.c.hash == study)
        return self.connection.execute(query).scalar()

    def studies(self) -> list[Shelved]:
        """Return all studies in the order in which they came."""
        columns = (studies.c.hash, studies.c.name, studies.c.title, studies.c.added)
        query = select(*columns).order_by(studies.c.added, studies.c.name, studies.c.hash)
        return [Shelved(**row._mapping) for row in self.connection.execute(query)]

    def knows_study(self, study: str) -> bool:
        """Return whether a study is here."""
        query = select(func.count()).select_from(studies).where(studies.c.hash == study)
        return bool(self.connection.execute(query).scalar_one())

    def pinned_keys(self, study: str) -> dict[str, str]:
        """Return the signing keys that a study pins, by site; none if it is not here."""
        query = select(pinned.c.site, pinned.c.signing_key).where(pinned.c.study == study)
        rows = self.connection.execute(query.order_by(pinned.c.site))
        return {row.site: row.signing_key for row in rows}

    def approvals(self, study: str) -> list[Approval]:
        """Return what the sites of a study say of it, by site."""
        query = select(approvals).where(approvals.c.study == study).order_by(approvals.c.site)
        return [Approval(**row._mapping) for row in self.connection.execute(query)]

    def approve(self, approval: Approval) -> None:
        """Put in what a site says of a study, in place of what it said before."""
        key = {"study": approval.study, "site": approval.site}
        values = {"state": approval.state, "until": approval.until, "at": approval.at}
        self.connection.execute(upsert(self.connection, approvals, key, values))

    def standings(self, opened: str) -> list[Standing]:
        """Return what hinders the sites of a release, by site."""
        query = select(standings).where(standings.c.open == opened).order_by(standings.c.site)
        return [Standing(**row._mapping) for row in self.connection.execute(query)]

    def put_standing(self, standing: Standing) -> None:
        """Put in what hinders a site, in place of what did before."""
        key = {"open": standing.open, "site": standing.site}
        values = {"code": standing.code, "at": standing.at}
        self.connection.execute(upsert(self.connection, standings, key, values))

    def clear_standing(self, opened: str, site: str) -> None:
        """Note that nothing hinders a site."""
        rows = delete(standings).where(standings.c.open == opened, standings.c.site == site)
        self.connection.execute(rows)


def upsert(
    connection: Connection, table: Table, key: Mapping[str, Any], values: Mapping[str, Any]
) -> Insert:
    """Return the statement that puts in a row, or changes `values` of the row with this key."""
    row, index = {**key, **values}, list(key)
    if connection.dialect.name == "postgresql":
        put = postgresql.insert(table).values(row)
        return put.on_conflict_do_update(index_elements=index, set_=dict(values))
    return (
        sqlite.insert(table)
        .values(row)
        .on_conflict_do_update(index_elements=index, set_=dict(values))
    )


def _party(row: Mapping[Any, Any]) -> Party:
    return Party(**{**row, "card": json.loads(row["card"])})
