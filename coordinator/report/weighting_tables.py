"""The tables of a weighting: balance before and after, the weights of each arm, the score."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from coordinator.report import numbers
from coordinator.report.balance_figure import BalanceFigure, balance_figure
from coordinator.report.regression_tables import coefficients
from coordinator.report.suppression import Cell
from coordinator.report.views import TRUTH, Table, View

Row = tuple[Cell, ...]
MEANS = ("mean_treated", "mean_untreated", "smd")


def weighting_tables(view: View) -> list[Table]:
    """Return balance, weights by arm, and the coefficients of the propensity score."""
    return [_balance(view), _arms(view), coefficients(view)]


def shows_arms(view: View) -> bool:
    """Return whether what is known of each arm by itself is shown: neither arm is small."""
    return view.rules.free or view.rules.total().cells


def arm_names(view: View) -> tuple[str, str]:
    """Return the names of the arms, untreated and treated."""
    treatment = view.label(view.document.options["treatment"])
    levels = (str(arm["arm"]) for arm in view.result["arms"])
    first, second = (TRUTH.get(level, view.label(level)) for level in levels)
    return f"{treatment}: {first}", f"{treatment}: {second}"


def _balance(view: View) -> Table:
    untreated, treated = arm_names(view)
    columns = ("Covariate", treated, untreated, "Difference")
    weighted = tuple(f"{name}, weighted" for name in columns[1:])
    rows = tuple(_balanced(view, row) for row in view.result["balance"])
    caption = "Means, and standardized mean differences, before and after weighting"
    return Table(caption, (*columns, *weighted), rows)


def _balanced(view: View, row: Mapping[str, Any]) -> Row:
    name = view.term(row["term"])
    if not shows_arms(view):
        return (name, *(view.limit.hidden,) * 6)
    return (name, *_means(row, ""), *_means(row, "weighted_"))


def _means(row: Mapping[str, Any], when: str) -> Row:
    one, other, apart = (row[f"{when}{column}"] for column in MEANS)
    return (numbers.significant(one), numbers.significant(other), numbers.fixed(apart, 3))


def _arms(view: View) -> Table:
    names = arm_names(view)
    pairs = zip(names, view.result["arms"], strict=True)
    rows = tuple(_arm(view, name, arm) for name, arm in pairs)
    columns = ("Arm", "Rows", "Sum of weights", "Effective rows", "Mean score", "Truncated")
    return Table("Weights", columns, rows)


def _arm(view: View, name: str, arm: Mapping[str, Any]) -> Row:
    shown = shows_arms(view)
    if not shown:
        return (name, view.limit.cell(arm["rows"], shown=False), *(view.limit.hidden,) * 4)
    return (
        name,
        view.limit.cell(arm["rows"], shown=True),
        *(numbers.fixed(arm[part], 1) for part in ("weight", "ess")),
        numbers.fixed(arm["score_mean"], 3),
        view.limit.cell(arm["truncated"], shown=True),
    )


def balance_of(view: View, identity: str) -> tuple[Markup, str] | None:
    """Return the figure of the standardized differences of a weighting, and its caption."""
    if not shows_arms(view):
        return None
    rows = view.result["balance"]
    title = "Balance of the arms before and after weighting"
    figure = BalanceFigure(
        names=[view.term(row["term"]) for row in rows],
        rows=rows,
        title=title,
        description=f"{title}: standardized mean differences, which are in the table below.",
        marks=view.marks,
    )
    caption = f"{title}. Dashed: a standardized mean difference of 0.1."
    return balance_figure(figure, identity), caption
