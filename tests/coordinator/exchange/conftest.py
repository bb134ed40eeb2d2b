"""Both databases: SQLite in a file, and a PostgreSQL that is started for the tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.coordinator.exchange.office import Office, opening
from tests.coordinator.exchange.postgres import new_database
from tests.protocol import CENTER

BINARIES: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The URL of a PostgreSQL server, without a database."""
    if not BINARIES:
        if os.environ.get("QUORUM_TEST_ALL") == "1":
            pytest.fail("no PostgreSQL server is installed, and QUORUM_TEST_ALL=1 asks for it")
        pytest.skip("no PostgreSQL server is installed")
    folder = Path(tempfile.mkdtemp(prefix="quorum-pg-"))
    user = "postgres" if os.getuid() == 0 else None  # initdb refuses root
    if user:
        shutil.chown(folder, user)
    data, port = folder / "data", _free_port()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "user": user}
    initdb = [BINARIES[-1] / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N"]
    subprocess.run(initdb, check=True, cwd=folder, **quiet)  # type: ignore[call-overload]
    options = f"-p {port} -k {folder} -c fsync=off -c listen_addresses=127.0.0.1"
    control = [BINARIES[-1] / "pg_ctl", "-D", data, "-w"]
    subprocess.run([*control, "-o", options, "start"], check=True, cwd=folder, **quiet)  # type: ignore[call-overload]
    try:
        yield f"postgresql://postgres:not-asked-for@127.0.0.1:{port}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], cwd=folder, **quiet)  # type: ignore[call-overload]
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


@pytest.fixture(scope="session")
def furnished_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with five sites and their study, to be copied."""
    path = tmp_path_factory.mktemp("furnished") / "exchange.db"
    _furnish(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def furnished_template(postgresql: str) -> str:
    """The same in PostgreSQL: the name of a database, to be copied."""
    database = new_database(postgresql)
    _furnish(database)
    return database.rpartition("/")[2]


def _furnish(database: str) -> None:
    with Office(database) as office:
        office.furnished()


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which database it is."""
    return str(request.param)


@pytest.fixture
def database(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path}/exchange.db"
    return new_database(str(request.getfixturevalue("postgresql")))


@pytest.fixture
def furnished_database(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database with five sites and their study."""
    if kind == "sqlite":
        shutil.copy(request.getfixturevalue("furnished_file"), tmp_path / "exchange.db")
        return f"sqlite:///{tmp_path}/exchange.db"
    server = str(request.getfixturevalue("postgresql"))
    return new_database(server, str(request.getfixturevalue("furnished_template")))


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """The URL of an empty SQLite database, for what does not depend on the database."""
    return f"sqlite:///{tmp_path}/exchange.db"


@pytest.fixture
def office(database: str) -> Iterator[Office]:
    """An exchange that knows only its center."""
    with Office(database) as office:
        yield office


@pytest.fixture
def furnished(furnished_database: str) -> Iterator[Office]:
    """An exchange with five sites and their study."""
    with Office(furnished_database) as office:
        yield office


@pytest.fixture
def opened(furnished: Office) -> Office:
    """An exchange with a release under way."""
    furnished.post(CENTER, opening())
    return furnished


@pytest.fixture
def plain(sqlite: str) -> Iterator[Office]:
    """An exchange over SQLite, for what does not depend on the database."""
    with Office(sqlite) as office:
        yield office
