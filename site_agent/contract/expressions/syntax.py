"""The syntax tree: what an expression says, and where in its text.

Nodes compare by what they say; the place is for messages only. Operators of one precedence
that group from the left are one `Chain`, so that a long sum is long and not deep.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

OR, AND, NOT, COMPARISON, SUM, PRODUCT, NEGATION, POWER, ATOM = range(1, 10)

COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=")

LEVEL: Final = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(COMPARISONS, COMPARISON),
    "in": COMPARISON,
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "**": POWER,
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands: the whole text and the 0-based character."""

    text: str
    position: int


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A number, never negative: the sign is an operator."""

    value: float
    at: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TextLiteral:
    """A text in quotes: a level or a label."""

    value: str
    at: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BooleanLiteral:
    """`true` or `false`."""

    value: bool
    at: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b, c]`."""

    items: tuple[Node, ...]
    at: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A column by its name, or by the names that lead to it: `patient.age`."""

    parts: tuple[str, ...]
    at: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Negate:
    """`-operand`."""

    operand: Node
    at: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """`not operand`."""

    operand: Node
    at: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """`first op a op b ...` with operators of one level, grouped from the left."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    at: Place = field(compare=False, repr=False)

    @property
    def level(self) -> int:
        """Return the precedence of its operators."""
        return LEVEL[self.rest[0][0]]


@dataclass(frozen=True, slots=True)
class Power:
    """`base ** exponent`."""

    base: Node
    exponent: Node
    at: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right`, one of == != < <= > >=."""

    operator: str
    left: Node
    right: Node
    at: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Membership:
    """`operand in [...]`, or `operand not in [...]`."""

    operand: Node
    items: ListLiteral
    negated: bool
    at: Place = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments, keyword = argument)`, keywords in order of the alphabet."""

    function: str
    arguments: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...]
    at: Place = field(compare=False, repr=False)

    def keyword(self, name: str) -> Node | None:
        """Return the argument given for keyword `name`, or None."""
        return dict(self.keywords).get(name)


Node: TypeAlias = (
    NumberLiteral
    | TextLiteral
    | BooleanLiteral
    | ListLiteral
    | Name
    | Negate
    | Not
    | Chain
    | Power
    | Compare
    | Membership
    | Call
)


def inner(node: Node) -> tuple[Node, ...]:
    """Return the nodes right below `node`, in the order of the text."""
    match node:
        case ListLiteral(items=items):
            return items
        case Negate(operand=operand) | Not(operand=operand):
            return (operand,)
        case Chain(first=first, rest=rest):
            return (first, *(operand for _, operand in rest))
        case Power(base=left, exponent=right) | Compare(left=left, right=right):
            return (left, right)
        case Membership(operand=operand, items=items):
            return (operand, items)
        case Call(arguments=arguments, keywords=keywords):
            return (*arguments, *(argument for _, argument in keywords))
        case _:
            return ()


def walk(node: Node) -> Iterator[tuple[Node, int]]:
    """Yield every node with its depth, the root at 0, without recursion."""
    waiting = [(node, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((below, depth + 1) for below in reversed(inner(node)))


def constant(node: Node | None) -> float | None:
    """Return the number that `node` writes out, with its sign, or None."""
    match node:
        case NumberLiteral(value=value):
            return value
        case Negate(operand=NumberLiteral(value=value)):
            return -value
        case _:
            return None
