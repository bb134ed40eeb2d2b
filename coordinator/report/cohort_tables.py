"""The table of the cohort: a row for each variable or level, a column for each group and for all.

Counts of a variable are shown together or not at all. Percentages are of the rows that have the
variable, those of the missing of all rows. Where a cell is small, so is what would give it back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coordinator.report import numbers
from coordinator.report.comparison_tables import TESTS
from coordinator.report.suppression import Cell
from coordinator.report.views import Table, View
from coordinator.report.words import no_result

Row = tuple[Cell, ...]
ALL: Final = "All"
TRUTH: Final = {"false": "no", "true": "yes"}


def cohort_tables(view: View) -> list[Table]:
    """Return the table of the cohort, with p-values where the study tests."""
    strata = _strata(view)
    tested = bool(view.document.options.get("tests"))
    rows = [
        row
        for variable, found in view.result["models"].items()
        for row in _rows(view, variable, found, tested=tested)
    ]
    groups = [view.group(stratum) if stratum else ALL for stratum in strata]
    further = (*(("SMD",) if _apart(view) else ()), *(("p", "Test") if tested else ()))
    columns = ("Variable", "Level", *groups, *further)
    caption = "Median [first, third quartile]" + (
        ", minimum to maximum" if view.document.options.get("extremes") else ""
    )
    return [Table(f"{caption}; rows (%)", columns, tuple(rows), headed=2)]


def _strata(view: View) -> list[str]:
    """Return the groups of the table, "" for all, as in the first variable that has any."""
    for found in view.result["models"].values():
        if not found.get("failed"):
            return [group["stratum"] for group in found["groups"]]
    return [""]


def _rows(view: View, variable: str, found: Mapping[str, Any], *, tested: bool) -> Iterator[Row]:
    label = view.label(variable)
    if found.get("failed"):
        yield (label, no_result(view, str(found["because"]))[1])
        return
    total = view.rules.total(variable)
    shown = view.rules.free or total.cells
    test = (
        *(_difference(view, found, shown=shown) if _apart(view) else ()),
        *(_test(view, found, shown=shown) if tested else ()),
    )
    blank = (numbers.ABSENT,) * len(test)
    if found["groups"][0]["levels"]:
        places = range(len(found["groups"][0]["levels"]))
        for place in places:
            cells = [_share(view, g["levels"][place], shown=shown) for g in found["groups"]]
            level = found["groups"][0]["levels"][place]["name"]
            level = TRUTH.get(level, level)
            yield (label, level, *cells, *(blank if place else test))
    else:
        crowded = view.rules.free or total.crowded
        cells = [_spread(view, group, shown=crowded) for group in found["groups"]]
        yield (label, numbers.ABSENT, *cells, *test)
    if any(group["missing"] for group in found["groups"]):
        cells = [_missing(view, group, shown=shown) for group in found["groups"]]
        yield (label, "missing", *cells, *blank)


def _apart(view: View) -> bool:
    return bool(view.document.options.get("smd"))


def _difference(view: View, found: Mapping[str, Any], *, shown: bool) -> tuple[Cell, ...]:
    """Return the standardized difference of the groups, hidden with what would give a count."""
    if not shown:
        return (view.limit.hidden,)
    return (numbers.ABSENT if found["smd"] is None else numbers.fixed(found["smd"], 2),)


def _test(view: View, found: Mapping[str, Any], *, shown: bool) -> tuple[Cell, ...]:
    test = found["test"]
    if not shown:
        return (view.limit.hidden, view.limit.hidden)
    if test.get("failed"):
        return (numbers.ABSENT, view.limit.sentence(str(test["because"])))
    return (numbers.p_value(test["p_value"]), TESTS[test["test"]])


def _spread(view: View, group: Mapping[str, Any], *, shown: bool) -> Cell:
    """Return median and quartiles, and the range where it is told."""
    if not shown:
        return view.limit.hidden
    if group["median"] is None:  # nobody has the number
        return numbers.ABSENT
    middle, first, third, low, high = (
        numbers.significant(group[name])
        for name in ("median", "first_quartile", "third_quartile", "minimum", "maximum")
    )
    extremes = "" if low == numbers.ABSENT else f" {low} to {high}"
    return f"{middle} [{first}, {third}]{extremes}"


def _share(view: View, level: Mapping[str, Any], *, shown: bool) -> Cell:
    if not shown:
        return view.limit.hidden
    return f"{numbers.count(level['count'])} ({numbers.percent(level['proportion'])})"


def _missing(view: View, group: Mapping[str, Any], *, shown: bool) -> Cell:
    if not shown:
        return view.limit.hidden
    share = numbers.percent(group["missing_proportion"])
    return f"{numbers.count(group['missing'])} ({share})"


def proportion_tables(view: View) -> list[Table]:
    """Return the proportion of each level with its limits; of a condition, where it holds.

    The p-value is hidden with the count: the two are one number.
    """
    rows: list[Row] = []
    against = view.document.options.get("against")
    for variable, found in view.result["models"].items():
        label = view.label(variable)
        if found.get("failed"):
            rows.append((label, no_result(view, str(found["because"]))[1]))
            continue
        shown = view.rules.free or view.rules.total(variable).cells
        for group in found["groups"]:
            name = view.group(group["stratum"]) if group["stratum"] else ALL
            rows += [(label, name, *cells) for cells in _proportions(view, group, shown=shown)]
    columns: tuple[str, ...] = ("Variable", "Group", "Level", "Rows", "Of", f"% ({view.level})")
    if against is not None:
        columns = (*columns, f"p against {numbers.share(against)}")
    return [Table("Proportions", columns, tuple(rows), headed=2)]


def _proportions(view: View, group: Mapping[str, Any], *, shown: bool) -> Iterator[Row]:
    """Yield level, rows, of how many, proportion in percent with its limits, and p if tested."""
    tested = view.document.options.get("against") is not None
    condition = [level["name"] for level in group["levels"]] == list(TRUTH)
    for level in group["levels"][1:] if condition else group["levels"]:
        name = TRUTH[level["name"]] if condition else level["name"]
        estimate, low, high = (
            numbers.percent(level[part]) for part in ("proportion", "conf_low", "conf_high")
        )
        percent: Cell = numbers.with_interval(estimate, low, high) if shown else view.limit.hidden
        counts = (view.limit.cell(n, shown=shown) for n in (level["count"], group["rows"]))
        p: Cell = numbers.p_value(level["p_value"]) if shown else view.limit.hidden
        yield (name, *counts, percent, *([p] if tested else []))
