"""docs/exchange.md says what the exchange does: addresses, problems, limits, metrics."""

from __future__ import annotations

import re

import pytest

from coordinator.exchange import accounts, bodies, mail
from coordinator.exchange.auth import LONGEST_SOFTWARE, SEEN_EVERY_S
from coordinator.exchange.pages.routes import router
from coordinator.exchange.persons import MOST_EVENTS
from site_agent.contract import requests
from site_agent.contract.problems import KINDS
from tests.coordinator.exchange.office import Office
from tests.docs.pages import headings, page, section

PAGE = page("exchange.md")


def rows(text: str) -> list[list[str]]:
    """The cells of all rows of tables, code marks taken off."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [[cell.replace("`", "") for cell in row] for row in cells if set(row[0]) != {"-"}]


def test_every_problem_is_on_the_page() -> None:
    """The table has each code with its status, in the order of the list, and no other."""
    told = [(code, int(status)) for code, status, _ in rows(section(PAGE, "Problems"))[1:]]
    assert told == [(code, kind.status) for code, kind in KINDS.items()]


def test_every_address_is_on_the_page(plain: Office) -> None:
    """Each address and method has a heading, or a row if it is open to anybody."""
    there = {
        f"{method.upper()} {path}"
        for path, methods in plain.app.openapi()["paths"].items()
        for method in methods
    }
    told = {heading for heading in headings(PAGE) if "/v1/" in heading}
    told |= {address for address, _ in rows(section(PAGE, "For anybody"))[1:]}
    assert told == there | {"GET /openapi.json"}


def test_every_metric_is_on_the_page(plain: Office) -> None:
    """Each metric has its row."""
    found = re.findall(r"^# TYPE (\w+) ", plain.send("GET", "/metrics").text, re.MULTILINE)
    there = {name for name in found if not name.endswith("_created")}
    assert {name for name, _ in rows(section(PAGE, "Metrics"))[1:]} == there


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (requests.MAY_DIFFER_S, "within {} seconds of its time"),
        (mail.LONGEST_WAIT_S, "(0 to {})"),
        (bodies.LARGEST_JSON >> 10, "{} KiB for JSON"),
        (bodies.LARGEST_STUDY >> 20, "{} MiB for a study"),
        (bodies.LARGEST_MESSAGE >> 20, "| `exchange.largest_message_mib` | {} |"),
        (LONGEST_SOFTWARE, "in at most {} printable"),
    ],
)
def test_limits_on_the_page(number: int, words: str) -> None:
    """Limits are those of the code."""
    assert words.format(number) in PAGE


def test_how_exactly_a_site_is_seen() -> None:
    """The page says how exact `seen` is."""
    assert ("exact to five seconds" in PAGE, SEEN_EVERY_S) == (True, 5)


def test_the_context_of_signed_requests() -> None:
    """The bytes in front of a signed request are those of the page."""
    assert f"`{requests.CONTEXT.decode().rstrip(chr(0))}`, a zero byte" in PAGE


def test_every_page_for_people_is_on_the_page() -> None:
    """Each address of a page has its row, and nothing else has."""
    there = {route.path for route in router.routes} - {"/pages/{anything:path}"}
    cells = [row[0] for row in rows(section(PAGE, "For people"))[1:]]
    told = {address for cell in cells for address in cell.split(", ")}
    assert told == {path.replace("{opened}", "{open}") for path in there}


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (accounts.LASTS_S // 3600, "A session lasts {} hours"),
        (accounts.WRONG_OF_PERSON, "After {} wrong passwords"),
        (accounts.WINDOW_S // 60, "takes none for {} minutes"),
        (accounts.WRONG_OF_ADDRESS, "after {} from one address"),
        (MOST_EVENTS, "the last {} logins"),
    ],
)
def test_limits_of_logins_on_the_page(number: int, words: str) -> None:
    """Limits are those of the code."""
    assert words.format(number) in PAGE
