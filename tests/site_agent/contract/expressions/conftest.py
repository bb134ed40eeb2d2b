"""A small study to check expressions against, and rows written as lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from site_agent.contract.expressions import (
    Boolean,
    Category,
    EvaluationError,
    ExpressionError,
    Number,
    Rows,
    Scope,
    Type,
    Value,
    evaluate,
    infer,
    parse,
)

ROUTE = Category(("IV", "SC", "both"), "IV")
COUNTRY = Category(("US", "Spain"), "US")


def column(items: Sequence[Any]) -> Value:
    """A column of numbers, truths or routes; None is missing."""
    missing = np.array([item is None for item in items], np.bool_)
    known = [item for item in items if item is not None]
    if known and all(isinstance(item, bool) for item in known):
        return Value(Boolean(), np.array([bool(item) for item in items], np.bool_), missing)
    if any(isinstance(item, str) for item in known):
        codes = [-1 if item is None else ROUTE.levels.index(item) for item in items]
        return Value(ROUTE, np.array(codes, np.int64), missing)
    floats = [np.nan if item is None else item for item in items]
    return Value(Number(), np.array(floats, np.float64), missing)


def listed(value: Value) -> list[Any]:
    """The items of a value, None where missing, levels by name."""
    items = value.data.tolist()
    if isinstance(value.kind, Category):
        items = [value.kind.levels[code] for code in items]
    return [None if gone else item for item, gone in zip(items, value.missing, strict=True)]


def table(columns: Mapping[str, Sequence[Any]], **rest: Any) -> Rows:
    """The rows of columns that are all of one length."""
    count = len(next(iter(columns.values())))
    return Rows(count, {name: column(items) for name, items in columns.items()}, **rest)


def kinds(rows: Rows) -> dict[str, Type]:
    return {name: value.kind for name, value in rows.columns.items()}


def scope_of(rows: Rows) -> Scope:
    """The scope that fits `rows`."""
    return Scope(
        kinds(rows),
        parent=None if rows.parent is None else (rows.parent[0], scope_of(rows.parent[1])),
        children={name: scope_of(below) for name, (below, _) in rows.children.items()},
        site=dict(rows.site_levels),
        order=rows.order,
    )


def checked(text: str, rows: Rows) -> Value:
    """The value of `text`, whose type must be the one that is inferred."""
    node = parse(text)
    value = evaluate(node, rows)
    assert infer(node, scope_of(rows)) == value.kind
    return value


def with_grades(
    grades: Sequence[Sequence[Any]], names: str, patients: Mapping[str, Sequence[Any]]
) -> Rows:
    """Patients with their grades, each written (patient's row, day, value of each name)."""
    above = table(patients)
    index = np.array([row[0] for row in grades], np.int64)
    columns = {
        name: column([row[place] for row in grades])
        for place, name in enumerate(["day", *names.split()], start=1)
    }
    below = Rows(len(grades), columns, parent=("patient", above, index), order="day")
    return table(patients, children={"grades": (below, index)})


@pytest.fixture
def scope() -> Scope:
    """The patients of a study, their days of grades, and a table of visits without order."""
    names = "age kps ferritin dose_mg anakinra_day onset_day relapse_day death_day last_seen_day"
    binary = Category(("high", "low"), "low")
    patients: dict[str, Type] = {
        **dict.fromkeys(names.split(), Number()),
        "route": ROUTE,
        "dose_group": binary,
        "product": Category(("axi-cel", "brexu-cel", "tisa-cel"), "axi-cel"),
        "response": Category(("CR", "PR", "none"), "none"),
        "treated": Boolean(),
    }
    site = {"country": COUNTRY}
    grades: dict[str, Type] = {name: Number() for name in ("day", "crs", "icans")}
    parent = ("patient", Scope(patients, site=site))
    return Scope(
        patients,
        children={
            "grades": Scope(grades | {"severe": Boolean()}, parent, site=site, order="day"),
            "visits": Scope({"weight": Number()}, parent),
        },
        site=site,
    )


@pytest.fixture
def kind_of(scope: Scope) -> Callable[[str], Type]:
    """Infer the type of a text in the study's scope of patients."""
    return lambda text: infer(parse(text), scope)


@pytest.fixture
def fault_of(scope: Scope) -> Callable[[str], tuple[str, int]]:
    """Return message and position of the error that a text gives in the study's scope."""

    def fault_of(text: str) -> tuple[str, int]:
        with pytest.raises(ExpressionError) as caught:
            infer(parse(text), scope)
        assert caught.value.text == text
        return str(caught.value), caught.value.position

    return fault_of


@pytest.fixture
def value_of() -> Callable[..., list[Any]]:
    """Evaluate a text over columns given by name."""
    return lambda text, **columns: listed(checked(text, table(columns)))


@pytest.fixture
def failure_of() -> Callable[..., str]:
    """Return the message of the failure to evaluate a text over columns given by name."""

    def failure_of(text: str, **columns: Sequence[Any]) -> str:
        with pytest.raises(EvaluationError) as caught:
            checked(text, table(columns))
        return str(caught.value)

    return failure_of


@pytest.fixture
def over_grades() -> Callable[..., list[Any]]:
    """Evaluate a text over patients with grades (patient's row, day, values of `names`)."""

    def over_grades(
        text: str, grades: Sequence[Sequence[Any]], names: str = "icans", **patients: Sequence[Any]
    ) -> list[Any]:
        return listed(checked(text, with_grades(grades, names, patients)))

    return over_grades


@pytest.fixture
def rows_with_grades() -> Callable[..., Rows]:
    """Build patients with grades."""
    return with_grades


@pytest.fixture
def rows_of() -> Callable[..., Rows]:
    """Build rows from columns written as lists."""
    return table


@pytest.fixture
def listed_value() -> Callable[[str, Rows], list[Any]]:
    """Evaluate a text over rows."""
    return lambda text, rows: listed(checked(text, rows))
