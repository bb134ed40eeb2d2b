"""Concordance and predicted survival of a Cox model, as tables and as a figure.

A predicted curve steps at deaths. Where small counts are hidden it is shown at the times that the
study names, of which each has five deaths or none since the one before (contract/baseline.py), and
drawn straight between them; no point is then the day of a death by choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from coordinator.report import numbers
from coordinator.report.curve_figure import CurveFigure, curve_figure
from coordinator.report.curve_lines import Line
from coordinator.report.views import Table, View

COLUMNS: Final = ("Curve", "Stratum", "Time")
FEW_DEATHS: Final = "not given: too few deaths since the time before"
STRAIGHT: Final = "Straight between the times of the table."


def further_tables(view: View) -> list[Table]:
    """Return the tables of concordance and predicted survival, where there are such."""
    found = view.result.get("concordance")
    because = view.result.get("concordance_withheld")
    tables = []
    if found:
        c, error = numbers.with_error(found["concordance"], found["std_error"])
        tables.append(Table("Concordance", ("Concordance", "Standard error"), ((c, error),), 0))
    elif because:
        tables.append(Table("Concordance", ("Concordance",), ((because,),), 0, prose=True))
    rows = tuple(_row(view, row) for row in view.result.get("predicted_at", ()))
    caption = f"Predicted survival, in {view.units}"
    return [*tables, Table(caption, (*COLUMNS, f"Survival in % ({view.level})"), rows, 3)]


def _row(view: View, row: Mapping[str, Any]) -> tuple[str, ...]:
    named = (view.label(row["curve"]), view.label(row["strata"]), numbers.time(row["time"]))
    if not _shown(view, row["time"]):
        return (*named, FEW_DEATHS)
    step = _step(view)
    values = (numbers.percent(row[n], step) for n in ("estimate", "conf_low", "conf_high"))
    return (*named, numbers.with_interval(*values))


def _step(view: View) -> float:
    return numbers.percent_step(view.result["rows"], counted=view.rules.full)


def _shown(view: View, time: float) -> bool:
    return view.rules.free or time not in view.result.get("baseline_hazard_left_out", ())


def predicted_figure(view: View, identity: str) -> tuple[Markup, str] | None:
    """Return the drawing of the predicted curves and its caption; None if nothing can be drawn."""
    lines = _lines(view)
    if not lines or view.rules.total().few:
        return None
    title = f"Predicted survival ({view.label(view.document.options.get('endpoint', ''))})"
    straight = any(line.straight for line in lines)
    names = ", ".join(line.label for line in lines)
    figure = CurveFigure(
        title=title,
        description=f"Curves of survival that the model predicts: {names}.",
        x_title=f"Time in {view.units}",
        y_title="Survival (%)",
        begins=1.0,
        until=max(line.time[-1] for line in lines),
        lines=lines,
        marks=view.marks,
    )
    limits = any(value is not None for line in lines for value in line.low)
    told = f"{title}{f', with {view.level}' if limits else ''}."
    return curve_figure(figure, (), identity), f"{told} {STRAIGHT}" if straight else told


def _lines(view: View) -> tuple[Line, ...]:
    """Return a line for each curve and stratum: steps where all may be shown, else straight."""
    steps = bool(view.rules.free and view.result.get("predicted"))
    rows = view.result.get("predicted" if steps else "predicted_at", ())
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["time"] > 0 and _shown(view, row["time"]):
            found.setdefault((row["curve"], row["strata"]), []).append(row)
    return tuple(_line(view, name, own, straight=not steps) for name, own in found.items())


def _line(
    view: View, name: tuple[str, str], rows: list[Mapping[str, Any]], *, straight: bool
) -> Line:
    label = ", ".join(view.label(part) for part in name if part)
    time, estimate, low, high = (
        tuple(row[n] for row in rows) for n in ("time", "estimate", "conf_low", "conf_high")
    )
    line = Line(label, time, estimate, low, high, straight=straight)
    return line if view.rules.free else line.rounded(_step(view))
