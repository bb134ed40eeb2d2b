"""Days on which a condition holds in a child table: the first run, the first, the last.

A run of length L at day d: a condition is true in rows at d, d + 1, ..., d + L - 1, all of
them present. Rows are sorted by (parent, day); among the rows where the condition is true, a
run continues while the parent is the same and the day is one more. `first_run` takes the
first d >= from with at least L rows from d to the end of its run, so it may start within one.
"""

from __future__ import annotations

import numpy as np

from site_agent.contract.expressions.aggregates import (
    checked_table,
    largest_of,
    named_table,
    smallest_of,
    table_alone,
)
from site_agent.contract.expressions.contexts import Checking, Evaluating, refusal, unchecked
from site_agent.contract.expressions.syntax import Call, Name, constant
from site_agent.contract.expressions.types import (
    Floats,
    Indices,
    Number,
    Type,
    Value,
)


def day_rule(call: Call, checking: Checking) -> Type:
    """Type rule of first_run, first and last: a condition in the child becomes a day."""
    taker = f"{call.function}()"
    table = named_table(call, checking)
    scope = checking.scope.children[table]
    if scope.order is None or not isinstance(scope.columns.get(scope.order), Number):
        raise refusal(
            call.arguments[0],
            f"{taker} needs a table whose key ends in a day, and '{table}' has none.",
        )
    checking.child(table, taker).boolean(call.arguments[1], f"The condition of {taker}")
    start = call.keyword("from")
    if start is not None:
        checking.number(start, "'from'")
    _length(call)
    return Number()


def _length(call: Call) -> int:
    given = call.keyword("length")
    if given is None:
        return 1
    length = constant(given)
    if length is None or length < 1 or not length.is_integer():
        raise refusal(given, "'length' is a whole number of at least 1, written out.")
    return int(length)


def first_run(call: Call, at: Evaluating) -> Value:
    """Return the first day of the first run of `length` days, on or after `from`."""
    table = checked_table(call, table_alone(call))
    parents, days = _true_days(call, at, table)
    start = call.keyword("from")
    # Without `from` every day will do; where `from` is missing, none does: nan compares false
    least = np.full(at.rows.count, -np.inf) if start is None else at.number(start).data
    found = (run_ahead(parents, days) >= _length(call)) & (days >= least[parents])
    return smallest_of(parents[found], days[found], at.rows.count)


def last(call: Call, at: Evaluating) -> Value:
    """Return the last day on which the condition is true."""
    table = checked_table(call, table_alone(call))
    return largest_of(*_true_days(call, at, table), at.rows.count)


def run_ahead(parents: Indices, days: Floats) -> Indices:
    """Return for each row (n,) the rows from it to the end of its run, itself included.

    Rows are sorted by (parent, day) and all of them count: a run breaks where the next row
    is of another parent or is not the next day.
    """
    n = len(parents)
    breaks = np.ones(n, np.bool_)
    breaks[1:] = (parents[1:] != parents[:-1]) | (days[1:] != days[:-1] + 1)
    ends = np.append(np.flatnonzero(breaks)[1:], n)
    rows_ahead: Indices = ends[np.cumsum(breaks) - 1] - np.arange(n)
    return rows_ahead


def _true_days(call: Call, at: Evaluating, table: str) -> tuple[Indices, Floats]:
    """Return parent row and day of the child rows with a true condition, sorted by both."""
    below, index = at.child(table, call), at.rows.children[table][1]
    days = _days(call, below, table)
    by_day = np.lexsort((days, index))
    _refuse_repeats(call, below, by_day, (index[by_day], days[by_day]))
    chosen = by_day[below.boolean(call.arguments[1]).data[by_day]]
    return index[chosen], days[chosen]


def _days(call: Call, below: Evaluating, table: str) -> Floats:
    """Return the day of each row of the child, a whole number."""
    order = below.rows.order
    if order is None:
        raise unchecked(call)
    days = below.number(Name((order,), call.arguments[0].at))
    whole = np.isfinite(days.data) & (days.data == np.floor(days.data))
    what = f"A '{order}' of '{table}' that is missing or no whole number"
    below.refuse_data(~whole, what, "whole numbers. Correct the data.", call)
    return np.asarray(days.data)


def _refuse_repeats(
    call: Call, below: Evaluating, by_day: Indices, keys: tuple[Indices, Floats]
) -> None:
    """Refuse two rows of one parent and day; `keys` are sorted, by the order `by_day`."""
    parents, days = keys
    repeated = np.zeros(len(by_day), np.bool_)
    repeated[by_day[1:]] = (parents[1:] == parents[:-1]) & (days[1:] == days[:-1])
    expected = "one row for each of one parent. Correct the data."
    below.refuse_data(repeated, f"A repeated '{below.rows.order}'", expected, call)
