"""Each analysis as a section: heading, sentence, figures, tables, or why there is no result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import Markup

from coordinator.report import numbers, words
from coordinator.report.cohort_tables import cohort_tables, proportion_tables
from coordinator.report.comparison_tables import compare_tables, paired_tables
from coordinator.report.curve_figure import CurveFigure, curve_figure
from coordinator.report.curve_lines import Line, followed_until, line_of
from coordinator.report.curve_tables import incidence_tables, survival_tables
from coordinator.report.diagrams import adjustment_figure, adjustment_tables
from coordinator.report.families import longest, outcomes, ticks_of
from coordinator.report.forest_figure import ForestFigure, forest_figure, goes_on
from coordinator.report.forest_rows import Forest, forest_of
from coordinator.report.form_figure import FormFigure, form_figure
from coordinator.report.model_tables import (
    cox_tables,
    fine_gray_tables,
    form_name,
    logrank_tables,
    meta_tables,
    screen_tables,
)
from coordinator.report.predictions import predicted_figure
from coordinator.report.regression_tables import gee_tables, glm_tables
from coordinator.report.risk_table import GroupCounts
from coordinator.report.smoothed import loess_tables, smoothed_figure
from coordinator.report.suppression import END, Cell
from coordinator.report.views import CountsOverTime, Table, View, counts_over_time
from coordinator.report.weighting_tables import balance_of, weighting_tables

TABLES: Final[Mapping[str, Callable[[View], list[Table]]]] = {
    "survival": survival_tables,
    "incidence": incidence_tables,
    "logrank": logrank_tables,
    "cox": cox_tables,
    "cox_screen": screen_tables,
    "fine_gray": fine_gray_tables,
    "compare": compare_tables,
    "paired": paired_tables,
    "table_one": cohort_tables,
    "proportion": proportion_tables,
    "meta_analysis": meta_tables,
    "glm": glm_tables,
    "gee": gee_tables,
    "loess": loess_tables,
    "weighting": weighting_tables,
    "adjustment": adjustment_tables,
}
COUNTED: Final = "At risk after each time; censored and events up to and including it."
DRAWN: Final[Mapping[str, Callable[[View, str], tuple[Markup, str] | None]]] = {
    "cox": predicted_figure,
    "loess": smoothed_figure,
    "adjustment": adjustment_figure,
    "weighting": balance_of,
}
CURVES: Final = ("survival", "incidence")
NOT_DRAWN: Final = "Curves are not drawn where their first points would tell of few patients."
LATE: Final = (
    "Rows come under observation late: between the given times, at risk is counted when "
    "somebody next leaves."
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its caption, and the cells of its table."""

    drawing: Markup
    caption: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One analysis in the report; of one without a result `verdict` and `failure` say why."""

    name: str
    heading: str
    sentence: str
    left_out: str
    figures: tuple[Figure, ...]
    tables: tuple[Table, ...]
    note: str
    failure: str
    verdict: str = ""


def section(view: View, identity: str) -> Section:
    """Return the section of an analysis; `identity` starts the ids of its figures."""
    verdict, failure = "", ""
    if view.failed:
        verdict, failure = words.no_result(view, str(view.result["because"]))
    tables = () if view.failed else tuple(tables_of(view))
    figures = () if view.failed else tuple(_figures(view, identity))
    cells: list[Cell] = [cell for table in tables for row in table.rows for cell in row]
    cells += [cell for figure in figures for cell in figure.cells]
    return Section(
        name=view.document.name,
        heading=view.heading,
        sentence=words.sentence(view),
        left_out="" if view.failed else words.left_out(view),
        figures=figures,
        tables=tables,
        note=" ".join(filter(None, [_not_drawn(view, figures), words.shown_counts(view, cells)])),
        failure=failure,
        verdict=verdict,
    )


def tables_of(view: View) -> list[Table]:
    """Return the tables of an analysis; of an unknown kind, none."""
    make = TABLES.get(view.document.kind)
    return make(view) if make else []


def _figures(view: View, identity: str) -> Iterator[Figure]:
    """Yield a model's forest, the figures of the kinds in DRAWN, a model's form, and curves."""
    forest = forest_of(view)
    if forest is not None:
        yield _forest(view, forest, f"{identity}-forest")
    if view.document.kind in DRAWN:
        drawn = DRAWN[view.document.kind](view, f"{identity}-1")
        if drawn is not None:
            yield Figure(*drawn, cells=())
    if view.result.get("functional_form") and not view.rules.total().few:
        yield _form(view, f"{identity}-2")
    if view.document.kind not in CURVES:
        return
    counts = counts_over_time(view)
    for cause, outcome in enumerate(outcomes(view.document)):
        lines, words_for = _lines(view, outcome, cause)
        if _worth_drawing(view, lines, cause):
            yield _figure(view, (lines, words_for), counts, f"{identity}-{cause + 1}", cause)


def _forest(view: View, forest: Forest, identity: str) -> Figure:
    """Return the forest plot of a model."""
    outcome = view.document.options.get("endpoint") or view.document.options.get("outcome", "")
    title = f"{forest.effect}s of {view.label(outcome)}"
    told = "; ".join(f"{row.label}: {row.text}" for row in forest.rows if row.text)
    mark = "".join(f" {mark}." for mark in view.marks)
    figure = ForestFigure(forest, view.level, title, f"Forest plot. {told}.{mark}", view.marks)
    beyond = " An arrow: the limit lies beyond the axis." if goes_on(forest) else ""
    caption = f"{title}, with {view.level}. Dashed: no effect.{beyond}"
    return Figure(forest_figure(figure, identity), caption, ())


def _form(view: View, identity: str) -> Figure:
    """Return the figure of a covariate's functional form."""
    form = view.result["functional_form"]
    name, reference = form_name(view, form["covariate"]), f"{form['reference']:g}"
    title = f"Hazard ratio by {name}, against {reference}"
    figure = FormFigure(
        form=form,
        title=title,
        description=f"{title}. Its values with limits are in the table below.",
        x_title=name,
        label=f"against {reference}",
        marks=view.marks,
    )
    caption = f"{title}, with pointwise {view.level}. Dashed: a hazard ratio of 1."
    return Figure(form_figure(figure, f"{identity}-form"), caption, ())


def _worth_drawing(view: View, lines: tuple[Line, ...], cause: int) -> bool:
    """Return whether a line falls or rises, or is known to be level up to its end."""
    known = view.rules.drawn(view.series(cause))
    steps = any(value != _begins(view) for line in lines for value in line.estimate)
    return known is None or steps or END in known


def _not_drawn(view: View, figures: tuple[Figure, ...]) -> str:
    if view.failed or view.document.kind not in CURVES:
        return ""
    return "" if len(figures) == len(outcomes(view.document)) else NOT_DRAWN


def _figure(
    view: View,
    drawn: tuple[tuple[Line, ...], str],
    counts: CountsOverTime,
    identity: str,
    cause: int,
) -> Figure:
    lines, words_for = drawn
    outcome = outcomes(view.document)[cause]
    ticks = ticks_of(view.document, outcome)
    under = [counts.at(tick) for tick in ticks]
    groups = [
        _risk_rows(line.label, [column[place] for column in under], cause)
        for place, line in enumerate(lines)
    ]
    title, y_title = _titles(view, outcome)
    figure = CurveFigure(
        title=title,
        description=_described(view, lines, ticks, groups),
        x_title=f"Time in {view.units}",
        y_title=y_title,
        begins=_begins(view),
        until=longest(view.document, outcome),
        lines=lines,
        marks=view.marks,
    )
    late = LATE if counts.late_entry else ""
    caption = " ".join(filter(None, [f"{title}, with {view.level}.", words_for, COUNTED, late]))
    cells = tuple(cell for group in groups for row in group.rows for cell in row)
    return Figure(curve_figure(figure, groups, identity), caption, cells)


def _begins(view: View) -> float:
    return 0.0 if view.document.kind == "incidence" else 1.0


def _lines(view: View, outcome: str, cause: int) -> tuple[tuple[Line, ...], str]:
    """Return the lines to draw, and how they are drawn if it is not in full."""
    begins = _begins(view)
    curves = [c for c in view.result["curves"] if c.get("outcome", "") == outcome]
    until, followed = longest(view.document, outcome), followed_until(curves)
    lines = [line_of(view.group(curve["stratum"]), curve) for curve in curves]
    told = []
    if until < followed:
        shown = f"{numbers.time(until)} {view.units}"
        told.append(
            f"Drawn up to {shown}, without events later; followed up to {numbers.time(followed)}."
        )
        lines = [line.until(until, begins) for line in lines]
    times = view.rules.drawn(view.series(cause))
    if times is not None:
        lines = [_rounded(view, line, curve) for line, curve in zip(lines, curves, strict=True)]
        lines = [line.through(times, begins) for line in lines]
        told.insert(0, words.points(view.limit.least))
    return tuple(lines), " ".join(told)


def _rounded(view: View, line: Line, curve: Mapping[str, Any]) -> Line:
    """Return the line; where the number of rows is hidden, rounded as in the tables."""
    if view.rules.full:
        return line
    return line.rounded(numbers.percent_step(curve["rows"], counted=False))


def _risk_rows(label: str, column: list[tuple[Cell, ...]], cause: int) -> GroupCounts:
    """Return at risk, censored and events of a cause, each over all ticks."""
    return GroupCounts(
        label, tuple(tuple(cells[place] for cells in column) for place in (0, 1, 2 + cause))
    )


def _titles(view: View, name: str) -> tuple[str, str]:
    """Return the figure's title and the title of its axis of probabilities."""
    by = view.document.options.get("by")
    grouped = f" by {view.label(by)}" if by else ""
    endpoint = view.label(view.document.options.get("endpoint", ""))
    if view.document.kind == "incidence":
        outcome = view.label(name)
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
        f"{line.label or 'All rows'}: at risk {', '.join(map(str, group.rows[0]))}."
        for line, group in zip(lines, groups, strict=True)
    ]
    head = f"Step curve{'s' * (len(lines) > 1)} with confidence band{'s' * (len(lines) > 1)}"
    mark = "".join(f" {mark}." for mark in view.marks)
    return f"{head}. Number at risk at {times} {view.units}. {' '.join(parts)}{mark}"
