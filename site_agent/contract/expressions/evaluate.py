"""Evaluation over the rows of one table, by numpy, a column at a time.

Arithmetic and comparison with a missing operand are missing. `and`, `or` and `not` are
Kleene's: false and missing is false, true or missing is true, all else with missing is
missing. What has no value in some row (a division by zero, a result beyond the range of a
double) is an EvaluationError, unless the row was missing already or cannot matter: the right
of `and` where the left is false, of `or` where it is true, the branch that `if` leaves out.

Reference: S. C. Kleene, Introduction to Metamathematics, 1952, section 64.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from site_agent.contract.expressions.contexts import Evaluating, excerpt, failure, unchecked
from site_agent.contract.expressions.functions import FUNCTIONS
from site_agent.contract.expressions.syntax import (
    AND,
    SUM,
    BooleanLiteral,
    Call,
    Chain,
    Compare,
    ListLiteral,
    Membership,
    Name,
    Negate,
    Node,
    Not,
    NumberLiteral,
    Power,
    TextLiteral,
    constant,
)
from site_agent.contract.expressions.types import (
    Boolean,
    Booleans,
    Category,
    Floats,
    Number,
    Rows,
    Text,
    Type,
    Value,
    booleans,
    numbers,
)

_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARITHMETIC: Final[Mapping[str, tuple[Callable[[Any, Any], Any], str]]] = {
    "+": (operator.add, "A sum"),
    "-": (operator.sub, "A difference"),
    "*": (operator.mul, "A product"),
    "/": (operator.truediv, "A quotient"),
}
_COMPARABLE: Final = {
    (Number, Number),
    (Boolean, Boolean),
    (Category, Text),
    (Text, Category),
    (Text, Text),  # an attribute of the site whose levels are not declared
}
_NO_LEVEL: Final = -2  # the code of a text that is no level: equal to no code, missing or not


def evaluate(node: Node, rows: Rows) -> Value:
    """Return the value of `node` in each of `rows`, n of them.

    `node` must have passed `infer` over the columns of these rows. Missing rows hold NaN,
    False or -1. EvaluationError, with the number of rows, where an operation has no value.
    """
    value = Evaluating(rows, np.ones(rows.count, np.bool_), _step).value(node)
    if isinstance(value.kind, Text):
        raise failure(
            node, f"{excerpt(node)} has no declared levels here; give the rows its levels."
        )
    # A copy, because what is passed on may be a column of the rows or one constant seen n times
    return Value(value.kind, np.array(value.data), np.array(value.missing))


def evaluate_condition(node: Node, rows: Rows, active: Booleans) -> Value:
    """Return a Boolean as `evaluate` does; rows outside of `active`, bool (n,), raise nothing."""
    return Evaluating(rows, active, _step).boolean(node)


def _step(node: Node, at: Evaluating) -> Value:
    match node:
        case NumberLiteral(value=number):
            return _constant(Number(), np.float64(number), at)
        case TextLiteral(value=text):
            return _constant(Text(), np.array(text), at)
        case BooleanLiteral(value=truth):
            return _constant(Boolean(), np.bool_(truth), at)
        case Name(parts=parts):
            return at.column(node, parts)
        case ListLiteral():
            raise unchecked(node)
        case Call():
            return _call(node, at)
        case _:
            return _operation(node, at)


def _operation(node: Negate | Not | Chain | Power | Compare | Membership, at: Evaluating) -> Value:
    match node:
        case Negate(operand=operand):
            value = at.number(operand)
            return numbers(-value.data, value.missing)
        case Not(operand=operand):
            value = at.boolean(operand)
            return booleans(~value.data, value.missing)
        case Chain():
            return _arithmetic(node, at) if node.level >= SUM else _logic(node, at)
        case Power():
            return _power(node, at)
        case Compare():
            return _compare(node, at)
        case _:
            return _membership(node, at)


def _constant(kind: Type, value: Any, at: Evaluating) -> Value:
    count = (at.rows.count,)
    return Value(kind, np.broadcast_to(value, count), np.broadcast_to(np.False_, count))


def _call(node: Call, at: Evaluating) -> Value:
    function = FUNCTIONS.get(node.function)
    if function is None:
        raise unchecked(node)
    return function.value(node, at)


def _arithmetic(node: Chain, at: Evaluating) -> Value:
    result = at.number(node.first)
    for symbol, operand in node.rest:
        other = at.number(operand)
        missing = result.missing | other.missing
        if symbol == "/":
            wrong = (other.data == 0) & ~missing
            at.refuse(wrong, "Division by zero", "divisors other than 0", operand)
        apply, what = _ARITHMETIC[symbol]
        with np.errstate(all="ignore"):
            data = apply(result.data, other.data)
        result = at.finite(data, missing, what, operand)
    return result


def _power(node: Power, at: Evaluating) -> Value:
    base, exponent = at.number(node.base), at.number(node.exponent)
    missing = base.missing | exponent.missing
    with np.errstate(all="ignore"):
        data: Floats = np.power(base.data, exponent.data)
    zero = (base.data == 0) & (exponent.data < 0) & ~missing
    at.refuse(zero, "0 to a negative power", "bases other than 0", node)
    at.refuse(
        np.isnan(data) & ~missing,
        "A value below 0 to a fractional power",
        "bases of at least 0",
        node,
    )
    return at.finite(data, missing, "A power", node)


def _logic(node: Chain, at: Evaluating) -> Value:
    """Return Kleene's conjunction or disjunction of the operands."""
    decisive = node.level != AND  # the truth that settles it: false for and, true for or
    operands = [node.first, *(operand for _, operand in node.rest)]
    settled = np.zeros(at.rows.count, np.bool_)
    missing = np.zeros(at.rows.count, np.bool_)
    for operand in operands:
        value = at.narrowed(~settled).boolean(operand)
        settled = settled | (~value.missing & (value.data == decisive))
        missing = missing | value.missing
    return booleans(settled == decisive, missing & ~settled)


def _compare(node: Compare, at: Evaluating) -> Value:
    left, right = at.value(node.left), at.value(node.right)
    if (type(left.kind), type(right.kind)) not in _COMPARABLE:
        raise unchecked(node)
    missing = left.missing | right.missing
    data = _COMPARE[node.operator](_comparable(left, right), _comparable(right, left))
    return booleans(data, missing)


def _comparable(value: Value, other: Value) -> Any:
    """Return the data of `value`, a text as the code that it has among the levels of `other`."""
    if not (isinstance(value.kind, Text) and isinstance(other.kind, Category)):
        return value.data
    text = str(value.data[0]) if len(value.data) else ""
    return _code(text, other.kind)


def _code(text: str, kind: Category) -> int:
    return kind.levels.index(text) if text in kind.levels else _NO_LEVEL


def _membership(node: Membership, at: Evaluating) -> Value:
    value = at.value(node.operand)
    wanted: list[Any]  # codes, texts or numbers
    texts = [item.value for item in node.items.items if isinstance(item, TextLiteral)]
    match value.kind:
        case Category() as kind:
            wanted = [_code(text, kind) for text in texts]
        case Text():
            wanted = texts
        case Number():
            wanted = [constant(item) for item in node.items.items]
        case _:
            raise unchecked(node)
    inside = np.isin(value.data, np.array(wanted))
    return booleans(inside != node.negated, value.missing)
