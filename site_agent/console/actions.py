"""The pages that do something, each by the functions of the command of the same name."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from http import HTTPStatus
from typing import Final

from site_agent import decisions
from site_agent.console.answers import Answer, Problem, form, pairs, see, shown
from site_agent.console.elements import Html, element, joined
from site_agent.console.pages import hash_in
from site_agent.console.request import Console, Request
from site_agent.console.session import COOKIE
from site_agent.console.sheet import PageSheet
from site_agent.contract.identity import fingerprint
from site_agent.contract.study.model import Study
from site_agent.decisions import Said
from site_agent.review.document import plain
from site_agent.review.wording import counted, listed, quoted
from site_agent.runtime.http import patiently
from site_agent.shelf import Shelf
from site_agent.site import Site
from site_agent.standing import standing

DAY: Final = len("2027-12-31")
USED: Final = (
    "This link was used already: it opens one browser, once. If that was not you, end the console "
    "with Ctrl-C and look at the ledger. Otherwise begin anew with `site-agent console`."
)
BEFORE_APPROVAL: Final = (
    "I have read what this study does and what it gives away, and compared the fingerprints."
)
BEFORE_REVOKING: Final = "No question of this study shall be answered from now on."


def show_link(console: Console, request: Request) -> Answer:
    """Return the page to which the one-time link leads."""
    _refuse_used(console, request)
    button = element("button", "Open the console")
    where = console.session.base + request.path
    own = f"This opens the console of {plain(console.site.name)} in this browser, and in no other."
    return shown(
        "Console of the data steward",
        element("p", own),
        element("form", button, method="post", action=where),
    )


def use_link(console: Console, request: Request) -> Answer:
    """Let this browser in, once."""
    _refuse_used(console, request)
    session = console.session
    cookie = session.use_link(request.path.removeprefix("link/"))
    if cookie is None:  # somebody was faster
        raise Problem(HTTPStatus.FORBIDDEN, USED)
    console.exchange.words(0.0)
    told = f"{COOKIE}={cookie}; Path={session.base}; HttpOnly; SameSite=Strict"
    found = see(session, "")
    return Answer(found.status, found.body, {**found.headers, "Set-Cookie": told})


def _refuse_used(console: Console, request: Request) -> None:
    if not console.session.is_link(request.path.removeprefix("link/")):
        raise Problem(HTTPStatus.FORBIDDEN, "This is not the link that the console has printed.")
    if console.session.opened:
        raise Problem(HTTPStatus.FORBIDDEN, USED)


def fetch(console: Console, _: Request) -> Answer:
    """Fetch the studies that the center has, as `site-agent studies` does."""
    with console.fetching:
        found = patiently(lambda: standing(console.site), tell=lambda _: None)
    console.exchange.forget()
    session = console.session
    session.note(f"The center has {counted(len(found), 'study', 'studies')} for this hospital.")
    for entry in found:
        if entry.get("problem"):
            session.note(f"{plain(entry['name'])} was not taken: {plain(entry['problem'])}")
    return see(session, "")


def show_preview(console: Console, request: Request) -> Answer:
    """Return the page that asks whether the preview is to be worked out."""
    found = _study(console, request)
    text = (
        "The numbers that this hospital would put into a release are worked out on this machine, "
        "from its own data. Nothing is sent, and nothing is written down. It can take some "
        "minutes. They are this hospital's own numbers: keep what is shown, and what you print, "
        "as you keep the data."
    )
    asked = form(console.session, request.path, element("button", "Work it out"))
    return shown(
        _about("What would leave", found), _back(console, found), element("p", text), asked
    )


def preview(console: Console, request: Request) -> Answer:
    """Return what would leave, as `site-agent preview` does; it is not kept."""
    from site_agent import preview as previews
    from site_agent.preview_document import preview_document
    from site_agent.preview_words import lay_out

    found = _study(console, request)
    if not console.computing.acquire(blocking=False):
        raise Problem(
            HTTPStatus.CONFLICT, "Another preview is being worked out; wait until it is there."
        )
    try:
        worked_out = previews.preview(console.site, found.hash)
    finally:
        console.computing.release()
    sheet = PageSheet()
    lay_out(sheet, preview_document(worked_out, full=False))
    title = _about("What would leave", found)
    parts = [_back(console, found), sheet.contents, sheet.body]
    return shown(title, *parts, session=console.session)


def show_approve(console: Console, request: Request) -> Answer:
    """Return the form with which a study is approved."""
    found, site = _study(console, request), console.site
    end = decisions.last_instant(None)
    decisions.question(site, found, end)
    day = {"type": "date", "id": "until", "name": "until", "value": end[:DAY]}
    asked = form(
        console.session,
        request.path,
        element("label", "Last day of the approval (UTC)", for_="until"),
        element("input", **day, required=True),
        _hash_field(found),
        _choice(BEFORE_APPROVAL),
        element("button", "Approve"),
    )
    text = (
        "From the moment of your approval the agent answers the releases of exactly this study "
        "without asking. It stands in the ledger. You can revoke it at any time; what was opened "
        "until then cannot be taken back."
    )
    told = pairs(_what(found, site))
    parts = [_back(console, found), told, element("p", text), asked]
    return shown(_about("Approve", found), *parts, session=console.session)


def _what(found: Study, site: Site) -> Iterable[tuple[str, str]]:
    """Yield what is approved, in short; the study's own page has all of it."""
    yield "Study", plain(found.name)
    yield "Hash", element("code", found.hash)
    yield "For", plain(site.name)
    yield "Fingerprint here", fingerprint(site.keys.pinned_by(found).member())
    if found.revises:
        yield "In place of", element("code", found.revises)
    yield "Classes of sums", listed(found.policy.classes)
    exceptions = [
        element("li", f"{plain(item.analysis)}: {quoted(plain(item.because))}")
        for item in found.policy.accepted
    ]
    yield "Accepted exceptions", element("ul", joined(exceptions)) if exceptions else "none"


def approve(console: Console, request: Request) -> Answer:
    """Approve a study, as `site-agent approve` does."""
    found = _study(console, request)
    _refuse_unconfirmed(request, found)
    end = decisions.last_instant(_day(request.fields.get("until", "")))
    decisions.question(console.site, found, end)
    return _decided(console, found, decisions.approve(console.site, found, end))


def show_revoke(console: Console, request: Request) -> Answer:
    """Return the form with which an approval is ended."""
    found = _study(console, request)
    decisions.refuse_unapproved(console.site, found)
    asked = form(
        console.session,
        request.path,
        _hash_field(found),
        _choice(BEFORE_REVOKING),
        element("button", "Revoke"),
    )
    text = (
        "A release that is under way is not answered any further. Releases that are closed cannot "
        "be taken back. You can approve the study again later."
    )
    told = pairs([("Study", plain(found.name)), ("Hash", element("code", found.hash))])
    parts = [_back(console, found), told, element("p", text), asked]
    return shown(_about("Revoke", found), *parts, session=console.session)


def revoke(console: Console, request: Request) -> Answer:
    """End the approval of a study, as `site-agent revoke` does."""
    found = _study(console, request)
    _refuse_unconfirmed(request, found)
    return _decided(console, found, decisions.revoke(console.site, found))


def end(console: Console, _: Request) -> Answer:
    """End the console."""
    text = "The console has ended. You can close this page."
    found = shown("Ended", element("p", text))
    gone = f"{COOKIE}=; Path={console.session.base}; HttpOnly; SameSite=Strict; Max-Age=0"
    return Answer(found.status, found.body, {"Set-Cookie": gone}, ends=True)


def _decided(console: Console, found: Study, saying: Iterable[Said]) -> Answer:
    """Do what is decided, keep what it says for the study's page, and go there."""
    with console.deciding:
        for said in saying:
            console.session.note(said.text)
    return see(console.session, f"studies/{found.hash}")


def _study(console: Console, request: Request) -> Study:
    return Shelf(console.site).study(hash_in(request))


def _refuse_unconfirmed(request: Request, found: Study) -> None:
    """Refuse a form that names another study than its address, or whose box was not ticked."""
    if request.fields.get("hash") != found.hash:
        raise Problem(HTTPStatus.BAD_REQUEST, "The form is of another study. Nothing was changed.")
    if request.fields.get("confirmed") != "yes":
        raise Problem(HTTPStatus.BAD_REQUEST, "The box was not ticked. Nothing was changed.")


def _day(text: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time())
    except ValueError:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "The last day is no date; expected one as 2027-12-31. Nothing was changed.",
        ) from None


def _hash_field(found: Study) -> Html:
    return element("input", type="hidden", name="hash", value=found.hash)


def _choice(words: str) -> Html:
    box = element("input", type="checkbox", name="confirmed", value="yes", required=True)
    return element("label", box, element("span", words), class_="choice")


def _about(what: str, found: Study) -> str:
    return f"{what}: {plain(found.title or found.name)}"


def _back(console: Console, found: Study) -> Html:
    where = f"{console.session.base}studies/{found.hash}"
    return element("p", element("a", "Back to the study", href=where))
