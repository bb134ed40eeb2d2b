"""Smoothed outcomes over days: a table of some days, and the figure.

Where small counts are hidden, a curve is drawn straight between the days of the table: the figure
then tells no more than the table does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from coordinator.report import numbers
from coordinator.report.smooth_figure import Smoothed, SmoothFigure, smooth_figure
from coordinator.report.views import Table, View

MOST_DAYS: Final = 12
PARTS: Final = ("day", "estimate", "conf_low", "conf_high")
STRAIGHT: Final = "Straight between the days of the table."


def loess_tables(view: View) -> list[Table]:
    """Return each smoothed curve on some days; of a group of few rows nothing."""
    rows = tuple(row for curve in view.result["smooths"] for row in _days(view, curve))
    failed = tuple((view.group(item["group"]), item["because"]) for item in view.result["failed"])
    columns = ("Group", "Day", f"Estimate ({view.level})")
    tables = [
        Table("Smoothed outcome", columns, rows, 2),
        Table("No curve", ("Group", "Because"), failed, prose=True),
    ]
    return [table for table in tables if table.rows]


def _days(view: View, curve: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    name = view.group(curve["group"])
    if _few(view, curve):
        return [(name, "", view.limit.hidden)]
    return [
        (
            name,
            numbers.time(curve["day"][place]),
            numbers.with_interval(*(numbers.fixed(curve[part][place], 2) for part in PARTS[1:])),
        )
        for place in _some_days(curve)
    ]


def _few(view: View, curve: Mapping[str, Any]) -> bool:
    return not view.rules.free and view.limit.small(curve["total_rows"])


def _some_days(curve: Mapping[str, Any]) -> list[int]:
    """Return places of days at even distances, with the first and the last."""
    last = len(curve["day"]) - 1
    step = max(1, -(-(last + 1) // MOST_DAYS))
    return sorted({*range(0, last + 1, step), last})


def smoothed_figure(view: View, identity: str) -> tuple[Markup, str] | None:
    """Return the drawing of the curves and its caption; None if no curve may be shown."""
    drawn = [curve for curve in view.result["smooths"] if not _few(view, curve)]
    if not drawn:
        return None
    options = view.document.options
    outcome, day = (_capital(view.label(options[name])) for name in ("outcome", "day"))
    by = options.get("by")
    title = f"{outcome}, smoothed{f', by {view.label(by)}' if by else ''}"
    curves = tuple(_curve(view, curve) for curve in drawn)
    figure = SmoothFigure(
        title=title,
        description=_described(view, curves),
        x_title=day,
        y_title=outcome,
        curves=curves,
        marks=view.marks,
    )
    straight = "" if view.rules.free else f" {STRAIGHT}"
    return smooth_figure(figure, identity), f"{title}, with pointwise {view.level}.{straight}"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _curve(view: View, curve: Mapping[str, Any]) -> Smoothed:
    places = range(len(curve["day"])) if view.rules.free else _some_days(curve)
    day, estimate, low, high = (tuple(curve[part][place] for place in places) for part in PARTS)
    return Smoothed(view.group(curve["group"]), day, estimate, low, high)


def _described(view: View, curves: tuple[Smoothed, ...]) -> str:
    """Return what a reader without eyes on the figure hears: where each curve starts and ends."""
    parts = [
        f"{curve.label or 'All rows'}: {numbers.fixed(curve.estimate[0], 2)} on day "
        f"{numbers.time(curve.day[0])}, {numbers.fixed(curve.estimate[-1], 2)} on day "
        f"{numbers.time(curve.day[-1])}."
        for curve in curves
    ]
    head = f"Smoothed curve{'s' * (len(curves) > 1)} with confidence band{'s' * (len(curves) > 1)}"
    return " ".join([f"{head}.", *parts, *(f"{mark}." for mark in view.marks)])
