from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, anchor, headings, prose, published

PAGES = ("analyses", "cli", "exit-codes", "expressions", "glossary", "protocol", "results")


def links(path: Path) -> list[str]:
    text = re.sub(r"`[^`\n]*`(?!\])", "", prose(path.read_text(encoding="utf-8")))
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


def broken(path: Path, link: str) -> bool:
    name, _, fragment = link.partition("#")
    target = (path.parent / name).resolve() if name else path
    if not target.exists():
        return True
    if not fragment:
        return False
    return fragment not in map(anchor, headings(target.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", published(), ids=lambda path: path.name)
def test_every_relative_link_points_to_something(path: Path) -> None:
    """A relative link names a file that is there, and a heading in it."""
    assert [link for link in links(path) if broken(path, link)] == []


@pytest.mark.parametrize("path", published(), ids=lambda path: path.name)
def test_no_heading_stands_twice_on_a_page(path: Path) -> None:
    """Each heading of a page has an anchor of its own."""
    found = [anchor(heading) for heading in headings(path.read_text(encoding="utf-8"))]
    assert [name for name in found if found.count(name) > 1] == []


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_there(name: str) -> None:
    """Each page that others rely on exists."""
    assert (DOCS / f"{name}.md").exists()


def test_a_broken_link_is_found() -> None:
    """The check itself sees a heading that does not exist."""
    assert broken(DOCS / "glossary.md", "results.md#no-such-heading")
