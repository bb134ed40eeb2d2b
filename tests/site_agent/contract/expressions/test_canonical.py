from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.expressions import ExpressionError, canonical, label, parse
from site_agent.contract.expressions.canonical import quoted, spelled

SPELLINGS = [
    ("a+b", "a + b"),
    ("((a))", "a"),
    ("(a*b)+c", "a * b + c"),
    ("(a+b)*c", "(a + b) * c"),
    ("(a+b)+c", "a + b + c"),
    ("a+(b+c)", "a + (b + c)"),
    ("a-(b-c)", "a - (b - c)"),
    ("a*(b/c)", "a * (b / c)"),
    ("(a**b)**c", "(a ** b) ** c"),
    ("a**(b**c)", "a ** b ** c"),
    ("(-a)**b", "(-a) ** b"),
    ("-(a**b)", "-a ** b"),
    ("a**(-b)", "a ** -b"),
    ("a - -b", "a - -b"),
    ("-(a+b)", "-(a + b)"),
    ("(a<b)==(c<d)", "(a < b) == (c < d)"),
    ("not(a and b)", "not (a and b)"),
    ("not(a==b)", "not a == b"),
    ("(a or b)and c", "(a or b) and c"),
    ("a or(b and c)", "a or b and c"),
    ("a and(b and c)", "a and (b and c)"),
    ("(not a)==b", "(not a) == b"),
    ("(a+1)in[1,2.50]", "a + 1 in [1, 2.5]"),
    ("a not  in ['x']", 'a not in ["x"]'),
    ("patient . age", "patient.age"),
    ("f(k=1,b=true)", "f(b = true, k = 1)"),
    ("f( a,k=false )", "f(a, k = false)"),
    ("'say \"a\" \\\\'", '"say \\"a\\" \\\\"'),
    ("1.50e+2", "150"),
    ("[]", "[]"),
]


@pytest.mark.parametrize(("text", "expected"), SPELLINGS)
def test_one_spelling(text: str, expected: str) -> None:
    """Blanks, quotes, needless parentheses and spellings of numbers are lost."""
    assert canonical(parse(text)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (50.0, "50"),
        (0.1, "0.1"),
        (-5.5, "-5.5"),
        (1e-5, "1e-5"),
        (1e16, "1e16"),
        (1.5e300, "1.5e300"),
        (0.0, "0"),
    ],
)
def test_numbers_in_shortest_form(value: float, expected: str) -> None:
    """A number takes the shortest decimal that reads back."""
    assert spelled(value) == expected


def test_quoted() -> None:
    """A text is put in double quotes."""
    assert quoted('a"b\\') == '"a\\"b\\\\"'


@pytest.mark.parametrize(("text", "expected"), [("log(a)", "log(a)"), ("a+b", "(a + b)")])
def test_label_of_a_part(text: str, expected: str) -> None:
    """A composed expression is in parentheses as part of a term's name."""
    assert label(parse(text)) == expected


_names = st.sampled_from(["a", "b", "patient.age", "site.country"])
_texts = st.text(st.characters(exclude_categories=("C", "Z")), max_size=5).map(quoted)
_floats = st.floats(min_value=0, allow_infinity=False, allow_nan=False).map(repr)
_atoms = st.one_of(_names, _texts, _floats, st.sampled_from(["true", "false"]))


def _composed(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = ["+", "-", "*", "/", "or", "and", "**"]
    binary = st.sampled_from([*operators, "==", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        st.tuples(parts, binary, parts).map(lambda p: f"({p[0]}) {p[1]} ({p[2]})"),
        st.tuples(parts, st.sampled_from(operators), parts).map(
            lambda p: f"({p[0]} {p[1]} {p[2]})"
        ),
        parts.map(lambda p: f"(-({p}))"),
        parts.map(lambda p: f"(not ({p}))"),
        st.tuples(parts, st.lists(parts, max_size=3)).map(
            lambda p: f"(({p[0]}) not in [{', '.join(p[1])}])"
        ),
        st.tuples(parts, parts).map(lambda p: f"f({p[0]}, z = {p[1]}, a = 1)"),
    )


_expressions = st.recursive(_atoms, _composed, max_leaves=15)


def _parsed(text: str) -> object:
    try:
        return parse(text)
    except ExpressionError:
        return None


@given(_expressions.filter(lambda text: _parsed(text) is not None))
def test_round_trip(text: str) -> None:
    """The spelling of an expression reads back as the same expression."""
    node = parse(text)
    assert parse(canonical(node)) == node


@given(_expressions.filter(lambda text: _parsed(text) is not None))
def test_spelling_is_its_own_spelling(text: str) -> None:
    """The spelling of a spelling is the spelling."""
    once = canonical(parse(text))
    assert canonical(parse(once)) == once
