"""The kind `table_one`: the cohort described, variable by variable, by group and in all."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.distribution import DISTRIBUTION, Measured, distribution
from site_agent.contract.analyses.grids import grid_in_dictionary
from site_agent.contract.analyses.group_results import Comparison
from site_agent.contract.analyses.group_sums import GROUP_TABLE
from site_agent.contract.analyses.group_tests import Wanted, compare_groups, table_ask
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld
from site_agent.contract.analyses.quantiles import Summary, summarise
from site_agent.contract.analyses.results import Failure
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.analyses.table_one_results import Described, InGroup, TableOne
from site_agent.contract.frames import Floats, Frame
from site_agent.contract.lockstep import lockstep
from site_agent.contract.rows import levels_of
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Ask, Disclosure, Estimator

Describing = Generator[tuple[Ask, ...], tuple[Answer, ...], Described]
Counting = Generator[tuple[Ask, ...], tuple[Answer, ...], Floats]
TYPES: Final[dict[str, int]] = {"type_7": 7, "type_2": 2}


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    table = context.table(fields)
    by = context.category(fields, "by", table)
    variables: list[str] = []
    for node in fields.items("variables", required=True):
        variable = context.variable(fields, node, table)
        if variable in variables:
            fields.issue(f"variable '{variable}' stands twice; keep one", node)
        elif variable is not None:
            variables.append(variable)
    tests = fields.flag("tests")
    if tests and by is None:
        fields.issue("'tests' compares groups; name them with 'by', or take it out")
    return {
        "table": table,
        "cohort": context.cohort(fields, table),
        "variables": variables,
        "numbers": [name for name in variables if context.is_number(table, name)],
        "by": by,
        "tests": tests,
        "smd": _read_smd(fields, by),
        "extremes": fields.flag("extremes"),
        "quantiles": fields.choice("quantiles", tuple(TYPES), default="type_7"),
    }


def _read_smd(fields: Fields, by: str | None) -> bool:
    wanted = fields.flag("smd")
    if wanted and by is None:
        fields.issue("'smd' compares groups; name them with 'by', or take it out")
    return wanted


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    by = f", in each group of {options['by']}" if options["by"] else ""
    pooled = (DISTRIBUTION.disclosure, DISTRIBUTION.gives + by)
    return ((GROUP_TABLE.disclosure, GROUP_TABLE.gives), *([pooled] if options["numbers"] else []))


def _unknown(variable: str) -> str:
    """Return the condition that a variable is missing, in its one spelling."""
    return f"is_missing({variable})"


def _frame(analysis: Analysis, covariate: str) -> Frame:
    options = analysis.options
    return Frame(
        table=options["table"],
        cohort=options["cohort"],
        by=options["by"],
        covariates=(covariate,),
    )


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    names = analysis.options["variables"]
    return tuple(_frame(analysis, name) for name in [*names, *map(_unknown, names)])


def _scalars(study: Study, analysis: Analysis, frame: Frame) -> int:
    """Return how many counts of a variable open by group; those of a number are class V."""
    (name,) = frame.covariates
    if name in analysis.options["numbers"]:
        return 0
    return len(levels_of(study, frame.table, frame.by)) * len(levels_of(study, frame.table, name))


def _table_one(study: Study, analysis: Analysis, withheld: Withheld) -> Estimator:
    options = analysis.options
    asked: dict[str, Estimator] = {}
    for name in options["variables"]:
        if name in withheld:
            continue
        describe = _describe_number if name in options["numbers"] else _describe_levels
        asked[name] = describe(study, analysis, name)
        if _unknown(name) not in withheld:
            asked[_unknown(name)] = _count(study, _frame(analysis, _unknown(name)))
        if options["tests"]:
            wanted = Wanted(shift=name in options["numbers"])
            asked[f"test of {name}"] = compare_groups(study, _frame(analysis, name), wanted)
    outcomes: dict[str, Any] = yield from lockstep(asked)
    models = {
        name: Failure(withheld[name]) if name in withheld else _described(outcomes, name)
        for name in options["variables"]
    }
    return TableOne(options["by"] or "", options["extremes"], options["smd"], models)


def _described(outcomes: Mapping[str, Any], name: str) -> Described | Failure:
    """Put a variable together with its missing values and its test."""
    found: Described | Failure = outcomes[name]
    if isinstance(found, Failure):
        return found
    missing = outcomes.get(_unknown(name))
    if isinstance(missing, np.ndarray):
        absent = [*missing[:, 1].tolist(), float(missing[:, 1].sum())]
        pairs = zip(found.groups, absent, strict=False)
        groups = tuple(replace(group, missing=int(n)) for group, n in pairs)
        found = replace(found, groups=groups)
    test = outcomes.get(f"test of {name}")
    return replace(found, test=test.found if isinstance(test, Comparison) else test)


def _describe_number(study: Study, analysis: Analysis, name: str) -> Describing:
    options, frame = analysis.options, _frame(analysis, name)
    strata = levels_of(study, frame.table, frame.by)
    grid = grid_in_dictionary(study, frame.table, name)
    pooled = yield from distribution(Measured(frame, grid, groups=len(strata)))
    kind = TYPES[options["quantiles"]]
    groups = [
        _with_numbers(stratum, summarise(pooled.values, counts, kind))
        for stratum, counts in [*zip(strata, pooled.counts, strict=True), ("", pooled.total)]
    ]
    return Described(_told(groups), pooled.patients, pooled.left_out)


def _with_numbers(stratum: str, summary: Summary) -> InGroup:
    return InGroup(stratum, summary.n, None, summary)


def _describe_levels(study: Study, analysis: Analysis, name: str) -> Describing:
    frame = _frame(analysis, name)
    strata, levels = (levels_of(study, frame.table, of) for of in (frame.by, name))
    (answer,) = yield (table_ask(study, frame),)
    table = answer.totals["tables"].sum(axis=0)
    groups = [
        InGroup(stratum, int(row.sum()), None, None, levels, tuple(int(n) for n in row))
        for stratum, row in [*zip(strata, table, strict=True), ("", table.sum(axis=0))]
    ]
    patients = int(answer.totals["patients"][0])
    return Described(_told(groups), patients, left_out(answer.totals["left_out"]))


def _told(groups: list[InGroup]) -> tuple[InGroup, ...]:
    """Leave out groups that stand twice: without `by` the one group is all."""
    return tuple(groups[-1:] if len(groups) == 2 and not groups[0].stratum else groups)


def _count(study: Study, frame: Frame) -> Counting:
    """Count the rows of each group in which a condition is false, and true, (groups, 2)."""
    (answer,) = yield (table_ask(study, frame),)
    return np.asarray(answer.totals["tables"].sum(axis=0))


TABLE_ONE: Final = Kind(
    "table_one",
    _read,
    _uses,
    _frames,
    _table_one,
    (DISTRIBUTION, GROUP_TABLE),
    by_covariate=True,
    scalars=_scalars,
    values_by_group=lambda options: bool(options["by"]),
)
