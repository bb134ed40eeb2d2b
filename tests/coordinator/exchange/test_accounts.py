"""Persons: roles, passwords, logins and their limits, sessions and their ends."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from coordinator.exchange import accounts, passwords
from coordinator.exchange.roles import has
from site_agent.contract.errors import ConfigurationError
from site_agent.contract.problems import Problem
from tests.coordinator.exchange.office import PASSWORD, Office, code, kept
from tests.protocol import CENTER

HERE = "192.0.2.7"
OTHER = "another horse battery staple"


@pytest.fixture
def staffed(office: Office) -> Office:
    """An exchange with a person."""
    office.put_person("anna", "statistician")
    return office


def log_in(
    office: Office, name: str = "anna", password: str = PASSWORD, address: str = HERE
) -> str:
    """A login; the code of the problem, or the token."""
    try:
        return accounts.log_in(office.store, name, password, address=address, now=office.now)
    except Problem as problem:
        return problem.code


def who(office: Office, token: str) -> str:
    """Who is logged in with a token."""
    found = accounts.visitor(office.store, token, office.now)
    return "nobody" if found is None else f"{found.name} {found.role}"


def events(office: Office) -> list[str]:
    """What the log of access says, the oldest first."""
    found = office.store.read("events", lambda tx: tx.persons.events())
    return [f"{one.person}: {one.event}" for one in reversed(found)]


def test_a_login(staffed: Office) -> None:
    """Its token leads to the person."""
    assert who(staffed, log_in(staffed)) == "anna statistician"


@pytest.mark.parametrize(
    ("name", "password"),
    [("anna", OTHER), ("anna", ""), ("otto", PASSWORD), ("an\0na", "\0"), ("\ud800", "\ud800")],
)
def test_no_login(staffed: Office, name: str, password: str) -> None:
    """Which of both is wrong is not told."""
    with pytest.raises(Problem, match="^name or password is wrong$"):
        accounts.log_in(staffed.store, name, password, address=HERE, now=staffed.now)


def test_a_token_that_is_none(staffed: Office) -> None:
    """Leads to nobody."""
    assert {who(staffed, token) for token in ("", "x", "\ud800")} == {"nobody"}


def test_no_token_is_kept(staffed: Office) -> None:
    """The store has its hash alone."""
    token = log_in(staffed)
    with staffed.store.engine.begin() as connection:
        rows = str(connection.execute(text("SELECT * FROM sessions")).all())
    assert token not in rows


@pytest.mark.parametrize(
    ("passed", "expected"),
    [
        ([accounts.IDLE_S], "anna statistician"),
        ([accounts.IDLE_S + 1], "nobody"),
        ([3500] * 12, "anna statistician"),
        ([3500] * 13, "nobody"),
    ],
)
def test_how_long_a_login_lasts(staffed: Office, passed: list[int], expected: str) -> None:
    """An hour without use, and twelve hours in all."""
    token = log_in(staffed)
    found = "nobody"
    for seconds in passed:
        staffed.now += seconds
        found = who(staffed, token)
    assert found == expected


def test_logging_out(staffed: Office) -> None:
    """Ends this session and no other."""
    first, second = log_in(staffed), log_in(staffed)
    accounts.log_out(staffed.store, first, address=HERE, now=staffed.now)
    assert (who(staffed, first), who(staffed, second)) == ("nobody", "anna statistician")


@pytest.mark.parametrize("body", [{"role": "viewer"}, {"password": kept(OTHER)}])
def test_a_change_ends_all_sessions(staffed: Office, body: dict[str, str]) -> None:
    """Of role or password."""
    token = log_in(staffed)
    staffed.ask(CENTER, "PUT", "/v1/persons/anna", {"role": "", "password": "", **body})
    assert who(staffed, token) == "nobody"


def test_somebody_who_was_removed(staffed: Office) -> None:
    """Neither the session goes on, nor is there another one."""
    token = log_in(staffed)
    codes = [staffed.ask(CENTER, "DELETE", "/v1/persons/anna").status_code for _ in range(2)]
    assert (codes, who(staffed, token), log_in(staffed)) == ([204, 403], "nobody", "person")


def test_too_many_wrong_passwords(staffed: Office) -> None:
    """After five the right one is not taken either, for a quarter of an hour."""
    wrong = [log_in(staffed, password=OTHER) for _ in range(accounts.WRONG_OF_PERSON)]
    then = log_in(staffed)
    staffed.now += accounts.WINDOW_S + 1
    assert (set(wrong), then, who(staffed, log_in(staffed))) == (
        {"person"},
        "too_many",
        "anna statistician",
    )


def test_a_login_forgives(staffed: Office) -> None:
    """Failures count since the last login."""
    for _ in range(3):
        for _ in range(accounts.WRONG_OF_PERSON - 1):
            log_in(staffed, password=OTHER)
        assert who(staffed, log_in(staffed)) == "anna statistician"


def test_too_many_from_one_address(plain: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever names are tried; others are not kept out."""
    monkeypatch.setattr(accounts, "WRONG_OF_ADDRESS", 3)
    plain.put_person("anna", "viewer")
    codes = [log_in(plain, f"name{n}") for n in range(4)]
    codes.append(log_in(plain))
    assert (codes, who(plain, log_in(plain, address="192.0.2.8"))) == (
        [*["person"] * 3, "too_many", "too_many"],
        "anna viewer",
    )


def test_the_log_of_access(staffed: Office) -> None:
    """Who came, who tried, what was changed; what was typed as a name is not kept."""
    log_in(staffed, password=OTHER)
    log_in(staffed, "my password by mistake")
    accounts.log_out(staffed.store, log_in(staffed), address=HERE, now=staffed.now)
    staffed.ask(CENTER, "PUT", "/v1/persons/anna", {"role": "admin", "password": ""})
    assert events(staffed) == [
        "anna: added as statistician",
        "anna: wrong password",
        ": wrong password",
        "anna: logged in",
        "anna: logged out",
        "anna: is admin now",
    ]


def test_persons_are_listed(staffed: Office) -> None:
    """For the center, without a password."""
    log_in(staffed)
    found = staffed.ask(CENTER, "GET", "/v1/persons").json()
    now = int(staffed.now)
    assert found == {
        "persons": [{"name": "anna", "role": "statistician", "added": now, "came": now}]
    }


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("Anna", {}, "malformed"),
        ("an%00na", {}, "malformed"),
        ("a" * 65, {}, "malformed"),
        ("otto", {"role": "viewer", "password": ""}, "person"),
        ("otto", {"role": "", "password": kept(PASSWORD)}, "person"),
        ("otto", {"role": "boss"}, "malformed"),
        ("otto", {"password": PASSWORD}, "malformed"),
        ("otto", {"password": kept(PASSWORD).replace("scrypt$", "scrypt$3", 1)}, "malformed"),
        ("o.tto+x@example.org", {}, "201"),
    ],
)
def test_who_can_be_added(plain: Office, name: str, body: dict[str, str], expected: str) -> None:
    """A name, a role and the hash of a password at its usual cost."""
    said: dict[str, Any] = {"role": "viewer", "password": kept(PASSWORD), **body}
    assert code(plain.ask(CENTER, "PUT", f"/v1/persons/{name}", said)) == expected


def test_hospitals_keep_no_persons(furnished: Office) -> None:
    """Only the center does."""
    asked = [("GET", "/v1/persons"), ("DELETE", "/v1/persons/anna")]
    assert {code(furnished.ask("alder", *one)) for one in asked} == {"forbidden"}


@pytest.mark.parametrize("password", ["", "short", "a" * 12, "a" * 201, "ababababababab"])
def test_passwords_that_are_none(password: str) -> None:
    """Too short, too long, or hardly varied."""
    with pytest.raises(ConfigurationError, match="password of 12 to 200 characters"):
        passwords.check_password(password)


def test_a_password_typed_in_another_way() -> None:
    """A letter with its accent, as one character or as two."""
    assert passwords.matches(
        "pass phrase e\u0301t\u00e9", passwords.keep("pass phrase \u00e9te\u0301")
    )


def test_what_a_password_costs() -> None:
    """N, r and p are those of the page (the tests take a thousandth of N)."""
    assert (2 ** (passwords.COST + 10), passwords.BLOCK, passwords.LANES) == (32768, 8, 3)


def test_scrypt_as_in_its_rfc(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first 32 bytes of a test vector of RFC 7914: N = 1024, r = 8, p = 16."""
    monkeypatch.setattr(passwords, "KEY_BYTES", 64)
    found = passwords._key("password", b"NaCl", 10, 8, 16)
    assert found.hex().startswith(
        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
    )


def test_each_role_may_do_what_those_before_may() -> None:
    """A viewer least, an admin most."""
    roles = ("viewer", "statistician", "admin")
    assert [[has(role, wanted) for wanted in roles] for role in roles] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_a_form_token_is_of_its_session(staffed: Office) -> None:
    """Another login has another one."""
    assert len({accounts.form_token(log_in(staffed)) for _ in range(2)}) == 2
