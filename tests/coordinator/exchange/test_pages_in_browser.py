"""The center's pages in a browser, on a phone and at a desk: a person releases a real draft."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from coordinator.center import add_study, freeze_study
from site_agent.contract.study.read import read_study
from tests.browser import WIDTHS, View, findings, follow, window
from tests.coordinator.exchange.office import PASSWORD
from tests.coordinator.hospitals import SHORT, Center, Served
from tests.coordinator.test_released import whole
from tests.protocol import SITES

LONG_REASON: Final = "Counts and medians are those of the paper; " * 6


@pytest.fixture(scope="module")
def center(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an exchange with two releases, a draft and a release under way."""
    folder = tmp_path_factory.mktemp("center")
    with Served(f"sqlite:///{folder / 'exchange.db'}") as served:
        for site in SITES:
            served.invite(site)
            served.enrol(site)
        served.invite("general-hospital-of-a-long-name")
        home = served.home(folder / "home")
        (folder / "study.yaml").write_text(SHORT, encoding="utf-8")
        add_study(home, folder / "study.yaml")
        freeze_study(home, "protocol")
        hospitals = Center(served, folder, home.frozen("protocol"))
        hospitals.hospitals.approve(*SITES)
        served.put_person("adam", "admin")
        for reason in ("counts as expected", LONG_REASON):
            opened = whole(home, hospitals).driver.release.digest
            served.decide("adam", reason=reason, opened=opened)
        for _ in WIDTHS:
            whole(home, hospitals)
        hospitals.driver().open()
        yield f"http://{served.listen}"


@pytest.mark.parametrize("name", WIDTHS)
def test_a_person_at_work(browser: Any, center: str, name: str) -> None:
    """Logs in, looks at every page, reads a draft's report and releases it, logs out."""
    with window(browser, name) as view:
        view.page.goto(f"{center}/pages/")
        the_login(view)
        the_studies(view)
        for menu in ("Hospitals", "Persons", "Access", "Password"):
            a_page_of_the_menu(view, menu)
        a_study(view)
        a_draft(view)
        a_draft_is_released(view)
        the_archive_is_downloaded(view)
        a_page_that_is_none(view, center)
        logging_out(view, center)


def the_login(view: View) -> None:
    """It is shown first, and what is wrong is told."""
    first = findings(view, "login")
    _log_in(view, "wrong pass phrase")
    wrong = view.page.get_by_role("alert").text_content()
    view.complaints.clear()  # chromium tells of each answer of 403
    assert (first, findings(view, "login-wrong"), wrong) == ([], [], "name or password is wrong")


def _log_in(view: View, password: str) -> None:
    view.page.get_by_label("Name").fill("adam")
    view.page.get_by_label("Password").fill(password)
    follow(view, view.page.get_by_role("button", name="Log in"))


def the_studies(view: View) -> None:
    """After the login."""
    _log_in(view, PASSWORD)
    title = read_study(SHORT, "study").title
    shown = view.page.get_by_role("heading", name=title).is_visible()
    assert (findings(view, "start"), shown) == ([], True)


def a_page_of_the_menu(view: View, name: str) -> None:
    """Each is reached by its link."""
    follow(view, view.page.get_by_role("link", name=name, exact=True))
    heading = view.page.get_by_role("heading", level=1).text_content()
    assert (findings(view, name.lower()), name.lower() in str(heading).lower()) == ([], True)


def a_study(view: View) -> None:
    """Its hospitals and releases, and who is waited for."""
    follow(view, view.page.get_by_role("link", name="Studies", exact=True))
    follow(view, view.page.get_by_role("link", name=read_study(SHORT, "study").title))
    awaited = view.page.get_by_role("cell", name="awaited (opening)").count()
    assert (findings(view, "study"), awaited) == ([], len(SITES))


def a_draft(view: View) -> None:
    """Its page, and its report, which runs under our policy and its own."""
    follow(view, view.page.get_by_role("row").filter(has_text="draft").first.get_by_role("link"))
    found = findings(view, "draft")
    follow(view, view.page.get_by_role("link", name="Report (HTML)"))
    title = view.page.title()
    complaints = list(view.complaints)
    view.page.go_back()
    assert (found, complaints, title.endswith(read_study(SHORT, "study").title)) == ([], [], True)


def a_draft_is_released(view: View) -> None:
    """With a reason; without one the browser asks for it."""
    page = view.page
    page.get_by_role("button", name="Release", exact=True).click()
    still = page.get_by_role("heading", level=1).text_content()
    page.get_by_label("Reason").fill("Looked at; it is right.")
    follow(view, page.get_by_role("button", name="Release", exact=True))
    page.get_by_text("Looked at; it is right.").wait_for()
    done = page.get_by_role("heading", level=1).text_content()
    assert ("draft" in str(still), "released" in str(done), findings(view, "released")) == (
        True,
        True,
        [],
    )


def the_archive_is_downloaded(view: View) -> None:
    """By its link."""
    with view.page.expect_download() as started:
        view.page.get_by_role("link", name="All files (ZIP)").click()
    assert started.value.suggested_filename.startswith("protocol-release-")


def a_page_that_is_none(view: View, center: str) -> None:
    """It is a page, too."""
    view.page.goto(f"{center}/pages/nothing/here")
    view.complaints.clear()  # chromium tells of each answer of 404
    assert findings(view, "nothing") == []


def logging_out(view: View, center: str) -> None:
    """Then the login is shown for every page."""
    view.page.goto(f"{center}/pages/")
    follow(view, view.page.get_by_role("button", name="Log out adam"))
    view.page.goto(f"{center}/pages/sites")
    assert view.page.url == f"{center}/pages/login"
