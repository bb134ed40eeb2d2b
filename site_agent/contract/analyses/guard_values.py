"""Which values a number can take: a group may be coded 1 and 2 as well as 0 and 1.

A covariate with two possible values a and b is an indicator, whatever they are: score and
information of a model tell as much of it. So the guard counts patients with a and with b. What
can be known without data is read off the dictionary (an integer from 1 to 2) and off the
expression (`if(age > 60, 3, 1)`, `1 + number(old)`). A number that takes two values by chance, or
nearly two, is not recognised.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from itertools import product
from typing import Final

from site_agent.contract.expressions import Node
from site_agent.contract.expressions.syntax import (
    SUM,
    Call,
    Chain,
    Name,
    Negate,
    NumberLiteral,
)
from site_agent.contract.study.model import Column, Study

Values = frozenset[float]

MOST: Final = 16  # values that are followed through an expression; more are any number
INDICATOR: Final = (0.0, 1.0)
OPERATIONS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}


def two_values(study: Study, table: str, node: Node) -> tuple[float, float]:
    """Return the two values of a number that can take no others; 0 and 1 for any other."""
    values = _values(study, table, node)
    if values is None or len(values) != len(INDICATOR):
        return INDICATOR
    low, high = sorted(values)
    return low, high


def _values(study: Study, table: str, node: Node) -> Values | None:
    """Return every value that a number can take, or None if there are many, or nobody knows."""
    match node:
        case NumberLiteral(value=value):
            return frozenset({value})
        case Negate(operand=operand):
            inner = _values(study, table, operand)
            return None if inner is None else frozenset(-value for value in inner)
        case Chain() if node.level >= SUM:
            return _arithmetic(study, table, node)
        case Call(function="number"):
            return frozenset(INDICATOR)
        case (
            Call(function="if", arguments=(_, *branches))
            | Call(function="coalesce", arguments=(*branches,))
        ):
            return _joined([_values(study, table, branch) for branch in branches])
        case Name(parts=(name,)):
            return _of_column(study, table, name)
        case _:
            return None


def _arithmetic(study: Study, table: str, node: Chain) -> Values | None:
    found = _values(study, table, node.first)
    for symbol, operand in node.rest:
        other = _values(study, table, operand)
        apply = OPERATIONS.get(symbol)
        if found is None or other is None or apply is None:
            return None
        found = _few(frozenset(apply(a, b) for a, b in product(found, other)))
    return found


def _joined(parts: list[Values | None]) -> Values | None:
    known = [part for part in parts if part is not None]
    return _few(frozenset().union(*known)) if len(known) == len(parts) else None


def _few(values: Values) -> Values | None:
    return values if len(values) <= MOST else None


def _of_column(study: Study, table: str, name: str) -> Values | None:
    column = study.tables[table].columns.get(name)
    if column is not None:
        return _in_dictionary(column)
    for derived in study.tables[table].derived:
        if derived.name == name and derived.expression is not None:
            return _values(study, table, derived.expression)
    return None


def _in_dictionary(column: Column) -> Values | None:
    """Return the whole numbers of a range."""
    if column.type != "integer" or column.low is None or column.high is None:
        return None
    low, high = math.ceil(column.low), math.floor(column.high)
    return frozenset(map(float, range(low, high + 1))) if high - low < MOST else None
