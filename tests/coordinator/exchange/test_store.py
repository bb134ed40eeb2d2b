"""The door to the database: files, versions, retries, and what is said when it fails."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path
from typing import Final

import psycopg
import pytest
from sqlalchemy import inspect, text
from sqlalchemy.exc import OperationalError

from coordinator.exchange import schema, store
from coordinator.exchange.directory import Invitation
from coordinator.exchange.store import Store, Transaction
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.problems import Problem
from tests.coordinator.exchange.postgres import new_database

FIRST_TABLES: Final = {
    *("schema_version", "invitations", "parties", "studies", "pinned", "approvals"),
    *("releases", "places", "standings", "messages"),
}


def test_nobody_else_can_read_the_file(sqlite: str, tmp_path: Path) -> None:
    """Database and write-ahead log are readable for their owner alone."""
    opened = Store.open(sqlite)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    opened.close()
    assert modes == {0o600}


def test_a_store_is_opened_again(database: str) -> None:
    """The tables are made once."""
    Store.open(database).close()
    again = Store.open(database)
    assert again.read("test", lambda tx: tx.log.count_releases()) == {}


def version(database: str) -> int:
    opened = Store.open(database)
    with opened.engine.begin() as connection:
        found: int = connection.execute(text("SELECT version FROM schema_version")).scalar_one()
    opened.close()
    return found


def test_tables_have_a_version(database: str) -> None:
    """A new store has the version of this software."""
    assert version(database) == schema.VERSION


def test_tables_that_are_too_new(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that newer software has changed is left alone."""
    monkeypatch.setattr(schema, "VERSION", schema.VERSION + 1)
    Store.open(database).close()
    monkeypatch.undo()
    newer = rf"tables of version {schema.VERSION + 1} .* knows version {schema.VERSION}"
    with pytest.raises(ConfigurationError, match=newer):
        Store.open(database)


def test_tables_that_are_older(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older store is brought up to date, step by step."""
    Store.open(database).close()
    newest = schema.VERSION + 2
    steps = {
        newest - 1: lambda connection: connection.execute(text("CREATE TABLE two (a INTEGER)")),
        newest: lambda connection: connection.execute(text("ALTER TABLE two ADD COLUMN b INTEGER")),
    }
    monkeypatch.setattr(schema, "STEPS", steps)
    monkeypatch.setattr(schema, "VERSION", newest)
    found = version(database)
    opened = Store.open(database)
    with opened.engine.begin() as connection:
        rows = list(connection.execute(text("SELECT a, b FROM two")))
    opened.close()
    assert (found, rows) == (newest, [])


def test_the_store_of_the_first_version(database: str) -> None:
    """All steps since then, one after the other, make the tables of a new store."""
    opened = Store.open(database)
    with opened.engine.begin() as connection:
        expected = set(inspect(connection).get_table_names())
        for table in reversed(schema.metadata.sorted_tables):
            if table.name not in FIRST_TABLES:
                table.drop(connection)
        connection.execute(text("UPDATE schema_version SET version = 1"))
    opened.close()
    again = Store.open(database)
    with again.engine.begin() as connection:
        found = set(inspect(connection).get_table_names())
    again.close()
    assert (found, version(database)) == (expected, schema.VERSION)


def test_a_step_that_fails_changes_nothing(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A migration is done wholly or not at all."""
    Store.open(database).close()

    def broken(connection: object) -> None:
        connection.execute(text("CREATE TABLE half (a INTEGER)"))  # type: ignore[attr-defined]
        raise RuntimeError("in the middle")

    with monkeypatch.context() as patched:
        patched.setattr(schema, "STEPS", {schema.VERSION + 1: broken})
        patched.setattr(schema, "VERSION", schema.VERSION + 1)
        with pytest.raises(RuntimeError):
            Store.open(database)
    opened = Store.open(database)
    with opened.engine.begin() as connection:
        tables = inspect(connection).get_table_names()
    opened.close()
    assert "half" not in tables


def locked() -> OperationalError:
    cause = sqlite3.OperationalError("database is locked")
    cause.sqlite_errorcode = sqlite3.SQLITE_BUSY
    return OperationalError("", {}, cause)


def failing(times: int, error: Exception) -> tuple[list[int], object]:
    """Work that fails a number of times, and how often it was tried."""
    tried: list[int] = []

    def work(_tx: Transaction) -> str:
        tried.append(1)
        if len(tried) <= times:
            raise error
        return "done"

    return tried, work


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_lock_in_the_way_is_waited_for(
    sqlite: str, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """A transaction that met a lock is tried again."""
    monkeypatch.setattr(store, "PAUSE_S", 0)
    opened = Store.open(sqlite)
    tried, work = failing(times, locked())
    assert (opened.write("test", work), len(tried)) == ("done", times + 1)  # type: ignore[arg-type]


def test_a_lock_that_stays(sqlite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After four attempts the problem is told, by the name of the transaction alone."""
    monkeypatch.setattr(store, "PAUSE_S", 0)
    opened = Store.open(sqlite)
    tried, work = failing(9, locked())
    with pytest.raises(Problem) as caught:
        opened.write("test", work)  # type: ignore[arg-type]
    found = (caught.value.code, "'test'" in caught.value.detail, len(tried))
    assert found == ("store", True, 4)


def test_another_error_is_not_tried_again(sqlite: str) -> None:
    """A full disk does not get emptier by asking again."""
    opened = Store.open(sqlite)
    full = OperationalError("", {}, sqlite3.OperationalError("database or disk is full"))
    tried, work = failing(9, full)
    with pytest.raises(Problem):
        opened.write("test", work)  # type: ignore[arg-type]
    assert len(tried) == 1


def test_what_fails_is_undone(database: str) -> None:
    """A transaction that fails in its middle has changed nothing."""
    opened = Store.open(database)

    def work(tx: Transaction) -> None:
        tx.directory.invite(Invitation("alder", "0" * 64, 1, at=1))
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError):
        opened.write("test", work)
    assert opened.read("test", lambda tx: tx.directory.invitations()) == []


def test_transactions_are_told_of(sqlite: str) -> None:
    """Who watches the store hears the name of each transaction and its retries."""
    opened = Store.open(sqlite)
    heard: list[tuple[str, int]] = []
    opened.on_end = lambda name, _seconds, retries: heard.append((name, retries))
    opened.read("a look", lambda tx: None)
    assert heard == [("a look", 0)]


def test_connections_that_the_server_has_closed(postgresql: str) -> None:
    """A PostgreSQL that was started anew is asked again, without an error."""
    opened = Store.open(new_database(postgresql))
    opened.read("test", lambda tx: tx.log.newest())
    with psycopg.connect(f"{postgresql}/postgres", autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [opened.engine.url.database],
        )
    assert opened.read("test", lambda tx: tx.log.newest()) == 0


def test_a_lock_of_another_process(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that another process holds up too long is told as a problem."""
    monkeypatch.setattr(store, "PAUSE_S", 0)
    opened = Store.open(new_database(postgresql))
    monkeypatch.setattr(store, "POSTGRESQL", ("SET lock_timeout = 20",))
    opened.engine.dispose()
    with opened.engine.begin() as other:
        other.execute(text(f"SELECT pg_advisory_xact_lock({store.ADVISORY_LOCK})"))
        with pytest.raises(Problem, match="'test'"):
            opened.write("test", lambda tx: None)
