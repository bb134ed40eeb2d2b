"""Pages as people see them: headless chromium at the width of a phone and of a desk.

`findings(view)` says in words all that is wrong with the page on show; a good page has none. With
QUORUM_SCREENSHOTS=FOLDER each page that is looked at is also drawn into FOLDER, to be looked at.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest

PHONE: Final = 390
DESK: Final = 1280
WIDTHS: Final = {"phone": PHONE, "desk": DESK}
HEIGHT: Final = 844
NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
# What sticks out sideways, unless it is inside something that can be scrolled by itself.
STICKS_OUT: Final = """() => {
  const wide = document.documentElement.clientWidth;
  const scrolls = e => e && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX)
    || scrolls(e.parentElement));
  const named = e => e.tagName.toLowerCase() + ' ' + (e.textContent || '').trim().slice(0, 40);
  const out = [...document.body.querySelectorAll('*')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && (box.right > wide + 1 || box.left < -1)
      && !scrolls(e.parentElement) && !e.closest('[aria-hidden="true"]');
  }).map(named);
  return document.documentElement.scrollWidth > wide ? [...out, 'the page itself'] : out;
}"""
# Text that its own box cuts off.
CUT_OFF: Final = """() => [...document.body.querySelectorAll('*')].filter(e => {
    const style = getComputedStyle(e);
    return e.clientWidth > 1 && /hidden|clip/.test(style.overflowX)
      && e.scrollWidth > e.clientWidth + 1;
  }).map(e => e.tagName.toLowerCase() + ' ' + (e.textContent || '').trim().slice(0, 40))"""


@dataclass(slots=True)
class View:
    """A window: `page` is Playwright's; what it complained of and asked for so far."""

    page: Any
    name: str
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def chromium() -> Iterator[Any]:
    """Start the chromium that is installed; skip, in words, where there is none."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        if os.environ.get("QUORUM_TEST_ALL") == "1":
            pytest.fail("no chromium is installed, and QUORUM_TEST_ALL=1 asks for it")
        pytest.skip("no chromium is installed; on Debian: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if os.getuid() == 0 else []  # as root it does not start with one
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=program, args=[*sandbox, "--disable-dev-shm-usage"]
        )
        yield launched
        launched.close()


@contextmanager
def window(browser: Any, name: str, *, cookies: Sequence[Any] = ()) -> Iterator[View]:
    """Open a window as wide as the device of this name (WIDTHS), with cookies if any."""
    phone = name == "phone"
    context = browser.new_context(
        viewport={"width": WIDTHS[name], "height": HEIGHT},
        device_scale_factor=2 if phone else 1,
        is_mobile=phone,
        has_touch=phone,
        locale="en-GB",
    )
    context.add_cookies(cookies)
    view = View(context.new_page(), name)
    view.page.on("console", lambda said: _note_said(view, said))
    view.page.on("pageerror", lambda error: view.complaints.append(f"error: {error}"))
    view.page.on("request", lambda request: view.asked.append(request.url))
    try:
        yield view
    finally:
        context.close()


def _note_said(view: View, said: Any) -> None:
    if said.type in ("error", "warning"):
        view.complaints.append(f"console {said.type}: {said.text}")


def follow(view: View, what: Any) -> None:
    """Click what leads to another page, and wait for that page: a click does not wait itself."""
    with view.page.expect_navigation():
        what.click()


def findings(view: View, title: str = "") -> list[str]:
    """Return what is wrong with the page on show, in words; draw it if that is asked for.

    Looked for are errors and warnings of the console since the window opened, requests to another
    host, what sticks out or is cut off sideways, and violations that axe-core finds.
    """
    page = view.page
    folder = os.environ.get("QUORUM_SCREENSHOTS")
    if folder and title:
        page.screenshot(path=Path(folder) / f"{title}-{view.name}.png", full_page=True)
    host = urlsplit(page.url).netloc
    foreign = sorted({url for url in view.asked if urlsplit(url).netloc not in ("", host)})
    return [
        *view.complaints,
        *(f"asked another host: {url}" for url in foreign),
        *(f"sticks out: {what}" for what in page.evaluate(STICKS_OUT)),
        *(f"is cut off: {what}" for what in page.evaluate(CUT_OFF)),
        *_violations(page),
    ]


def _violations(page: Any) -> list[str]:
    """Return what axe-core finds; it is run by the debugger, which no policy of a page stops."""
    source = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
    page.evaluate(source)
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"axe {rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:120]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]
