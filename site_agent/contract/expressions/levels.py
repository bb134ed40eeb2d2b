"""Columns declared level by level: `{high: dose_mg > 200, low: otherwise}`.

The first level whose condition is true is the row's. A condition that is missing before one
is true leaves open which level comes first, so the row is missing; so is one that meets no
condition when there is no `otherwise`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from site_agent.contract.expressions.check import infer
from site_agent.contract.expressions.contexts import refusal
from site_agent.contract.expressions.errors import ExpressionError, nearest
from site_agent.contract.expressions.evaluate import evaluate_condition
from site_agent.contract.expressions.syntax import Node
from site_agent.contract.expressions.types import Boolean, Category, Rows, Scope, Value, codes

Conditions = Sequence[tuple[str, Node | None]]


def infer_levels(levels: Conditions, scope: Scope, reference: str = "") -> Category:
    """Return the category that `levels` declare; None stands for `otherwise`, and comes last.

    Without a `reference` it is the level of `otherwise`, or else the first. ExpressionError
    if a level is repeated or empty, or a condition is no Boolean over `scope`.
    """
    kind = _category(levels, reference)
    for level, node in levels:
        if node is not None and not isinstance(infer(node, scope), Boolean):
            raise refusal(
                node, f"The condition of level '{level}' must be true or false, such as age > 50."
            )
    return kind


def evaluate_levels(levels: Conditions, rows: Rows, reference: str = "") -> Value:
    """Return the level of each of `rows`, n codes; see `infer_levels`."""
    kind = _category(levels, reference)
    found = np.full(rows.count, -1, np.int64)
    undecided = np.ones(rows.count, np.bool_)
    for code, (_, node) in enumerate(levels):
        if node is None:
            found[undecided] = code
            break
        condition = evaluate_condition(node, rows, undecided)
        found[undecided & condition.data] = code
        undecided &= ~condition.data & ~condition.missing
    return codes(kind, found, found < 0)


def _category(levels: Conditions, reference: str) -> Category:
    names = tuple(level for level, _ in levels)
    if len(set(names)) != len(names) or len(names) < 2 or "" in names:
        raise ExpressionError("Levels are at least two different names, none of them empty.", 0)
    if any(node is None for _, node in levels[:-1]):
        raise ExpressionError("'otherwise' takes what is left, so it is the last level.", 0)
    if reference and reference not in names:
        raise ExpressionError(
            f"The reference '{reference}' is none of the levels.{nearest(reference, names)}", 0
        )
    return Category(names, reference or names[-1 if levels[-1][1] is None else 0])
