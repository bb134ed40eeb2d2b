"""The kind `compare`: tests of variables between groups, each variable by itself."""

from __future__ import annotations

from typing import Any, Final

from site_agent.contract.analyses.cox_options import COMPLETE
from site_agent.contract.analyses.distribution import DISTRIBUTION
from site_agent.contract.analyses.group_results import Comparison, Comparisons
from site_agent.contract.analyses.group_sums import (
    GROUP_SQUARES,
    GROUP_SUMS,
    GROUP_TABLE,
    RANK_SUMS,
    TABLES_WITHIN_SITE,
)
from site_agent.contract.analyses.group_sums import SUMS as GROUP_TOTALS
from site_agent.contract.analyses.group_tests import (
    OF_MEANS,
    OF_RANKS,
    OF_TABLES,
    Wanted,
    compare_groups,
    kind_of,
)
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld
from site_agent.contract.analyses.results import Failure
from site_agent.contract.expressions import Category, Number
from site_agent.contract.frames import Frame
from site_agent.contract.lockstep import by_covariate
from site_agent.contract.rows import levels_of
from site_agent.contract.study.document import Node
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Disclosure, Estimator, Sum

TESTS: Final = ("auto", *OF_RANKS, *OF_MEANS, *OF_TABLES)
EXACT: Final = ("auto", "always", "never")
# Tests of two groups, and those that take more.
OF_TWO: Final = {"t": "anova", "welch": "welch_anova", "wilcoxon": "kruskal"}
BY_CLASS: Final[dict[str, tuple[Sum, ...]]] = {
    "ranks": (DISTRIBUTION, RANK_SUMS),
    "means": (GROUP_SUMS, GROUP_SQUARES),
    "tables": (GROUP_TABLE,),
    "within": (TABLES_WITHIN_SITE,),
}


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    table = context.table(fields)
    by = context.category(fields, "by", table)
    if by is None and "by" not in fields.named:
        fields.issue("'by' is missing: the groups to compare")
    test = fields.choice("test", TESTS, default="auto")
    variables = _read_variables(fields, context, table, test)
    _refuse_groups(fields, context, table, by, test)
    if by in [name for name, _ in variables]:
        fields.issue(
            f"'{by}' is compared with itself; take it out of the variables, or other groups (by)",
            fields.named["variables"],
        )
    return {
        "table": table,
        "cohort": context.cohort(fields, table),
        "variables": [name for name, _ in variables],
        "numbers": [name for name, number in variables if number],
        "by": by,
        "test": test,
        **_read_strata(fields, context, table, test),
        "shift": _only(fields, "shift", test in ("auto", "wilcoxon"), "the rank sum test"),
        "correct": fields.flag("correct", default=True),
        "exact": fields.choice("exact", EXACT, default="auto"),
        "complete": fields.choice("complete", COMPLETE, default="per_model"),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }


def _read_variables(
    fields: Fields, context: Context, table: str, test: str
) -> list[tuple[str, bool]]:
    """Read `variables`, each with whether it is a number; the test must go with all of them."""
    found: dict[str, bool] = {}
    for node in fields.items("variables", required=True):
        variable = context.variable(fields, node, table)
        if variable is None:
            continue
        if variable in found:
            fields.issue(f"variable '{variable}' stands twice; keep one", node)
        found[variable] = context.is_number(table, variable)
        _fitting(fields, node, test, number=found[variable])
    return list(found.items())


def _refuse_groups(fields: Fields, context: Context, table: str, by: str | None, test: str) -> None:
    """Note a test of two groups whose groups are more, unless a cohort may hold two of them."""
    kind = None if by is None else context.kind(table, by)
    if test not in OF_TWO or not isinstance(kind, Category) or len(kind.levels) <= 2:
        return
    if "cohort" not in fields.named:
        fields.issue(
            f"test: {test} takes two groups, and '{by}' has {len(kind.levels)} levels; take "
            f"{OF_TWO[test]} for all of them, or a cohort that holds two",
            fields.named["by"],
        )


def _fitting(fields: Fields, node: Node, test: str, *, number: bool) -> None:
    if test == "auto" or number == (test not in OF_TABLES):
        return
    wanted = "numbers" if number is False else "categories and conditions"
    fields.issue(f"'{node.value}' does not go with test: {test}, which takes {wanted}", node)


def _read_strata(fields: Fields, context: Context, table: str, test: str) -> dict[str, Any]:
    strata = context.strata(fields, table, instead="for hospitals as strata: by_site: true")
    by_site = fields.flag("by_site")
    if test == "mantel_haenszel" and not (strata or by_site):
        fields.issue(
            "test: mantel_haenszel compares within 'strata', or within hospitals (by_site)"
        )
    if test != "mantel_haenszel" and (strata or by_site):
        fields.issue("'strata' and 'by_site' go with test: mantel_haenszel; take them out")
    return {"strata": strata, "by_site": by_site}


def _only(fields: Fields, name: str, fits: bool, with_what: str) -> bool:
    found = fields.flag(name)
    if found and not fits:
        fields.issue(f"'{name}' goes with {with_what}; take it out", fields.named[name])
    return found


def _families(options: Options) -> list[str]:
    """Return which families of sums an analysis opens."""
    test, found = options["test"], []
    if options["numbers"]:
        found.append("means" if test in OF_MEANS else "ranks")
    if len(options["numbers"]) < len(options["variables"]):
        found.append("within" if options["by_site"] else "tables")
    return found


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    by = options["by"]
    shift = f", in each group of {by}" if options["shift"] else ""
    return tuple(
        (one.disclosure, one.gives + (shift if one is DISTRIBUTION else ""))
        for family in _families(options)
        for one in BY_CLASS[family]
    )


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    options = analysis.options
    common = tuple(options["variables"]) if options["complete"] == "common" else ()
    return tuple(
        Frame(
            table=options["table"],
            cohort=options["cohort"],
            by=options["by"],
            strata=tuple(options["strata"]),
            covariates=(variable,),
            complete=common,
        )
        for variable in options["variables"]
    )


def _scalars(study: Study, analysis: Analysis, frame: Frame) -> int:
    """Return how many numbers about a variable open by group: two sums, rank sums, or counts."""
    groups = len(levels_of(study, frame.table, frame.by))
    (variable,) = frame.covariates
    if isinstance(kind_of(study, frame.table, variable), Number):
        return groups * (2 if analysis.options["test"] in OF_MEANS else 1)
    return groups * len(levels_of(study, frame.table, variable))


def _compare(study: Study, analysis: Analysis, withheld: Withheld) -> Estimator:
    options = analysis.options
    wanted = Wanted(
        test=options["test"],
        conf_level=options["conf_level"],
        correct=options["correct"],
        exact=options["exact"],
        shift=options["shift"],
        by_site=options["by_site"],
    )
    every: dict[str, Comparison | Failure] = yield from by_covariate(
        _frames(study, analysis), withheld, lambda frame: compare_groups(study, frame, wanted)
    )
    return Comparisons(options["by"], options["conf_level"], every)


COMPARE: Final = Kind(
    "compare",
    _read,
    _uses,
    _frames,
    _compare,
    (DISTRIBUTION, *GROUP_TOTALS),
    by_covariate=True,
    scalars=_scalars,
    values_by_group=lambda options: bool(options["shift"]),
)
