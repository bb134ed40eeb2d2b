r"""Covariates that are more than one number: categories by cut, splines, interactions.

Restricted cubic spline with knots t_1 < ... < t_k, in the truncated power basis with
(u)_+ = max(u, 0). It is linear below t_1 and above t_k and has k - 1 columns: x itself and,
for j = 1 ... k - 2,

    [ (x - t_j)_+^3  -  (x - t_{k-1})_+^3 (t_k - t_j) / (t_k - t_{k-1})
                     +  (x - t_k)_+^3 (t_{k-1} - t_j) / (t_k - t_{k-1}) ] / (t_k - t_1)^2

The division by (t_k - t_1)^2 puts every column on the scale of x, without which the
information matrix of a model is badly conditioned.

Reference: F. E. Harrell, Regression Modeling Strategies, 2nd ed., Springer 2015, 2.4.5.
"""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np

from site_agent.contract.expressions.canonical import label, spelled
from site_agent.contract.expressions.contexts import Checking, Evaluating, refusal
from site_agent.contract.expressions.errors import EvaluationError
from site_agent.contract.expressions.syntax import (
    BooleanLiteral,
    Call,
    ListLiteral,
    Node,
    TextLiteral,
    constant,
)
from site_agent.contract.expressions.types import (
    MAX_COLUMNS,
    Boolean,
    Booleans,
    Category,
    Columns,
    Floats,
    Number,
    Text,
    Type,
    Value,
    block,
    codes,
)


def design_names(kind: Type, term: str) -> tuple[str, ...]:
    """Return the names of the design columns of a covariate of type `kind` called `term`."""
    match kind:
        case Number() | Boolean():
            return (term,)
        case Category():
            return tuple(f"{term}={level}" for level in kind.contrasts)
        case Columns():
            return kind.names
        case _:
            raise EvaluationError(
                f"'{term}' has no declared levels, so it has no design columns; give the rows "
                "its levels."
            )


def design(value: Value, term: str) -> tuple[tuple[str, ...], Floats, Booleans]:
    """Return the design columns of a covariate: names, float64 (n, k), missing bool (n,).

    A Number is one column, a Boolean one of 0 and 1, a Category an indicator of each level
    but the reference, in order of the levels; a block is as it is. Missing rows hold NaN.
    EvaluationError for a text.
    """
    names = design_names(value.kind, term)
    matrix = value.data
    if isinstance(value.kind, Category):
        levels = [value.kind.levels.index(level) for level in value.kind.contrasts]
        matrix = value.data[:, np.newaxis] == np.array(levels, dtype=np.int64)
    matrix = matrix.reshape(len(value.missing), len(names))
    filled = np.where(value.missing[:, np.newaxis], np.nan, matrix.astype(np.float64))
    return names, filled, value.missing


# cut


def cut_rule(call: Call, checking: Checking) -> Type:
    """Type rule of cut: a Number becomes a Category whose reference is the first level."""
    checking.number(call.arguments[0], "cut()")
    return _cut_category(call)


def cut(call: Call, at: Evaluating) -> Value:
    """Return the interval in which each value lies; [low, high), or (low, high] if right."""
    x = at.number(call.arguments[0])
    points = np.array(_ascending(call, call.arguments[1], 1))
    found = np.searchsorted(points, x.data, side="left" if _right(call) else "right")
    return codes(_cut_category(call), found.astype(np.int64), x.missing)


def _cut_category(call: Call) -> Category:
    points = _ascending(call, call.arguments[1], 1)
    given = call.keyword("labels")
    levels = _interval_labels(points, _right(call)) if given is None else _labels(given, points)
    return Category(levels, levels[0])


def _right(call: Call) -> bool:
    given = call.keyword("right")
    if given is not None and not isinstance(given, BooleanLiteral):
        raise refusal(given, "'right' is true or false, written out.")
    return given is not None and given.value


def _interval_labels(points: tuple[float, ...], right: bool) -> tuple[str, ...]:
    edges = [spelled(point) for point in points]
    pairs = pairwise(edges)
    if right:
        return (f"<={edges[0]}", *(f">{low} to {high}" for low, high in pairs), f">{edges[-1]}")
    return (f"<{edges[0]}", *(f"{low} to <{high}" for low, high in pairs), f">={edges[-1]}")


def _labels(given: Node, points: tuple[float, ...]) -> tuple[str, ...]:
    items = given.items if isinstance(given, ListLiteral) else ()
    labels = tuple(item.value for item in items if isinstance(item, TextLiteral))
    wanted = len(points) + 1
    if len(items) != wanted or len(set(labels) - {""}) != wanted:
        raise refusal(
            given,
            f"'labels' of cut() at {len(points)} point{'s' * (wanted != 2)} is a list of "
            f"{wanted} different texts in quotes.",
        )
    return labels


def _ascending(call: Call, node: Node, least: int) -> tuple[float, ...]:
    """Return the numbers written out in a list, which must ascend."""
    items = node.items if isinstance(node, ListLiteral) else ()
    values = tuple(value for item in items if (value := constant(item)) is not None)
    ascending = all(low < high for low, high in pairwise(values))
    if len(values) != len(items) or len(values) < least or not ascending:
        raise refusal(
            node,
            f"{call.function}() takes a list of at least {least} number{'s' * (least > 1)}, "
            "written out and ascending, such as [50, 60, 70].",
        )
    return values


# spline


def spline_rule(call: Call, checking: Checking) -> Type:
    """Type rule of spline: a Number becomes k - 1 Columns."""
    checking.number(call.arguments[0], "spline()")
    return _spline_columns(call)


def _spline_columns(call: Call) -> Columns:
    term = label(call.arguments[0])
    return Columns(tuple(term + "'" * j for j in range(len(_knots(call)) - 1)))


def _knots(call: Call) -> tuple[float, ...]:
    return _ascending(call, dict(call.keywords)["knots"], 3)


def spline(call: Call, at: Evaluating) -> Value:
    """Return the restricted cubic spline basis, (n, k - 1) in the unit of x."""
    x = at.number(call.arguments[0])
    with np.errstate(all="ignore"):
        data = restricted_cubic_spline(x.data, np.array(_knots(call)))
    return _finite_block(_spline_columns(call), data, x.missing, at, call)


def spline_basis(node: Node, x: Floats) -> Floats | None:
    """Return the basis of the expression `spline(...)` at values x (n,); None for any other."""
    if not isinstance(node, Call) or node.function != "spline":
        return None
    return restricted_cubic_spline(x, np.array(_knots(node)))


def restricted_cubic_spline(x: Floats, knots: Floats) -> Floats:
    """Return the basis of x (n,) for ascending `knots` (k,), as (n, k - 1): Harrell 2.4.5."""
    penultimate, last = knots[-2], knots[-1]
    scale = (last - knots[0]) ** 2
    columns = [x]
    for knot in knots[:-2]:
        columns.append(
            (
                _cubed(x - knot)
                - _cubed(x - penultimate) * ((last - knot) / (last - penultimate))
                + _cubed(x - last) * ((penultimate - knot) / (last - penultimate))
            )
            / scale
        )
    return np.column_stack(columns)


def _cubed(u: Floats) -> Floats:
    """Return (u)_+^3; products are the same on every processor, a power is not."""
    positive = np.maximum(u, 0.0)
    cube: Floats = positive * positive * positive
    return cube


# interaction


def interaction_rule(call: Call, checking: Checking) -> Type:
    """Type rule of interaction: two covariates become the Columns of their products."""
    terms = []
    for argument in call.arguments:
        kind = checking.kind(argument)
        if isinstance(kind, Text):
            raise refusal(argument, "interaction() takes covariates, and this is a text.")
        terms.append(design_names(kind, label(argument)))
    count = len(terms[0]) * len(terms[1])
    if count > MAX_COLUMNS:
        raise refusal(
            call, f"interaction() makes {count} columns, and at most {MAX_COLUMNS} are allowed."
        )
    return Columns(tuple(":".join(pair) for pair in product(*terms)))


def interaction(call: Call, at: Evaluating) -> Value:
    """Return every product of a column of a and one of b, those of b varying fastest."""
    (names, a, no_a), (others, b, no_b) = (
        design(at.value(argument), label(argument)) for argument in call.arguments
    )
    kind = Columns(tuple(":".join(pair) for pair in product(names, others)))
    with np.errstate(all="ignore"):
        data = (a[:, :, np.newaxis] * b[:, np.newaxis, :]).reshape(len(a), len(kind.names))
    return _finite_block(kind, data, no_a | no_b, at, call)


def _finite_block(
    kind: Columns, data: Floats, missing: Booleans, at: Evaluating, call: Call
) -> Value:
    overflowed = ~np.isfinite(data).all(axis=1) & ~missing
    at.refuse(overflowed, f"{call.function} beyond the range of a double", "a finite result", call)
    return block(kind, data, missing)
