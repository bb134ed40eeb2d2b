"""Swimmer plots, waterfall plots and survival curves of a hospital's own patients, as SVG.

Drawn by matplotlib and lifelines. The same data give the same bytes.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import matplotlib
import numpy as np
from lifelines import KaplanMeierFitter
from matplotlib.figure import Figure

from site_agent.contract.frames import Floats, Rows
from site_agent.contract.study.model import TimeScale
from site_agent.local.cohort import Changes, Courses, Grades

OKABE_ITO: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GRADES: Final = ("#e8e8e8", "#fdd49e", "#fdbb84", "#fc8d59", "#d7301f", "#7f0000")
MARKS: Final = ("^", "X", "o", "s", "D", "v", "P", "*")
DASHES: Final = ("-", "--", "-.", ":")
LANE_INCHES: Final = 0.24
WIDTH_INCHES: Final = 8.0
DEATH: Final = 1
SETTINGS: Final[dict[Any, Any]] = {
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "quorum",
    "text.parse_math": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def swimmer(
    courses: Courses, grades: Grades | None, names: Sequence[str], label: Mapping[str, str]
) -> str:
    """Return a lane for each patient, the longest on top: grades by day, marks, last day seen.

    names: what to write at the lane of each patient, by the patient's number. With grades the axis
    ends with their last day; a lane that goes on has an arrow there.
    """
    order = np.argsort(courses.last, kind="stable")
    lane = {int(courses.patient[row]): place for place, row in enumerate(order)}
    with matplotlib.rc_context(SETTINGS):
        figure, axes = _canvas(max(1.6, LANE_INCHES * len(order) + 1.2))
        axes.hlines(range(len(order)), 0, courses.last[order], color="#b0b0b0", linewidth=1.2)
        if grades is not None:
            _grade_bars(axes, grades, lane)
        for number, (column, days) in enumerate(courses.marks.items()):
            known = [place for place, row in enumerate(order) if np.isfinite(days[row])]
            axes.plot(
                days[order][known],
                known,
                linestyle="none",
                marker=MARKS[number % len(MARKS)],
                color=OKABE_ITO[number % len(OKABE_ITO)],
                markersize=5.5,
                label=label.get(column, column),
            )
        if grades is not None and len(grades.day):
            _end_with_grades(axes, grades, courses.last[order])
        axes.set_yticks(range(len(order)), [names[courses.patient[row]] for row in order])
        axes.set_ylim(-0.7, max(len(order), 1) - 0.3)
        axes.set_xlabel("day")
        _legend(axes)
        return _svg(figure)


def _end_with_grades(axes: Any, grades: Grades, last: Floats) -> None:
    end = float(grades.day.max()) + 1.0
    longer = np.flatnonzero(last > end)
    axes.set_xlim(min(0.0, float(grades.day.min())), end * 1.03)
    axes.plot(
        np.full(len(longer), end * 1.015),
        longer,
        linestyle="none",
        marker=">",
        color="#808080",
        markersize=4,
        label="goes on",
    )


def _grade_bars(axes: Any, grades: Grades, lane: Mapping[int, int]) -> None:
    for grade, colour in enumerate(GRADES):
        chosen = np.flatnonzero(grades.grade == grade)
        places = [lane[int(patient)] for patient in grades.patient[chosen]]
        if len(chosen):
            axes.barh(
                places,
                1.0,
                left=grades.day[chosen],
                height=0.72,
                align="center",
                color=colour,
                label=f"grade {grade}",
            )


def waterfall(changes: Changes, names: Sequence[str]) -> str:
    """Return a bar for each patient, the greatest rise first."""
    with matplotlib.rc_context(SETTINGS):
        figure, axes = _canvas(3.4)
        colours = [OKABE_ITO[1] if change > 0 else OKABE_ITO[0] for change in changes.percent]
        places = np.arange(len(changes.percent))
        axes.bar(places, changes.percent, color=colours)
        axes.axhline(0, color="#000000", linewidth=0.8)
        axes.set_ylabel("change, %")
        axes.set_xticks(places, [names[patient] for patient in changes.patient], rotation=90)
        return _svg(figure)


def curves(rows: Rows, groups: Sequence[str], scale: TimeScale) -> str:
    """Return Kaplan-Meier curves with their bands, by lifelines."""
    value = np.vectorize(scale.value, otypes=[float])
    with matplotlib.rc_context(SETTINGS):
        figure, axes = _canvas(3.6)
        for number, group in enumerate(groups):
            own = rows.subset(rows.group == number)
            if len(own):
                _curve(axes, own, f"{group or 'all'} (n = {len(own)})", number, value)
        axes.set_ylim(0, 1.02)
        axes.set_xlabel(scale.unit)
        axes.set_ylabel("survival")
        _legend(axes)
        return _svg(figure)


def _curve(axes: Any, rows: Rows, name: str, number: int, value: Any) -> None:
    entry: Floats | None = value(np.maximum(rows.entry, 0)) if (rows.entry > 0).any() else None
    fitter = KaplanMeierFitter().fit(value(rows.time), rows.cause == DEATH, entry=entry)
    curve, band = fitter.survival_function_, fitter.confidence_interval_
    colour = OKABE_ITO[number % len(OKABE_ITO)]
    style = {"where": "post", "color": colour, "linestyle": DASHES[number % len(DASHES)]}
    axes.step(curve.index, curve.iloc[:, 0], label=name, **style)
    low, high = band.iloc[:, 0], band.iloc[:, 1]
    axes.fill_between(curve.index, low, high, step="post", color=colour, alpha=0.15, linewidth=0)


def _canvas(height: float) -> tuple[Figure, Any]:
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    return figure, figure.subplots()


def _legend(axes: Any) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()
