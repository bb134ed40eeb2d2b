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
from site_agent.contract.expressions.runs import run_ahead

OverGrades = Callable[..., list[Any]]
RUN = "first_run(grades, icans == 0, length = 3, from = start)"


def days(*icans: Any, start: int = 0) -> list[tuple[int, int, Any]]:
    """The grades of one patient on consecutive days."""
    return [(0, day, grade) for day, grade in enumerate(icans, start=start)]


CASES = {
    "a run at the start": (days(0, 0, 0, 1), 0, 0.0),
    "a run after a grade": (days(2, 1, 0, 0, 0), 0, 2.0),
    "a run at the end": (days(1, 0, 0, 0), 0, 1.0),
    "a run too short": (days(1, 0, 0), 0, None),
    "a run too short and a long one": (days(0, 0, 1, 0, 0, 0), 0, 3.0),
    "no grade of 0": (days(1, 1, 1, 1), 0, None),
    "a gap in the days": ([(0, 0, 0), (0, 1, 0), (0, 3, 0), (0, 4, 0), (0, 5, 0)], 0, 3.0),
    "a missing grade": (days(0, 0, None, 0, 0, 0), 0, 3.0),
    "from in the middle of a run": (days(0, 0, 0, 0, 0), 2, 2.0),
    "from too late in a run": (days(0, 0, 0, 0, 0), 3, None),
    "from after the last day": (days(0, 0, 0), 9, None),
    "from between two days": (days(0, 0, 0, 0, 0), 0.5, 1.0),
    "from missing": (days(0, 0, 0), None, None),
    "negative days": (days(1, 0, 0, 0, start=-3), -5, -2.0),
    "no days": ([], 0, None),
}


@pytest.mark.parametrize("case", CASES)
def test_first_run_by_hand(over_grades: OverGrades, case: str) -> None:
    """The first of three days in a row without a grade, from a day on."""
    grades, start, expected = CASES[case]
    assert over_grades(RUN, grades, start=[start]) == [expected]


def test_a_run_does_not_go_on_in_the_next_patient(over_grades: OverGrades) -> None:
    """Days of two patients make no run together."""
    grades = [(0, 1, 0), (0, 2, 0), (1, 3, 0), (1, 4, 0), (1, 5, 0)]
    assert over_grades(RUN, grades, start=[0, 0]) == [None, 3.0]


def test_rows_may_come_in_any_order(over_grades: OverGrades) -> None:
    """Days are put in order before runs are looked for."""
    assert over_grades(RUN, days(2, 0, 0, 0, 1)[::-1], start=[0]) == [1.0]


def test_first_run_without_from(over_grades: OverGrades) -> None:
    """Without `from` every day will do."""
    text = "first_run(grades, icans == 0, length = 2)"
    assert over_grades(text, days(1, 0, 0, start=-9), start=[0]) == [-8.0]


def test_first(over_grades: OverGrades) -> None:
    """The first day on which a condition is true, from a day on."""
    assert over_grades("first(grades, icans > 1, from = start)", days(2, 0, 3, 4), start=[1]) == [2]


def test_last(over_grades: OverGrades) -> None:
    """The last day on which a condition is true, missing if there is none."""
    grades = [*days(2, 3, 0, None), (1, 7, 0)]
    assert over_grades("last(grades, icans > 1)", grades, start=[1, 1]) == [1.0, None]


def test_the_condition_sees_the_patient(over_grades: OverGrades) -> None:
    """A condition may depend on a column of the parent row."""
    text = "first(grades, day > patient.start and icans == 0)"
    assert over_grades(text, days(0, 0, 0), start=[1]) == [2.0]


@pytest.mark.parametrize(
    ("grades", "message"),
    [
        ([(0, 1.5, 0)], "A 'day' of 'grades' that is missing or no whole number in 1 row"),
        (
            [(0, None, 0), (0, np.inf, 0)],
            "A 'day' of 'grades' that is missing or no whole number in 2 rows",
        ),
        ([(0, 2, 0), (0, 1, 0), (0, 2, 1)], "A repeated 'day' in 1 row; expected one row for each"),
    ],
)
def test_days_must_be_whole_and_different(
    rows_with_grades: Callable[..., Rows], grades: list[Any], message: str
) -> None:
    """A day that is missing, fractional, infinite or repeated is a failure."""
    with pytest.raises(EvaluationError, match=message):
        evaluate(parse("last(grades, icans == 0)"), rows_with_grades(grades, "icans", {"s": [0]}))


def test_rows_ahead() -> None:
    """Rows to the end of a run: two of one patient, a gap, another patient."""
    parents, on = np.array([0, 0, 0, 1]), np.array([1.0, 2.0, 4.0, 5.0])
    assert run_ahead(parents, on).tolist() == [2, 1, 1, 1]


def slow(
    rows: dict[tuple[int, int], int | None], patient: int, start: int | None, length: int
) -> int | None:
    """The first day of the run, looked for day by day."""
    if start is None:
        return None
    for day in range(-3, 12):
        if day >= start and all(rows.get((patient, day + k)) == 0 for k in range(length)):
            return day
    return None


_grades = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(-3, 11)),
    st.sampled_from([0, 0, 0, 1, None]),
    max_size=45,
)


@given(
    _grades,
    st.lists(st.one_of(st.none(), st.integers(-4, 12)), min_size=3, max_size=3),
    st.integers(1, 4),
)
def test_first_run_against_a_search_day_by_day(
    grades: dict[tuple[int, int], int | None], starts: list[int | None], length: int
) -> None:
    """The vectorised search finds the day that a search day by day finds."""
    floats = [np.nan if grade is None else grade for grade in grades.values()]
    no = np.zeros(len(grades), np.bool_)
    columns = {
        "day": Value(Number(), np.array([day for _, day in grades], np.float64), no),
        "icans": Value(Number(), np.array(floats, np.float64), np.isnan(floats)),
    }
    child = Rows(len(grades), columns, order="day")
    since = np.array([np.nan if start is None else start for start in starts], np.float64)
    rows = Rows(
        3,
        {"start": Value(Number(), since, np.isnan(since))},
        children={"grades": (child, np.array([patient for patient, _ in grades], np.int64))},
    )
    value = evaluate(parse(RUN.replace("3", str(length))), rows)
    found = [
        None if gone else int(day) for day, gone in zip(value.data, value.missing, strict=False)
    ]
    assert found == [slow(grades, patient, starts[patient], length) for patient in range(3)]
