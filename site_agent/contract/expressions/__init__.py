"""Expressions: the closed grammar of derived columns, endpoints, cohorts and covariates.

The text comes from the coordinating center and is read at a hospital. It is parsed, checked
and evaluated here, by numpy and the standard library alone: nothing in it is ever executed.

    node = parse('log10(ferritin) > 3 and route == "IV"')
    kind = infer(node, scope)         # Boolean()
    value = evaluate(node, rows)      # bool data, and where they are missing

docs/expressions.md describes the grammar for those who write studies.
"""

from site_agent.contract.expressions.canonical import canonical, label
from site_agent.contract.expressions.check import infer
from site_agent.contract.expressions.designs import design, design_names, spline_basis
from site_agent.contract.expressions.errors import EvaluationError, ExpressionError
from site_agent.contract.expressions.evaluate import evaluate
from site_agent.contract.expressions.functions import FUNCTIONS, Function
from site_agent.contract.expressions.levels import evaluate_levels, infer_levels
from site_agent.contract.expressions.names import names
from site_agent.contract.expressions.parser import parse
from site_agent.contract.expressions.syntax import Node
from site_agent.contract.expressions.tokens import RESERVED, is_name
from site_agent.contract.expressions.types import (
    Boolean,
    Category,
    Columns,
    Number,
    Rows,
    Scope,
    Text,
    Type,
    Value,
)

__all__ = [
    "FUNCTIONS",
    "RESERVED",
    "Boolean",
    "Category",
    "Columns",
    "EvaluationError",
    "ExpressionError",
    "Function",
    "Node",
    "Number",
    "Rows",
    "Scope",
    "Text",
    "Type",
    "Value",
    "canonical",
    "design",
    "design_names",
    "evaluate",
    "evaluate_levels",
    "infer",
    "infer_levels",
    "is_name",
    "label",
    "names",
    "parse",
    "spline_basis",
]
