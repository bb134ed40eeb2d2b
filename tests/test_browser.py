"""What the browser's findings see, and that a good page has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from tests.browser import WIDTHS, findings, window

GOOD: Final = "<main><h1>Heading</h1><p>A paragraph.</p></main>"


def looked_at(browser: Any, folder: Path, name: str, body: str) -> list[str]:
    """The findings for a page with this body."""
    path = folder / "page.html"
    head = "<meta charset=utf-8><meta name=viewport content='width=device-width'><title>T</title>"
    path.write_text(f"<!DOCTYPE html><html lang=en><head>{head}</head><body>{body}</body></html>")
    with window(browser, name) as view:
        view.page.goto(path.as_uri())
        return [found.split(":")[0] for found in findings(view)]


@pytest.mark.parametrize("name", WIDTHS)
def test_a_good_page(browser: Any, tmp_path: Path, name: str) -> None:
    """Nothing is found in a page without a defect."""
    assert looked_at(browser, tmp_path, name, GOOD) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<p style='width: 2000px'>far</p>", ["sticks out", "sticks out"]),
        ("<div style='overflow: auto' tabindex=0><p style='width: 2000px'>far</p></div>", []),
        (
            "<p style='width: 40px; overflow: hidden; white-space: nowrap'>a long line of text</p>",
            ["is cut off"],
        ),
        ("<p style='color: #bbbbbb'>pale</p>", ["axe color-contrast (serious)"]),
        ("<script>console.error('no')</script>", ["console error"]),
        ("<script>throw new Error('no')</script>", ["error"]),
        ("<img alt='' src='http://other.invalid/'>", ["console error", "asked another host"]),
    ],
)
def test_what_is_found(browser: Any, tmp_path: Path, body: str, found: list[str]) -> None:
    """Each defect is found, and what scrolls by itself is none."""
    assert looked_at(browser, tmp_path, "phone", GOOD.replace("</main>", body + "</main>")) == found
