"""Tests between groups as generators: which sums each test asks for, and what comes of them.

    means (t, Welch, ANOVA)     2 rounds, class A: sums, then squares about the means
    ranks (Wilcoxon, Kruskal)   the pooled distribution (class V), then rank sums by group (class A)
    with the shift              the distribution by group (class V)
    tables                      1 round, class A

Other kinds compose them: `compare_groups` takes one variable of one frame.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from site_agent.contract import expressions
from site_agent.contract.analyses import contingency, stratified_tables, tests_of_means
from site_agent.contract.analyses import tests_of_ranks as ranks
from site_agent.contract.analyses.distribution import Distribution, Measured, distribution
from site_agent.contract.analyses.grids import grid_in_dictionary
from site_agent.contract.analyses.group_results import Comparison, Found
from site_agent.contract.analyses.group_sums import (
    GROUP_SQUARES,
    GROUP_SUMS,
    GROUP_TABLE,
    RANK_SUMS,
    TABLES_WITHIN_SITE,
)
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.analyses.tests_of_means import MeanTest, Moments
from site_agent.contract.errors import AnalysisError
from site_agent.contract.expressions import Category, Number
from site_agent.contract.frames import Floats, Frame
from site_agent.contract.rows import levels_of
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Answer, Arrays, Ask

Asking = Generator[tuple[Ask, ...], tuple[Answer, ...], Comparison]

OF_RANKS: Final = ("wilcoxon", "kruskal")
OF_MEANS: Final = ("t", "welch", "anova", "welch_anova")
OF_TABLES: Final = ("chi_square", "fisher", "trend", "mantel_haenszel")
LEAST_EXPECTED: Final = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """How to compare: a test or 'auto', level of limits, and what some tests can be asked for."""

    test: str = "auto"
    conf_level: float = 0.95
    correct: bool = True
    exact: ranks.Exact = "auto"
    shift: bool = False
    by_site: bool = False


def kind_of(study: Study, table: str, variable: str) -> expressions.Type:
    """Return the type of a variable."""
    return expressions.infer(expressions.parse(variable), study.scopes[table])


def compare_groups(study: Study, frame: Frame, wanted: Wanted) -> Asking:
    """Compare the one covariate of a frame between its groups; AnalysisError in words."""
    (variable,) = frame.covariates
    groups = levels_of(study, frame.table, frame.by)
    if not isinstance(kind_of(study, frame.table, variable), Number):
        return (yield from _compare_tables(study, frame, groups, wanted))
    if wanted.test in OF_MEANS:
        return (yield from _compare_means(frame, groups, wanted))
    return (yield from _compare_ranks(study, frame, groups, wanted))


def _compare_means(frame: Frame, groups: tuple[str, ...], wanted: Wanted) -> Asking:
    fixed = {"groups": len(groups)}
    (first,) = yield (Ask(GROUP_SUMS.name, frame, fixed, {}),)
    n, sums = first.totals["n"], first.totals["sum"]
    refuse_alone(n)
    means = np.divide(sums, n, out=np.zeros_like(sums), where=n > 0)
    (second,) = yield (Ask(GROUP_SQUARES.name, frame, fixed, {"means": means}),)
    # The means as sent are those that squares are about; what is left of them is taken off.
    about = second.floats["means"]
    squares = np.maximum(second.totals["squares"] - n * (means - about) ** 2, 0.0)
    moments = Moments(n, means, squares)
    found = _of_means(wanted.test, moments.held(), wanted.conf_level)
    deviations = np.sqrt(moments.variance)
    return Comparison(
        groups,
        tuple(n.tolist()),
        found,
        **_whose(first.totals),
        mean=tuple(np.where(n > 0, means, np.nan).tolist()),
        std_dev=tuple(deviations.tolist()),
    )


def _of_means(test: str, moments: Moments, level: float) -> Found:
    make: Mapping[str, Callable[[], MeanTest]] = {
        "t": lambda: tests_of_means.t_test(moments, pooled=True, level=level),
        "welch": lambda: tests_of_means.t_test(moments, pooled=False, level=level),
        "anova": lambda: tests_of_means.anova(moments),
        "welch_anova": lambda: tests_of_means.welch_anova(moments),
    }
    found = make[test]()
    return Found(
        test,
        found.p_value,
        found.statistic,
        found.df,
        found.denominator_df,
        estimate_of="" if found.difference is None else "difference of means",
        estimate=found.difference,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
    )


def _compare_ranks(study: Study, frame: Frame, groups: tuple[str, ...], wanted: Wanted) -> Asking:
    (variable,) = frame.covariates
    grid = grid_in_dictionary(study, frame.table, variable)
    apart = len(groups) if wanted.shift else 1
    pooled: Distribution = yield from distribution(Measured(frame, grid, groups=apart))
    if not len(pooled.values):
        raise AnalysisError("no row has both the variable and a group; nothing to compare")
    if wanted.shift:
        n = pooled.counts.sum(axis=1)
        sums = pooled.counts @ pooled.midranks()
    else:
        (answer,) = yield (rank_sums_ask(pooled, len(groups)),)
        n, sums = answer.totals["n"], answer.totals["twice_rank_sum"] / 2
    refuse_alone(n)
    return Comparison(
        groups,
        tuple(n.tolist()),
        _of_ranks(wanted, n, sums, pooled),
        pooled.patients,
        pooled.left_out,
    )


def rank_sums_ask(pooled: Distribution, groups: int) -> Ask:
    """Return the ask for the rank sums of groups, by the midranks of a pooled distribution."""
    fixed = {
        **pooled.measured.fixed(),
        "groups": groups,
        "keys": pooled.keys.tolist(),
        "twice_ranks": [round(2 * rank) for rank in pooled.midranks()],
    }
    return Ask(RANK_SUMS.name, pooled.measured.frame, fixed, {})


def _of_ranks(wanted: Wanted, n: Floats, sums: Floats, pooled: Distribution) -> Found:
    held = np.flatnonzero(n > 0)
    test = wanted.test
    if test == "auto":
        test = "wilcoxon" if len(held) == 2 else "kruskal"
    if test == "kruskal":
        found = ranks.kruskal(sums, n, pooled.total)
        return Found(test, found.p_value, found.statistic, found.df)
    if len(held) != 2:
        raise AnalysisError(
            f"{len(held)} groups have values; the rank sum test takes two. Take test: kruskal"
        )
    sizes = (int(n[held[0]]), int(n[held[1]]))
    rule: dict[str, Any] = {"correct": wanted.correct, "exact": wanted.exact}
    found = ranks.wilcoxon(float(sums[held[0]]), sizes, pooled.total, **rule)
    plain = Found(test, found.p_value, found.statistic, distribution=found.distribution)
    if not wanted.shift:
        return plain
    level = wanted.conf_level
    shift = ranks.shift(pooled.values, pooled.counts[held], level=level, **rule)
    return replace(
        plain,
        estimate_of="shift",
        estimate=shift.estimate,
        conf_low=shift.low,
        conf_high=shift.high,
    )


def table_ask(study: Study, frame: Frame, *, within: bool = False) -> Ask:
    """Return the ask for the counts of a category's levels by group; `within` hospitals or not."""
    (variable,) = frame.covariates
    fixed = {
        **_design(study, frame.table, variable),
        "strata": math.prod(len(levels_of(study, frame.table, name)) for name in frame.strata),
        "groups": len(levels_of(study, frame.table, frame.by)),
        "levels": len(levels_of(study, frame.table, variable)),
    }
    return Ask((TABLES_WITHIN_SITE if within else GROUP_TABLE).name, frame, fixed, {})


def _compare_tables(study: Study, frame: Frame, groups: tuple[str, ...], wanted: Wanted) -> Asking:
    (variable,) = frame.covariates
    levels = levels_of(study, frame.table, variable)
    within = wanted.by_site and wanted.test == "mantel_haenszel"
    (answer,) = yield (table_ask(study, frame, within=within),)
    totals = answer.totals
    table = totals["table"] if within else totals["tables"].sum(axis=0)
    refuse_alone(table.sum(axis=1))
    if wanted.test == "mantel_haenszel":
        sums = totals if within else stratified_tables.stratified_sums(totals["tables"])
        found = _within_strata(sums, wanted)
    else:
        found = _of_table(table, wanted)
    return Comparison(
        groups,
        tuple(table.sum(axis=1).tolist()),
        found,
        **_whose(totals),
        levels=levels,
        counts=tuple(tuple(row) for row in table.tolist()),
    )


def _design(study: Study, table: str, variable: str) -> dict[str, Any]:
    """Return which level each design column of a category or condition is, and the reference."""
    kind = kind_of(study, table, variable)
    if not isinstance(kind, Category):
        return {"columns": [1], "reference": 0}
    places = [kind.levels.index(level) for level in kind.contrasts]
    return {"columns": places, "reference": kind.levels.index(kind.reference)}


def _of_table(table: Floats, wanted: Wanted) -> Found:
    test, correct = wanted.test, wanted.correct
    if test == "auto":
        least = contingency.expected(contingency.occupied(table)).min()
        test, correct = ("chi_square", False) if least >= LEAST_EXPECTED else ("fisher", False)
    if test == "fisher":
        exact = contingency.fisher(table, level=wanted.conf_level)
        return Found(
            test,
            exact.p_value,
            distribution="exact",
            estimate_of="" if exact.odds_ratio is None else "odds ratio",
            estimate=exact.odds_ratio,
            conf_low=exact.conf_low,
            conf_high=exact.conf_high,
        )
    if test == "trend":
        found = contingency.trend(table)
    else:
        found = contingency.chi_square(table, correct=correct)
    return Found(test, found.p_value, found.statistic, found.df)


def _within_strata(sums: Arrays, wanted: Wanted) -> Found:
    found = stratified_tables.mantel_haenszel(sums, correct=wanted.correct, level=wanted.conf_level)
    return Found(
        "mantel_haenszel",
        found.p_value,
        found.statistic,
        found.df,
        estimate_of="" if found.odds_ratio is None else "common odds ratio",
        estimate=found.odds_ratio,
        conf_low=found.conf_low,
        conf_high=found.conf_high,
    )


def refuse_alone(n: Floats) -> None:
    """Raise AnalysisError unless two groups have rows."""
    held = int((n > 0).sum())
    if held < 2:
        raise AnalysisError(
            f"{held or 'no'} group{'s have' if held == 0 else ' has'} rows with the variable "
            f"known; a comparison needs two. Take other groups (by), or another cohort"
        )


def _whose(totals: Arrays) -> dict[str, Any]:
    return {
        "patients": int(totals["patients"][0]),
        "left_out": left_out(totals["left_out"]),
    }
