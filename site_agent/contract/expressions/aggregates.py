"""Functions over the rows of a child table: one value for each parent row.

Two ways to name the table. `max(grades.icans)` names it with the column; `count(grades)` and
the functions of runs.py name it alone. A condition, and `where`, are read in the child:
plain names are its columns. A missing condition counts as false, a missing value is passed
over. No rows: the sum and the count are 0, the largest, smallest and mean are missing.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from site_agent.contract.expressions.contexts import (
    SITE,
    Checking,
    Evaluating,
    excerpt,
    refusal,
    unchecked,
)
from site_agent.contract.expressions.errors import nearest
from site_agent.contract.expressions.syntax import Call, Name, Node, walk
from site_agent.contract.expressions.types import (
    Booleans,
    Floats,
    Indices,
    Number,
    Type,
    Value,
    numbers,
)

_ROWWISE: Final = {"max": "maximum", "min": "minimum"}


def table_of_column(call: Call) -> str | None:
    """Return the table that qualifies every column of the first argument, if one does."""
    if not call.arguments:
        return None
    found = [node for node, _ in walk(call.arguments[0]) if isinstance(node, Name)]
    heads = {node.parts[0] if len(node.parts) > 1 else None for node in found}
    return heads.pop() if len(heads) == 1 and heads != {SITE} else None


def table_alone(call: Call) -> str | None:
    """Return the table that the first argument is, if it is a plain name."""
    match call.arguments:
        case (Name(parts=(table,)), *_):
            return table
        case _:
            return None


# Type rules


def column_rule(call: Call, checking: Checking) -> Type:
    """Type rule of max, min, mean and sum: a Number of the child becomes one of the parent."""
    taker = f"{call.function}()"
    table = table_of_column(call)
    if table is None:
        rowwise = _ROWWISE.get(call.function)
        raise refusal(
            call.arguments[0],
            f"{taker} takes columns of one child table, each written with its name as in "
            f"{call.function}(grades.icans)"
            + (f"; for values of one row write {rowwise}(a, b)." if rowwise else "."),
        )
    _check_table(call, checking, table)
    checking.child(table, taker, qualified=True).number(call.arguments[0], taker)
    _where_rule(call, checking, table)
    return Number()


def count_rule(call: Call, checking: Checking) -> Type:
    """Type rule of count: a child table becomes a Number."""
    _where_rule(call, checking, named_table(call, checking))
    return Number()


def named_table(call: Call, checking: Checking) -> str:
    """Return the child table that the first argument names; ExpressionError if none."""
    table = table_alone(call)
    if table is None:
        raise refusal(
            call.arguments[0],
            f"{call.function}() takes the name of a child table first, and "
            f"{excerpt(call.arguments[0])} is none.",
        )
    _check_table(call, checking, table)
    return table


def _check_table(call: Call, checking: Checking, table: str) -> None:
    if checking.inside is not None:
        raise refusal(
            call,
            f"{call.function}() stands inside {checking.inside}; derive it as a column of its "
            "own first.",
        )
    if table not in checking.scope.children:
        raise refusal(
            call.arguments[0],
            f"{call.function}() takes a child table of the table at hand, and '{table}' is "
            f"none.{nearest(table, checking.scope.children)}",
        )


def _where_rule(call: Call, checking: Checking, table: str) -> None:
    where = call.keyword("where")
    if where is not None:
        checking.child(table, f"{call.function}()").boolean(where, "'where'")


# Values


def count(call: Call, at: Evaluating) -> Value:
    """Return the number of child rows of each row for which `where` is true."""
    table = checked_table(call, table_alone(call))
    chosen = _chosen(call, at.child(table, call))
    per_row = np.bincount(at.rows.children[table][1][chosen], minlength=at.rows.count)
    return numbers(per_row.astype(np.float64), np.zeros(at.rows.count, np.bool_))


def total(call: Call, at: Evaluating) -> Value:
    """Return the sum over the child rows of each row; 0 of none."""
    parents, data = _column(call, at)
    sums = np.bincount(parents, weights=data, minlength=at.rows.count)
    missing = np.zeros(at.rows.count, np.bool_)
    return at.finite(sums.astype(np.float64), missing, "A sum over child rows", call)


def mean(call: Call, at: Evaluating) -> Value:
    """Return the mean over the child rows of each row; missing of none."""
    parents, data = _column(call, at)
    per_row = np.bincount(parents, minlength=at.rows.count)
    sums = np.bincount(parents, weights=data, minlength=at.rows.count)
    means = sums / np.maximum(per_row, 1)
    return at.finite(means, per_row == 0, "A mean over child rows", call)


def largest(call: Call, at: Evaluating) -> Value:
    """Return the largest value over the child rows of each row; missing of none."""
    return largest_of(*_column(call, at), at.rows.count)


def smallest(call: Call, at: Evaluating) -> Value:
    """Return the smallest value over the child rows of each row; missing of none."""
    return smallest_of(*_column(call, at), at.rows.count)


def checked_table(call: Call, table: str | None) -> str:
    """Return the table that a checked call has for certain."""
    if table is None:
        raise unchecked(call)
    return table


def _chosen(call: Call, below: Evaluating) -> Booleans:
    where: Node | None = call.keyword("where")
    if where is None:
        return np.ones(below.rows.count, np.bool_)
    chosen: Booleans = below.boolean(where).data
    return chosen


def _column(call: Call, at: Evaluating) -> tuple[Indices, Floats]:
    """Return the parent row and the value of each child row that counts."""
    table = checked_table(call, table_of_column(call))
    below = at.child(table, call)
    chosen = _chosen(call, below)
    value = below.narrowed(chosen).qualified(table).number(call.arguments[0])
    counts = chosen & ~value.missing
    return at.rows.children[table][1][counts], value.data[counts]


def largest_of(parents: Indices, data: Floats, rows: int) -> Value:
    """Return the largest of `data` for each of `rows` parents; missing of none."""
    found = np.full(rows, -np.inf)
    np.maximum.at(found, parents, data)
    return numbers(found, np.bincount(parents, minlength=rows) == 0)


def smallest_of(parents: Indices, data: Floats, rows: int) -> Value:
    """Return the smallest of `data` for each of `rows` parents; missing of none."""
    found = np.full(rows, np.inf)
    np.minimum.at(found, parents, data)
    return numbers(found, np.bincount(parents, minlength=rows) == 0)
