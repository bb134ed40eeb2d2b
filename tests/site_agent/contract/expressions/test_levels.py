from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from site_agent.contract.expressions import (
    Category,
    EvaluationError,
    ExpressionError,
    Rows,
    Scope,
    evaluate_levels,
    infer_levels,
    parse,
)

RowsOf = Callable[..., Rows]


def conditions(**levels: str) -> list[tuple[str, Any]]:
    return [(level, None if text == "otherwise" else parse(text)) for level, text in levels.items()]


def found(levels: list[tuple[str, Any]], rows: Rows) -> list[str | None]:
    value = evaluate_levels(levels, rows)
    names = value.kind.levels  # type: ignore[union-attr]
    return [
        None if gone else names[code] for code, gone in zip(value.data, value.missing, strict=False)
    ]


DOSE = conditions(high='dose_mg > 200 and route == "IV"', low="otherwise")


def test_the_reference_is_the_rest(scope: Scope) -> None:
    """The level of `otherwise` is the reference."""
    assert infer_levels(DOSE, scope) == Category(("high", "low"), "low")


def test_without_a_rest_the_reference_is_the_first(scope: Scope) -> None:
    """Without `otherwise` the first level is the reference."""
    levels = conditions(young="age < 50", old="age >= 50")
    assert infer_levels(levels, scope) == Category(("young", "old"), "young")


def test_the_reference_can_be_named(scope: Scope) -> None:
    """The study may name the reference."""
    assert infer_levels(DOSE, scope, "high").reference == "high"


def test_dose_groups(rows_of: RowsOf) -> None:
    """A missing dose by a vein leaves the group open; a low one by any other way does not."""
    rows = rows_of({"dose_mg": [300, 100, None, None], "route": ["IV", "IV", "IV", "SC"]})
    assert found(DOSE, rows) == ["high", "low", None, "low"]


def test_the_first_true_condition_counts(rows_of: RowsOf) -> None:
    """Of two true conditions the first counts."""
    levels = conditions(a="x > 0", b="x > 1", c="otherwise")
    assert found(levels, rows_of({"x": [2, 0]})) == ["a", "c"]


def test_a_missing_condition_leaves_later_ones_open(rows_of: RowsOf) -> None:
    """After a missing condition a true one does not count, before it does."""
    levels = conditions(a="x > 0", b="y > 0", c="otherwise")
    rows = rows_of({"x": [None, 1, 0], "y": [1, None, None]})
    assert found(levels, rows) == [None, "a", None]


def test_no_condition_is_missing(rows_of: RowsOf) -> None:
    """A row that meets no condition is missing if nothing takes the rest."""
    levels = conditions(a="x > 1", b="x < 1")
    assert found(levels, rows_of({"x": [2, 1, 0]})) == ["a", None, "b"]


def test_a_later_condition_fails_only_where_it_is_asked(rows_of: RowsOf) -> None:
    """A condition without a value is no failure where an earlier one settles the level."""
    levels = conditions(none="x == 0", some="log(x) >= 0")
    assert found(levels, rows_of({"x": [0, 1]})) == ["none", "some"]


def test_an_unchecked_condition_is_refused(rows_of: RowsOf) -> None:
    """A condition that is a number is not taken for a truth."""
    with pytest.raises(EvaluationError, match="'x' does not fit these rows"):
        evaluate_levels(conditions(a="x", b="otherwise"), rows_of({"x": [1]}))


GOLDEN = [
    (
        {"a": "age", "b": "otherwise"},
        "",
        "The condition of level 'a' must be true or false, such as age > 50.",
    ),
    ({"a": "agge > 1", "b": "otherwise"}, "", "Unknown name 'agge'. Did you mean 'age'?"),
    (
        {"a": "otherwise", "b": "age > 1"},
        "",
        "'otherwise' takes what is left, so it is the last level.",
    ),
    ({"a": "age > 1"}, "", "Levels are at least two different names, none of them empty."),
    (
        {"": "age > 1", "b": "otherwise"},
        "",
        "Levels are at least two different names, none of them empty.",
    ),
    (
        {"low": "age > 1", "high": "otherwise"},
        "hgih",
        "The reference 'hgih' is none of the levels. Did you mean 'high'?",
    ),
]


@pytest.mark.parametrize(("levels", "reference", "message"), GOLDEN)
def test_message(scope: Scope, levels: dict[str, str], reference: str, message: str) -> None:
    """Levels that are none are answered with what was expected."""
    with pytest.raises(ExpressionError) as caught:
        infer_levels(conditions(**levels), scope, reference)
    assert caught.value.message == message


def test_a_repeated_level(scope: Scope) -> None:
    """A level that stands twice is refused."""
    with pytest.raises(ExpressionError, match="at least two different names"):
        infer_levels([("a", parse("age > 1")), ("a", None)], scope)
