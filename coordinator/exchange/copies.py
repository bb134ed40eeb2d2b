"""The exchange's store copied into another one, row by row: from SQLite or PostgreSQL to either.

Logins are not copied: after a restore everybody logs in again. Nor are invitations that were not
used: a token that is used later is not to be good again in the copy.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Table, func, insert, select, text

from coordinator.exchange.schema import invitations, metadata, schema_version, sessions
from coordinator.exchange.store import Store
from site_agent.contract.errors import ConfigurationError

AT_ONCE: Final = 20  # rows; a message may have many MiB
LEFT_OUT: Final = (schema_version, sessions)
COPIED: Final = [table for table in metadata.sorted_tables if table not in LEFT_OUT]


def copy_store(source: str, target: str) -> int:
    """Copy all rows of a store into an empty one, as they are at one moment; return how many.

    Both are database URLs. Raises ConfigurationError if the target holds anything, and what
    `Store.open` raises.
    """
    from_, to = Store.open(source), Store.open(target)
    try:
        reading = from_.engine.execution_options(isolation_level=_snapshot(from_))
        writing = to.engine.execution_options(writes=True)
        with reading.connect() as read, read.begin(), writing.begin() as write:
            _refuse_filled(write)
            count = sum(_copied(read, write, table) for table in COPIED)
            if to.engine.dialect.name == "postgresql":
                _count_on(write)
        return count
    finally:
        for store in (from_, to):
            store.engine.dispose()


def _snapshot(store: Store) -> str:
    return "REPEATABLE READ" if store.engine.dialect.name == "postgresql" else "SERIALIZABLE"


def _refuse_filled(connection: Connection) -> None:
    filled = [
        table.name
        for table in COPIED
        if connection.execute(select(func.count()).select_from(table)).scalar_one()
    ]
    if filled:
        raise ConfigurationError(
            f"the exchange's database is not empty (found rows in {', '.join(filled[:3])}); a "
            f"backup is put back into a new database only, so that nothing newer is lost"
        )


def _copied(read: Connection, write: Connection, table: Table) -> int:
    count = 0
    wanted = select(table)
    if table is invitations:  # a token that is used after the copy is not to be good again
        wanted = wanted.where(table.c.used.is_not(None))
    rows = read.execution_options(stream_results=True).execute(wanted).mappings()
    for part in rows.partitions(AT_ONCE):
        write.execute(insert(table), [dict(row) for row in part])
        count += len(part)
    return count


def _count_on(connection: Connection) -> None:
    """Have PostgreSQL number new rows behind the copied ones; SQLite does so by itself."""
    for table in COPIED:
        column = table.autoincrement_column
        if column is not None:
            most = connection.execute(select(func.max(column))).scalar()
            if most is not None:
                connection.execute(
                    text("SELECT setval(pg_get_serial_sequence(:name, :column), :most)"),
                    {"name": table.name, "column": column.name, "most": most},
                )
