"""The options of what a Cox model is asked for beyond its fit, and what each of them opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from site_agent.contract import expressions
from site_agent.contract.analyses.cox_concordance import WITHIN_SITE as CONCORDANCE
from site_agent.contract.analyses.cox_pairs import OUTLIVING, PAIR_SQUARES
from site_agent.contract.analyses.cox_predict import value_of
from site_agent.contract.analyses.cox_robust import POOLED, WITHIN_SITE
from site_agent.contract.analyses.death_predictors import DEATH_PREDICTORS
from site_agent.contract.analyses.explained import reads_tables
from site_agent.contract.analyses.kind import Context, Options
from site_agent.contract.analyses.open_risk_sets import OPEN_RISK_SETS
from site_agent.contract.analyses.score_residuals import COLUMN, PATIENT, SITE
from site_agent.contract.analyses.weights import names_weighting
from site_agent.contract.expressions import Boolean, Category, Number
from site_agent.contract.study.document import Node
from site_agent.contract.study.fields import Fields, nearest
from site_agent.contract.study.model import Column
from site_agent.contract.sums import Sum

NAMED: Final = (PATIENT, SITE)
PAIRS: Final = "need sums over pairs of times, which sealed risk sets do not give"
INSTEAD: Final = "take baseline: by_site; or risk_sets: open, if the stewards accept class C"


def cluster_of(options: Options) -> str:
    """Return what rows are added up by for robust errors; nothing if errors are not robust."""
    if not options.get("robust"):
        return ""
    return str(options["cluster"]) if options["cluster"] in NAMED else COLUMN


def read_further(fields: Fields, context: Context, table: str, form: str) -> dict[str, Any]:
    """Read `offset`, `robust`, `cluster` and `concordance`; form: how risk sets are summed."""
    robust, cluster = _read_robust(fields, context, table)
    concordance = fields.flag("concordance")
    if robust and form == "sealed":
        node = fields.named.get("robust") or fields.named.get("cluster")
        plain = "; or robust: false, for errors that ignore that weights were fitted"
        scored = node is None and names_weighting(fields, context)
        fields.issue(
            f"robust standard errors, which weights by a propensity score bring along, "
            f"{PAIRS}; {INSTEAD}{plain}"
            if scored
            else f"robust standard errors {PAIRS}; {INSTEAD}",
            fields.named["weights"] if scored else node,
        )
    if concordance and form == "sealed":
        words = "a concordance over all hospitals compares patients one by one"
        fields.issue(f"{words}; {INSTEAD}", fields.named["concordance"])
    if concordance and form and fields.named.get("weights") is not None:
        words = "with weights there is a concordance of baseline: by_site only"
        fields.issue(f"{words}; take one of the two out", fields.named["concordance"])
    return {
        "offset": _read_offset(fields, context, table),
        "robust": robust,
        "cluster": cluster,
        "concordance": concordance,
    }


def _read_robust(fields: Fields, context: Context, table: str) -> tuple[bool, str | None]:
    """Read `robust` and `cluster`: a cluster makes it robust, and without one it is the patient."""
    node, asked = fields.node_of("cluster"), fields.named.get("robust")
    scored = names_weighting(fields, context)
    robust = fields.flag("robust", default=node is not None or scored)
    if node is None:
        return robust, PATIENT if robust else None
    if asked is not None and not robust:
        fields.issue("'cluster' is for robust standard errors; take robust: false out", node)
    if node.value in NAMED:
        return robust, str(node.value)
    cluster = context.expression(
        fields,
        node,
        table,
        accept=(Number, Category, Boolean),
        expected="patient, site, or a column that rows of one hospital have in common",
    )
    return robust, cluster


def _read_offset(fields: Fields, context: Context, table: str) -> str | None:
    node = fields.node_of("offset")
    if node is None:
        return None
    return context.expression(fields, node, table, accept=(Number,), expected="a number")


def read_curves(fields: Fields, context: Context, table: str, options: Options) -> dict[str, Any]:
    """Read `predict` and `baseline_curve`; options are those read before."""
    everywhere = fields.flag("baseline_curve")
    if everywhere and options["risk_sets"] != "open":
        words = "an increment of the baseline hazard is 1/S0 at one time, class C"
        fields.issue(f"{words}: it needs risk_sets: open", fields.named["baseline_curve"])
    curves = {}
    for name, node in fields.each("predict"):
        curves[name] = _read_curve(Fields(node, fields.issues).open(), context, table, options)
    if curves and not options["risk_sets"]:
        words = "a baseline by hospital is never pooled, so nothing can be predicted from it"
        fields.issue(f"{words}; take 'predict' out", fields.named["predict"])
    elif curves and options["risk_sets"] == "sealed" and not options["baseline_at"]:
        words = "sealed risk sets give predicted curves at the times of 'baseline_at' only"
        fields.issue(f"{words}; name these, or take risk_sets: open", fields.named["predict"])
    return {"predict": curves, "baseline_curve": everywhere}


def _read_curve(given: Fields, context: Context, table: str, options: Options) -> dict[str, Any]:
    """Read the values of one curve: each column that a covariate names, and no other."""
    texts = [*options["covariates"], *([options["offset"]] if options["offset"] else [])]
    nodes = [expressions.parse(text) for text in texts]
    named = {parts for node in nodes for parts in expressions.names(node)}
    if any(len(parts) > 1 for parts in named) or any(reads_tables(node) for node in nodes):
        given.issue(
            "curves are predicted for values of the table's own columns; a covariate here reads "
            "another table. Derive a column from it, and name that as the covariate"
        )
        return {}
    columns = sorted(parts[0] for parts in named)
    kinds = context.scopes[table].columns
    found: dict[str, Any] = {}
    for name in columns:
        node = given.node_of(name, required=True)
        if node is None:
            continue
        try:
            value_of(kinds[name], node.value)
        except ValueError as error:
            given.issue(f"found {node.kind()}, {error}", node)
            continue
        _refuse_outside(given, node, context.tables[table].columns.get(name))
        found[name] = str(node.value) if isinstance(kinds[name], Category) else node.value
    for name, node in given.named.items():
        if name not in columns:
            given.issue(f"'{name}' is in no covariate{nearest(name, columns)}", node)
    return found


def _refuse_outside(given: Fields, node: Node, column: Column | None) -> None:
    """Note a value that no patient can have; a derived column (None) has no range."""
    value = node.value
    if column is None or isinstance(value, bool) or not isinstance(value, int | float):
        return
    low, high = column.low, column.high
    if (low is not None and value < low) or (high is not None and value > high):
        ends = [
            *([] if low is None else [f"from {low:g}"]),
            *([] if high is None else [f"to {high:g}"]),
        ]
        given.issue(
            f"found {node.kind()}, which the range of '{column.name}' ({' '.join(ends)}) leaves "
            f"out: the model has seen no such patient. Take another value, or widen the range",
            node,
        )


def further_sums(options: Mapping[str, Any]) -> tuple[Sum, ...]:
    """Return the sums that open for what is asked for beyond the fit."""
    within = options["baseline"] == "by_site"
    found: list[Sum] = []
    shown = options.get("predict") or options.get("baseline_curve")
    if options["risk_sets"] == "open" and (options["robust"] or shown):
        found.append(OPEN_RISK_SETS)
    if options["robust"]:
        found.append(WITHIN_SITE if within else POOLED)
    if options["concordance"]:
        found += [CONCORDANCE] if within else [DEATH_PREDICTORS, OUTLIVING, PAIR_SQUARES]
    return tuple(found)
