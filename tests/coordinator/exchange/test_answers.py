"""What all answers have in common, and how everything that goes wrong is told."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from coordinator.exchange import store
from coordinator.exchange.directory import Directory
from site_agent.contract.problems import KINDS
from tests.coordinator.exchange.office import STUDY_HASH, Office, code
from tests.protocol import CENTER

ANYWHERE = ["/healthz", "/v1/", "/nothing", "/v1/parties", "/metrics", "/v1/mail"]


@pytest.mark.parametrize("path", ANYWHERE)
def test_headers_of_every_answer(plain: Office, path: str) -> None:
    """Date, content policy, no sniffing, no caching: on results and on errors."""
    headers = plain.send("GET", path).headers
    names = ("date", "content-security-policy", "x-content-type-options", "cache-control")
    assert [headers.get(name) for name in names] == [
        "Sat, 21 Nov 2026 04:16:07 GMT",
        "default-src 'none'",
        "nosniff",
        "no-store",
    ]


def test_the_process_is_alive(plain: Office) -> None:
    """Anybody may ask whether the exchange runs."""
    assert plain.send("GET", "/healthz").json() == {"status": "ok"}


def test_the_exchange_is_ready(office: Office) -> None:
    """Anybody may ask whether its database answers."""
    assert office.send("GET", "/readyz").json() == {"status": "ok"}


def test_an_exchange_says_that_it_is_one(plain: Office) -> None:
    """A client can tell an exchange from the login page of a proxy."""
    assert plain.send("GET", "/v1/").json() == {"quorum": 1, "exchange": "0.1.0"}


def test_there_is_no_page_that_loads_something(plain: Office) -> None:
    """The pages of the framework, which load scripts from elsewhere, are off."""
    assert [code(plain.send("GET", path)) for path in ("/docs", "/redoc")] == ["not_found"] * 2


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/nothing", "/healthz/", "/v1/studies/", "/a%00"])
def test_addresses_at_which_there_is_nothing(plain: Office, path: str) -> None:
    """An unknown address is answered with a problem, and never with a redirection."""
    assert code(plain.send("GET", path)) == "not_found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", f"/v1/studies/{STUDY_HASH}", "GET, PUT"),
        ("POST", "/healthz", "GET"),
        ("HEAD", "/v1/", "GET"),
        ("OPTIONS", "/v1/messages", "POST"),
    ],
)
def test_methods_that_an_address_does_not_take(
    plain: Office, method: str, path: str, allowed: str
) -> None:
    """The answer names the methods that the address takes."""
    answer = plain.send(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_the_form_of_a_problem(plain: Office) -> None:
    """A problem has type, title, status, detail and code, as application/problem+json."""
    answer = plain.send("GET", "/nothing")
    assert (answer.headers["content-type"], answer.json()) == (
        "application/problem+json",
        {
            "type": "urn:quorum:problem:not_found",
            "title": KINDS["not_found"].title,
            "status": 404,
            "detail": "expected an address that /openapi.json lists",
            "code": "not_found",
        },
    )


@pytest.fixture
def defective(plain: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """An exchange with a defect that would quote what somebody sent."""

    def broken(*_: object) -> None:
        raise ValueError("the value that was sent")

    monkeypatch.setattr(Directory, "parties", broken)
    return plain


def test_a_defect(defective: Office) -> None:
    """An unforeseen error is told as such, without its text."""
    answer = defective.ask(CENTER, "GET", "/v1/parties")
    found = (code(answer), answer.status_code, "value that was sent" in answer.text)
    assert found == ("internal", 500, False)


def test_the_log_of_a_defect(defective: Office, caplog: pytest.LogCaptureFixture) -> None:
    """The log has type and place of an unforeseen error, and not its text."""
    defective.ask(CENTER, "GET", "/v1/parties")
    said = caplog.text
    assert ("ValueError at test_answers.py" in said, "value that was sent" in said) == (True, False)


@pytest.fixture
def blocked(sqlite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An exchange whose database another process has locked for writing."""
    impatient = tuple(s for s in store.SQLITE if "busy" not in s)
    monkeypatch.setattr(store, "SQLITE", (*impatient, "PRAGMA busy_timeout=1"))
    monkeypatch.setattr(store, "PAUSE_S", 0)
    with Office(sqlite) as office:
        other = sqlite3.connect(tmp_path / "exchange.db")
        other.execute("BEGIN IMMEDIATE")
        yield office
        other.close()


def test_a_database_that_does_not_take(blocked: Office) -> None:
    """Who writes is asked to come again."""
    answer = blocked.invite("alder")
    found = (code(answer), answer.status_code, answer.headers["retry-after"])
    assert found == ("store", 503, "2")


def test_not_ready(plain: Office, tmp_path: Path) -> None:
    """An exchange whose tables are gone is alive and not ready."""
    plain.store.close()
    for path in tmp_path.iterdir():
        path.unlink()
    (tmp_path / "exchange.db").mkdir()
    answers: list[httpx.Response] = [plain.send("GET", path) for path in ("/healthz", "/readyz")]
    assert [code(answer) for answer in answers] == ["200", "store"]


def test_the_addresses_are_described(plain: Office) -> None:
    """What the exchange takes is described for machines."""
    paths = plain.send("GET", "/openapi.json").json()["paths"]
    assert sorted(path for path in paths if path.startswith("/v1/")) == [
        "/v1/",
        "/v1/enrolments",
        "/v1/invitations/{site}",
        "/v1/mail",
        "/v1/messages",
        "/v1/parties",
        "/v1/persons",
        "/v1/persons/{name}",
        "/v1/releases",
        "/v1/releases/{open}/standing",
        "/v1/reports",
        "/v1/reports/{open}",
        "/v1/reports/{open}/decision",
        "/v1/studies",
        "/v1/studies/{hash}",
        "/v1/studies/{hash}/approval",
    ]
