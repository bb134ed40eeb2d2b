from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.expressions import (
    EvaluationError,
    Number,
    Rows,
    Value,
    evaluate,
    parse,
)

OverGrades = Callable[..., list[Any]]

# Patient 0 has grades 1, 3, missing; patient 1 only a missing one; patient 2 none; 3 has 2
GRADES = [(0, 1, 1), (0, 2, 3), (0, 3, None), (1, 1, None), (3, 5, 2)]
PATIENTS = {"age": [50, 60, 70, None]}

VALUES = [
    ("max(grades.icans)", [3.0, None, None, 2.0]),
    ("min(grades.icans)", [1.0, None, None, 2.0]),
    ("mean(grades.icans)", [2.0, None, None, 2.0]),
    ("sum(grades.icans)", [4.0, 0.0, 0.0, 2.0]),
    ("count(grades)", [3.0, 1.0, 0.0, 1.0]),
    ("count(grades, where = icans >= 2)", [1.0, 0.0, 0.0, 1.0]),
    ("count(grades, where = is_missing(icans))", [1.0, 1.0, 0.0, 0.0]),
    ("max(grades.day, where = icans < 3)", [1.0, None, None, 5.0]),
    ("max(grades.icans * 10 + grades.day)", [32.0, None, None, 25.0]),
    ("sum(grades.icans, where = patient.age > 55)", [0.0, 0.0, 0.0, 0.0]),
    ("sum(grades.icans, where = patient.age < 55)", [4.0, 0.0, 0.0, 0.0]),
    ("mean(grades.icans) + age", [52.0, None, None, None]),
    ("sum(number(grades.icans > 1))", [1.0, 0.0, 0.0, 1.0]),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_aggregate(over_grades: OverGrades, text: str, expected: list[Any]) -> None:
    """Aggregates over four patients with none, missing and several grades."""
    assert over_grades(text, GRADES, **PATIENTS) == expected


def test_aggregate_of_an_empty_child_table(over_grades: OverGrades) -> None:
    """Without any child row the largest is missing and the count 0."""
    assert over_grades("coalesce(max(grades.day), -1) + count(grades)", [], age=[1]) == [-1.0]


def test_order_of_child_rows_does_not_matter(over_grades: OverGrades) -> None:
    """Child rows may come in any order."""
    assert over_grades("max(grades.icans)", GRADES[::-1], **PATIENTS) == [3.0, None, None, 2.0]


def test_where_keeps_a_row_from_failing(over_grades: OverGrades) -> None:
    """The argument is calculated only for the rows that `where` selects."""
    grades = [(0, 1, 0), (0, 2, 100)]
    assert over_grades("max(log10(grades.icans), where = icans > 0)", grades, age=[1]) == [2.0]


def test_rows_of_a_parent_that_cannot_matter_raise_nothing(over_grades: OverGrades) -> None:
    """A failure in child rows is none where the parent's value is not taken."""
    text = "if(age > 55, max(log10(grades.icans)), 0)"
    assert over_grades(text, [(0, 1, 0), (1, 1, 10)], age=[50, 60]) == [0.0, 1.0]


def test_failure_counts_child_rows(rows_with_grades: Callable[..., Rows]) -> None:
    """A failure in a child table counts its rows."""
    rows = rows_with_grades([(0, 1, 0), (0, 2, 0), (0, 3, 1)], "icans", {"age": [1]})
    with pytest.raises(EvaluationError, match="log10 of a value that is not above 0 in 2 rows"):
        evaluate(parse("max(log10(grades.icans))"), rows)


@pytest.mark.parametrize(("name", "what"), [("sum", "A sum"), ("mean", "A mean")])
def test_overflow(rows_with_grades: Callable[..., Rows], name: str, what: str) -> None:
    """A sum over child rows beyond the range of a double is a failure."""
    rows = rows_with_grades([(0, 1, 1e308), (0, 2, 1e308)], "icans", {"age": [1]})
    with pytest.raises(EvaluationError, match=f"{what} over child rows beyond the range"):
        evaluate(parse(f"{name}(grades.icans)"), rows)


REFERENCE: dict[str, Callable[[list[float]], float | None]] = {
    "max": lambda items: max(items, default=None),
    "min": lambda items: min(items, default=None),
    "sum": lambda items: sum(items),
    "mean": lambda items: sum(items) / len(items) if items else None,
}

_rows = st.lists(
    st.tuples(st.integers(0, 3), st.one_of(st.none(), st.integers(-9, 9)), st.booleans()),
    max_size=30,
)


@given(_rows, st.sampled_from(sorted(REFERENCE)))
def test_aggregates_against_loops(rows: list[tuple[int, int | None, bool]], name: str) -> None:
    """Aggregates agree with a loop over the rows of each of four patients."""
    index = np.array([row[0] for row in rows], np.int64)
    gone = np.array([row[1] is None for row in rows], np.bool_)
    x = np.array([np.nan if row[1] is None else row[1] for row in rows], np.float64)
    keep = np.array([row[2] for row in rows], np.float64)
    child = Rows(
        len(rows),
        {"x": Value(Number(), x, gone), "k": Value(Number(), keep, np.zeros_like(gone))},
    )
    value = evaluate(
        parse(f"{name}(t.x, where = k == 1)"), Rows(4, {}, children={"t": (child, index)})
    )
    expected = [
        REFERENCE[name]([x for at, x, kept in rows if at == patient and kept and x is not None])
        for patient in range(4)
    ]
    found = [None if gone else item for item, gone in zip(value.data, value.missing, strict=True)]
    assert found == expected
