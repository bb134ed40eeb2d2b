"""Robust errors, concordance and predicted survival in the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from coordinator.report.model_tables import cox_tables
from coordinator.report.predictions import predicted_figure
from coordinator.report.views import Table, View
from tests.coordinator.report.made import cox_fit, term, view


def _row(curve: str, time: float, estimate: float) -> dict[str, Any]:
    limits = {"conf_low": estimate - 0.1, "conf_high": min(1.0, estimate + 0.1)}
    named = {"curve": curve, "strata": "", "time": time, "estimate": estimate}
    return {**named, "std_error": 0.05, **limits, "cumulative_hazard": -np.log(estimate)}


def _made(*, least: int = 0, **more: Any) -> View:
    return view("cox", {**cox_fit(term("age")).document(), **more}, least=least)


def _table(found: View, caption: str) -> Table:
    return next(table for table in cox_tables(found) if caption in table.caption)


ROBUST = {"cluster": "site", "clusters": 3, "std_error_model": [0.25], "variance_model": [[0.0625]]}
CURVE = [_row("young", time, 1 - time / 100) for time in (3.0, 7.0, 20.0, 40.0)]
AT = [_row("young", 20.0, 0.8), _row("young", 40.0, 0.6)]


def test_a_robust_error_stands_beside_the_models() -> None:
    """Both errors have a column."""
    table = _table(_made(robust=ROBUST), "Hazard ratios")
    assert (table.columns[-2:], table.rows[0][-2:]) == (
        ("Robust standard error", "Standard error of the model"),
        ("0.50", "0.25"),
    )


def test_few_events_hide_the_models_error_too() -> None:
    """All cells of a term are hidden."""
    found = view("cox", {**cox_fit(term("age"), events=3).document(), "robust": ROBUST}, least=5)
    assert len(_table(found, "Hazard ratios").rows[0]) == 6


def test_a_concordance_has_its_error() -> None:
    """Both to the second digit of the error."""
    counts = {"concordance": 0.63712, "std_error": 0.0251}
    assert _table(_made(concordance=counts), "Concordance").rows == (("0.637", "0.025"),)


def test_no_concordance_says_why() -> None:
    """The sentence takes its place."""
    found = _made(concordance_withheld="there is no pair of rows")
    assert _table(found, "Concordance").rows == (("there is no pair of rows",),)


def test_predicted_survival_at_given_times() -> None:
    """In whole per cent in a model of 30 rows."""
    table = _table(_made(predicted_at=AT), "Predicted survival")
    assert table.rows[0] == ("young", "", "20", "80 (70 to 90)")


def test_a_time_of_few_deaths_has_no_prediction() -> None:
    """A step of few deaths is not shown where small counts are hidden."""
    found = _made(least=5, predicted_at=AT, baseline_hazard_left_out=[20.0])
    assert _table(found, "Predicted survival").rows[0][-1].startswith("not given: too few deaths")


def test_curves_step_where_everything_is_shown() -> None:
    """Four deaths are four steps."""
    drawn = predicted_figure(_made(predicted=CURVE, predicted_at=AT), "a1")
    assert drawn is not None
    assert "Straight" not in drawn[1]


def test_curves_are_straight_between_given_times_elsewhere() -> None:
    """No step at a day of death where small counts are hidden."""
    drawn = predicted_figure(_made(least=5, predicted=CURVE, predicted_at=AT), "a1")
    assert drawn is not None
    assert drawn[1].endswith("Straight between the times of the table.")


def test_nothing_is_drawn_of_a_model_without_predictions() -> None:
    """A plain model has no figure."""
    assert predicted_figure(_made(), "a1") is None
