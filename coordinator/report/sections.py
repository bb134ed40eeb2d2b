"""Each analysis as a section: heading, sentence, figures, tables, or why there is no result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from coordinator.report import numbers, words
from coordinator.report.curve_figure import CurveFigure, curve_figure, figure_ticks
from coordinator.report.curve_lines import Line, drawn_until, followed_until, line_of
from coordinator.report.curve_tables import incidence_tables, survival_tables
from coordinator.report.model_tables import cox_tables, logrank_tables, screen_tables
from coordinator.report.risk_table import GroupCounts
from coordinator.report.small_counts import Shown
from coordinator.report.views import CountsOverTime, Table, View, counts_over_time

TABLES: Final[Mapping[str, Callable[[View], list[Table]]]] = {
    "survival": survival_tables,
    "incidence": incidence_tables,
    "logrank": logrank_tables,
    "cox": cox_tables,
    "cox_screen": screen_tables,
}
COUNTED: Final = "At risk just before each time; censored and events up to and including it."
LATE: Final = (
    "Rows come under observation late: between the given times, at risk is counted when "
    "somebody next leaves."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its caption."""

    drawing: Markup
    caption: str


@dataclass(frozen=True, slots=True)
class Section:
    """One analysis in the report; `failure` is the sentence of one that ended alone."""

    name: str
    heading: str
    sentence: str
    left_out: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    note: str
    failure: str


def section(view: View, identity: str) -> Section:
    """Return the section of an analysis; `identity` starts the ids of its figures."""
    failure = view.limit.sentence(str(view.result["because"])) if view.failed else ""
    tables = () if view.failed else tuple(tables_of(view))
    figures = () if view.failed else tuple(_figures(view, identity))
    texts = [cell for table in tables for row in table.rows for cell in row]
    texts += [str(figure.drawing.striptags()) for figure in figures]
    return Section(
        name=view.document.name,
        heading=view.heading,
        sentence=words.sentence(view),
        left_out="" if view.failed else words.left_out(view),
        figures=figures,
        tables=tables,
        note=words.shown_counts(view, " ".join(texts)),
        failure=failure,
    )


def tables_of(view: View) -> list[Table]:
    """Return the tables of an analysis; of an unknown kind, none."""
    make = TABLES.get(view.document.kind)
    return make(view) if make else []


def _figures(view: View, identity: str) -> Iterator[Figure]:
    """Yield a figure of survival, or one for each outcome of an incidence."""
    if view.document.kind not in ("survival", "incidence"):
        return
    counts = counts_over_time(view)
    curves = view.result["curves"]
    outcomes = list(dict.fromkeys(curve.get("outcome", "") for curve in curves))
    for cause, outcome in enumerate(outcomes):
        own = [curve for curve in curves if curve.get("outcome", "") == outcome]
        yield _figure(view, own, counts, f"{identity}-{cause + 1}", cause)


def _figure(
    view: View, curves: list[Mapping[str, Any]], counts: CountsOverTime, identity: str, cause: int
) -> Figure:
    begins = 0.0 if view.document.kind == "incidence" else 1.0
    lines, cut = _lines(view, curves, begins)
    ticks = figure_ticks(lines)
    under = [counts.at(tick) for tick in ticks]
    groups = [
        _risk_rows(line.label, [column[place] for column in under], cause)
        for place, line in enumerate(lines)
    ]
    title, y_title = _titles(view, curves[0])
    figure = CurveFigure(
        title=title,
        description=_described(view, lines, ticks, groups),
        x_title=f"Time in {view.units}",
        y_title=y_title,
        begins=begins,
        lines=lines,
        marks=view.marks,
    )
    late = LATE if counts.late_entry else ""
    caption = " ".join(filter(None, [f"{title}, with {view.level}.", cut, COUNTED, late]))
    return Figure(curve_figure(figure, groups, identity), caption)


def _lines(
    view: View, curves: list[Mapping[str, Any]], begins: float
) -> tuple[tuple[Line, ...], str]:
    """Return the lines to draw, and a sentence if an incidence is drawn in part."""
    lines = tuple(line_of(view.group(curve["stratum"]), curve) for curve in curves)
    until, followed = drawn_until(curves), followed_until(curves)
    if view.document.kind != "incidence" or until >= followed:
        return lines, ""
    shown = f"{numbers.time(until)} {view.units}"
    cut = f"Drawn up to {shown}, without events later; followed up to {numbers.time(followed)}."
    return tuple(line.until(until, begins) for line in lines), cut


def _risk_rows(label: str, column: list[Shown], cause: int) -> GroupCounts:
    """Return at risk, censored and events of a cause, each over all ticks."""
    rows = tuple(tuple(shown.cells[place] for shown in column) for place in (0, 1, 2 + cause))
    return GroupCounts(label, rows, tuple(shown.instead for shown in column))


def _titles(view: View, curve: Mapping[str, Any]) -> tuple[str, str]:
    """Return the figure's title and the title of its axis of probabilities."""
    by = view.document.options.get("by")
    grouped = f" by {view.label(by)}" if by else ""
    endpoint = view.label(view.document.options.get("endpoint", ""))
    if view.document.kind == "incidence":
        outcome = view.label(curve["outcome"])
        title = f"Cumulative incidence of {outcome} ({endpoint}){grouped}"
        return title, f"Incidence of {outcome} (%)"
    if view.document.options.get("reverse"):
        return f"Follow-up for {endpoint}{grouped}", "Still followed (%)"
    return f"{endpoint[:1].upper()}{endpoint[1:]}{grouped}", "Survival (%)"


def _described(
    view: View, lines: tuple[Line, ...], ticks: tuple[float, ...], groups: list[GroupCounts]
) -> str:
    """Return what a reader without eyes on the figure hears: curves and numbers at risk."""
    times = ", ".join(f"{tick:g}" for tick in ticks)
    parts = [
        f"{line.label or 'All rows'}: at risk {', '.join(group.rows[0])}."
        for line, group in zip(lines, groups, strict=True)
    ]
    head = f"Step curve{'s' * (len(lines) > 1)} with confidence band{'s' * (len(lines) > 1)}"
    mark = "".join(f" {mark}." for mark in view.marks)
    return f"{head}. Number at risk at {times} {view.units}. {' '.join(parts)}{mark}"
