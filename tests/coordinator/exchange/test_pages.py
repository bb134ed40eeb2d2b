"""The center's pages: who sees what, who may do what, and what protects them."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Final
from urllib.parse import urljoin

import httpx
import pytest
from sqlalchemy import text

from coordinator.exchange.pages import render
from coordinator.exchange.pages.routes import router
from coordinator.exchange.pages.visit import COOKIE
from tests.coordinator.exchange.office import (
    FILES,
    FIRST,
    PASSWORD,
    Office,
    digest,
    opening,
    packed,
)
from tests.protocol import CENTER

RELEASE: Final = f"/pages/releases/{FIRST}"
ROLES: Final = {"vera": "viewer", "anna": "statistician", "adam": "admin"}
OTHER: Final = "another horse battery staple"


class Visit:
    """Somebody with a browser; `token` is that of the session, `form` that of its forms."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.token = ""
        self.form = ""

    def get(self, path: str) -> httpx.Response:
        """A page."""
        return self.office.send("GET", path, headers=self._cookie())

    def post(self, path: str, **fields: str) -> httpx.Response:
        """A form, with the token of the session's forms unless another is given."""
        data = {"form_token": self.form, **fields}
        return self.office.send("POST", path, data=data, headers=self._cookie())

    def _cookie(self) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.token}"} if self.token else {}

    def log_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """A login; the cookie is kept."""
        answer = self.post("/pages/login", name=name, password=password)
        found = re.match(rf"{COOKIE}=([^;]+)", answer.headers.get("set-cookie", ""))
        if found:
            self.token = found[1]
            shown = re.search(r'name="form_token" value="(\w+)"', self.get("/pages/").text)
            assert shown is not None
            self.form = shown[1]
        return answer


@pytest.fixture
def office(sqlite: str) -> Iterator[Office]:
    """An exchange with a draft, and a person of each role."""
    with Office(sqlite) as office:
        office.furnished().post(CENTER, opening())
        office.finished().put_draft()
        for name, role in ROLES.items():
            office.put_person(name, role)
        yield office


@pytest.fixture
def anna(office: Office) -> Visit:
    """A statistician who is logged in."""
    return visit(office, "anna")


def visit(office: Office, name: str) -> Visit:
    """Somebody who is logged in."""
    found = Visit(office)
    found.log_in(name)
    return found


PAGES: Final = {
    "": "viewer",
    "studies/protocol": "viewer",
    "password": "viewer",
    "sites": "statistician",
    f"releases/{FIRST}": "statistician",
    f"releases/{FIRST}/report.html": "statistician",
    f"releases/{FIRST}/archive": "statistician",
    "persons": "admin",
    "access": "admin",
}


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_anything_without_a_login(office: Office, path: str) -> None:
    """The login is shown instead, wherever the exchange is served."""
    answer = Visit(office).get(f"/pages/{path}")
    where = urljoin(f"http://host/prefix/pages/{path}", answer.headers["location"])
    assert (answer.status_code, where) == (303, "http://host/prefix/pages/login")


@pytest.mark.parametrize("name", ROLES)
@pytest.mark.parametrize("path", PAGES)
def test_what_each_role_sees(office: Office, name: str, path: str) -> None:
    """Drafts, hospitals and files are for statisticians, accounts for admins."""
    order = list(ROLES.values())
    allowed = order.index(ROLES[name]) >= order.index(PAGES[path])
    status = visit(office, name).get(f"/pages/{path}").status_code
    assert (status == 200, status in (403, 404)) == (allowed, not allowed)


def test_a_viewer_sees_what_was_released(office: Office) -> None:
    """Its report, and neither its files nor their hashes, of which guesses could be compared."""
    office.decide()
    vera = visit(office, "vera")
    shown = vera.get(RELEASE).text
    report = vera.get(f"{RELEASE}/report.html")
    assert (report.content, "counts as expected" in shown, "curve.csv" in shown) == (
        FILES["report.html"],
        True,
        False,
    )
    assert vera.get(f"{RELEASE}/archive").status_code == 403
    assert vera.get(f"{RELEASE}/curve.csv").status_code == 404


def test_a_viewer_does_not_know_of_drafts(office: Office) -> None:
    """Neither by the list, nor by the number of them."""
    vera = visit(office, "vera")
    text = vera.get("/pages/").text + vera.get("/pages/studies/protocol").text
    assert ("draft" in text.lower(), FIRST in text) == (False, False)


@pytest.mark.parametrize("state", ["released", "rejected"])
def test_a_draft_is_decided_on_its_page(anna: Visit, state: str) -> None:
    """With a reason; then the form is gone, and the decision is shown."""
    answer = anna.post(f"{RELEASE}/decision", decision=state, reason="looked at it")
    shown = anna.get(RELEASE).text
    assert answer.status_code == 303
    assert (f"Release 1: {state}" in shown, "looked at it" in shown, "Decide" in shown) == (
        True,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reason": " "}, 400),
        ({"reason": "x", "decision": "draft"}, 400),
        ({"reason": "x", "form_token": ""}, 403),
        ({"reason": "x", "form_token": "0" * 64}, 403),
        ({"reason": "x", "form_token": "ü"}, 403),
    ],
)
def test_decisions_that_are_none(anna: Visit, fields: dict[str, str], status: int) -> None:
    """Without a reason, or not from a form of this session."""
    answer = anna.post(f"{RELEASE}/decision", **{"decision": "released", **fields})
    assert (answer.status_code, "Release 1: draft" in anna.get(RELEASE).text) == (status, True)


def test_a_viewer_decides_nothing(office: Office) -> None:
    """Whatever form they send."""
    vera = visit(office, "vera")
    assert vera.post(f"{RELEASE}/decision", decision="released", reason="x").status_code == 403


def test_what_was_typed_stays(anna: Visit) -> None:
    """A reason that was refused is in the form again, as text."""
    answer = anna.post(f"{RELEASE}/decision", decision="x", reason="</textarea><b>why")
    assert "&lt;/textarea&gt;&lt;b&gt;why" in answer.text


def test_a_form_that_another_site_sends(office: Office) -> None:
    """Browsers say so; no login by it either."""
    data = {"name": "anna", "password": PASSWORD}
    for site, status in (("cross-site", 403), ("same-site", 403), ("same-origin", 303)):
        answer = office.send("POST", "/pages/login", data=data, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == status


def test_the_cookie_of_a_session(office: Office) -> None:
    """No script reads it, it goes over TLS alone, and not along with another site's requests."""
    answer = Visit(office).log_in("anna")
    said = answer.headers["set-cookie"].lower()
    parts = {part.strip() for part in said.split(";")[1:]}
    assert (COOKIE.startswith("__Host-"), parts) == (
        True,
        {"httponly", "secure", "samesite=strict", "path=/", "max-age=43200"},
    )


def test_a_login_that_fails(office: Office) -> None:
    """Name and password stay what they are: the page asks again, and tells no more."""
    visitor = Visit(office)
    answers = [visitor.log_in(name, OTHER) for name in ("anna", "nobody")]
    assert {(one.status_code, "name or password is wrong" in one.text) for one in answers} == {
        (403, True)
    }
    assert (visitor.token, PASSWORD in answers[0].text) == ("", False)


def test_too_many_logins(office: Office) -> None:
    """After five wrong passwords there is none for a while."""
    codes = [Visit(office).log_in("anna", OTHER).status_code for _ in range(6)]
    assert codes == [403] * 5 + [429]


def test_logging_out(anna: Visit) -> None:
    """The token leads to nobody any more, and a link logs nobody out."""
    by_link = anna.get("/pages/logout").status_code
    answer = anna.post("/pages/logout")
    assert (by_link, answer.status_code, anna.get("/pages/").status_code) == (404, 303, 303)


def test_the_headers_of_a_page(anna: Visit) -> None:
    """Nothing runs, nothing is loaded or kept, nobody puts a page into a frame."""
    answer = anna.get("/pages/")
    policy = dict(
        part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";")
    )
    assert {name: policy[name] for name in policy if name != "style-src"} == {
        "default-src": "'none'",
        "img-src": "data:",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    told = {name: answer.headers[name] for name in ("cache-control", "x-content-type-options")}
    assert told == {"cache-control": "no-store", "x-content-type-options": "nosniff"}


def test_a_report_may_run_nothing(anna: Visit) -> None:
    """Whatever its own policy says."""
    answer = anna.get(f"{RELEASE}/report.html")
    assert answer.headers["content-security-policy"] == render.OF_REPORTS
    assert "default-src 'none'" in render.OF_REPORTS


def test_the_archive_of_a_release(anna: Visit) -> None:
    """The same bytes each time, with a name to be kept under."""
    answers = [anna.get(f"{RELEASE}/archive") for _ in range(2)]
    with zipfile.ZipFile(io.BytesIO(answers[0].content)) as archive:
        names = archive.namelist()
    assert answers[0].content == answers[1].content
    assert answers[0].headers["content-disposition"] == (
        'attachment; filename="protocol-release-1.zip"'
    )
    assert set(names) >= {f"protocol-release-1/{name}" for name in FILES}


def test_a_file_that_was_changed(anna: Visit) -> None:
    """The page of its release says so, and the file is not shown."""
    with anna.office.store.engine.begin() as connection:
        connection.execute(
            text("UPDATE files SET body = :b WHERE name = 'report.html'"), {"b": b""}
        )
    shown = anna.get(RELEASE).text
    assert ("these files are not what the center signed" in shown, "report.html." in shown) == (
        True,
        True,
    )
    assert anna.get(f"{RELEASE}/report.html").status_code == 500


def test_what_is_under_way(anna: Visit) -> None:
    """A study's page says for whom a release waits, and who is online."""
    anna.office.post(CENTER, opening(2))
    shown = anna.get("/pages/studies/protocol").text
    assert ("release 2: opening, waiting for alder" in shown, "awaited (opening)" in shown) == (
        True,
        True,
    )
    assert "online" in shown


def test_a_release_lists_its_predecessors(anna: Visit) -> None:
    """What was released before, and no draft."""
    office = anna.office
    office.decide()
    wire = opening(2)
    office.now += 100
    office.post(CENTER, wire)
    second = digest(wire)
    office.finished(second)
    office.put_draft(packed(opened=second, number=2), second)
    shown = anna.get(f"/pages/releases/{second}").text.partition("Released before")[2]
    assert (FIRST in shown, "Release 1" in shown) == (True, True)


def test_accounts_are_kept(office: Office) -> None:
    """An admin adds, changes and removes; each is in the log of access."""
    adam = visit(office, "adam")
    codes = [
        adam.post("/pages/persons", do="add", name="otto", role="viewer", new=OTHER).status_code,
        visit(office, "otto").get("/pages/").status_code,
        adam.post("/pages/persons", do="change", name="vera", role="admin", new="").status_code,
        adam.post("/pages/persons", do="remove", name="anna").status_code,
    ]
    listed = office.ask(CENTER, "GET", "/v1/persons").json()["persons"]
    roles = {one["name"]: one["role"] for one in listed}
    log = adam.get("/pages/access").text
    assert codes == [303, 303, 303, 303]
    assert roles == {"adam": "admin", "otto": "viewer", "vera": "admin"}
    assert all(words in log for words in ("added as viewer", "is admin now", "removed", "by adam"))


@pytest.mark.parametrize(
    "fields",
    [
        {"do": "add", "name": "vera", "role": "viewer", "new": OTHER},
        {"do": "add", "name": "Otto", "role": "viewer", "new": OTHER},
        {"do": "add", "name": "otto", "role": "boss", "new": OTHER},
        {"do": "add", "name": "otto", "role": "viewer", "new": "short"},
        {"do": "add", "name": "otto", "role": "viewer", "new": ""},
        {"do": "change", "name": "otto", "role": "viewer", "new": OTHER},
        {"do": "change", "name": "adam", "role": "viewer"},
        {"do": "remove", "name": "adam"},
        {"do": "remove", "name": "otto"},
        {"do": "?", "name": "vera"},
    ],
)
def test_accounts_that_are_none(office: Office, fields: dict[str, str]) -> None:
    """It is said, and nothing changes."""
    adam = visit(office, "adam")
    answer = adam.post("/pages/persons", **fields)
    listed = office.ask(CENTER, "GET", "/v1/persons").json()["persons"]
    found = {one["name"]: one["role"] for one in listed}
    assert (answer.status_code in (400, 403), 'role="alert"' in answer.text, found) == (
        True,
        True,
        dict(sorted(ROLES.items())),
    )


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 303),
        ({"old": OTHER}, 403),
        ({"again": "yet another pass phrase"}, 400),
        ({"new": "short", "again": "short"}, 400),
    ],
)
def test_an_own_password(office: Office, fields: dict[str, str], status: int) -> None:
    """With the present one; then the session is over."""
    vera = visit(office, "vera")
    said = {"old": PASSWORD, "new": OTHER, "again": OTHER, **fields}
    answer = vera.post("/pages/password", **said)
    over = vera.get("/pages/").status_code == 303
    assert (answer.status_code, over) == (status, status == 303)


NONE: Final = ("nothing", "studies/none", "releases/zero", f"releases/{'0' * 64}")


@pytest.mark.parametrize("path", NONE)
def test_pages_that_are_none(anna: Visit, path: str) -> None:
    """A page says so."""
    answer = anna.get(f"/pages/{path}")
    assert (answer.status_code, "<h1>Not possible</h1>" in answer.text) == (404, True)


@pytest.mark.parametrize("body", [b"\xff", b"&".join([b"a=b"] * 30), b"a" * 70_000])
def test_forms_that_are_none(office: Office, body: bytes) -> None:
    """Neither text, nor few fields, nor short."""
    answer = office.send("POST", "/pages/login", content=body)
    assert answer.status_code in (400, 413)


def test_no_page_without_a_role(office: Office) -> None:
    """Each address has its role in the table above, or is for anybody: nothing is forgotten."""
    routes = {
        (method, route.path)
        for route in router.routes
        for method in route.methods  # type: ignore[attr-defined]
    }
    open_to_all = {(method, "/pages/login") for method in ("GET", "POST")}
    open_to_all |= {("GET", "/pages/{anything:path}")}
    answers = {
        (method, path): office.send(method, _filled(path)).status_code
        for method, path in routes - open_to_all
    }
    assert set(answers.values()) == {303}


def _filled(path: str) -> str:
    return path.replace("{name}", "report.html").replace("{opened}", FIRST)
