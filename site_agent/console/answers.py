"""What the console answers with: pages of one frame, and what a browser may do with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from site_agent.console.elements import Html, element, joined, prose
from site_agent.console.session import Session
from site_agent.console.style import STYLE
from site_agent.runtime.policy import style_source

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src {style_source(STYLE)}; img-src data:; "
        f"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with "no-referrer" a browser tells no origin of a form
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
PLACES: Final = (("", "Studies"), ("ledger", "Ledger"), ("state", "State"))


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent: a status, a body and headers besides HEADERS. `ends`: it is the last one."""

    status: HTTPStatus
    body: Html
    headers: Mapping[str, str] = field(default_factory=dict)
    ends: bool = False


class Problem(Exception):
    """Something is wrong with a request; the text is for the page."""

    def __init__(self, status: HTTPStatus, text: str, **headers: str) -> None:
        self.status = status
        self.headers = headers
        super().__init__(text)


def see(session: Session, where: str) -> Answer:
    """Send on to another page of the session."""
    return Answer(HTTPStatus.SEE_OTHER, Html(""), {"Location": session.base + where})


def shown(
    title: str, *parts: str, session: Session | None = None, status: HTTPStatus = HTTPStatus.OK
) -> Answer:
    """Return a page; with a session it has the way to the others, and what is to be told once."""
    notes = session.notes() if session else []
    told = (
        [element("div", joined(_paragraphs(notes)), class_="box", role="status")] if notes else []
    )
    main = element("main", joined([*told, element("h1", title), *parts]), id="main")
    body = [element("a", "To the content", class_="skip", href="#main"), _header(session), main]
    head = [
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light"),
        element("link", rel="icon", href="data:,"),
        element("title", f"{title} - Quorum console"),
        element("style", Html(STYLE)),
    ]
    page = element("html", element("head", joined(head)), element("body", joined(body)), lang="en")
    return Answer(status, Html(f"<!doctype html>\n{page}\n"))


def told_wrong(
    title: str, text: str, *, status: HTTPStatus, session: Session | None = None
) -> Answer:
    """Return a page that says what is wrong."""
    told = element("p", prose(text), class_="box warning", role="alert")
    return shown(title, told, session=session, status=status)


def form(session: Session, where: str, *parts: str, class_: str = "") -> Html:
    """Return a form of this session, which sends to a page of it."""
    token = element("input", type="hidden", name="form_token", value=session.form_token)
    inside = joined([token, *parts])
    return element("form", inside, method="post", action=session.base + where, class_=class_)


def pairs(told: Iterable[tuple[str, str]]) -> Html:
    """Return names with what belongs to each."""
    lines = [
        line for name, words in told for line in (element("dt", name), element("dd", prose(words)))
    ]
    return element("dl", joined(lines))


def _paragraphs(lines: Iterable[str]) -> list[Html]:
    return [element("p", prose(line)) for line in lines]


def _header(session: Session | None) -> Html:
    name = element("span", "Quorum console", class_="name")
    if session is None or session.ended.is_set():
        return element("header", element("div", name))
    links = [
        element("li", element("a", words, href=session.base + where)) for where, words in PLACES
    ]
    places = element("nav", element("ul", joined(links)), aria_label="Pages")
    end = form(session, "end", element("button", "End", class_="other"))
    return element("header", element("div", joined([name, places, end])))
