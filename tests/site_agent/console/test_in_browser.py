"""The console as a steward sees it: headless chromium as phone and desk, looked at page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser import WIDTHS, View, findings, window
from tests.coordinator.exchange.office import STUDY_HASH
from tests.site_agent.console.conftest import Hospital
from tests.site_agent.console.serving import Served
from tests.site_agent.hospital import OTHER_TEXT, keep

STUDY = f"studies/{STUDY_HASH}"


@pytest.fixture(params=WIDTHS)
def view(request: pytest.FixtureRequest, browser: Any, closed: Served) -> Iterator[View]:
    """A window in which the printed link was opened, and its button pressed."""
    with window(browser, request.param) as found:
        found.page.goto(closed.server.url + closed.session.link)
        press(found, "Open the console")
        yield found


def press(view: View, name: str) -> None:
    """Press a button and wait for the page behind it."""
    with view.page.expect_navigation():
        view.page.get_by_role("button", name=name, exact=True).first.click()


def follow(view: View, name: str) -> None:
    """Follow a link and wait for the page behind it."""
    with view.page.expect_navigation():
        view.page.get_by_role("link", name=name).first.click()


def heading(view: View) -> str:
    """The heading of the page on show."""
    return str(view.page.locator("h1").inner_text())


def approve(view: View) -> None:
    """Approve the study on show."""
    follow(view, "Approve")
    view.page.get_by_role("checkbox").check()
    press(view, "Approve")


def test_from_reading_to_revoking(view: View, hospital: Hospital) -> None:
    """Read, preview, approve, revoke, ledger: with clicks alone, and each is in the ledger."""
    follow(view, "Five hospitals with made-up patients")
    follow(view, "What would leave")
    press(view, "Work it out")
    follow(view, "Back to the study")
    approve(view)
    follow(view, "Revoke")
    view.page.get_by_role("checkbox").check()
    press(view, "Revoke")
    follow(view, "Ledger")
    shown = view.page.locator("p.words").all_inner_texts()
    assert ([entry["event"] for entry in hospital.entries()], [one[:20] for one in shown]) == (
        ["approved", "revoked"],
        ["the steward revoked ", "the steward approved"],
    )


def test_the_box_must_be_ticked(view: View, hospital: Hospital) -> None:
    """The browser itself sends no approval whose box is not ticked."""
    view.page.goto(f"{view.page.url}{STUDY}/approve")
    view.page.get_by_role("button", name="Approve").click()
    assert (view.page.locator("input:invalid").count(), hospital.entries()) == (1, [])


def test_the_link_opens_one_browser(view: View, browser: Any, closed: Served) -> None:
    """Another browser with the same link is told that it was used."""
    with window(browser, "desk") as other:
        other.page.goto(closed.server.url + closed.session.link)
        text = other.page.get_by_role("alert").inner_text()
    assert "This link was used already" in text


def test_the_end(view: View) -> None:
    """Behind the button the pages are gone."""
    start = view.page.url
    press(view, "End")
    ended = heading(view)
    view.page.goto(start)
    assert (ended, heading(view)) == ("Ended", "This is not done")


def test_another_page_cannot_send_a_form(view: View, hospital: Hospital) -> None:
    """A page of another origin in the same browser approves nothing."""
    where = f"{view.page.url}{STUDY}/approve"
    other = view.page.context.new_page()
    fields = "".join(
        f"<input name={name} value={value}>"
        for name, value in {"hash": STUDY_HASH, "until": "2999-12-31", "confirmed": "yes"}.items()
    )
    other.set_content(f"<form method=post action='{where}'>{fields}<button>Win</button></form>")
    with other.expect_navigation():
        other.get_by_role("button").click()
    assert (other.locator("h1").inner_text(), hospital.entries()) == ("This is not done", [])


PAGES = {
    "start": "",
    "study": STUDY,
    "before preview": f"{STUDY}/preview",
    "approve": f"{STUDY}/approve",
    "ledger": "ledger",
    "state": "state",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_good_page(view: View, hospital: Hospital, name: str) -> None:
    """Nothing is found in a page, approved or not."""
    keep(hospital.site, OTHER_TEXT)
    hospital.site.ledger().append("approved", study=STUDY_HASH, until="2999-12-31T23:59:59Z")
    view.page.goto(view.page.url + PAGES[name])
    assert findings(view, f"console-{name.replace(' ', '-')}") == []


def test_a_good_link_page(browser: Any, closed: Served) -> None:
    """Nothing is found in the page that the link leads to."""
    with window(browser, "phone") as view:
        view.page.goto(closed.server.url + closed.session.link)
        assert findings(view, "console-link") == []


def test_a_good_preview(view: View) -> None:
    """Nothing is found in the page of the numbers."""
    view.page.goto(f"{view.page.url}{STUDY}/preview")
    press(view, "Work it out")
    assert findings(view, "console-preview") == []


def test_a_good_page_after_a_decision(view: View) -> None:
    """Nothing is found in the page that says what was done."""
    follow(view, "Five hospitals with made-up patients")
    approve(view)
    assert findings(view, "console-approved") == []


def test_a_good_revocation(view: View, hospital: Hospital) -> None:
    """Nothing is found in the form of a revocation."""
    hospital.site.ledger().append("approved", study=STUDY_HASH, until="2999-12-31T23:59:59Z")
    view.page.goto(f"{view.page.url}{STUDY}/revoke")
    assert findings(view, "console-revoke") == []


def test_a_good_refusal(view: View) -> None:
    """In a page that says no, nothing is found but the status, which the browser tells."""
    view.page.goto(f"{view.page.url}{STUDY}/revoke")
    view.complaints.clear()
    assert findings(view, "console-refusal") == []


def test_printed(view: View) -> None:
    """On paper there is the study without buttons and forms."""
    view.page.goto(view.page.url + STUDY)
    view.page.emulate_media(media="print")
    seen = [view.page.locator(each).first.is_visible() for each in ("h1", ".sheet", "header")]
    assert seen == [True, True, False]
