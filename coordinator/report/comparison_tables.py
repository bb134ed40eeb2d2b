"""The tables of tests between groups, and of pairs before and after.

The groups of a variable, and of a category all cells, are shown together or not at all. Where a
cell is small, so is what would give it back: statistic, p-value and estimate. Of a category they
are hidden whenever its cells are; of a number, whose ranks and means tell no count, where a
group is small.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coordinator.report import numbers
from coordinator.report.suppression import Cell
from coordinator.report.views import Table, View
from coordinator.report.words import NO_RESULT, no_result

Row = tuple[Cell, ...]
TESTS: Final = {
    "wilcoxon": "Wilcoxon rank sum",
    "kruskal": "Kruskal-Wallis",
    "t": "t, pooled variance",
    "welch": "Welch's t",
    "anova": "analysis of variance",
    "welch_anova": "Welch's analysis of variance",
    "chi_square": "chi-square",
    "fisher": "Fisher's exact",
    "trend": "chi-square for trend",
    "mantel_haenszel": "Mantel-Haenszel",
    "ratio_t": "t of log ratios",
    "signed_rank": "Wilcoxon signed rank",
}
PAIRED_T: Final = "paired t"
RATIOS: Final = ("odds ratio", "common odds ratio", "geometric mean ratio")
OF: Final = ("before", "after", "change")
UNBOUNDED: Final = "no bound"


def compare_tables(view: View) -> list[Table]:
    """Return the tests of all variables, then the groups of each."""
    tests: list[Row] = []
    groups: list[Row] = []
    for variable, found in view.result["models"].items():
        label = view.label(variable)
        if found.get("failed"):
            verdict, because = no_result(view, str(found["because"]))
            tests.append((label, because if verdict == NO_RESULT else f"{verdict}. {because}"))
            continue
        rows = view.limit.cell(found["rows"], shown=view.rules.total(variable).rows)
        shown = _shown(view, variable, category=bool(found["levels"]))
        tests.append((label, TESTS[found["test"]], rows, *_test(view, found, shown=shown)))
        groups += _groups(view, variable, found)
    columns = ("Variable", "Test", "Rows", "Statistic", f"Estimate ({view.level})", "p")
    found_tables = [
        Table("Tests between groups", columns, tuple(tests)),
        Table("Groups", ("Variable", "Group", "Level", "Rows", "Mean ± SD"), tuple(groups), 2),
    ]
    return [table for table in found_tables if table.rows]


def _shown(view: View, model: str, *, category: bool) -> bool:
    """Return whether statistic, estimate and p-value may be shown."""
    total = view.rules.total(model)
    return view.rules.free or (total.cells if category else total.crowded)


def _test(view: View, found: Mapping[str, Any], *, shown: bool) -> tuple[Cell, Cell, Cell]:
    """Return statistic, estimate and p-value of a test."""
    if not shown:
        return (view.limit.hidden,) * 3
    return (
        numbers.significant(found["statistic"]),
        _estimate(found),
        numbers.p_value(found["p_value"]),
    )


def _estimate(found: Mapping[str, Any]) -> str:
    """Return the estimate with its limits, and what it is of; absent where there is none."""
    what = found["estimate_of"]
    if not what:
        return numbers.ABSENT
    written = numbers.ratio if what in RATIOS else numbers.significant
    low, middle, high = (
        UNBOUNDED if found[name] is None else written(found[name])
        for name in ("conf_low", "estimate", "conf_high")
    )
    return f"{what} {numbers.with_interval(middle, low, high)}"


def _groups(view: View, variable: str, found: Mapping[str, Any]) -> list[Row]:
    """Return a row for each group, of a category for each level of each group."""
    total, label = view.rules.total(variable), view.label(variable)
    counted = view.rules.free or total.cells

    def cell(count: int) -> Cell:
        return view.limit.cell(count, shown=counted)

    if found["levels"]:
        return [
            (label, view.group(group), level, cell(count), numbers.ABSENT)
            for group, counts in zip(found["groups"], found["counts"], strict=True)
            for level, count in zip(found["levels"], counts, strict=True)
        ]
    means = found["mean"] or [None] * len(found["n"])
    spreads = found["std_dev"] or [None] * len(found["n"])
    shown = view.rules.free or total.crowded
    columns = zip(found["groups"], found["n"], means, spreads, strict=True)
    return [
        (
            label,
            view.group(group),
            numbers.ABSENT,
            cell(n),
            _spread(mean, deviation) if shown else view.limit.hidden,
        )
        for group, n, mean, deviation in columns
    ]


def _spread(mean: float | None, deviation: float | None) -> str:
    if mean is None:
        return numbers.ABSENT
    return f"{numbers.significant(mean)} ± {numbers.significant(deviation, 2)}"


def paired_tables(view: View) -> list[Table]:
    """Return how many fell, rose and stayed, the change, and the tests."""
    result, total = view.result, view.rules.total()
    counted = view.rules.free or total.cells
    cells = (view.limit.cell(result[name], shown=counted) for name in ("fell", "rose", "stayed"))
    rows = view.limit.cell(result["rows"], shown=view.rules.free or total.rows)
    spreads: list[Cell] = [view.limit.hidden] * 4
    if not view.limit.small(result["rows"]):
        spreads = [_spread(result["mean"][of], result["std_dev"][of]) for of in OF]
        spreads.append(numbers.ratio(result["fold_change"]))
    change = (rows, *cells, *spreads)
    columns = ("Pairs", "Fell", "Rose", "Stayed", "Before", "After", "Change", "Fold change")
    return [
        Table("Before and after, mean ± SD", columns, (change,), headed=0),
        Table("Tests", ("Test", "Statistic", f"Estimate ({view.level})", "p"), _paired_tests(view)),
    ]


def _paired_tests(view: View) -> tuple[Row, ...]:
    """Return the tests; with few pairs that rise or fall the signed ranks would tell of them."""
    rows: list[Row] = []
    several = not view.limit.small(view.result["rows"])
    for name, found in view.result["tests"].items():
        label = PAIRED_T if name == "t" else TESTS[name]
        if found.get("failed"):
            rows.append((label, view.limit.sentence(str(found["because"]))))
        else:
            shown = several and (name != "signed_rank" or _shown(view, "", category=False))
            rows.append((label, *_test(view, found, shown=shown)))
    return tuple(rows)
