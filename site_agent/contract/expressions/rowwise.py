"""Functions of the values of one row: logarithms and roots, smallest and largest, missing.

A row with a missing argument has a missing result, except where a function says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from site_agent.contract.expressions.contexts import Checking, Evaluating, noun, refusal
from site_agent.contract.expressions.syntax import Call, Node
from site_agent.contract.expressions.types import (
    Boolean,
    Booleans,
    Columns,
    Floats,
    Number,
    Text,
    Type,
    Value,
    booleans,
    numbers,
)

Evaluation = Callable[[Call, Evaluating], Value]
Combination = Callable[[Any, Any], Any]


def all_numbers(call: Call, checking: Checking) -> Type:
    """Type rule: every argument is a Number, and so is the result."""
    for argument in call.arguments:
        checking.number(argument, f"{call.function}()")
    return Number()


def not_above_zero(x: Floats) -> Booleans:
    """Return where a logarithm does not exist."""
    return x <= 0


def below_zero(x: Floats) -> Booleans:
    """Return where a square root does not exist."""
    return x < 0


def elementary(
    function: Callable[[Floats], Floats],
    outside: Callable[[Floats], Booleans] | None = None,
    fault: str = "",
    expected: str = "",
) -> Evaluation:
    """Return the evaluation of a function of one number, refused where `outside` holds."""

    def evaluation(call: Call, at: Evaluating) -> Value:
        x = at.number(call.arguments[0])
        if outside is not None:
            wrong = outside(x.data) & ~x.missing
            at.refuse(wrong, f"{call.function} of {fault}", expected, call)
        with np.errstate(all="ignore"):
            data = function(x.data)
        return at.finite(data, x.missing, call.function, call)

    return evaluation


def extreme(combine: Combination) -> Evaluation:
    """Return the evaluation of minimum or maximum: missing if any argument is."""

    def evaluation(call: Call, at: Evaluating) -> Value:
        values = [at.number(argument) for argument in call.arguments]
        missing = reduce(np.logical_or, [value.missing for value in values])
        return numbers(reduce(combine, [value.data for value in values]), missing)

    return evaluation


def known_extreme(combine: Combination) -> Evaluation:
    """Return the evaluation of earliest or latest: missing only if all arguments are."""

    def evaluation(call: Call, at: Evaluating) -> Value:
        values = [at.number(argument) for argument in call.arguments]
        missing = reduce(np.logical_and, [value.missing for value in values])
        # fmin and fmax pass over NaN, which is what a missing number holds
        return numbers(reduce(combine, [value.data for value in values]), missing)

    return evaluation


def is_missing_rule(call: Call, checking: Checking) -> Type:
    """Type rule of is_missing: any column, but not a block or a text."""
    _plain(call.arguments[0], checking, call.function)
    return Boolean()


def is_missing(call: Call, at: Evaluating) -> Value:
    """Return where the argument is missing; itself never missing."""
    missing = at.value(call.arguments[0]).missing
    return booleans(missing, np.zeros_like(missing))


def coalesce_rule(call: Call, checking: Checking) -> Type:
    """Type rule of coalesce: arguments of one type, which is that of the result."""
    first, *others = call.arguments
    kind = _plain(first, checking, call.function)
    for other in others:
        found = _plain(other, checking, call.function)
        if found != kind:
            differ = "of other levels" if type(found) is type(kind) else noun(found)
            raise refusal(
                other,
                f"coalesce() takes arguments of one type; the first is {noun(kind)}, "
                f"and this one is {differ}.",
            )
    return kind


def coalesce(call: Call, at: Evaluating) -> Value:
    """Return the first argument that is not missing; later ones matter only where it is."""
    found = at.value(call.arguments[0])
    for argument in call.arguments[1:]:
        other = at.narrowed(found.missing).value(argument)
        data = np.where(found.missing, other.data, found.data)
        found = Value(found.kind, data, found.missing & other.missing)
    return found


def if_rule(call: Call, checking: Checking) -> Type:
    """Type rule of if: a condition and two numbers."""
    condition, *branches = call.arguments
    checking.boolean(condition, "The condition of if()")
    for branch in branches:
        checking.number(branch, "if()")
    return Number()


def choose(call: Call, at: Evaluating) -> Value:
    """Return the branch that the condition chooses; each matters only where it is chosen."""
    condition, yes, no = call.arguments
    chosen = at.boolean(condition)
    taken = at.narrowed(chosen.data).number(yes)
    other = at.narrowed(~chosen.data & ~chosen.missing).number(no)
    missing = chosen.missing | np.where(chosen.data, taken.missing, other.missing)
    return numbers(np.where(chosen.data, taken.data, other.data), missing)


def number_rule(call: Call, checking: Checking) -> Type:
    """Type rule of number: a Boolean becomes a Number."""
    checking.boolean(call.arguments[0], "number()")
    return Number()


def number(call: Call, at: Evaluating) -> Value:
    """Return 1 where true and 0 where false."""
    value = at.boolean(call.arguments[0])
    return numbers(value.data.astype(np.float64), value.missing)


def _plain(node: Node, checking: Checking, function: str) -> Type:
    """Return the type of `node`; refuse a block of design columns and a text."""
    kind = checking.kind(node)
    if isinstance(kind, Columns | Text):
        raise refusal(
            node,
            f"{function}() takes a number, true or false, or a category, and not {noun(kind)}.",
        )
    return kind
