from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from site_agent.contract.expressions import Columns, Number, Rows, Value, evaluate, parse

ValueOf = Callable[..., list[Any]]

ELEMENTARY = [
    ("log10(a)", [2.0, None]),
    ("log(exp(a / 100))", [1.0, None]),
    ("log2(a + 28)", [7.0, None]),
    ("exp(a - 100)", [1.0, None]),
    ("sqrt(a)", [10.0, None]),
    ("abs(-a)", [100.0, None]),
]


@pytest.mark.parametrize(("text", "expected"), ELEMENTARY)
def test_elementary(value_of: ValueOf, text: str, expected: list[Any]) -> None:
    """Functions of 100 with known values; of missing they are missing."""
    assert value_of(text, a=[100, None]) == expected


ROWS = {"a": [1, 5, None, None], "b": [2, 4, 3, None], "c": [3, 3, 1, None]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("minimum(a, b, c)", [1.0, 3.0, None, None]),
        ("maximum(a, b, c)", [3.0, 5.0, None, None]),
        ("earliest(a, b, c)", [1.0, 3.0, 1.0, None]),
        ("latest(a, b, c)", [3.0, 5.0, 3.0, None]),
        ("coalesce(a, b, c)", [1.0, 5.0, 3.0, None]),
        ("is_missing(a)", [False, False, True, True]),
        ("if(b > 2, a, c)", [3.0, 5.0, None, None]),
        ("number(c > 2)", [1.0, 1.0, 0.0, None]),
    ],
)
def test_several_numbers(value_of: ValueOf, text: str, expected: list[Any]) -> None:
    """Choices among the numbers of a row, with and without missing ones."""
    assert value_of(text, **ROWS) == expected


def test_minimum_with_a_constant(value_of: ValueOf) -> None:
    """A constant may be among the arguments."""
    assert value_of("minimum(a, 3)", a=[1, 5, None]) == [1.0, 3.0, None]


def test_coalesce_of_truths(value_of: ValueOf) -> None:
    """Missing truths can be given a value."""
    assert value_of("coalesce(a, false)", a=[True, None]) == [True, False]


def test_coalesce_of_categories(value_of: ValueOf) -> None:
    """Missing levels can be taken from a category of the same levels."""
    assert value_of("coalesce(a, b)", a=["IV", None], b=["SC", "SC"]) == ["IV", "SC"]


def test_coalesce_calculates_only_what_it_needs(value_of: ValueOf) -> None:
    """A later argument without a value is no failure where an earlier one is there."""
    assert value_of("coalesce(a, log(b))", a=[7, None], b=[0, 1]) == [7.0, 0.0]


def test_if_with_a_missing_condition_is_missing(value_of: ValueOf) -> None:
    """Where the condition is missing so is the choice."""
    assert value_of("if(a > 1, 1, 0)", a=[None, 2, 0]) == [None, 1.0, 0.0]


def test_is_missing_of_a_category(value_of: ValueOf) -> None:
    """A category can be asked whether it is missing."""
    assert value_of("is_missing(a)", a=["IV", None]) == [False, True]


def test_overflow_where_it_does_not_matter_is_not_kept(value_of: ValueOf) -> None:
    """A branch that overflows where it is not taken leaves no trace."""
    assert value_of("if(a < 10, exp(a), 0)", a=[0, 1e6]) == [1.0, 0.0]


def test_a_million_logarithms_equal_numpy() -> None:
    """The vectorised logarithm is numpy's."""
    x = np.linspace(1, 2, 1000)
    rows = Rows(1000, {"x": Value(Number(), x, np.zeros(1000, np.bool_))})
    assert (evaluate(parse("log10(x)"), rows).data == np.log10(x)).all()


def test_kind_of_block_is_refused_by_evaluation_of_numbers() -> None:
    """A block of columns is not taken for a number."""
    rows = Rows(1, {"s": Value(Columns(("x",)), np.ones((1, 1)), np.zeros(1, np.bool_))})
    with pytest.raises(Exception, match="'s' does not fit these rows"):
        evaluate(parse("log(s)"), rows)
