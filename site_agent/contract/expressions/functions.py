"""The closed table of functions: what an expression may call, and nothing else.

Each entry holds how the function is written, what it means, how many arguments it takes, its
type rule and its evaluation. docs/expressions.md has a heading for each; a test holds this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

import numpy as np

from site_agent.contract.expressions import aggregates, designs, rowwise, runs
from site_agent.contract.expressions.contexts import Checking, Evaluating
from site_agent.contract.expressions.syntax import Call
from site_agent.contract.expressions.types import Type, Value


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the grammar.

    It takes from `least` to `most` arguments without a name (no `most`: any number). `reads`
    says what its first argument is: a value of the row, a column of a child table written
    with the table's name, or a child table.
    """

    signature: str
    meaning: str
    rule: Callable[[Call, Checking], Type]
    value: Callable[[Call, Evaluating], Value]
    least: int = 1
    most: int | None = 1
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    reads: Literal["row", "column", "table"] = "row"

    @property
    def keywords(self) -> tuple[str, ...]:
        """Return the names of its keyword arguments."""
        return self.required + self.optional


_ABOVE_ZERO = (rowwise.not_above_zero, "a value that is not above 0", "values above 0")

_ELEMENTARY = {
    "log10": Function(
        "log10(x)",
        "Decimal logarithm.",
        rowwise.all_numbers,
        rowwise.elementary(np.log10, *_ABOVE_ZERO),
    ),
    "log": Function(
        "log(x)",
        "Natural logarithm.",
        rowwise.all_numbers,
        rowwise.elementary(np.log, *_ABOVE_ZERO),
    ),
    "log2": Function(
        "log2(x)",
        "Binary logarithm: an increase by 1 is a doubling.",
        rowwise.all_numbers,
        rowwise.elementary(np.log2, *_ABOVE_ZERO),
    ),
    "exp": Function(
        "exp(x)",
        "Exponential function.",
        rowwise.all_numbers,
        rowwise.elementary(np.exp),
    ),
    "sqrt": Function(
        "sqrt(x)",
        "Square root.",
        rowwise.all_numbers,
        rowwise.elementary(np.sqrt, rowwise.below_zero, "a value below 0", "values of at least 0"),
    ),
    "abs": Function(
        "abs(x)",
        "Absolute value.",
        rowwise.all_numbers,
        rowwise.elementary(np.abs),
    ),
}

_CHOICES = {
    "minimum": Function(
        "minimum(a, b, ...)",
        "Smallest of several numbers of a row; missing if any is.",
        rowwise.all_numbers,
        rowwise.extreme(np.minimum),
        least=2,
        most=None,
    ),
    "maximum": Function(
        "maximum(a, b, ...)",
        "Largest of several numbers of a row; missing if any is.",
        rowwise.all_numbers,
        rowwise.extreme(np.maximum),
        least=2,
        most=None,
    ),
    "earliest": Function(
        "earliest(a, b, ...)",
        "Smallest of those numbers of a row that are not missing.",
        rowwise.all_numbers,
        rowwise.known_extreme(np.fmin),
        least=2,
        most=None,
    ),
    "latest": Function(
        "latest(a, b, ...)",
        "Largest of those numbers of a row that are not missing.",
        rowwise.all_numbers,
        rowwise.known_extreme(np.fmax),
        least=2,
        most=None,
    ),
    "is_missing": Function(
        "is_missing(x)",
        "Whether a value is missing; itself never missing.",
        rowwise.is_missing_rule,
        rowwise.is_missing,
    ),
    "coalesce": Function(
        "coalesce(a, b, ...)",
        "First of several values of one type that is not missing.",
        rowwise.coalesce_rule,
        rowwise.coalesce,
        least=2,
        most=None,
    ),
    "if": Function(
        "if(condition, a, b)",
        "The number a where the condition is true, b where it is false.",
        rowwise.if_rule,
        rowwise.choose,
        least=3,
        most=3,
    ),
    "number": Function(
        "number(condition)",
        "1 where the condition is true, 0 where it is false.",
        rowwise.number_rule,
        rowwise.number,
    ),
}

_DESIGNS = {
    "cut": Function(
        "cut(x, [points], labels = [texts], right = false)",
        "Category of the interval in which a number lies.",
        designs.cut_rule,
        designs.cut,
        least=2,
        most=2,
        optional=("labels", "right"),
    ),
    "spline": Function(
        "spline(x, knots = [numbers])",
        "Restricted cubic spline with at least 3 knots, one design column fewer than knots.",
        designs.spline_rule,
        designs.spline,
        required=("knots",),
    ),
    "interaction": Function(
        "interaction(a, b)",
        "Products of the design columns of two covariates.",
        designs.interaction_rule,
        designs.interaction,
        least=2,
        most=2,
    ),
}

_AGGREGATES = {
    "max": Function(
        "max(table.x, where = condition)",
        "Largest value over the rows of a child table; missing of none.",
        aggregates.column_rule,
        aggregates.largest,
        optional=("where",),
        reads="column",
    ),
    "min": Function(
        "min(table.x, where = condition)",
        "Smallest value over the rows of a child table; missing of none.",
        aggregates.column_rule,
        aggregates.smallest,
        optional=("where",),
        reads="column",
    ),
    "mean": Function(
        "mean(table.x, where = condition)",
        "Mean over the rows of a child table; missing of none.",
        aggregates.column_rule,
        aggregates.mean,
        optional=("where",),
        reads="column",
    ),
    "sum": Function(
        "sum(table.x, where = condition)",
        "Sum over the rows of a child table; 0 of none.",
        aggregates.column_rule,
        aggregates.total,
        optional=("where",),
        reads="column",
    ),
    "count": Function(
        "count(table, where = condition)",
        "Number of rows of a child table; 0 of none.",
        aggregates.count_rule,
        aggregates.count,
        optional=("where",),
        reads="table",
    ),
    "first_run": Function(
        "first_run(table, condition, length = days, from = day)",
        "First day of the first run of consecutive days on which a condition is true.",
        runs.day_rule,
        runs.first_run,
        least=2,
        most=2,
        required=("length",),
        optional=("from",),
        reads="table",
    ),
    "first": Function(
        "first(table, condition, from = day)",
        "First day on which a condition is true.",
        runs.day_rule,
        runs.first_run,
        least=2,
        most=2,
        optional=("from",),
        reads="table",
    ),
    "last": Function(
        "last(table, condition)",
        "Last day on which a condition is true.",
        runs.day_rule,
        runs.last,
        least=2,
        most=2,
        reads="table",
    ),
}

FUNCTIONS: Final[Mapping[str, Function]] = MappingProxyType(
    _ELEMENTARY | _CHOICES | _DESIGNS | _AGGREGATES
)
