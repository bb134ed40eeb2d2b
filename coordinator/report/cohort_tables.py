"""The table of the cohort as gtsummary draws it, and the table of proportions.

A row for each variable, its levels under it, those without a value as "Unknown"; a column for all
and for each group, with its size in the head; the number's summary and the tests in notes at the
foot. A variable of yes and no has one row. Counts of a variable are shown together or not at all.
Percentages are of the rows that have the variable. Where a cell is small, so is what would give it
back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from coordinator.report import numbers
from coordinator.report.comparison_tables import TESTS
from coordinator.report.suppression import Cell
from coordinator.report.views import Table, View
from coordinator.report.words import no_result

Row = tuple[Cell, ...]
OVERALL: Final = "Overall"
ALL: Final = "All"
TRUTH: Final = {"false": "no", "true": "yes"}
YES_OR_NO: Final = (["no", "yes"], ["false", "true"])
UNKNOWN: Final = "Unknown"
SUMMARY: Final = ("median", "first_quartile", "third_quartile", "minimum", "maximum")
CALLED_TESTS: Final = ("wilcoxon", "kruskal", "welch", "chi_square", "fisher")
SUPERSCRIPTS: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
BREAK_BEFORE: Final = "\u00a0"  # holds "N = 43" together


@dataclass(slots=True)
class Notes:
    """The notes of a table in the order in which they are first marked."""

    texts: list[str] = field(default_factory=list)

    def mark(self, text: str) -> str:
        """Return the mark of a note, a raised number."""
        if text not in self.texts:
            self.texts.append(text)
        return str(self.texts.index(text) + 1).translate(SUPERSCRIPTS)

    def lines(self) -> tuple[str, ...]:
        """Return each note behind its mark."""
        return tuple(f"{self.mark(text)} {text}" for text in self.texts)


def cohort_tables(view: View) -> list[Table]:
    """Return the table of the cohort, with p-values where the study tests."""
    tested = bool(view.document.options.get("tests"))
    notes = Notes()
    first = notes.mark(_summary_note(view))
    rows: list[Row] = []
    under: set[int] = set()
    for variable, found in view.result["models"].items():
        own = list(_rows(view, variable, found, notes=notes if tested else None))
        under |= {len(rows) + place for place in range(1, len(own))}
        rows += own
    groups = [f"{name}{size}{first}" for name, size in _heads(view)]
    further = (*(("SMD",) if _apart(view) else ()), *(("p",) if tested else ()))
    by = view.document.options.get("by")
    return [
        Table(
            f"Characteristics{f' by {view.label(by)}' if by else ''}",
            ("Characteristic", *groups, *further),
            tuple(rows),
            under=frozenset(under),
            notes=notes.lines(),
        )
    ]


def _summary_note(view: View) -> str:
    """Return what stands in the cells."""
    known = [m["groups"][0] for m in view.result["models"].values() if not m.get("failed")]
    extremes = " [minimum to maximum]" if view.document.options.get("extremes") else ""
    parts = [
        *([f"Median (first, third quartile){extremes}"] if _any(known, number=True) else []),
        *(["n (%)"] if _any(known, number=False) else []),
    ]
    return "; ".join(parts) or "n"


def _any(groups: list[Mapping[str, Any]], *, number: bool) -> bool:
    return any(bool(group["levels"]) != number for group in groups)


def _heads(view: View) -> list[tuple[str, str]]:
    """Return the columns' names, all first, and their sizes as far as they are shown.

    A size is the rows with and without any variable, so that it is shown where the counts of one
    are.
    """
    models = view.result["models"]
    fits = {name: found for name, found in models.items() if not found.get("failed")}
    shown = [f for n, f in fits.items() if view.rules.free or view.rules.total(n).cells]
    for found in [*shown, *fits.values()]:
        return [
            (
                view.group(group["stratum"]) if group["stratum"] else OVERALL,
                _size(group) if shown else "",
            )
            for group in _in_order(found["groups"])
        ]
    return [(OVERALL, "")]


def _size(group: Mapping[str, Any]) -> str:
    text = f"N = {numbers.count(group['rows'] + (group['missing'] or 0))}"
    return f" {text.replace(' ', BREAK_BEFORE)}"


def _in_order(groups: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return all rows first, then the groups."""
    return sorted(groups, key=lambda group: bool(group["stratum"]))


def _rows(
    view: View, variable: str, found: Mapping[str, Any], *, notes: Notes | None
) -> Iterator[Row]:
    """Yield the row of a variable, then those under it; tests are noted where there are any."""
    label = view.label(variable)
    if found.get("failed"):
        yield (label, no_result(view, str(found["because"]))[1])
        return
    total, groups = view.rules.total(variable), _in_order(found["groups"])
    shown = view.rules.free or total.cells
    test = (
        *(_difference(view, found, shown=shown) if _apart(view) else ()),
        *((_test(view, found, notes, shown=shown),) if notes is not None else ()),
    )
    blank = ("",) * len(test)
    names = [level["name"] for level in groups[0]["levels"]]
    if names in YES_OR_NO:
        yield (label, *(_share(view, g["levels"][1], shown=shown) for g in groups), *test)
    elif names:
        yield (label, *("",) * len(groups), *test)
        for place, name in enumerate(names):
            cells = [_share(view, group["levels"][place], shown=shown) for group in groups]
            yield (view.label(TRUTH.get(name, name)), *cells, *blank)
    else:
        crowded = view.rules.free or total.crowded
        write = _writing(groups)
        yield (label, *(_spread(view, g, write, shown=crowded) for g in groups), *test)
    if any(group["missing"] for group in groups):
        yield (UNKNOWN, *(view.limit.cell(g["missing"], shown=shown) for g in groups), *blank)


def _apart(view: View) -> bool:
    return bool(view.document.options.get("smd"))


def _difference(view: View, found: Mapping[str, Any], *, shown: bool) -> tuple[Cell, ...]:
    """Return the standardized difference of the groups, hidden with what would give a count."""
    if not shown:
        return (view.limit.hidden,)
    return (numbers.ABSENT if found["smd"] is None else numbers.fixed(found["smd"], 2),)


def _test(view: View, found: Mapping[str, Any], notes: Notes, *, shown: bool) -> Cell:
    """Return the p-value with the mark of its test; of a test that failed, of why."""
    test = found["test"]
    if not shown:
        return view.limit.hidden
    if test.get("failed"):
        return f"{numbers.ABSENT}{notes.mark(view.limit.sentence(str(test['because'])))}"
    name = TESTS[test["test"]] + (" test" if test["test"] in CALLED_TESTS else "")
    return f"{numbers.p_value(test['p_value'])}{notes.mark(f'{name[:1].upper()}{name[1:]}')}"


def _writing(groups: list[Mapping[str, Any]]) -> Callable[[float | None], str]:
    """Return how a variable's numbers are written: whole ones, and halves of them, as they are."""
    known = [group[name] for group in groups for name in SUMMARY if group[name] is not None]
    if all(float(4 * value).is_integer() for value in known):
        return lambda value: numbers.fixed(value, 1 if abs(value or 0) < 100 else 0).removesuffix(
            ".0"
        )
    return numbers.significant


def _spread(
    view: View, group: Mapping[str, Any], write: Callable[[float | None], str], *, shown: bool
) -> Cell:
    """Return median and quartiles, and the range where it is told."""
    if not shown:
        return view.limit.hidden
    if group["median"] is None:  # nobody has the number
        return numbers.ABSENT
    middle, first, third, low, high = (write(group[name]) for name in SUMMARY)
    extremes = "" if low == numbers.ABSENT else f" [{low} to {high}]"
    return f"{middle} ({first}, {third}){extremes}"


def _share(view: View, level: Mapping[str, Any], *, shown: bool) -> Cell:
    if not shown:
        return view.limit.hidden
    return f"{numbers.count(level['count'])} ({numbers.table_percent(level['proportion'])})"


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
