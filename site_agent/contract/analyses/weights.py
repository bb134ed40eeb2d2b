"""The option `weights` of an analysis: a number of each row, or the name of a weighting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from site_agent.contract.analyses.kind import Context, Options
from site_agent.contract.expressions import Number
from site_agent.contract.frames import Weighting
from site_agent.contract.study.fields import Fields, nearest
from site_agent.contract.study.model import Study

WEIGHTING: Final = "weighting"  # the kind, and the option that an analysis which names one has


def read_weights(fields: Fields, context: Context, table: str) -> dict[str, Any]:
    """Read `weights`: an expression, or an analysis of the kind weighting, under `weighting`."""
    node = fields.node_of("weights")
    if node is None:
        return {"weights": None}
    if names_weighting(fields, context):
        if str(node.value) in context.scopes[table].columns:
            fields.issue(
                f"'{node.value}' is a column and a weighting; give one of the two another name",
                node,
            )
        return {"weights": None, WEIGHTING: str(node.value)}
    columns = context.scopes[table].columns
    bare = isinstance(node.value, str) and node.value.isidentifier()
    if context.weightings and bare and node.value not in columns:
        hint = nearest(str(node.value), [*columns, *context.weightings])
        fields.issue(f"'{node.value}' is neither a column nor a weighting{hint}", node)
        return {"weights": None}
    expected = "a number above 0, or the name of a weighting"
    return {"weights": context.expression(fields, node, table, accept=(Number,), expected=expected)}


def names_weighting(fields: Fields, context: Context) -> bool:
    """Return whether `weights` is the name of an analysis of the kind weighting."""
    node = fields.named.get("weights")
    return node is not None and node.value in context.weightings


def is_weighted(options: Options) -> bool:
    """Return whether the rows of an analysis count otherwise than as one each."""
    return bool(options.get("weights") or options.get(WEIGHTING))


def weighting_of(study: Study, options: Options) -> Weighting | None:
    """Return how the analysis that `options` name weighs rows; None if they name none."""
    named = study.analyses.get(options.get(WEIGHTING, ""))
    return None if named is None else as_named(named.options)


def as_named(options: Options) -> Weighting:
    """Return how an analysis of the kind weighting, with these options, weighs rows."""
    return Weighting(
        treatment=options["treatment"],
        covariates=tuple(options["covariates"]),
        variant=options["variant"],
        truncate=tuple(options["truncate"]),
    )


def weighting_issues(study: Study) -> Iterator[tuple[str, str]]:
    """Yield (analysis, what is wrong) where its rows need not have the weights that it names."""
    for name, analysis in study.analyses.items():
        named = study.analyses.get(analysis.options.get(WEIGHTING, ""))
        if named is None:
            continue
        endpoint = study.endpoints.get(analysis.options.get("endpoint", ""))
        table = analysis.options["table"] if endpoint is None else endpoint.table
        own, cohort = named.options["table"], named.options["cohort"]
        if table != own:
            yield (
                name,
                f"its rows are of table '{table}', those of its weights '{named.name}' of '{own}'. "
                f"Name a weighting of its own table",
            )
        elif cohort is not None and cohort != analysis.options["cohort"]:
            yield (
                name,
                f"its weights '{named.name}' are those of the cohort '{cohort}', and its rows need "
                f"not be in it. Give both this cohort, or the weighting none",
            )
