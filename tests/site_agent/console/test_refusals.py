"""Each check of the server: what does not come from the console's own browser is refused."""

from __future__ import annotations

import socket

import pytest

from site_agent.console.server import LARGEST_FORM
from tests.coordinator.exchange.office import STUDY_HASH
from tests.site_agent.console.conftest import Hospital
from tests.site_agent.console.serving import Served

APPROVE = f"studies/{STUDY_HASH}/approve"
REVIEW = f"studies/{STUDY_HASH}"


def test_only_this_machine_is_answered(closed: Served) -> None:
    """The server listens on the loopback address and no other."""
    assert closed.server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["evil.example", "localhost:1", "127.0.0.1", "", None])
def test_another_host(console: Served, host: str | None) -> None:
    """A name that was made to lead here is no way in."""
    found = console.get(Host=host)
    assert (found.status, "The console is at http://127.0.0.1:" in found.words) == (421, True)


def test_two_hosts(console: Served) -> None:
    """A request that names two hosts is not believed for the first one."""
    found = console.get(HOST="evil.example")
    assert found.status == 421


def test_the_link_shows_no_study(closed: Served) -> None:
    """Whoever opens the link sees a button and nothing else, and it is not used up by that."""
    closed.send("GET", closed.session.link)
    found = closed.send("GET", closed.session.link)
    assert (found.status, "Open the console" in found.words, "protocol" in found.words) == (
        *(200, True),
        False,
    )


def test_the_link_lets_in_once(closed: Served) -> None:
    """The link gives a cookie that scripts cannot read and other sites do not send."""
    found = closed.enter()
    rest = found.headers["Set-Cookie"].partition("; ")[2]
    base = closed.session.base
    assert (found.status, rest) == (303, f"Path={base}; HttpOnly; SameSite=Strict")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_was_used(console: Served, method: str) -> None:
    """A second use is refused in words, with no cookie."""
    found = console.send(method, console.session.link, Cookie=None)
    assert (found.status, "This link was used already" in found.words, found.headers) == (
        *(403, True),
        {name: value for name, value in found.headers.items() if name != "Set-Cookie"},
    )


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_wrong_token(closed: Served, method: str) -> None:
    """Another token is no link, and uses up none."""
    found = closed.send(method, f"{closed.session.base}link/{'x' * 43}")
    assert (found.status, "not the link" in found.words, closed.enter().status) == (403, True, 303)


@pytest.mark.parametrize("cookie", [None, "quorum-console=x", "quorum-console=", "other=1", ";;\t"])
@pytest.mark.parametrize("below", ["", REVIEW, "ledger", "nowhere"])
def test_without_the_cookie(console: Served, below: str, cookie: str | None) -> None:
    """Who has not opened the link sees nothing, not even which pages there are."""
    found = console.get(below, Cookie=cookie)
    assert (found.status, "has not opened the console" in found.words) == (403, True)


def test_the_cookie_before_the_link_was_used(closed: Served) -> None:
    """A cookie is worth nothing before the link was used."""
    closed.cookie = f"quorum-console={closed.session._cookie}"
    assert closed.get().status == 403


@pytest.mark.parametrize("path", ["/", "/favicon.ico", "/ledger", "http://evil.example/", "*"])
def test_outside_of_the_session(console: Served, path: str) -> None:
    """Nothing is below another path than the session's."""
    assert console.send("GET", path).status == 404


@pytest.mark.parametrize(
    "below",
    ["nowhere", "studies/", f"studies/{'0' * 63}", "../", "ledger/", "ledger?page=0", "link/"],
)
def test_an_unknown_page(console: Served, below: str) -> None:
    """A page that there is not is told so."""
    assert console.get(below).status == 404


@pytest.mark.parametrize("page", ["0", "2", "-1", "x", "9" * 30, "%C2%B2"])
def test_a_page_that_the_ledger_has_not(console: Served, page: str) -> None:
    """The ledger says how many pages it has."""
    found = console.get(f"ledger?page={page}")
    assert (found.status, "The ledger has 1 page." in found.words) == (404, True)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method(console: Served, method: str) -> None:
    """A method that the page does not take is refused, with those that it takes."""
    found = console.send(method, console.session.base + APPROVE)
    assert (found.status, found.headers["Allow"]) == (405, "GET, POST")


def test_a_form_for_a_page_that_only_shows(console: Served) -> None:
    """A page that only shows takes no form."""
    assert console.post("ledger").status == 405


def test_a_method_that_nobody_knows(console: Served) -> None:
    """A made-up method gets a page, too."""
    found = console.send("BREW", "/")
    assert (found.status, "no request of a page" in found.words) == (501, True)


def confirmed(console: Served) -> dict[str, str]:
    """The fields of an approval, as its page sends them."""
    return {
        "form_token": console.session.form_token,
        "hash": STUDY_HASH,
        "until": "2999-12-31",
        "confirmed": "yes",
    }


def refused(console: Served, hospital: Hospital, **headers: str | None) -> tuple[int, list[object]]:
    """The status of an approval that is sent with these headers, and the ledger after it."""
    where = console.session.base + APPROVE
    found = console.send("POST", where, confirmed(console), **headers)
    return found.status, list(hospital.entries())


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "", None])
def test_a_form_of_another_origin(console: Served, hospital: Hospital, origin: str | None) -> None:
    """A form that another page sends, or that tells no origin, changes nothing."""
    assert refused(console, hospital, Origin=origin) == (403, [])


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_that_the_browser_says_is_foreign(
    console: Served, hospital: Hospital, site: str
) -> None:
    """What the browser itself says of where a form came from counts, too."""
    assert refused(console, hospital, Sec_Fetch_Site=site) == (403, [])


def test_a_form_without_the_cookie(console: Served, hospital: Hospital) -> None:
    """The token of a form alone is no way in."""
    assert refused(console, hospital, Cookie=None) == (403, [])


@pytest.mark.parametrize("token", ["", "x", "x" * 43])
def test_a_form_of_another_session(console: Served, hospital: Hospital, token: str) -> None:
    """A form without this session's token changes nothing."""
    fields = confirmed(console) | {"form_token": token}
    found = console.send("POST", console.session.base + APPROVE, fields)
    assert (found.status, hospital.entries()) == (403, [])


@pytest.mark.parametrize("kind", ["text/plain", "application/json", "multipart/form-data", None])
def test_what_is_no_form(console: Served, hospital: Hospital, kind: str | None) -> None:
    """What a script could send without asking is not read as a form."""
    assert refused(console, hospital, Content_Type=kind) == (415, [])


@pytest.mark.parametrize("length", ["", "-1", "1e3", "+5", "9" * 20, None])
def test_a_form_without_a_length(console: Served, hospital: Hospital, length: str | None) -> None:
    """A length that is none is not guessed."""
    assert refused(console, hospital, Content_Length=length) == (411, [])


def test_a_form_in_pieces(console: Served, hospital: Hospital) -> None:
    """Two ways to tell where a form ends are one too many."""
    assert refused(console, hospital, Transfer_Encoding="chunked") == (411, [])


@pytest.mark.parametrize("size", [LARGEST_FORM + 1, 1 << 20])
def test_a_form_that_is_too_large(console: Served, size: int) -> None:
    """A large form is refused with its length and the limit."""
    found = console.send("POST", console.session.base + APPROVE, b"x" * size)
    expected = f"The form has {size} bytes, and may have {LARGEST_FORM}."
    assert (found.status, expected in found.words) == (413, True)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join([b"a=1"] * 50)])
def test_a_form_that_cannot_be_read(console: Served, body: bytes) -> None:
    """Bytes that are no text, or too many fields, are refused."""
    assert console.send("POST", console.session.base + APPROVE, body).status == 400


def test_an_address_that_is_too_long(console: Served) -> None:
    """A long address is refused before it is looked at."""
    assert console.get("x" * 2000).status == 414


def test_what_is_no_request(console: Served) -> None:
    """Noise on the socket gets a page, and the next request is answered."""
    with socket.create_connection(console.server.server_address) as way:
        way.sendall(b"\x16\x03\x01 what is this\r\n\r\n")
        first = way.makefile("rb").readline()
    assert (b"doctype html" in first, console.get().status) == (True, 200)


PAGES = ["", REVIEW, APPROVE, "nowhere", "ledger"]


@pytest.mark.parametrize("below", PAGES)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "same-origin"),
    ],
)
def test_headers(console: Served, below: str, name: str, value: str) -> None:
    """Every page, refused or not, is sent with the same headers."""
    assert console.get(below).headers[name] == value


@pytest.mark.parametrize("below", PAGES)
def test_the_policy_lets_nothing_in(console: Served, below: str) -> None:
    """No page may run a script, load anything, or be framed."""
    policy = console.get(below).headers["Content-Security-Policy"].split("; ")
    rules = dict(rule.partition(" ")[::2] for rule in policy)
    assert (rules.pop("style-src")[:8], rules) == (
        "'sha256-",
        {
            "default-src": "'none'",
            "img-src": "data:",
            "form-action": "'self'",
            "base-uri": "'none'",
            "frame-ancestors": "'none'",
        },
    )
