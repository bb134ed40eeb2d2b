"""The sheet of a browser's page on which a review or a preview says its words.

They are the words of the terminal, from the same functions: what a steward reads here is what the
commands say.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from site_agent.console.elements import Html, element, joined, prose

TOP: Final = 2  # the indentation of what stands by itself
ALARM: Final = "WARNING"


class PageSheet:
    """Sections, each with paragraphs and lists, and the list of their headings."""

    def __init__(self) -> None:
        self._blocks: list[Html] = []
        self._items: list[Html] = []
        self._headings: list[str] = []
        self._apart = False

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._end_list()
        self._headings.append(text)
        self._blocks.append(element("h2", text, id=f"part-{len(self._headings)}"))
        self._apart = False

    def say(self, text: str, *, indent: int = TOP, hanging: int = 0) -> None:
        """Add a paragraph; one that is indented more belongs to the one before."""
        self._end_list()
        kinds = ["part"] * (indent > TOP) + ["gap"] * self._apart
        kinds += ["alarm"] * text.startswith(ALARM)
        self._blocks.append(element("p", prose(text), class_=" ".join(kinds)))
        self._apart = False

    def say_all(self, texts: Iterable[str], *, indent: int = TOP) -> None:
        """Add several paragraphs; those that begin with a dash are items of a list."""
        for text in texts:
            if text.startswith("- "):
                self._items.append(element("li", prose(text.removeprefix("- "))))
            else:
                self.say(text, indent=indent)
        self._end_list()

    def gap(self) -> None:
        """Part what comes from what was said."""
        self._apart = True

    def _end_list(self) -> None:
        if self._items:
            self._blocks.append(element("ul", joined(self._items)))
            self._items = []

    @property
    def contents(self) -> Html:
        """Return the headings as links."""
        items = [
            element("li", element("a", text, href=f"#part-{number}"))
            for number, text in enumerate(self._headings, 1)
        ]
        return element("ul", joined(items), class_="contents")

    @property
    def body(self) -> Html:
        """Return all that was said."""
        self._end_list()
        return element("div", joined(self._blocks), class_="sheet")
