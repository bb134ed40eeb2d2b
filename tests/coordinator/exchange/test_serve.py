"""The exchange as a process: killed, stopped, and started where it cannot run."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from coordinator.exchange.serve import serve
from site_agent.contract.errors import ConfigurationError, Unreachable
from tests.coordinator.exchange.office import FIRST, opening, share
from tests.coordinator.exchange.running import Running
from tests.protocol import CENTER, SITES, identity


@pytest.fixture
def running(database: str) -> Iterator[Running]:
    """An exchange in a process, with a release under way."""
    with Running(database) as running:
        running.furnished().ask(CENTER, "POST", "/v1/messages", opening())
        yield running


def log(running: Running) -> dict[str, bytes]:
    """All messages of the release by id."""
    found: dict[str, bytes] = {}
    after = "0"
    while True:
        answer = running.ask(CENTER, "GET", f"/v1/mail?open={FIRST}&after={after}")
        if answer.status_code != 200:
            return found
        after = answer.headers["Quorum-Message"]
        found[after] = answer.content


def test_all_that_was_answered_outlives_a_kill(running: Running) -> None:
    """A process that is killed amid requests has kept all that it said it took."""
    acknowledged: dict[str, bytes] = {}

    def posting(site: str) -> None:
        for number in range(10_000):
            wire = share(site, number, masked=b"m" * 20_000)
            try:
                answer = running.ask(site, "POST", "/v1/messages", wire)
            except httpx.TransportError:
                return
            acknowledged[str(answer.json()["id"])] = wire

    with ThreadPoolExecutor(3) as pool:
        posts = [pool.submit(posting, site) for site in SITES[:3]]
        time.sleep(0.6)
        running.kill()
        for post in posts:
            post.result()
    with Running(running.database) as again:
        kept = log(again)
    assert (len(acknowledged) > 5, acknowledged.items() <= kept.items()) == (True, True)


def test_a_stop_lets_long_polls_go(running: Running) -> None:
    """SIGTERM ends the process in seconds: who polls is told that there is nothing yet."""
    with ThreadPoolExecutor(3) as pool:
        polls = [
            pool.submit(running.ask, site, "GET", "/v1/mail?after=1&wait=30") for site in SITES[:3]
        ]
        time.sleep(0.5)
        code, seconds = running.stop()
        answers = [poll.result().status_code for poll in polls]
    assert (code, seconds < 5, answers) == (0, True, [204] * 3)


def test_a_client_that_goes_away_leaves_nothing_behind(sqlite: str) -> None:
    """A poll ends within about a second when its client has gone."""
    with Running(sqlite) as running:
        running.furnished().ask(CENTER, "POST", "/v1/messages", opening())
        with pytest.raises(httpx.ReadTimeout):
            running.client.timeout = httpx.Timeout(0.3)
            running.ask("alder", "GET", "/v1/mail?after=1&wait=30")
        running.client.timeout = httpx.Timeout(10)
        time.sleep(1.3)
        polls = "quorum_exchange_polls 0.0" in running.client.get("/metrics").text
    assert polls


def test_what_is_no_http(sqlite: str) -> None:
    """Bytes that are no request are answered with a problem too."""
    with Running(sqlite) as running, socket.create_connection(("127.0.0.1", running.port)) as sock:
        sock.sendall(b"\x16\x03\x01 is the beginning of TLS\r\n\r\n")
        answer = b"".join(iter(lambda: sock.recv(4096), b""))
    assert b"400" in answer and b"application/problem+json" in answer and b'"malformed"' in answer


def test_a_client_that_hangs_up_within_its_body(sqlite: str) -> None:
    """A body that breaks off is nobody's defect: the log stays empty."""
    with Running(sqlite) as running:
        head = (
            "POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
            'Authorization: Quorum name="center", at="1", signature="AAAA"\r\n\r\nabc'
        )
        with socket.create_connection(("127.0.0.1", running.port)) as sock:
            sock.sendall(head.encode())
            time.sleep(0.2)
        time.sleep(0.2)
        running.stop()
        assert running.process.stderr is not None
        said = running.process.stderr.read()
    assert said == ""


def started(database: str, *, host: str = "127.0.0.1", port: int = 0) -> None:
    center = identity(CENTER).member()
    serve(database=database, listen_host=host, listen_port=port, center=center)


def test_a_port_in_use(sqlite: str) -> None:
    """An address that something else listens to is told in words."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        with pytest.raises(ConfigurationError, match=f"port {port}: Address already in use"):
            started(sqlite, port=port)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("203.0.113.1", 0), ("a b", 0)])
def test_addresses_that_cannot_be_listened_at(sqlite: str, host: str, port: int) -> None:
    """An address that this machine does not have is a matter of configuration."""
    with pytest.raises(ConfigurationError, match="choose another address"):
        started(sqlite, host=host, port=port)


@pytest.mark.parametrize(
    "database",
    [
        "mysql://user:secret-word@host/name",
        "user:secret-word@host",
        "postgresql://user:secret-word@host:port/name",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:////nowhere/at/all.db",
        "",
    ],
)
def test_databases_that_are_none(database: str) -> None:
    """A URL that is none is refused in words, without its password."""
    with pytest.raises(ConfigurationError) as caught:
        started(database)
    assert "secret-word" not in str(caught.value)


def test_a_database_that_does_not_answer() -> None:
    """A PostgreSQL that is not there is unreachable, and the password is not told."""
    with pytest.raises(Unreachable) as caught:
        started("postgresql://user:secret-word@127.0.0.1:1/name")
    said = str(caught.value)
    assert ("secret-word" in said, "'name' of PostgreSQL at 127.0.0.1" in said) == (False, True)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """A file of another kind is not overwritten."""
    (tmp_path / "letter.db").write_text("Dear colleague, " * 100)
    with pytest.raises(Unreachable, match="not a database"):
        started(f"sqlite:///{tmp_path}/letter.db")
