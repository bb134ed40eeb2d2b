from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.expressions import (
    Boolean,
    Category,
    EvaluationError,
    Number,
    Rows,
    Text,
    Value,
    design,
    evaluate,
    parse,
)
from site_agent.contract.expressions.designs import restricted_cubic_spline

ValueOf = Callable[..., list[Any]]
RowsOf = Callable[..., Rows]


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ("false", ["<50", "50 to <65", "50 to <65", ">=65", None]),
        ("true", ["<=50", "<=50", ">50 to 65", ">50 to 65", None]),
    ],
)
def test_cut(value_of: ValueOf, right: str, expected: list[Any]) -> None:
    """A value at a point goes to the interval above, or below if right."""
    assert value_of(f"cut(a, [50, 65], right = {right})", a=[49.9, 50, 64, 65, None]) == expected


def test_cut_above_the_last_point(value_of: ValueOf) -> None:
    """A value above the last point is in the last interval."""
    assert value_of("cut(a, [-5.5], right = true)", a=[-6, 0]) == ["<=-5.5", ">-5.5"]


def test_cut_with_labels(value_of: ValueOf) -> None:
    """Labels name the intervals in order."""
    assert value_of('cut(a, [1], labels = ["low", "high"])', a=[0, 1]) == ["low", "high"]


def test_the_reference_of_cut_is_its_first_level(rows_of: RowsOf) -> None:
    """The first interval is the reference."""
    value = evaluate(parse("cut(a, [1, 2])"), rows_of({"a": [0]}))
    assert value.kind == Category(("<1", "1 to <2", ">=2"), "<1")


def by_hand(x: Fraction) -> list[Fraction]:
    """The basis for knots 1, 2, 4: x and [(x-1)+^3 - 3/2 (x-2)+^3 + 1/2 (x-4)+^3] / 9."""
    one, two, four = (max(x - t, Fraction(0)) ** 3 for t in (1, 2, 4))
    return [x, (one - Fraction(3, 2) * two + Fraction(1, 2) * four) / 9]


@pytest.mark.parametrize(
    ("x", "expected"),
    [(0, [0, 0]), (1, [1, 0]), (3, [3, 6.5 / 9]), (5, [5, 24 / 9]), (6, [6, 33 / 9])],
)
def test_spline_by_hand(rows_of: RowsOf, x: float, expected: list[float]) -> None:
    """Three knots 1, 2, 4: worked by hand below, between and above the knots."""
    value = evaluate(parse("spline(a, knots = [1, 2, 4])"), rows_of({"a": [x]}))
    assert value.data.tolist() == [pytest.approx(expected, rel=1e-15)]


@given(st.fractions(-10, 10, max_denominator=64))
def test_spline_in_exact_fractions(x: Fraction) -> None:
    """The basis agrees with exact fractions."""
    found = restricted_cubic_spline(np.array([float(x)]), np.array([1.0, 2.0, 4.0]))
    assert found[0] == pytest.approx([float(term) for term in by_hand(x)], rel=1e-13, abs=1e-13)


@given(st.lists(st.integers(-50, 50), min_size=3, max_size=7, unique=True))
def test_spline_is_linear_beyond_the_outer_knots(knots: list[int]) -> None:
    """Second differences vanish below the first and above the last knot."""
    ascending = np.array(sorted(knots), np.float64)
    outside = [ascending[0] - 30 + np.arange(30.0), ascending[-1] + np.arange(30.0)]
    bends = [np.diff(restricted_cubic_spline(x, ascending), 2, axis=0) for x in outside]
    assert np.abs(bends).max() < 1e-7


def test_spline_has_one_column_fewer_than_knots(rows_of: RowsOf) -> None:
    """Five knots make four columns, named by primes; a composed x is in parentheses."""
    value = evaluate(parse("spline(a + 1, knots = [1, 2, 3, 4, 5])"), rows_of({"a": [1]}))
    assert value.kind.names == ("(a + 1)", "(a + 1)'", "(a + 1)''", "(a + 1)'''")


def test_spline_of_missing_is_a_row_of_nan(rows_of: RowsOf) -> None:
    """A missing value has a missing row."""
    value = evaluate(parse("spline(a, knots = [1, 2, 3])"), rows_of({"a": [1, None]}))
    assert (value.missing.tolist(), np.isnan(value.data).tolist()) == (
        [False, True],
        [[False, False], [True, True]],
    )


INTERACTIONS = [
    ("interaction(a, b)", ("a:b",), [[6.0], [20.0]]),
    ("interaction(a, c)", ("a:c",), [[2.0], [0.0]]),
    ("interaction(r, a)", ("r=SC:a", "r=both:a"), [[0.0, 0.0], [4.0, 0.0]]),
    ("interaction(a > 3, b)", ("(a > 3):b",), [[0.0], [5.0]]),
    (
        "interaction(r, spline(a, knots = [1, 2, 4]))",
        ("r=SC:a", "r=SC:a'", "r=both:a", "r=both:a'"),
        [[0.0, 0.0, 0.0, 0.0], [4.0, 15 / 9, 0.0, 0.0]],
    ),
    ("interaction(a, interaction(b, c))", ("a:b:c",), [[6.0], [0.0]]),
]


@pytest.mark.parametrize(("text", "names", "expected"), INTERACTIONS)
def test_interaction(
    rows_of: RowsOf, text: str, names: tuple[str, ...], expected: list[list[float]]
) -> None:
    """Products of the design columns, those of the second varying fastest."""
    rows = rows_of({"a": [2, 4], "b": [3, 5], "c": [True, False], "r": ["IV", "SC"]})
    value = evaluate(parse(text), rows)
    assert (value.kind.names, value.data.tolist()) == (names, [pytest.approx(r) for r in expected])


def test_interaction_is_missing_where_either_is(rows_of: RowsOf) -> None:
    """A product with a missing factor is missing, 0 times missing too."""
    rows = rows_of({"a": [0, None, 1], "r": [None, "IV", "SC"]})
    assert evaluate(parse("interaction(a, r)"), rows).missing.tolist() == [True, True, False]


def designed(value: Value) -> tuple[tuple[str, ...], list[list[float]], list[bool]]:
    names, matrix, missing = design(value, "x")
    return names, np.where(np.isnan(matrix), -9, matrix).tolist(), missing.tolist()


GONE = np.array([False, False, True])


def test_design_of_numbers() -> None:
    """A number is one column."""
    value = Value(Number(), np.array([1.5, 2.0, 3.0]), GONE)
    assert designed(value) == (("x",), [[1.5], [2.0], [-9.0]], GONE.tolist())


def test_design_of_truths() -> None:
    """A truth is one column of 0 and 1."""
    value = Value(Boolean(), np.array([True, False, False]), GONE)
    assert designed(value) == (("x",), [[1.0], [0.0], [-9.0]], GONE.tolist())


def test_design_of_a_category() -> None:
    """A category has an indicator for each level but the reference, in order of the levels."""
    value = Value(Category(("a", "b", "c"), "b"), np.array([0, 1, -1]), GONE)
    assert designed(value) == (
        ("x=a", "x=c"),
        [[1.0, 0.0], [0.0, 0.0], [-9.0, -9.0]],
        GONE.tolist(),
    )


def test_design_of_a_category_of_one_level() -> None:
    """A category of one level has no columns."""
    names, matrix, _ = design(Value(Category(("a",), "a"), np.array([0, 0, -1]), GONE), "x")
    assert (names, matrix.shape) == ((), (3, 0))


def test_design_of_no_rows() -> None:
    """Without rows a category still has its columns."""
    empty = Value(Category(("a", "b"), "a"), np.zeros(0, np.int64), np.zeros(0, np.bool_))
    assert design(empty, "x")[1].shape == (0, 1)


def test_design_of_a_block_is_the_block(rows_of: RowsOf) -> None:
    """A block keeps its names and numbers."""
    value = evaluate(parse("spline(a, knots = [1, 2, 4])"), rows_of({"a": [0, 1]}))
    names, matrix, _ = design(value, "x")
    assert (names, matrix.tolist()) == (("a", "a'"), [[0.0, 0.0], [1.0, 0.0]])


def test_design_of_a_text() -> None:
    """A text is no covariate."""
    text = Value(Text(), np.array(["US"]), np.array([False]))
    with pytest.raises(EvaluationError, match="'x' has no declared levels, so it has no design"):
        design(text, "x")
