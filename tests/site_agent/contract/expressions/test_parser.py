from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.expressions import ExpressionError, parse


def fault(text: str) -> tuple[str, int]:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    return caught.value.message, caught.value.position


SAME = [
    ("a or b and c", "a or (b and c)"),
    ("not a == b", "not (a == b)"),
    ("not a and b", "(not a) and b"),
    ("a and not b or c", "(a and (not b)) or c"),
    ("a - b - c", "(a - b) - c"),
    ("a / b * c", "(a / b) * c"),
    ("a + b * c", "a + (b * c)"),
    ("a * b + c", "(a * b) + c"),
    ("-a ** b", "-(a ** b)"),
    ("-a * b", "(-a) * b"),
    ("a ** b ** c", "a ** (b ** c)"),
    ("2 ** -1", "2 ** (-1)"),
    ("a * b ** c", "a * (b ** c)"),
    ("a + 1 < b * 2", "(a + 1) < (b * 2)"),
    ("a not in [1] and b", "(a not in [1]) and b"),
    ("not a in [1]", "not (a in [1])"),
    ("f(x, b = 1, a = 2)", "f(x, a = 2, b = 1)"),
]


@pytest.mark.parametrize(("text", "grouped"), SAME)
def test_precedence(text: str, grouped: str) -> None:
    """Operators group as in Python."""
    assert parse(text) == parse(grouped)


DIFFERENT = [
    ("a - (b - c)", "a - b - c"),
    ("(a ** b) ** c", "a ** b ** c"),
    ("(-a) ** b", "-a ** b"),
    ("(a or b) and c", "a or b and c"),
    ("a not in [1]", "not a in [1]"),
    ("true", "True"),
    ('"a"', "a"),
]


@pytest.mark.parametrize(("text", "other"), DIFFERENT)
def test_difference(text: str, other: str) -> None:
    """What means another thing is another node."""
    assert parse(text) != parse(other)


GOLDEN = {
    "": ("The expression is empty; write a column or a formula.", 0),
    "  ": ("The expression is empty; write a column or a formula.", 2),
    "a = b": ("'=' names an argument of a function; write == to compare.", 2),
    "a is b": ("'is' is no operator; write == to compare, or is_missing(x).", 2),
    "a AND b": ("Found 'AND', expected an operator or the end. Did you mean 'and'?", 2),
    "a b": ("Found 'b', expected an operator or the end.", 2),
    "a not b": ("Found 'not', expected an operator or the end. Did you mean 'not in'?", 2),
    'a "b"': ("Found a text in quotes, expected an operator or the end.", 2),
    "a)": ("Found ')', expected an operator or the end.", 1),
    "a < b < c": (
        "Comparisons do not chain; write a < b and b < c, or use parentheses.",
        6,
    ),
    "a in [1] == b": (
        "Comparisons do not chain; write a < b and b < c, or use parentheses.",
        9,
    ),
    "a in b": (
        "Found 'b' after 'in', expected a list such as [1, 2] or [\"a\", \"b\"].",
        5,
    ),
    "a in": (
        'Found the end after \'in\', expected a list such as [1, 2] or ["a", "b"].',
        4,
    ),
    "a == not b": ("'not' binds less than what stands before it; put it in parentheses.", 5),
    ".5": ("A number starts with a digit; write 0.5 and not .5.", 0),
    "a + ": ("Found the end, expected a number, a text, a column or a function.", 4),
    "+a": ("Found '+', expected a number, a text, a column or a function.", 0),
    ".a": ("Found '.', expected a number, a text, a column or a function.", 0),
    "a.": ("Found the end after a point, expected a name.", 2),
    "a.1": ("Found '1' after a point, expected a name.", 2),
    "a.in": ("'in' is a reserved word and cannot name a column.", 2),
    "otherwise": ("'otherwise' is a reserved word and cannot name a column.", 0),
    "if": ("'if' is a reserved word and cannot name a column.", 0),
    "and(a)": ("'and' is a reserved word and cannot name a column.", 0),
    "a.b(c)": ("A function has no point in its name; write the name alone.", 3),
    "(a": (
        "Found the end, expected an operator or the ')' that closes the '(' at character 1.",
        2,
    ),
    "b + [1, 2": (
        "Found the end, expected an operator or the ']' that closes the '[' at character 5.",
        9,
    ),
    "f(a b)": (
        "Found 'b', expected an operator or the ')' that closes the '(' at character 2.",
        4,
    ),
    "[1,]": ("Found ']', expected a number, a text, a column or a function.", 3),
    "f(a,)": ("Found ')', expected a number, a text, a column or a function.", 4),
    "f(k = 1, k = 2)": ("'k = ' is given twice; keep one.", 9),
    "f(k = 1, a)": ("An argument without a name stands after a named one; put it before.", 9),
    "a in [" + "1," * 200 + "1]": (
        "A list or call holds more than 200 items; make the list shorter.",
        406,
    ),
    "f(" + "a," * 200 + "b)": (
        "A list or call holds more than 200 items; make the list shorter.",
        402,
    ),
}


@pytest.mark.parametrize("text", GOLDEN)
def test_message(text: str) -> None:
    """What is no expression is answered with what was found and what was expected."""
    assert fault(text) == GOLDEN[text]


def test_error_holds_the_text() -> None:
    """The error holds the whole text beside the position."""
    with pytest.raises(ExpressionError) as caught:
        parse("a + ")
    assert caught.value.text == "a + "


def test_empty_list_and_call_parse() -> None:
    """An empty list and a call without arguments are syntax; the check refuses them."""
    assert parse("f()") != parse("[]")


DEEP = [
    "(" * 51 + "a" + ")" * 51,
    "-" * 51 + "a",
    "not " * 51 + "a",
    "f(" * 51 + "a" + ")" * 51,
    "[" * 51 + "a" + "]" * 51,
    "a ** " * 51 + "a",
    "(" * 999,
    "-" * 1999,
    "a or b and not c == d + e * -(" * 40 + "a" + ")" * 40,
    "(" * 26 + "a" + " * b + c)" * 26,
]


@pytest.mark.parametrize("text", DEEP)
def test_nesting_is_limited(text: str) -> None:
    """An expression nested more than 50 deep is refused, however it is nested."""
    assert fault(text)[0] == (
        "The expression is nested more than 50 deep; derive a part of it as a column of its own."
    )


@pytest.mark.parametrize("text", ["(" * 50 + "a" + ")" * 50, "-" * 50 + "a", "f(" * 50 + ")" * 50])
def test_fifty_levels_are_read(text: str) -> None:
    """An expression nested 50 deep is read."""
    assert parse(text) == parse(f"({text})" if text[0] == "-" else text)


def test_a_long_sum_is_not_deep() -> None:
    """A sum of 500 terms is long and not deep."""
    assert len(parse(" + ".join(["a"] * 500)).rest) == 499  # type: ignore[union-attr]


HOSTILE = [
    '__import__("os").system("true")',
    "().__class__.__bases__[0].__subclasses__()",
    "age.__class__.__mro__",
    "lambda: 0",
    "[x for x in y]",
    "{1: 2}",
    "exec('a')",
    "a; b",
    "f'{a}'",
    "a if b else c",
    "a := 1",
    "@np",
    "`a`",
    "a[0]",
    "*a",
    "f(**k)",
    "ａｇｅ",  # full-width letters
    "аge",  # Cyrillic a
    "age\u200b",  # zero-width space
    "\ud800",  # half a surrogate pair
    "\x00",
    "1" * 2000,
    "٣ + 4",  # an Arabic digit
    "eval",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_at_most_a_name(text: str) -> None:
    """A text made to be executed is refused, or read as names that no study has."""
    try:
        parse(text)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)


_VOCABULARY = (
    "a b.c 1 0.5 ( ) [ ] , = == < >= in not and or + - * / ** max( cut( if( k= true "
    '"x" \'y\' . \\ " \x00 é if otherwise __import__'
)
_PIECES = st.sampled_from(_VOCABULARY.split(" "))


@given(st.one_of(st.text(max_size=80), st.lists(_PIECES, max_size=40).map(" ".join)))
def test_any_text_parses_or_is_an_expression_error(text: str) -> None:
    """No text raises anything but an expression error, whose place is within it."""
    try:
        parse(text)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)
