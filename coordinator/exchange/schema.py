"""The tables of the store, and the numbered steps from one version of them to the next.

Times are Unix seconds. Documents are canonical JSON in a text column. A message keeps its slot
for good, so that a repeat of it is known as one; its body goes when nobody needs it any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    insert,
    inspect,
    select,
    update,
)

from site_agent.contract.errors import ConfigurationError

VERSION: Final = 3

metadata: Final = MetaData()

schema_version: Final = Table(
    "schema_version", metadata, Column("version", Integer, nullable=False)
)

invitations: Final = Table(
    "invitations",
    metadata,
    Column("site", Text, primary_key=True),
    Column("token_sha256", Text, nullable=False),
    Column("expires", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("used", BigInteger),
)

parties: Final = Table(
    "parties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("signing_key", Text, nullable=False),
    Column("card", Text, nullable=False),
    Column("enrolled", BigInteger, nullable=False),
    Column("seen", BigInteger),
    Column("software", Text, nullable=False, default=""),
)

# The key that a site had before its present one, while it still uses both.
former_keys: Final = Table(
    "former_keys",
    metadata,
    Column("site", Text, primary_key=True),
    Column("signing_key", Text, nullable=False),
)

studies: Final = Table(
    "studies",
    metadata,
    Column("hash", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("file", LargeBinary, nullable=False),
    Column("added", BigInteger, nullable=False),
)

pinned: Final = Table(
    "pinned",
    metadata,
    Column("study", Text, ForeignKey("studies.hash"), primary_key=True),
    Column("site", Text, primary_key=True),
    Column("signing_key", Text, nullable=False),
)

approvals: Final = Table(
    "approvals",
    metadata,
    Column("study", Text, ForeignKey("studies.hash"), primary_key=True),
    Column("site", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("until", BigInteger),
    Column("at", BigInteger, nullable=False),
)

releases: Final = Table(
    "releases",
    metadata,
    Column("open", Text, primary_key=True),
    Column("study", Text, ForeignKey("studies.hash"), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("attempt", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("ended", BigInteger),
    UniqueConstraint("study", "number", "attempt"),
)

places: Final = Table(
    "places",
    metadata,
    Column("site", Text, primary_key=True),
    Column("open", Text, ForeignKey("releases.open"), primary_key=True),
    Index("places_of_release", "open"),
)

standings: Final = Table(
    "standings",
    metadata,
    Column("open", Text, ForeignKey("releases.open"), primary_key=True),
    Column("site", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

messages: Final = Table(
    "messages",
    metadata,
    # SQLite counts up only in a column that is declared INTEGER.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("open", Text, ForeignKey("releases.open"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("sender", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("body", LargeBinary),
    UniqueConstraint("open", "kind", "number", "sender"),
    Index("messages_of_release", "open", "id"),
    sqlite_autoincrement=True,
)

# Finished releases as the center left them: its signed statement on the files, and the files.
drafts: Final = Table(
    "drafts",
    metadata,
    Column("open", Text, ForeignKey("releases.open"), primary_key=True),
    Column("statement", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
)

files: Final = Table(
    "files",
    metadata,
    Column("open", Text, ForeignKey("drafts.open"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# What a person decided of a draft, for good; `statement` is the hash of what was decided upon.
decisions: Final = Table(
    "decisions",
    metadata,
    Column("open", Text, ForeignKey("drafts.open"), primary_key=True),
    Column("decision", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("statement", Text, nullable=False),
)

persons: Final = Table(
    "persons",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("added", BigInteger, nullable=False),
)

sessions: Final = Table(
    "sessions",
    metadata,
    Column("token_sha256", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("began", BigInteger, nullable=False),
    Column("seen", BigInteger, nullable=False),
    Index("sessions_of_person", "person"),
)

# Who came, who tried to, and what was changed of whose account.
access: Final = Table(
    "access",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("person", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("event", Text, nullable=False),
    Index("access_of_person", "person", "at"),
    Index("access_of_address", "address", "at"),
    sqlite_autoincrement=True,
)


def _add_persons_and_drafts(connection: Connection) -> None:
    for table in (drafts, files, decisions, persons, sessions, access):
        table.create(connection)


# From version n - 1 to n. A new store is made at VERSION at once; these are for older ones.
STEPS: Final[Mapping[int, Callable[[Connection], None]]] = {
    2: former_keys.create,
    3: _add_persons_and_drafts,
}


def migrate(connection: Connection) -> None:
    """Bring the tables to VERSION; ConfigurationError if they are of a newer one."""
    if not inspect(connection).has_table(schema_version.name):
        metadata.create_all(connection)
        connection.execute(insert(schema_version).values(version=VERSION))
        return
    found = connection.execute(select(schema_version.c.version)).scalar_one()
    if found > VERSION:
        raise ConfigurationError(
            f"the database has the tables of version {found} of the exchange, and this one knows "
            f"version {VERSION}; run the newer software, or restore the backup made before it"
        )
    for version in range(found + 1, VERSION + 1):
        STEPS[version](connection)
        connection.execute(update(schema_version).values(version=version))
