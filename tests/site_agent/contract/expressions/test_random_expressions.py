"""Random expressions that fit the columns: checked, spelled, evaluated row by row."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.contract.expressions import (
    Boolean,
    Category,
    EvaluationError,
    Number,
    Rows,
    Scope,
    Type,
    Value,
    canonical,
    evaluate,
    infer,
    parse,
)

ROUTE = Category(("IV", "SC", "both"), "IV")
COLUMNS: dict[str, Type] = {"a": Number(), "b": Number(), "t": Boolean(), "r": ROUTE}
CHILD: dict[str, Type] = {"day": Number(), "x": Number()}
SCOPE = Scope(COLUMNS, children={"days": Scope(CHILD, ("patient", Scope(COLUMNS)), order="day")})

Texts = st.SearchStrategy[str]


def _joined(pattern: str, *parts: Texts) -> Texts:
    return st.tuples(*parts).map(lambda filled: pattern.format(*filled))


def _wider(pair: tuple[Texts, Texts]) -> tuple[Texts, Texts]:
    """Return strategies of numbers and of truths that are one operation deeper."""
    number, truth = pair
    arithmetic, order = st.sampled_from(["+", "-", "*", "/"]), st.sampled_from(["<", ">=", "=="])
    numbers = st.one_of(
        number,
        _joined("({}) {} ({})", number, arithmetic, number),
        _joined("-({})", number),
        _joined("abs({})", number),
        _joined("sqrt(abs({}))", number),
        _joined("log10({})", number),
        _joined("minimum({}, {})", number, number),
        _joined("latest({}, {})", number, number),
        _joined("coalesce({}, {})", number, number),
        _joined("if({}, {}, {})", truth, number, number),
        _joined("number({})", truth),
        st.sampled_from(["max(days.x)", "sum(days.x * days.day, where = x > patient.a)"]),
        _joined("first_run(days, x > 0, length = 2, from = {})", number),
        _joined("count(days, where = x > 0 or day == 1) + {}", number),
    )
    truths = st.one_of(
        truth,
        _joined("({}) {} ({})", number, order, number),
        _joined("({}) and ({})", truth, truth),
        _joined("({}) or ({})", truth, truth),
        _joined("not ({})", truth),
        _joined("is_missing({})", number),
        _joined("({}) not in [0, 1]", number),
    )
    return numbers, truths


_ATOMS = (
    st.sampled_from(["a", "b", "0", "1.5", "1e200"]),
    st.sampled_from(["t", "true", 'r == "SC"', 'r in ["IV", "both"]']),
)
NUMBERS, TRUTHS = _wider(_wider(_wider(_ATOMS)))
EXPRESSIONS = st.one_of(
    NUMBERS,
    TRUTHS,
    _joined("cut({}, [0, 1])", NUMBERS),
    _joined("spline({}, knots = [-1, 0, 2])", NUMBERS),
    _joined("interaction(r, {})", st.one_of(NUMBERS, TRUTHS)),
    _joined("interaction(spline({}, knots = [-1, 0, 2]), r)", NUMBERS),
)


def _number(items: list[float | None]) -> Value:
    floats = np.array([np.nan if item is None else item for item in items], np.float64)
    return Value(Number(), floats, np.isnan(floats))


def _rows(patients: list[tuple[object, ...]]) -> Rows:
    """Rows of patients (a, b, t, r, x of days 0, 1, 2)."""
    a, b, t, r, x = ([patient[place] for patient in patients] for place in range(5))
    n = len(patients)
    columns = {
        "a": _number(a),  # type: ignore[arg-type]
        "b": _number(b),  # type: ignore[arg-type]
        "t": Value(Boolean(), np.array([bool(i) for i in t]), np.array([i is None for i in t])),
        "r": Value(ROUTE, np.array(r, np.int64), np.array(r) == -1),
    }
    index = np.repeat(np.arange(n), 3)
    days = {
        "day": _number([0.0, 1.0, 2.0] * n),
        "x": _number([item for three in x for item in three]),  # type: ignore[attr-defined]
    }
    child = Rows(3 * n, days, ("patient", Rows(n, columns), index), order="day")
    return Rows(n, columns, children={"days": (child, index)})


_NUMBER = st.one_of(st.none(), st.integers(-2, 3).map(float))
_PATIENT = st.tuples(
    _NUMBER,
    _NUMBER,
    st.sampled_from([True, False, None]),
    st.integers(-1, 2),
    st.tuples(_NUMBER, _NUMBER, _NUMBER),
)


def _evaluated(text: str, rows: Rows) -> Value | int:
    """Return the value, or the number of rows of a failure."""
    try:
        return evaluate(parse(text), rows)
    except EvaluationError as failure:
        return failure.rows


@given(EXPRESSIONS, st.lists(_PATIENT, min_size=1, max_size=4))
@settings(max_examples=150)
def test_a_row_has_the_value_that_it_has_alone(
    text: str, patients: list[tuple[object, ...]]
) -> None:
    """A row's value, or failure, does not depend on the rows beside it."""
    together = _evaluated(text, _rows(patients))
    alone = [_evaluated(text, _rows([patient])) for patient in patients]
    values = [value for value in alone if isinstance(value, Value)]
    if isinstance(together, Value):
        expected = np.concatenate([value.data for value in values])
        np.testing.assert_array_equal(together.data, expected, strict=True)
    else:
        assert len(values) < len(alone)


@given(EXPRESSIONS, st.lists(_PATIENT, min_size=1, max_size=4))
def test_a_value_is_of_the_type_that_was_inferred(
    text: str, patients: list[tuple[object, ...]]
) -> None:
    """Whatever is evaluated has the type that was found beforehand."""
    value = _evaluated(text, _rows(patients))
    assert isinstance(value, int) or value.kind == infer(parse(text), SCOPE)


@given(EXPRESSIONS)
def test_the_one_spelling_reads_back(text: str) -> None:
    """The spelling of an expression is read back as the same expression."""
    node = parse(text)
    assert parse(canonical(node)) == node
