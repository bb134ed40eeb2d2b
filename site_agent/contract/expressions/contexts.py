"""Where an expression is read: the columns in sight when it is checked, and its rows.

Plain names are columns of the table at hand, `patient.age` goes to the parent row,
`site.country` to the site. Inside an aggregate the table at hand is the child; only in its
argument are the child's columns written with the child's name, `max(grades.icans)`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from site_agent.contract.expressions.canonical import canonical
from site_agent.contract.expressions.errors import EvaluationError, ExpressionError
from site_agent.contract.expressions.syntax import Node, TextLiteral
from site_agent.contract.expressions.types import (
    Boolean,
    Booleans,
    Category,
    Columns,
    Floats,
    Indices,
    Number,
    Rows,
    Scope,
    Text,
    Type,
    Value,
    block,
    booleans,
    codes,
    numbers,
)

SITE: Final = "site"

_NOUNS: Final = {
    Number: "a number",
    Boolean: "true or false",
    Category: "a category",
    Columns: "a block of design columns",
    Text: "a text",
}


def refusal(node: Node, message: str) -> ExpressionError:
    """Return the error with `message` at `node`."""
    return ExpressionError(message, node.at.position, node.at.text)


def failure(node: Node, message: str, rows: int = 0) -> EvaluationError:
    """Return the error with `message`, at `node`, about so many rows."""
    return EvaluationError(message, rows, node.at.position, node.at.text)


def unchecked(node: Node) -> EvaluationError:
    """Return the error at a node that `infer` would have refused."""
    return failure(
        node,
        f"{excerpt(node)} does not fit these rows; check the expression with infer() against "
        "their columns before it is evaluated.",
    )


def excerpt(node: Node) -> str:
    """Return the spelling of `node` for a message, at most 60 characters of it."""
    text = canonical(node)
    text = text if len(text) <= 60 else f"{text[:57]}..."
    return text if isinstance(node, TextLiteral) else f"'{text}'"


def noun(kind: Type) -> str:
    """Return what a type is called in a message."""
    return _NOUNS[type(kind)]


def visible(scope: Scope) -> dict[tuple[str, ...], Type]:
    """Return every name that an expression over `scope` may hold, with its type."""
    found: dict[tuple[str, ...], Type] = {}
    if scope.parent is not None:
        address, above = scope.parent
        found |= {(address, *parts): kind for parts, kind in visible(above).items()}
    found |= {(SITE, name): kind for name, kind in scope.site.items()}
    return found | {(name,): kind for name, kind in scope.columns.items()}


@dataclass(frozen=True, slots=True)
class Checking:
    """The columns in sight; `rule` finds the type of a node among them.

    `qualifier` is the table whose name every column must carry, in an aggregate's argument;
    `inside` the aggregate that is being read.
    """

    scope: Scope
    rule: Callable[[Node, Checking], Type]
    qualifier: str | None = None
    inside: str | None = None

    def names(self) -> dict[tuple[str, ...], Type]:
        """Return the names in sight with their types."""
        if self.qualifier is None:
            return visible(self.scope)
        return {(self.qualifier, name): kind for name, kind in self.scope.columns.items()}

    def kind(self, node: Node) -> Type:
        """Return the type of `node`; ExpressionError if it has none."""
        return self.rule(node, self)

    def child(self, table: str, inside: str, *, qualified: bool = False) -> Checking:
        """Return the sight from a row of child table `table`."""
        below = self.scope.children[table]
        return replace(self, scope=below, inside=inside, qualifier=table if qualified else None)

    def number(self, node: Node, taker: str) -> None:
        """Refuse `node` if it is not a Number; `taker` says what takes it."""
        kind = self.kind(node)
        if isinstance(kind, Boolean):
            advice = f" Write number({canonical(node)}) to count true as 1 and false as 0."
            raise refusal(
                node,
                f"{taker} takes numbers, and {excerpt(node)} is true or false."
                + (advice if len(advice) < 120 else ""),
            )
        if not isinstance(kind, Number):
            raise refusal(node, f"{taker} takes numbers, and {excerpt(node)} is {noun(kind)}.")

    def boolean(self, node: Node, taker: str) -> None:
        """Refuse `node` if it is not a Boolean; `taker` says what takes it."""
        kind = self.kind(node)
        if not isinstance(kind, Boolean):
            raise refusal(
                node,
                f"{taker} takes true or false, and {excerpt(node)} is {noun(kind)}; "
                "write a comparison.",
            )


@dataclass(frozen=True, slots=True, eq=False)
class Evaluating:
    """The rows at hand; `step` evaluates a node over them.

    `active` (bool, one a row) marks the rows whose value can still matter: in the others
    (the branch of an `if` that is not taken) an operation without a value is no error.
    """

    rows: Rows
    active: Booleans
    step: Callable[[Node, Evaluating], Value]
    qualifier: str | None = None

    def value(self, node: Node) -> Value:
        """Return the value of `node`, over all rows."""
        return self.step(node, self)

    def number(self, node: Node) -> Value:
        """Return the value of `node`, which must be a Number."""
        return self._of(Number, node)

    def boolean(self, node: Node) -> Value:
        """Return the value of `node`, which must be a Boolean."""
        return self._of(Boolean, node)

    def _of(self, wanted: type[Number] | type[Boolean], node: Node) -> Value:
        value = self.value(node)
        if not isinstance(value.kind, wanted):
            raise unchecked(node)
        return value

    def narrowed(self, rows: Booleans) -> Evaluating:
        """Return the same rows, of which only those in `rows` matter."""
        return replace(self, active=self.active & rows)

    def child(self, table: str, node: Node) -> Evaluating:
        """Return the rows of child table `table`; those of rows that matter here matter."""
        if table not in self.rows.children:
            raise unchecked(node)
        below, index = self.rows.children[table]
        return replace(self, rows=below, active=self.active[index], qualifier=None)

    def qualified(self, table: str) -> Evaluating:
        """Return the same rows, whose columns are written with the name of their table."""
        return replace(self, qualifier=table)

    def column(self, node: Node, parts: tuple[str, ...]) -> Value:
        """Return the column that `parts` name."""
        if self.qualifier is not None and parts[0] == self.qualifier:
            parts = parts[1:]
        found = _column(self.rows, parts)
        if found is None:
            raise unchecked(node)
        return found

    def refuse(self, wrong: Booleans, what: str, expected: str, node: Node) -> None:
        """Raise EvaluationError if an operation has no value in a row that matters."""
        advice = "Correct the data, or choose other values for these rows with if(...)."
        self.refuse_data(wrong, what, f"{expected}. {advice}", node)

    def refuse_data(self, wrong: Booleans, what: str, expected: str, node: Node) -> None:
        """Raise EvaluationError if `wrong` holds in a row that matters."""
        count = int(np.count_nonzero(wrong & self.active))
        if count:
            raise failure(
                node,
                f"{what} in {count} row{'s' * (count != 1)}; expected {expected}",
                count,
            )

    def finite(self, data: Floats, missing: Booleans, what: str, node: Node) -> Value:
        """Return the Number value of `data`; refuse what overflowed."""
        self.refuse(
            ~np.isfinite(data) & ~missing,
            f"{what} beyond the range of a double",
            "a finite result",
            node,
        )
        return numbers(data, missing)


def _column(rows: Rows, parts: tuple[str, ...]) -> Value | None:
    match parts:
        case (name,):
            return _normal(rows.columns[name]) if name in rows.columns else None
        case (head, name) if head == SITE:
            return _attribute(rows, name)
        case (head, *rest) if rows.parent is not None and head == rows.parent[0]:
            above = _column(rows.parent[1], tuple(rest))
            return None if above is None else _at(above, rows.parent[2])
        case _:
            return None


def _normal(value: Value) -> Value:
    """Return `value` with the one filling of missing rows; NaN counts as missing."""
    match value.kind:
        case Number():
            return numbers(value.data, value.missing | np.isnan(value.data))
        case Boolean():
            return booleans(value.data, value.missing)
        case Columns() as kind:
            return block(kind, value.data, value.missing | np.isnan(value.data).any(axis=1))
        case Category() as kind:
            return codes(kind, value.data, value.missing | (value.data < 0))
        case _:
            return value


def _at(value: Value, index: Indices) -> Value:
    return Value(value.kind, value.data[index], value.missing[index])


def _attribute(rows: Rows, name: str) -> Value | None:
    """Return the site's own level in every row; a Text if the levels are not declared."""
    level, kind = rows.site.get(name), rows.site_levels.get(name)
    if level is None:
        return None
    missing = np.broadcast_to(np.False_, (rows.count,))
    if kind is None:
        return Value(Text(), np.broadcast_to(np.array(level), (rows.count,)), missing)
    if level not in kind.levels:
        raise EvaluationError(
            f"The site's '{name}' is '{level}', which is none of the declared levels "
            f"{', '.join(kind.levels)}; correct the site's attribute."
        )
    code = np.int64(kind.levels.index(level))
    return Value(kind, np.broadcast_to(code, (rows.count,)), missing)
