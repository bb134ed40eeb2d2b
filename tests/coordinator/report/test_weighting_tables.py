"""The tables and the figure of a weighting, and what they hide of a small arm."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.report.balance_figure import BalanceFigure, balance_figure
from coordinator.report.sections import section
from coordinator.report.tallies import tallies
from coordinator.report.weighting_tables import weighting_tables
from coordinator.report.words import sentence
from tests.coordinator.report.made import view
from tests.coordinator.report.test_regression_tables import regression


def weighting(treated: int = 12, **more: Any) -> dict[str, Any]:
    """Return a weighting of thirty rows, so many of them treated."""

    def arm(name: str, rows: int) -> dict[str, Any]:
        weights = {"weight": 30.0, "weight_square": 60.0, "ess": 15.0}
        return {
            "arm": name,
            "rows": rows,
            "truncated": 0,
            **weights,
            "score_mean": 0.4,
            "score_sd": 0.1,
        }

    balance = {
        "term": "age",
        "mean_treated": 61.5,
        "mean_untreated": 55.25,
        "smd": 0.625,
        "weighted_mean_treated": 58.0,
        "weighted_mean_untreated": 57.75,
        "weighted_smd": -0.025,
    }
    arms = [arm("low", 30 - treated), arm("high", treated)]
    return {**regression(), "variant": "ate", "arms": arms, "balance": [balance], **more}


def cells(found: dict[str, Any], table: int, **how: Any) -> tuple[str, ...]:
    return tuple(
        str(cell) for cell in weighting_tables(view("weighting", found, **how))[table].rows[-1]
    )


def test_balance() -> None:
    """Means of both arms and their difference, before and after."""
    expected = ("age", "61.5", "55.2", "0.625", "58.0", "57.8", "−0.025")
    assert cells(weighting(), 0) == expected


def test_weights_of_an_arm() -> None:
    """Rows, sum of weights, effective rows, mean score and truncated rows of the treated."""
    assert cells(weighting(), 1) == ("dose: high", "12", "30.0", "15.0", "0.400", "0")


@pytest.mark.parametrize("table", [0, 1])
def test_a_small_arm_is_hidden(table: int) -> None:
    """With three treated no mean and no weight of either arm is shown."""
    assert set(cells(weighting(treated=3), table, least=5)[1:]) <= {"hidden", "<5"}


@pytest.mark.parametrize(("treated", "figures"), [(12, 1), (3, 0)])
def test_the_figure_of_a_small_arm_is_not_drawn(treated: int, figures: int) -> None:
    """A difference tells of the mean of a small arm."""
    shown = section(view("weighting", weighting(treated), least=5), "one")
    assert len(shown.figures) == figures


def test_the_arms_are_counts_that_a_reader_subtracts() -> None:
    """Rows of each arm, and those with truncated weights, are known to the rules of the report."""
    (tally,) = tallies(view("weighting", weighting()).document)
    assert [(cell.level, cell.rows) for cell in tally.cells] == [
        ("low/rows", 18),
        ("low/truncated", 0),
        ("high/rows", 12),
        ("high/truncated", 0),
    ]


def test_the_figure_has_a_ring_and_a_dot_for_each_column() -> None:
    """One before, one after, and one of each in the key; a difference without a number has none."""
    rows = [{"smd": 0.6, "weighted_smd": -0.02}, {"smd": None, "weighted_smd": 0.1}]
    figure = BalanceFigure(("age", "<sex>"), rows, "Balance", "Differences", ())
    drawn = str(balance_figure(figure, "one"))
    assert (
        drawn.count('class="before"'),
        drawn.count('class="after"'),
        "&lt;sex&gt;" in drawn,
    ) == (
        2,
        3,
        True,
    )


def test_a_weighting_in_a_sentence() -> None:
    """Whose effect it is for, and where weights are cut."""
    told = sentence(view("weighting", weighting()))
    assert "stabilised by the share of the treated, truncated at 0.1 and 10" in told
