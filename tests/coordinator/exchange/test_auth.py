"""Which requests the exchange believes: the checks of a signed request, in their order."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from site_agent.contract import requests
from site_agent.contract.identity import Identity
from tests.coordinator.exchange.office import NOW, Office, code, detail
from tests.protocol import CENTER, entropy, identity

STRANGER = Identity.create("alder", entropy("somebody else who calls himself alder"))


def sent(office: Office, header: str, target: str = "/v1/parties") -> httpx.Response:
    return office.send("GET", target, headers={"Authorization": header})


def header(target: str = "/v1/parties", method: str = "GET", at: int = NOW) -> str:
    return requests.sign(identity(CENTER), method, target, b"", at=at)


def test_a_signed_request_is_answered(plain: Office) -> None:
    """A request that its party signed now is answered."""
    assert sent(plain, header()).status_code == 200


def test_no_header(plain: Office) -> None:
    """A request without Authorization is unsigned."""
    assert code(plain.send("GET", "/v1/parties")) == "unsigned"


@pytest.mark.parametrize("value", ["Basic eDp5", "Quorum name=x", "Quorum", " "])
def test_a_header_of_another_form(plain: Office, value: str) -> None:
    """A header of another scheme, or cut short, is no signature."""
    assert code(sent(plain, value)) == "unsigned"


def test_an_unsigned_answer_names_the_scheme(plain: Office) -> None:
    """Status 401 comes with WWW-Authenticate, as HTTP asks for."""
    answer = plain.send("GET", "/v1/parties")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Quorum")


def test_a_name_that_is_not_enrolled(office: Office) -> None:
    """A site that has not enrolled is unknown."""
    assert code(office.ask("alder", "GET", "/v1/studies")) == "unknown_party"


def test_another_key(furnished: Office) -> None:
    """A request in a site's name with another key is refused."""
    assert code(furnished.ask(STRANGER, "GET", "/v1/studies")) == "signature"


@pytest.mark.parametrize(
    ("target", "method"),
    [("/v1/studies", "GET"), ("/v1/parties", "PUT"), ("/v1/parties?a=1", "GET")],
)
def test_a_signature_of_another_request(plain: Office, target: str, method: str) -> None:
    """A signature of another address, method or query does not hold for this request."""
    assert code(sent(plain, header(target, method))) == "signature"


def test_a_body_that_was_altered(plain: Office) -> None:
    """A signature holds for the body that was signed, and for no other."""
    own = {"Authorization": header("/v1/invitations/alder", "PUT")}
    answer = plain.send("PUT", "/v1/invitations/alder", content=b"{}", headers=own)
    assert code(answer) == "signature"


def test_the_query_is_signed_as_it_was_sent(furnished: Office) -> None:
    """A query with escapes is covered as it stands in the request."""
    assert furnished.mail("alder", "after=%30&wait=0").status_code == 204


@pytest.mark.parametrize("apart", [-300, 0, 300])
def test_clocks_that_differ_by_five_minutes(plain: Office, apart: int) -> None:
    """A clock may differ by five minutes."""
    assert sent(plain, header(at=NOW + apart)).status_code == 200


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        (-301, "5 minutes behind"),
        (301, "5 minutes ahead"),
        (-23 * 3600, "23 hours behind"),
        (86_400, "1 day ahead"),
        (-3600, "1 hour behind"),
    ],
)
def test_clocks_that_differ_more(plain: Office, apart: int, words: str) -> None:
    """The problem says in words how far the clock is off."""
    answer = sent(plain, header(at=NOW + apart))
    assert (code(answer), words in detail(answer)) == ("clock", True)


def test_both_times_are_told(plain: Office) -> None:
    """The problem names the time of the request and that of the exchange, in UTC."""
    said = detail(sent(plain, header(at=NOW - 3600)))
    assert "2026-11-21T03:16:07Z" in said and "2026-11-21T04:16:07Z" in said


def test_a_body_that_takes_long(plain: Office) -> None:
    """The clock counts when the request came, not when the last of its body did."""

    def pieces() -> Iterator[bytes]:
        plain.now += 1000
        yield b""

    own = {"Authorization": header()}
    answer = plain.send("GET", "/v1/parties", content=_Stream(pieces()), headers=own)
    assert answer.status_code == 200


def test_a_time_without_a_date(plain: Office) -> None:
    """A second that no calendar has is too far in the future, not a defect."""
    assert code(sent(plain, header(at=9_999_999_999_999_999))) == "clock"


def test_the_signature_comes_before_the_clock(furnished: Office) -> None:
    """Who does not hold the key does not learn how the clock stands."""
    assert code(furnished.ask(STRANGER, "GET", "/v1/studies", at=NOW - 9999)) == "signature"


def test_a_body_that_is_announced_too_large(plain: Office) -> None:
    """A body above its limit is refused, whatever its signature."""
    answer = plain.ask(CENTER, "PUT", "/v1/invitations/alder", b"x" * (64 * 1024 + 1))
    assert code(answer) == "too_large"


def test_a_body_at_its_limit(plain: Office) -> None:
    """A body of exactly the limit is read."""
    answer = plain.ask(CENTER, "PUT", "/v1/invitations/alder", b"x" * (64 * 1024))
    assert code(answer) == "malformed"


def test_a_body_of_unknown_length_is_not_read_to_its_end(plain: Office) -> None:
    """A body that comes in pieces is refused as soon as it is too large."""
    taken = []

    def pieces() -> Iterator[bytes]:
        for piece in range(100):
            taken.append(piece)
            yield b"x" * 16_384

    target = "/v1/invitations/alder"
    own = {"Authorization": header(target, "PUT")}
    answer = plain.send("PUT", target, content=_Stream(pieces()), headers=own)
    assert (code(answer), len(taken) <= 6) == ("too_large", True)


class _Stream:
    """An asynchronous stream over pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        for piece in self._pieces:
            yield piece


def test_a_study_may_be_larger_than_json(plain: Office) -> None:
    """A study file may have a mebibyte."""
    answer = plain.put_study("#" * (1024 * 1024))
    assert code(answer) == "study"


def test_a_study_that_is_too_large(plain: Office) -> None:
    """A study file above a mebibyte is refused."""
    assert code(plain.put_study("#" * (1024 * 1024 + 1))) == "too_large"


def test_a_message_that_is_too_large(sqlite: str) -> None:
    """A message may have as many bytes as the exchange was started with."""
    with Office(sqlite, largest_message=1000) as office:
        answers = [code(office.post(CENTER, b"x" * size)) for size in (1000, 1001)]
    assert answers == ["malformed", "too_large"]


def test_a_site_is_seen(furnished: Office) -> None:
    """The center sees when a site came last."""
    furnished.ask("beech", "GET", "/v1/studies")
    assert seen(furnished) == {"alder": None, "beech": NOW, "cedar": None}


def test_being_seen_is_noted_each_five_seconds(furnished: Office) -> None:
    """Within five seconds nothing is written, after them it is."""
    found = []
    for later in (0, 4, 5):
        furnished.now = NOW + later
        furnished.ask("beech", "GET", "/v1/studies")
        found.append(seen(furnished)["beech"])
    assert found == [NOW, NOW, NOW + 5]


def seen(office: Office) -> dict[str, int | None]:
    sites = office.ask(CENTER, "GET", "/v1/parties").json()["sites"]
    return {site["name"]: site["seen"] for site in sites[:3]}


@pytest.mark.parametrize(
    ("told", "kept"), [("quorum 9.9", "quorum 9.9"), ("x" * 81, ""), ("a\tb", ""), ("", "")]
)
def test_software_is_kept(furnished: Office, told: str, kept: str) -> None:
    """What software a site runs is kept if it is short and printable."""
    furnished.ask("alder", "GET", "/v1/studies", headers={"Quorum-Software": told})
    sites = furnished.ask(CENTER, "GET", "/v1/parties").json()["sites"]
    assert sites[0]["software"] == kept


@pytest.mark.parametrize(
    ("by", "method", "target"),
    [
        ("alder", "PUT", "/v1/invitations/beech"),
        ("alder", "GET", "/v1/parties"),
        ("alder", "PUT", f"/v1/studies/{'0' * 64}"),
        ("alder", "GET", f"/v1/releases?study={'0' * 64}"),
        (CENTER, "PUT", f"/v1/studies/{'0' * 64}/approval"),
        (CENTER, "PUT", f"/v1/releases/{'0' * 64}/standing"),
    ],
)
def test_who_may_do_what(furnished: Office, by: str, method: str, target: str) -> None:
    """What is the center's is forbidden to sites, and the other way round."""
    assert code(furnished.ask(by, method, target)) == "forbidden"


def test_a_proxy_may_serve_under_a_prefix() -> None:
    """The signature covers the address from /v1/ on."""
    from fastapi import Request

    from coordinator.exchange.auth import target

    scope = {"type": "http", "raw_path": b"/deep/v1/mail", "query_string": b"after=%20"}
    assert target(Request(scope)) == "/v1/mail?after=%20"
