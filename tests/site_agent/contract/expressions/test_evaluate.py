from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.expressions import (
    Boolean,
    Category,
    Columns,
    EvaluationError,
    Number,
    Rows,
    Text,
    Value,
    evaluate,
    parse,
)

ValueOf = Callable[..., list[Any]]

ARITHMETIC = [
    ("a + b", 7.0),
    ("a - b", 3.0),
    ("a * b", 10.0),
    ("a / b", 2.5),
    ("a ** b", 25.0),
    ("-a ** b", -25.0),
    ("2 ** -1", 0.5),
    ("a - b - 1", 2.0),
    ("a - (b - 1)", 4.0),
    ("(a + b) * 2", 14.0),
    ("-(-3)", 3.0),
    ("2 ** 3 ** 2", 512.0),
]


@pytest.mark.parametrize(("text", "expected"), ARITHMETIC)
def test_arithmetic(value_of: ValueOf, text: str, expected: float) -> None:
    """Arithmetic on 5 and 2."""
    assert value_of(text, a=[5], b=[2]) == [expected]


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "**"])
def test_arithmetic_with_a_missing_operand_is_missing(value_of: ValueOf, symbol: str) -> None:
    """Arithmetic is missing where either operand is, 1 ** missing and missing ** 0 too."""
    assert value_of(f"a {symbol} b", a=[None, 1, None], b=[0, None, None]) == [None] * 3


def test_negation_of_missing_is_missing(value_of: ValueOf) -> None:
    """Minus missing is missing."""
    assert value_of("-a", a=[1, None]) == [-1.0, None]


COMPARISONS = [
    ("==", [False, True, False, None]),
    ("!=", [True, False, True, None]),
    ("<", [True, False, False, None]),
    ("<=", [True, True, False, None]),
    (">", [False, False, True, None]),
    (">=", [False, True, True, None]),
]


@pytest.mark.parametrize(("symbol", "expected"), COMPARISONS)
def test_comparison(value_of: ValueOf, symbol: str, expected: list[Any]) -> None:
    """Numbers below, at and above 2 compared with it, and a missing one."""
    assert value_of(f"a {symbol} 2", a=[1, 2, 3, None]) == expected


LEVELS = [
    ('a == "SC"', [False, True, None]),
    ('a != "SC"', [True, False, None]),
    ('"SC" == a', [False, True, None]),
    ('a in ["SC", "both"]', [False, True, None]),
    ('a not in ["SC", "both"]', [True, False, None]),
]


@pytest.mark.parametrize(("text", "expected"), LEVELS)
def test_levels(value_of: ValueOf, text: str, expected: list[Any]) -> None:
    """A category is compared with its levels by name."""
    assert value_of(text, a=["IV", "SC", None]) == expected


def test_comparison_of_no_rows(value_of: ValueOf, rows_of: Callable[..., Rows]) -> None:
    """A table without rows has no values, whatever is asked."""
    empty = Value(Category(("IV", "SC"), "IV"), np.zeros(0, np.int64), np.zeros(0, np.bool_))
    assert evaluate(parse('a == "IV"'), Rows(0, {"a": empty})).data.shape == (0,)


def test_truths_compare(value_of: ValueOf) -> None:
    """Two truths are equal or not."""
    assert value_of("a == (b > 1)", a=[True, False, None], b=[2, 2, 2]) == [True, False, None]


def test_membership_of_numbers(value_of: ValueOf) -> None:
    """A number is in a list, not in it, or missing."""
    assert value_of("a in [1, -2]", a=[-2, 2, None]) == [True, False, None]


KLEENE = {
    "and": [[True, False, None], [False, False, False], [None, False, None]],
    "or": [[True, True, True], [True, False, None], [True, None, None]],
}
TRUTHS = [True, False, None]


@pytest.mark.parametrize("word", KLEENE)
def test_three_valued_logic(value_of: ValueOf, word: str) -> None:
    """`and` and `or` follow Kleene's tables of truth."""
    left = [a for a in TRUTHS for _ in TRUTHS]
    expected = [item for row in KLEENE[word] for item in row]
    assert value_of(f"a {word} b", a=left, b=TRUTHS * 3) == expected


def test_not(value_of: ValueOf) -> None:
    """`not` turns true and false, and leaves missing."""
    assert value_of("not a", a=TRUTHS) == [False, True, None]


def kleene(word: str, items: list[bool | None]) -> bool | None:
    decisive = word == "or"
    return decisive if decisive in items else None if None in items else not decisive


@given(
    st.sampled_from(["and", "or"]),
    st.lists(st.tuples(*[st.sampled_from(TRUTHS)] * 3), min_size=1, max_size=9),
)
def test_chains_of_logic(word: str, rows: list[tuple[bool | None, ...]]) -> None:
    """A chain of three settles as Kleene's logic does, row by row."""
    missing = np.array([[item is None for item in row] for row in rows])
    data = np.array([[bool(item) for item in row] for row in rows])
    columns = {
        name: Value(Boolean(), data[:, place], missing[:, place])
        for place, name in enumerate("abc")
    }
    value = evaluate(parse(f"a {word} b {word} c"), Rows(len(rows), columns))
    found = [
        None if gone else bool(item) for item, gone in zip(value.data, value.missing, strict=False)
    ]
    assert found == [kleene(word, list(row)) for row in rows]


def test_constants_have_a_value_in_every_row(value_of: ValueOf) -> None:
    """A constant is the same in every row."""
    assert value_of("true", a=[1, 2]) == [True, True]


ADVICE = "Correct the data, or choose other values for these rows with if(...)."
FAILURES = [
    ("a / b", "Division by zero in 2 rows; expected divisors other than 0. "),
    ("b ** -1", "0 to a negative power in 2 rows; expected bases other than 0. "),
    (
        "(0 - a) ** 0.5",
        "A value below 0 to a fractional power in 3 rows; expected bases of at least 0. ",
    ),
    (
        "a * 1e200 * 1e200",
        "A product beyond the range of a double in 3 rows; expected a finite result. ",
    ),
    (
        "a * 1e308 + 1e308 + 1e308",
        "A sum beyond the range of a double in 3 rows; expected a finite result. ",
    ),
    (
        "-1e308 - a * 1e308",
        "A difference beyond the range of a double in 3 rows; expected a finite result. ",
    ),
    (
        "a * 1e300 / 1e-300",
        "A quotient beyond the range of a double in 3 rows; expected a finite result. ",
    ),
    (
        "(a + 1) ** 1e9",
        "A power beyond the range of a double in 3 rows; expected a finite result. ",
    ),
    ("log10(b)", "log10 of a value that is not above 0 in 2 rows; expected values above 0. "),
    ("log(b)", "log of a value that is not above 0 in 2 rows; expected values above 0. "),
    ("log2(b - 1)", "log2 of a value that is not above 0 in 3 rows; expected values above 0. "),
    ("sqrt(-a)", "sqrt of a value below 0 in 3 rows; expected values of at least 0. "),
    ("exp(a * 1000)", "exp beyond the range of a double in 3 rows; expected a finite result. "),
    (
        "spline(a * 1e200, knots = [1, 2, 3])",
        "spline beyond the range of a double in 3 rows; expected a finite result. ",
    ),
    (
        "interaction(a * 1e200, a * 1e200)",
        "interaction beyond the range of a double in 3 rows; expected a finite result. ",
    ),
]


@pytest.mark.parametrize(("text", "expected"), FAILURES)
def test_failure(failure_of: Callable[..., str], text: str, expected: str) -> None:
    """What has no value is named with its number of rows; the missing row does not count."""
    assert failure_of(text, a=[1, 1, 1, None], b=[0, 1, 0, None]) == expected + ADVICE


def test_missing_by_zero_is_no_failure(value_of: ValueOf) -> None:
    """A row that is missing already does not fail."""
    assert value_of("a / b", a=[None, 1], b=[0, 2]) == [None, 0.5]


def test_failure_in_one_row(failure_of: Callable[..., str]) -> None:
    """One row is one row."""
    assert failure_of("1 / a", a=[0, 1]).startswith("Division by zero in 1 row; expected")


def test_failure_holds_rows_and_place(rows_of: Callable[..., Rows]) -> None:
    """The failure holds the number of rows, the place and the text."""
    with pytest.raises(EvaluationError) as caught:
        evaluate(parse("1 + log(a)"), rows_of({"a": [0, 0, 1]}))
    assert (caught.value.rows, caught.value.position, caught.value.text) == (2, 4, "1 + log(a)")


GUARDED = [
    ("a > 0 and log(a) >= 0", [True, False, None]),
    ("a <= 0 or log(a) >= 0", [True, True, None]),
    ("if(a > 0, log(a), -1)", [0.0, -1.0, None]),
    ("if(a <= 0, -1, log(a))", [0.0, -1.0, None]),
]


@pytest.mark.parametrize(("text", "expected"), GUARDED)
def test_rows_that_cannot_matter_raise_nothing(
    value_of: ValueOf, text: str, expected: list[Any]
) -> None:
    """The logarithm of 0 is no failure where a condition leaves it out."""
    assert value_of(text, a=[1, 0, None]) == expected


def test_missing_rows_hold_one_filling(rows_of: Callable[..., Rows]) -> None:
    """Missing numbers hold NaN, whatever the column held."""
    column = Value(rows_of({"a": [1]}).columns["a"].kind, np.array([7.0]), np.array([True]))
    assert np.isnan(evaluate(parse("a"), Rows(1, {"a": column})).data).all()


def test_nan_counts_as_missing(rows_of: Callable[..., Rows]) -> None:
    """A NaN in a column of numbers is missing even if the mask does not say so."""
    kind = rows_of({"a": [1]}).columns["a"].kind
    rows = Rows(1, {"a": Value(kind, np.array([np.nan]), np.array([False]))})
    assert evaluate(parse("a == 1"), rows).missing.tolist() == [True]


@pytest.mark.parametrize("items", [[1, None], [True, None], ["IV", None]])
def test_the_value_is_no_view_of_the_rows(rows_of: Callable[..., Rows], items: list[Any]) -> None:
    """Writing to a value leaves the column that it came from as it was."""
    rows = rows_of({"a": items})
    evaluate(parse("a"), rows).missing[:] = True
    assert rows.columns["a"].missing.tolist() == [False, True]


def test_a_block_is_named_as_a_whole() -> None:
    """A derived block of columns can be named, and is missing where one of its columns is."""
    data = np.array([[1.0, 2.0], [np.nan, 3.0]])
    rows = Rows(2, {"s": Value(Columns(("x", "x'")), data, np.zeros(2, np.bool_))})
    assert evaluate(parse("s"), rows).missing.tolist() == [False, True]


SITE = {"country": "Spain"}
COUNTRY = Category(("US", "Spain"), "US")


@pytest.mark.parametrize("levels", [{}, {"country": COUNTRY}])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('site.country == "Spain"', True),
        ('site.country == "US"', False),
        ('"US" != site.country', True),
        ('site.country in ["US", "Spain"]', True),
        ('site.country not in ["US"]', True),
    ],
)
def test_attributes_of_the_site(text: str, expected: bool, levels: dict[str, Category]) -> None:
    """The site's attribute can be compared whether or not its levels are declared."""
    rows = Rows(2, {}, site=SITE, site_levels=levels)
    assert evaluate(parse(text), rows).data.tolist() == [expected] * 2


def test_a_column_of_texts_can_be_compared() -> None:
    """A column of texts without declared levels can be compared."""
    rows = Rows(2, {"a": Value(Text(), np.array(["x", "y"]), np.array([False, True]))})
    assert evaluate(parse('a == "x"'), rows).missing.tolist() == [False, True]


def test_an_attribute_with_levels_is_a_category() -> None:
    """With its levels declared an attribute of the site is a category."""
    rows = Rows(2, {}, site=SITE, site_levels={"country": COUNTRY})
    value = evaluate(parse("site.country"), rows)
    assert (value.kind, value.data.tolist()) == (COUNTRY, [1, 1])


def test_an_attribute_without_levels_is_no_covariate() -> None:
    """Without its levels an attribute has no value of its own."""
    with pytest.raises(EvaluationError, match=r"'site.country' has no declared levels here"):
        evaluate(parse("site.country"), Rows(2, {}, site=SITE))


def test_an_attribute_without_levels_has_no_design() -> None:
    """Without its levels an attribute has no design columns."""
    with pytest.raises(EvaluationError, match="has no declared levels, so it has no design"):
        evaluate(parse("interaction(site.country, 1)"), Rows(2, {}, site=SITE))


def test_an_attribute_of_another_level() -> None:
    """A site whose attribute is none of the declared levels is told so."""
    rows = Rows(2, {}, site={"country": "Peru"}, site_levels={"country": COUNTRY})
    with pytest.raises(EvaluationError, match="'Peru', which is none of the declared levels US"):
        evaluate(parse("site.country"), rows)


def test_columns_of_the_parent(rows_of: Callable[..., Rows]) -> None:
    """A child row sees the columns of its parent row."""
    above = rows_of({"age": [50, None, 70], "route": ["IV", "SC", None]})
    rows = rows_of({"day": [1, 2, 3]}, parent=("patient", above, np.array([2, 0, 1])))
    value = evaluate(parse("patient.age + day"), rows)
    assert value.data[:2].tolist() == [71.0, 52.0]


def test_levels_of_the_parent(rows_of: Callable[..., Rows]) -> None:
    """A child row sees the levels of its parent row."""
    above = rows_of({"route": ["IV", "SC", None]})
    rows = rows_of({"day": [1, 2, 3]}, parent=("patient", above, np.array([2, 0, 1])))
    value = evaluate(parse('patient.route == "IV"'), rows)
    assert (value.data.tolist(), value.missing.tolist()) == ([False, True, False], [True, 0, 0])


UNCHECKED = [
    "b",
    "patient.x",
    "patient.a.b",
    "site.x",
    "-route",
    "a and true",
    "route + 1",
    "route == route",
    "a == route",
    "true in [1]",
    "foo(a)",
    "[1]",
    "count(x)",
    "count(1)",
    "max(a)",
    "max(x.a)",
    "last(x, a > 1)",
    "count(kids, where = day)",
    "last(kids, day > 1)",
]


@pytest.mark.parametrize("text", UNCHECKED)
def test_an_unchecked_expression_is_no_nonsense(rows_of: Callable[..., Rows], text: str) -> None:
    """What the check would have refused is refused again, and not calculated."""
    kids = (rows_of({"day": [1]}), np.array([0]))
    above = rows_of({"y": [1, 2]})
    rows = rows_of({"a": [1, 2], "route": ["IV", "SC"]}, children={"kids": kids})
    rows = replace(rows, parent=("patient", above, np.array([0, 1])))
    with pytest.raises(EvaluationError, match="does not fit these rows; check the expression"):
        evaluate(parse(text), rows)


def test_a_million_rows_in_well_under_a_second() -> None:
    """Arithmetic over a million rows takes about a tenth of a second."""
    ones = Value(Number(), np.ones(1_000_000), np.zeros(1_000_000, np.bool_))
    start = time.perf_counter()
    evaluate(parse("a * 2 + a / 3 > 1 and a < 5"), Rows(1_000_000, {"a": ones}))
    assert time.perf_counter() - start < 1
