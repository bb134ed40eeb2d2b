"""HTML that is put together from elements: texts are escaped, wherever they stand."""

from __future__ import annotations

import pytest

from site_agent.console.elements import Html, element, joined, prose, text

NASTY = "<b a='1' c=\"2\">&"
ESCAPED = "&lt;b a=&#x27;1&#x27; c=&quot;2&quot;&gt;&amp;"


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (text(NASTY), ESCAPED),
        (element("p", NASTY), f"<p>{ESCAPED}</p>"),
        (element("p", title=NASTY), f'<p title="{ESCAPED}"></p>'),
        (joined([NASTY, element("b", "x")]), f"{ESCAPED}\n<b>x</b>"),
        (prose(f"a `{NASTY}` {NASTY}"), f"a <code>{ESCAPED}</code> {ESCAPED}"),
        (prose(f"a ` {NASTY}"), f"a ` {ESCAPED}"),
    ],
)
def test_texts_are_escaped(found: Html, expected: str) -> None:
    """No text of a study becomes HTML, as content or in an attribute."""
    assert found == expected


def test_what_is_html_already() -> None:
    """An element stands in another one as it is, also in a sentence."""
    assert element("p", prose(element("code", "`"))) == "<p><code>`</code></p>"


def test_attributes() -> None:
    """Names are written as HTML has them; what is false or empty does not stand."""
    found = element("input", class_="a", aria_label="b", required=True, checked=False, id="")
    assert found == '<input class="a" aria-label="b" required>'
