from __future__ import annotations

import pytest

from site_agent.contract.expressions import ExpressionError, is_name
from site_agent.contract.expressions.tokens import tokenize


def words(text: str) -> list[str]:
    return [token.text for token in tokenize(text)[:-1]]


def fault(text: str) -> tuple[str, int]:
    with pytest.raises(ExpressionError) as caught:
        tokenize(text)
    return caught.value.message, caught.value.position


def test_words_of_an_expression() -> None:
    """Blanks separate words, and two-character operators are one word."""
    assert words("a<=1e-3 **\n\tb") == ["a", "<=", "1e-3", "**", "b"]


def test_sorts_of_words() -> None:
    """Each word has its sort, and the end is one."""
    sorts = [token.sort for token in tokenize('a 1 "b" +')]
    assert sorts == ["name", "number", "text", "symbol", "end"]


def test_places_of_words() -> None:
    """Each word knows its first character."""
    assert [token.position for token in tokenize('ab + "c"')] == [0, 3, 5, 8]


def test_escapes_in_a_text() -> None:
    """Quotes and backslashes can be escaped in a text."""
    assert words(r'"a\"b" ' + r"'c\'d\\'") == ['a"b', "c'd\\"]


def test_letters_of_any_alphabet_in_a_text() -> None:
    """A level may be written in any alphabet."""
    assert words('"España"') == ["España"]


def test_two_thousand_characters() -> None:
    """An expression of 2,000 characters is read."""
    assert words("a" * 2000) == ["a" * 2000]


GOLDEN = {
    "a" * 2001: (
        "The expression has 2001 characters, and at most 2000 are allowed; derive a part of it "
        "as a column of its own.",
        2000,
    ),
    "12abc": (
        "The number 12 runs into 'a'; expected digits as in 0.5 or 1e-3, then a space or an "
        "operator.",
        2,
    ),
    "1.": (
        "The number 1 runs into '.'; expected digits as in 0.5 or 1e-3, then a space or an "
        "operator.",
        1,
    ),
    "1_000": (
        "The number 1 runs into '_'; expected digits as in 0.5 or 1e-3, then a space or an "
        "operator.",
        1,
    ),
    "1e400": ("The number 1e400 is too large for a double; choose another unit.", 0),
    "a - 1e-400": ("The number 1e-400 is too small for a double; choose another unit.", 4),
    '"a\x00b"': (
        "A text in quotes holds U+0000 (a character without a name), which cannot be seen; "
        "remove it.",
        2,
    ),
    '"a\u202eb"': (
        "A text in quotes holds U+202E (RIGHT-TO-LEFT OVERRIDE), which cannot be seen; remove it.",
        2,
    ),
    r'a == "b\n"': ("\\n means nothing in a text; only \\\" \\' and \\\\ do.", 7),
    'a == "IV': ('A text begins here and does not end; close it with ".', 5),
    "a == 'IV": ("A text begins here and does not end; close it with '.", 5),
    "аge": (
        "Found U+0430 (CYRILLIC SMALL LETTER A), which has no meaning in an expression; names "
        "take ASCII letters, digits and _.",
        0,
    ),
    "age\x00": (
        "Found U+0000 (a character without a name), which has no meaning in an expression; "
        "names take ASCII letters, digits and _.",
        3,
    ),
    "age ^ 2": ("Found '^', which has no meaning in an expression; write ** for a power.", 4),
    "a && b": ("Found '&', which has no meaning in an expression; write 'and'.", 2),
    "a ≥ 5": (
        "Found U+2265 (GREATER-THAN OR EQUAL TO), which has no meaning in an expression; write >=.",
        2,
    ),
    "a = “b”": (
        "Found U+201C (LEFT DOUBLE QUOTATION MARK), which has no meaning in an expression; "
        'write the straight quote ".',
        4,
    ),
}


@pytest.mark.parametrize("text", GOLDEN)
def test_message(text: str) -> None:
    """What is no word is answered with what was found and what to write."""
    assert fault(text) == GOLDEN[text]


def test_zero_written_small_is_no_loss() -> None:
    """A zero with an exponent is zero and not too small."""
    assert words("0e-999") == ["0e-999"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("age", True), ("_x1", True), ("1x", False), ("in", False), ("a.b", False), ("a\n", False)],
)
def test_is_name(text: str, expected: bool) -> None:
    """A name is ASCII letters, digits and underscores, and no reserved word."""
    assert is_name(text) is expected
