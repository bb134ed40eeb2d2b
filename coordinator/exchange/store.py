"""The one door to the database: named transactions, retried when another one was in the way.

Writes follow one another: SQLite takes its write lock at the beginning, PostgreSQL an advisory
lock that lasts to the end of the transaction. So a rule that is checked in a transaction
still holds when it writes, and the ids of messages become visible in their order. What is
committed is on disk (`synchronous`), so an answer that was given outlives a killed process.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from coordinator.exchange.directory import Directory
from coordinator.exchange.log import Log
from coordinator.exchange.persons import Persons
from coordinator.exchange.schema import migrate
from coordinator.exchange.shelf import Shelf
from site_agent.contract.errors import ConfigurationError, Unreachable
from site_agent.contract.problems import Problem

ATTEMPTS: Final = 4
PAUSE_S: Final = 0.05  # before the second attempt; doubled before each further one
WAIT_FOR_LOCK_MS: Final = 2_500
WAIT_FOR_TURN_S: Final = 20
CONNECTIONS: Final = 10
ADVISORY_LOCK: Final = 0x51756F72756D  # any number that no other user of the database takes
# Serialization failure, deadlock, lock not available, and the server going down or coming up.
TRANSIENT: Final = frozenset({"40001", "40P01", "55P03", "57P01", "57P02", "57P03"})

SQLITE: Final = (
    f"PRAGMA busy_timeout={WAIT_FOR_LOCK_MS}",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",
)
POSTGRESQL: Final = (
    "SET synchronous_commit = on",
    f"SET lock_timeout = {WAIT_FOR_LOCK_MS}",
    "SET statement_timeout = 60000",
    "SET idle_in_transaction_session_timeout = 60000",
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Transaction:
    """What can be read and written within one transaction."""

    directory: Directory
    log: Log
    persons: Persons
    shelf: Shelf


Work = Callable[[Transaction], Result]


@dataclass(slots=True)
class Store:
    """The database of an exchange. `on_end(name, seconds, retries)` hears of transactions."""

    engine: Engine
    # Who waits for the database's lock holds a connection, so of one process only one waits.
    turn: threading.Lock = field(default_factory=threading.Lock)
    on_end: Callable[[str, float, int], None] = field(default=lambda *_: None)

    @classmethod
    def open(cls, database: str) -> Store:
        """Return the store at a URL, its tables made or brought up to date.

        Raises ConfigurationError for a URL that is none or tables that are too new, and
        Unreachable if there is no database that answers. Neither shows a password.
        """
        url = _url(database)
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
        try:
            with engine.execution_options(writes=True).begin() as connection:
                _lock(connection)
                migrate(connection)
        except DBAPIError as error:
            engine.dispose()
            raise Unreachable(
                f"the database {_place(url)} cannot be used: {_reason(error, url)}; check that it "
                f"is there, that it runs, and that this user may write to it"
            ) from None
        except ConfigurationError:
            engine.dispose()
            raise
        return cls(engine)

    def read(self, name: str, work: Work[Result]) -> Result:
        """Return what `work` finds; Problem("store") if the database does not answer."""
        engine = self.engine
        if engine.dialect.name == "postgresql":  # all that one reading sees is of one moment
            engine = engine.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )
        return self._retried(name, work, engine)

    def write(self, name: str, work: Work[Result]) -> Result:
        """Do `work` wholly or not at all, after all earlier writes; Problem("store") as above."""
        if not self.turn.acquire(timeout=WAIT_FOR_TURN_S):
            raise _unanswered(name)
        try:
            return self._retried(name, work, self.engine.execution_options(writes=True))
        finally:
            self.turn.release()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _retried(self, name: str, work: Work[Result], engine: Engine) -> Result:
        began = time.monotonic()
        for attempt in range(ATTEMPTS):
            try:
                result = _done(engine, work)
            except (OperationalError, InterfaceError) as error:
                if attempt + 1 == ATTEMPTS or not _transient(error):
                    raise _unanswered(name) from None
                time.sleep(PAUSE_S * 2**attempt)
            except PoolTimeout:
                raise _unanswered(name) from None
            else:
                self.on_end(name, time.monotonic() - began, attempt)
                return result
        raise AssertionError("unreachable")


def _done(engine: Engine, work: Work[Result]) -> Result:
    with engine.begin() as connection:
        if connection.get_execution_options().get("writes"):
            _lock(connection)
        tables = (Directory(connection), Log(connection), Persons(connection), Shelf(connection))
        return work(Transaction(*tables))


def _lock(connection: Connection) -> None:
    """Wait for all earlier writes. SQLite has its lock since BEGIN IMMEDIATE."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})


def _transient(error: DBAPIError) -> bool:
    """Return whether the same transaction may well succeed when it is tried again."""
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in TRANSIENT


def _unanswered(name: str) -> Problem:
    return Problem("store", f"the database did not take or give '{name}'; ask again")


def _url(database: str) -> URL:
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "the database is not given as a URL; expected sqlite:///<path> or "
            "postgresql://<user>:<password>@<host>/<database>"
        ) from None
    if url.drivername == "sqlite" and url.database and not url.database.startswith(":"):
        return url
    if url.drivername in ("postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    raise ConfigurationError(
        f"the database is given as {url.drivername}://...; expected sqlite:///<path of a file> or "
        f"postgresql://<user>:<password>@<host>/<database>"
    )


def _place(url: URL) -> str:
    """Return where a database is, in words that hold no password."""
    if url.get_backend_name() == "sqlite":
        return f"in the file {url.database}"
    return f"'{url.database}' of PostgreSQL at {url.host or 'the local socket'}"


def _reason(error: DBAPIError, url: URL) -> str:
    """Return the first line of what the driver says, unless it quotes the password."""
    said = str(error.orig).partition("\n")[0] or type(error.orig).__name__
    secrets = [url.password, *(str(value) for value in url.query.values())]
    return "no reason given" if any(part and part in said for part in secrets) else said


def _sqlite(url: URL) -> Engine:
    path = Path(url.database or "")
    if not path.parent.is_dir():
        raise ConfigurationError(f"the folder {path.parent} of the database is not there; make it")
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigurationError(
            f"the database file {path} cannot be opened: {error.strerror}; give one to which this "
            f"user may write"
        ) from None
    engine = create_engine(url, hide_parameters=True, pool_size=CONNECTIONS, max_overflow=0)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=10,
        connect_args={"connect_timeout": 5},
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # BEGIN is ours: the driver's would lock only at a write
    for statement in SQLITE:
        connection.execute(statement)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, _record: Any) -> None:
    for statement in POSTGRESQL:
        connection.execute(statement)
    connection.commit()
