"""HTML that is put together from elements: whatever is not made by these functions is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Final

EMPTY: Final = frozenset({"input", "link", "meta"})  # elements that have no end


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(content: str) -> Html:
    """Return a text as HTML."""
    return content if isinstance(content, Html) else Html(escape(content))


def prose(content: str) -> Html:
    """Return a sentence as HTML, with what stands between two backticks as code."""
    parts = [content] if isinstance(content, Html) else content.split("`")
    if len(parts) % 2 == 0:  # a backtick alone is meant as one
        return text(content)
    return Html("".join(element("code", p) if n % 2 else text(p) for n, p in enumerate(parts)))


def joined(parts: Iterable[str]) -> Html:
    """Return parts one after the other."""
    return Html("\n".join(map(text, parts)))


def element(tag: str, /, *content: str, **attributes: str | bool) -> Html:
    """Return an element; `_` at the end of an attribute's name falls away, inside it is a dash.

    An attribute that is True stands without a value, one that is False or "" does not stand.
    """
    told = "".join(_attribute(key, value) for key, value in attributes.items() if value)
    if tag in EMPTY:
        return Html(f"<{tag}{told}>")
    return Html(f"<{tag}{told}>{''.join(map(text, content))}</{tag}>")


def _attribute(key: str, value: str | bool) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
