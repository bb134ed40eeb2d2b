"""The names that an expression holds, found without knowing what they stand for."""

from __future__ import annotations

from site_agent.contract.expressions.aggregates import table_alone, table_of_column
from site_agent.contract.expressions.functions import FUNCTIONS
from site_agent.contract.expressions.syntax import Call, Name, Node, inner

Names = frozenset[tuple[str, ...]]

_IN_CHILD = ("where",)


def names(node: Node) -> Names:
    """Return every column that `node` names, as the parts of its name.

    A plain name inside an aggregate is a column of the child table and comes with that
    table's name; a name with a point comes as it is written. The name of a table alone, as
    in count(grades), is no column.
    """
    return _names(node, ())


def _names(node: Node, table: tuple[str, ...]) -> Names:
    match node:
        case Name(parts=parts):
            return frozenset({parts if len(parts) > 1 else table + parts})
        case Call(function=function) if function in FUNCTIONS:
            return _names_of_call(node, table)
        case _:
            return _union(inner(node), table)


def _names_of_call(call: Call, table: tuple[str, ...]) -> Names:
    reads = FUNCTIONS[call.function].reads
    if reads == "row":
        return _union(inner(call), table)
    alone = reads == "table"
    child = table_alone(call) if alone else table_of_column(call)
    below = (child,) if child else table
    there = [argument for name, argument in call.keywords if name in _IN_CHILD]
    here = [argument for name, argument in call.keywords if name not in _IN_CHILD]
    if alone:
        return _union((*call.arguments[1:], *there), below) | _union(tuple(here), table)
    return _union((*call.arguments, *here), table) | _union(tuple(there), below)


def _union(nodes: tuple[Node, ...], table: tuple[str, ...]) -> Names:
    return frozenset().union(*(_names(node, table) for node in nodes))
