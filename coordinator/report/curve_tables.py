"""The tables of survival and incidence: estimates at times, quantiles, restricted means."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from coordinator.report import numbers
from coordinator.report.model_tables import TEST_COLUMNS, test_row
from coordinator.report.suppression import Cell
from coordinator.report.views import CountsOverTime, Table, View, counts_over_time

AT_RISK = 0
CENSORED = 1
EVENTS = 2
Row = tuple[Cell, ...]


def survival_tables(view: View) -> list[Table]:
    """Return the tables of a survival analysis that have rows."""
    counts = counts_over_time(view)
    tables = [_quantiles(view, counts), _survival_at(view, counts), _restricted_means(view)]
    return [_without_empty_group(table) for table in tables if table.rows]


def incidence_tables(view: View) -> list[Table]:
    """Return the tables of an incidence analysis that have rows."""
    counts = counts_over_time(view)
    tables = [_sizes(view, counts), _incidence_at(view, counts), _time_to(view), _gray_tests(view)]
    return [_without_empty_group(table) for table in tables if table.rows]


def _gray_tests(view: View) -> Table:
    """Return Gray's test of each cause; hidden where any cause is a small count in a group.

    The test of one cause counts the events of the others too.
    """
    tests = view.result.get("tests", ())
    shown = view.rules.full and all(view.rules.summary(view.series(c)) for c in range(len(tests)))
    rows = tuple(_gray_test(view, test, shown=shown) for test in tests)
    return Table("Gray's test of equal incidence", ("Outcome", *TEST_COLUMNS[1:]), rows)


def _gray_test(view: View, test: Mapping[str, Any], *, shown: bool) -> Row:
    outcome, hidden = view.label(test["outcome"]), view.limit.hidden
    if not shown:
        return (outcome, hidden, str(test["df"]), hidden)
    if test["because"]:
        return (outcome, test["because"])
    return test_row(outcome, test)


def _without_empty_group(table: Table) -> Table:
    """Return the table without its first column if there is just one nameless group."""
    if any(row[0] for row in table.rows):
        return table
    rows = tuple(row[1:] for row in table.rows)
    return Table(table.caption, table.columns[1:], rows, max(table.headed - 1, 0))


def _quantiles(view: View, counts: CountsOverTime) -> Table:
    """Return rows, events, the median and the other quantiles of each curve."""
    curves = view.result["curves"]
    others = [q["probability"] for q in curves[0]["quantiles"] if q["probability"] != 0.5]
    names = [f"{numbers.share(p)} by ({view.level})" for p in others]
    last = counts.at(math.inf)
    rows = [
        (
            view.group(curve["stratum"]),
            size,
            end[EVENTS],
            _time_with_limits(view, curve["median"], "estimate"),
            *(_time_with_limits(view, q, "quantile") for q in _chosen(curve, others)),
        )
        for curve, size, end in zip(curves, counts.sizes(), last, strict=True)
    ]
    columns = ("Group", "Rows", "Events", f"Median ({view.level})", *names)
    return Table(f"Median and quantiles of the time, in {view.units}", columns, tuple(rows))


def _chosen(curve: Mapping[str, Any], probabilities: list[float]) -> list[Mapping[str, Any]]:
    return [q for q in curve["quantiles"] if q["probability"] in probabilities]


def _time_with_limits(view: View, row: Mapping[str, Any], name: str) -> Cell:
    if not view.rules.summary(view.series(0)):
        return view.limit.hidden
    low, high = numbers.time(row["conf_low"]), numbers.time(row["conf_high"])
    if low == high == numbers.NOT_REACHED:
        return numbers.time(row[name])
    return f"{numbers.time(row[name])} ({low} to {high})"


def probability_with_limits(
    view: View, row: Mapping[str, Any], *, rows: int, cause: int = 0
) -> Cell:
    """Return the estimate of a row in per cent with its limits, for a group of so many rows."""
    if not view.rules.estimate(view.series(cause), row["time"]):
        return view.limit.hidden
    step = numbers.percent_step(rows, counted=view.rules.full)
    values = (numbers.percent(row[name], step) for name in ("estimate", "conf_low", "conf_high"))
    return numbers.with_interval(*values)


def _survival_at(view: View, counts: CountsOverTime) -> Table:
    rows: list[Row] = []
    for place, curve in enumerate(view.result["curves"]):
        for at in curve["at"]:
            cells = counts.at(at["time"])[place]
            shown = (numbers.time(at["time"]), cells[AT_RISK], cells[EVENTS])
            estimate = probability_with_limits(view, at, rows=curve["rows"])
            rows.append((view.group(curve["stratum"]), *shown, estimate))
    reverse = view.document.options.get("reverse")
    estimate = "Still to be followed" if reverse else "Survival"
    columns = ("Group", f"Time ({view.units})", "At risk after", "Events so far")
    percent = f"{estimate}, % ({view.level})"
    return Table("Estimates at given times", (*columns, percent), tuple(rows), headed=2)


def _restricted_means(view: View) -> Table:
    rows = tuple(
        (
            view.group(curve["stratum"]),
            numbers.time(mean["tau"]),
            *_mean_with_error(view, mean),
        )
        for curve in view.result["curves"]
        for mean in curve["restricted_mean"]
    )
    columns = ("Group", f"Up to ({view.units})", "Restricted mean", "Standard error")
    return Table(f"Restricted mean time, in {view.units}", columns, rows, headed=2)


def _mean_with_error(view: View, mean: Mapping[str, Any]) -> Row:
    if not view.rules.summary(view.series(0)):
        return (view.limit.hidden, view.limit.hidden)
    return numbers.with_error(mean["restricted_mean"], mean["std_error"])


def _sizes(view: View, counts: CountsOverTime) -> Table:
    """Return rows, censored, and events by cause of each group."""
    outcomes = list(dict.fromkeys(curve["outcome"] for curve in view.result["curves"]))
    rows = tuple(
        (view.group(group.level), size, *end[CENSORED:])
        for group, size, end in zip(counts.groups, counts.sizes(), counts.at(math.inf), strict=True)
    )
    columns = ("Group", "Rows", "Censored", *(f"Events: {view.label(o)}" for o in outcomes))
    return Table("Rows and events", columns, rows)


def _incidence_at(view: View, counts: CountsOverTime) -> Table:
    """Return estimates at given times, with the events so far of the curve's own cause."""
    rows: list[Row] = []
    strata = [group.level for group in counts.groups]
    seen = dict.fromkeys(strata, 0)
    for curve in view.result["curves"]:
        stratum = curve["stratum"]
        cause, seen[stratum] = seen[stratum], seen[stratum] + 1
        for at in curve["at"]:
            cells = counts.at(at["time"])[strata.index(stratum)]
            shown = (numbers.time(at["time"]), cells[AT_RISK], cells[EVENTS + cause])
            names = (view.group(stratum), view.label(curve["outcome"]))
            estimate = probability_with_limits(view, at, rows=curve["rows"], cause=cause)
            rows.append((*names, *shown, estimate))
    columns = ("Group", "Outcome", f"Time ({view.units})", "At risk after", "Events so far")
    percent = f"Incidence, % ({view.level})"
    return Table("Estimates at given times", (*columns, percent), tuple(rows), headed=3)


def _time_to(view: View) -> Table:
    causes = list(dict.fromkeys(curve["outcome"] for curve in view.result["curves"]))
    rows = tuple(
        (
            view.group(curve["stratum"]),
            view.label(curve["outcome"]),
            numbers.share(reached["incidence"]),
            numbers.time(reached["time"])
            if view.rules.summary(view.series(causes.index(curve["outcome"])))
            else view.limit.hidden,
        )
        for curve in view.result["curves"]
        for reached in curve["time_to"]
    )
    columns = ("Group", "Outcome", "Incidence", f"Reached after ({view.units})")
    return Table("Time to a given incidence", columns, rows, headed=3)
