"""What a model explains stands on one side of it: its outcome is none of its covariates.

A covariate is circular if it is what the model explains, or names the one column that this names
and no other: `status` in a model of the death `status == "dead"`, a spline of the outcome. Others
may well hold it: the value before among the covariates of a change. What reads several rows is
another quantity (the first grade and the worst one), so it is circular only if it is the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from site_agent.contract import expressions
from site_agent.contract.expressions.syntax import Call, walk
from site_agent.contract.study.model import Endpoint


def explained_by(endpoint: Endpoint | None) -> tuple[str, ...]:
    """Return what ends a row of an endpoint: its time or last day seen, and its causes."""
    if endpoint is None:
        return ()
    ends = (endpoint.time, endpoint.censored, *(node for _, node in endpoint.causes))
    return tuple(expressions.canonical(node) for node in ends if node is not None)


def circular(covariate: str, explained: Sequence[str]) -> str | None:
    """Return which of the explained expressions a covariate is, or is made of alone."""
    for text in explained:
        if covariate == text or (_only(covariate) is not None and _only(covariate) == _only(text)):
            return text
    return None


def _only(text: str) -> tuple[str, ...] | None:
    """Return the one column that an expression over single rows names, None if it is not one."""
    node = expressions.parse(text)
    named = expressions.names(node)
    return next(iter(named)) if len(named) == 1 and not reads_tables(node) else None


def reads_tables(node: expressions.Node) -> bool:
    """Return whether an expression reads more than its own row."""
    return any(
        isinstance(one, Call) and expressions.FUNCTIONS[one.function].reads != "row"
        for one, _ in walk(node)
    )
