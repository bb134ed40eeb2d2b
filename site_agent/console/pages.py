"""The pages that only show: the studies, one of them, the ledger, the state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

from site_agent.approvals import Approval, approvals
from site_agent.console.answers import Answer, Problem, form, pairs, shown
from site_agent.console.elements import Html, element, joined, prose
from site_agent.console.request import Console, Request
from site_agent.console.sheet import PageSheet
from site_agent.contract.study.model import Study
from site_agent.ledger import Ledger
from site_agent.ledger_words import with_words
from site_agent.review.document import plain, review_document
from site_agent.review.page import lay_out
from site_agent.review.wording import counted
from site_agent.shelf import Shelf
from site_agent.standing import agent_in_words, in_words, releases_in_words, status

A_PAGE: Final = 50  # entries of the ledger
SHORT: Final = 16
GROUPS: Final[Mapping[str, str]] = {
    "waiting": "Waiting for your decision",
    "approved": "Approved",
    "ended": "Ended",
}
STAYS: Final = (
    "What is shown here comes from this machine and stays on it. The pages load nothing from "
    "anywhere else."
)


def start(console: Console, _: Request) -> Answer:
    """Return the first page: how things stand, and the studies."""
    site, session = console.site, console.session
    shelf, ledger = Shelf(site), site.ledger()
    state = pairs(
        [
            ("Exchange", console.exchange.words()),
            ("Agent", agent_in_words(site)),
            ("Releases", releases_in_words(ledger.entries)),
            ("Ledger", f"{counted(len(ledger.entries), 'entry', 'entries')}, chain verified"),
        ]
    )
    fetch = form(session, "fetch", element("button", "Fetch what the center has", class_="other"))
    problems = [
        element("p", prose(f"Not usable: {error}"), class_="box warning")
        for error in shelf.unreadable()
    ]
    listed = [*_studies(console, shelf.readable(), ledger)]
    none = element("p", "No study is here yet.")
    note = element("p", STAYS, class_="note")
    parts = [state, *problems, *(listed or [none]), fetch, note]
    return shown(f"Studies of {plain(site.name)}", *parts, session=session)


def _studies(console: Console, studies: Mapping[str, Study], ledger: Ledger) -> Iterator[Html]:
    """Yield the studies under a heading for each way in which they can stand."""
    known, now = approvals(ledger.entries), ledger.now()
    for group, heading in GROUPS.items():
        cards = [
            _card(console, study, in_words(approval, now))
            for study, approval in ((s, known.get(s.hash, Approval())) for s in studies.values())
            if _group(approval, now) == group
        ]
        if cards:
            yield element("h2", heading)
            yield element("ul", joined(cards), class_="cards")


def _group(approval: Approval, now: str) -> str:
    if approval.stands(now):
        return "approved"
    return "ended" if approval.state in ("revoked", "superseded") else "waiting"


def _card(console: Console, study: Study, standing: str) -> Html:
    where = f"{console.session.base}studies/{study.hash}"
    title = element("a", plain(study.title or study.name), href=where)
    named = joined([plain(study.name), element("code", study.hash[:SHORT])])
    lines = [element("h3", title), element("p", named, class_="note"), element("p", standing)]
    return element("li", joined(lines))


def study(console: Console, request: Request) -> Answer:
    """Return a study in plain words, and what can be done with it."""
    site, session = console.site, console.session
    shelf, ledger = Shelf(site), site.ledger()
    found = shelf.study(hash_in(request))
    approval = approvals(ledger.entries).get(found.hash, Approval())
    sheet = PageSheet()
    before = shelf.earlier(found.revises) if found.revises else None
    lay_out(sheet, review_document(found, site.name, before))
    state = pairs(
        [
            ("Stands", in_words(approval, ledger.now())),
            ("Hash", element("code", found.hash)),
            ("Agent", agent_in_words(site)),
        ]
    )
    ways = element("div", joined(_ways(console, found, approval)), class_="buttons")
    title = plain(found.title or found.name)
    return shown(title, state, ways, sheet.contents, sheet.body, ways, session=session)


def _ways(console: Console, found: Study, approval: Approval) -> Iterator[Html]:
    """Yield the ways from a study to what can be done with it."""
    here = f"{console.session.base}studies/{found.hash}"
    yield element("a", "What would leave", class_="way", href=f"{here}/preview")
    if approval.state != "superseded":
        again = "Approve again" if approval.state == "approved" else "Approve"
        yield element("a", again, class_="way", href=f"{here}/approve")
    if approval.state == "approved":
        yield element("a", "Revoke", class_="way", href=f"{here}/revoke")


def hash_in(request: Request) -> str:
    """Return the hash that stands in a path."""
    return request.path.split("/")[1]


def ledger(console: Console, request: Request) -> Answer:
    """Return a page of the ledger, the newest entries first."""
    site, session = console.site, console.session
    found = site.ledger()
    pages = max(1, -(-len(found.entries) // A_PAGE))
    asked = request.query.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < SHORT else 0
    if not 1 <= number <= pages:
        text = f"The ledger has {counted(pages, 'page')}."
        raise Problem(HTTPStatus.NOT_FOUND, text)
    newest = found.entries[::-1][(number - 1) * A_PAGE : number * A_PAGE]
    rows = [_entry(entry, words) for entry, words in with_words(newest, Shelf(site).readable())]
    verified = (
        f"{counted(len(found.entries), 'entry', 'entries')}, and each follows from the one before: "
        f"the chain was verified for this page. Its head is"
    )
    parts = [element("p", joined([verified, element("code", found.head)]))]
    if rows:
        parts.append(element("h2", f"Page {number} of {pages}, newest first"))
        parts.append(element("ul", joined(rows), class_="entries"))
    else:
        parts.append(element("p", "Nothing was approved, answered or refused."))
    parts.append(element("div", joined(_turns(console, number, pages)), class_="buttons"))
    return shown("Ledger", *parts, session=session)


def _entry(entry: Mapping[str, Any], words: str) -> Html:
    at = str(entry["at"])
    shown_at = element("time", f"{at[:10]} {at[11:19]} UTC", datetime=at)
    label = element("p", f"Entry {entry['number']}, ", shown_at, class_="note")
    return element("li", label, element("p", words, class_="words"))


def _turns(console: Console, number: int, pages: int) -> Iterator[Html]:
    where = f"{console.session.base}ledger?page="
    if number > 1:
        yield element("a", "Newer entries", href=f"{where}{number - 1}")
    if number < pages:
        yield element("a", "Older entries", href=f"{where}{number + 1}")


def state(console: Console, _: Request) -> Answer:
    """Return what `site-agent status` says."""
    found, trouble = status(console.site)
    names = {name: name.replace("_", " ").capitalize() for name in found} | {"url": "Address"}
    told = pairs((names[name], plain(words)) for name, words in found.items())
    text = (
        element("p", prose(str(trouble)), class_="box warning") for trouble in [trouble] if trouble
    )
    note = "The exchange was asked for this page, as `site-agent status` does."
    note_element = element("p", prose(note), class_="note")
    return shown("State", *text, told, note_element, session=console.session)
