"""The kind `loess`: an outcome over days by group, smoothed by local regression.

One ask: rows, sum and sum of squares of the outcome on each day, by group. What is smoothed is the
pooled table of days; no hospital smooths anything (local_regression.py). A day on which few
patients are seen shows them, as a step of a curve does, so the guard asks how many patients each
day has in each group.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.counts import LEFT_OUT
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld, read_span
from site_agent.contract.analyses.local_regression import DayTable, Smooth, smooth
from site_agent.contract.analyses.regression import read_number
from site_agent.contract.analyses.results import Tidy, number, numbers
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.rows import levels_of
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Arrays, Ask, Disclosure, Estimator, Lane, Sum

MOST_DAYS: Final = 2000
COLUMNS: Final = ("group", "day", "estimate", "std_error", "conf_low", "conf_high", "rows")


@dataclass(frozen=True, slots=True)
class LoessCurve:
    """The curve of one group; rows (m,) on each day at which it stands, of all `total` rows."""

    group: str
    total: int
    rows: tuple[int, ...]
    smooth: Smooth


@dataclass(frozen=True, slots=True)
class LoessCurves:
    """The curves of an analysis; `failed` says why a group has none."""

    outcome: str
    by: str
    span: float
    degree: int
    conf_level: float
    patients: int
    left_out: Mapping[str, int]
    curves: tuple[LoessCurve, ...]
    failed: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "outcome": self.outcome,
            "by": self.by,
            "span": self.span,
            "degree": self.degree,
            "conf_level": self.conf_level,
            "patients": self.patients,
            "left_out": dict(self.left_out),
            "smooths": [_curve_document(curve) for curve in self.curves],
            "failed": [{"group": g, "because": why} for g, why in self.failed.items()],
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `curve`."""
        rows = (
            (c.group, *numbers(values), rows)
            for c in self.curves
            for rows, *values in zip(
                c.rows,
                *(c.smooth.at, c.smooth.estimate, c.smooth.std_error),
                *(c.smooth.conf_low, c.smooth.conf_high),
                strict=True,
            )
        )
        return {"curve": Tidy(COLUMNS, tuple(rows))}


def _curve_document(curve: LoessCurve) -> dict[str, Any]:
    fit = curve.smooth
    return {
        "group": curve.group,
        "total_rows": curve.total,
        "rows": list(curve.rows),
        "day": numbers(fit.at),
        "estimate": numbers(fit.estimate),
        "std_error": numbers(fit.std_error),
        "conf_low": numbers(fit.conf_low),
        "conf_high": numbers(fit.conf_high),
        "residual_scale": number(fit.residual_scale),
        "equivalent_parameters": number(fit.equivalent_parameters),
        "df": number(fit.df),
    }


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    table = context.table(fields)
    span = fields.numbers("span") or [0.75]
    if len(span) != 1 or not 0 < span[0] <= 10:
        fields.issue("span: expected a number above 0, at most 10", fields.named.get("span"))
    return {
        "table": table,
        "cohort": context.cohort(fields, table),
        "outcome": read_number(fields, context, "outcome", table, required=True) or "",
        "day": read_number(fields, context, "day", table, required=True) or "",
        "days": read_span(fields, "days", "day", most=MOST_DAYS),
        "by": context.category(fields, "by", table),
        "span": span[0],
        "degree": _read_degree(fields),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }


def _read_degree(fields: Fields) -> int:
    degree = fields.whole("degree", default=2)
    if degree not in (0, 1, 2):
        fields.issue("degree: expected 0, 1 or 2", fields.named.get("degree"))
    return degree


def _frame(options: Options) -> Frame:
    numbers = (options["outcome"], options["day"])
    return Frame(options["table"], cohort=options["cohort"], by=options["by"], numbers=numbers)


def _lanes(ask: Ask) -> tuple[Lane, ...]:
    first, last = ask.fixed["days"]
    shape = (ask.fixed["groups"], last - first + 1)
    return (
        Lane("rows", shape, COUNT),
        Lane("total", shape, REAL),
        Lane("squares", shape, REAL),
        Lane("outside", (1,), COUNT),
        Lane("patients", (1,), COUNT),
        Lane("left_out", (len(LEFT_OUT),), COUNT),
    )


def _compute(rows: Rows, ask: Ask) -> Arrays:
    first, last = ask.fixed["days"]
    y, day = rows.numbers[:, 0], rows.numbers[:, 1]
    inside = (day == np.rint(day)) & (day >= first) & (day <= last)
    days = last - first + 1
    cell = rows.group[inside] * days + day[inside].astype(np.int64) - first
    shape = (ask.fixed["groups"], days)

    def summed(values: np.ndarray | None) -> np.ndarray:
        counted = np.bincount(cell, values, minlength=shape[0] * days)
        return counted.reshape(shape).astype(np.float64)

    return {
        "rows": summed(None),
        "total": summed(y[inside]),
        "squares": summed(y[inside] ** 2),
        "outside": np.array([float((~inside).sum())]),
        "patients": np.array([float(rows.patients)]),
        "left_out": np.array([float(rows.left_out.get(reason, 0)) for reason in LEFT_OUT]),
    }


DAYS: Final = Sum(
    name="outcome_by_day",
    disclosure="B",
    gives="rows, sum and sum of squares of an outcome on each day, by group",
    lanes=_lanes,
    compute=_compute,
)


def _loess(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    options = analysis.options
    frame = _frame(options)
    levels = levels_of(study, frame.table, frame.by)
    fixed = {"days": options["days"], "groups": len(levels)}
    (answer,) = yield (Ask(DAYS.name, frame, fixed, {}),)
    totals = answer.totals
    if not totals["rows"].sum():
        raise AnalysisError(
            "no row has the outcome on one of the declared days; nothing is smoothed"
        )
    if totals["outside"][0]:
        raise AnalysisError(
            f"the day of {int(totals['outside'][0])} rows is no whole number from "
            f"{options['days'][0]} to {options['days'][1]}; declare all days, or take a cohort"
        )
    curves, failed = [], {}
    for level, rows, total, squares in zip(
        levels, totals["rows"], totals["total"], totals["squares"], strict=True
    ):
        if not rows.sum():
            continue
        try:
            curves.append(_curve(options, level, rows, total, squares))
        except AnalysisError as error:
            failed[level] = str(error)
    return LoessCurves(
        options["outcome"], options["by"] or "", options["span"], options["degree"],
        options["conf_level"], int(totals["patients"][0]), left_out(totals["left_out"]),
        tuple(curves), failed,
    )  # fmt: skip


def _curve(
    options: Options, level: str, rows: np.ndarray, total: np.ndarray, squares: np.ndarray
) -> LoessCurve:
    """Return the curve of a group at every day from its first to its last."""
    there = np.flatnonzero(rows)
    first = float(options["days"][0])
    table = DayTable(
        np.asarray(first + there, dtype=np.float64), rows[there], total[there], squares[there]
    )
    at = np.arange(there[0], there[-1] + 1)
    fit = smooth(
        table,
        first + at,
        span=options["span"],
        degree=options["degree"],
        level=options["conf_level"],
    )
    return LoessCurve(level, int(rows.sum()), tuple(int(n) for n in rows[at]), fit)


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    return ((DAYS.disclosure, DAYS.gives),)


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    return (_frame(analysis.options),)


LOESS: Final = Kind(
    "loess", _read, _uses, _frames, _loess, (DAYS,), scalars=lambda study, analysis, frame: 0
)
