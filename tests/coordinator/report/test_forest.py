"""Forest plots: the effects of the model's table, and no effect that the table hides."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from coordinator.report.forest_figure import END, START, ForestFigure, forest_figure, goes_on
from coordinator.report.forest_rows import Forest, ForestRow, forest_of
from tests.coordinator.report.made import cox_fit, cox_screen, fine_gray, logrank, term, view


def drawn(*rows: ForestRow) -> ET.Element:
    figure = ForestFigure(Forest("Hazard ratio", True, rows), "95 % CI", "t", "d", ())
    return ET.fromstring(forest_figure(figure, "one"))


def test_effects_are_those_of_the_table() -> None:
    """Rounded as in the table, with limits and p."""
    forest = forest_of(view("cox", cox_fit().document()))
    assert forest is not None
    assert [(row.label, row.text, row.p) for row in forest.rows] == [
        ("age", "2.00 (0.75 to 5.33)", "0.17"),
        ("dose=high", "0.50 (0.19 to 1.33)", "0.17"),
    ]


def test_a_category_stands_under_its_name_behind_its_reference() -> None:
    """The reference has a row without a number."""
    known = replace(view("cox", cox_fit().document()), references={"dose": "low"})
    forest = forest_of(known)
    assert forest is not None
    assert [(row.label, row.mark, row.under) for row in forest.rows[1:]] == [
        ("dose", "heading", False),
        ("low", "reference", True),
        ("high", "square", True),
    ]


def test_a_model_without_a_result_has_its_row() -> None:
    """Of a screen no covariate is lost."""
    forest = forest_of(view("cox_screen", cox_screen()))
    assert forest is not None
    assert [(row.label, row.text) for row in forest.rows] == [
        ("age", "2.00 (0.75 to 5.33)"),
        ("dose", "no result"),
    ]


@pytest.mark.parametrize("events", [3, 15])
def test_few_events_have_no_forest(events: int) -> None:
    """As they have no hazard ratio in the table."""
    assert (forest_of(view("fine_gray", fine_gray(events), least=5)) is None) == (events < 5)


def test_only_models_have_a_forest() -> None:
    """A test has none."""
    assert forest_of(view("logrank", logrank())) is None


def test_one_is_in_the_middle_of_even_limits() -> None:
    """Axis of logarithms: 1/4 and 4 are as far from 1."""
    svg = drawn(ForestRow("x", "square", 1.0, 0.25, 4.0, "1.00 (0.25 to 4.00)", "0.5"))
    line = next(n for n in svg.iter("line") if n.get("class") == "reference")
    assert float(line.attrib["x1"]) == pytest.approx((START + END) / 2, abs=0.5)


def test_a_limit_beyond_the_axis_is_an_arrow() -> None:
    """Ten thousand would press all else together."""
    row = ForestRow("x", "square", 2.0, 0.5, 1e4, "2.00 (0.50 to 10,000)", "0.5")
    arrows = [n for n in drawn(row).iter("path") if n.get("class") == "beyond"]
    assert (len(arrows), goes_on(Forest("", True, (row,)))) == (1, True)


def test_an_effect_that_cannot_be_estimated_is_said() -> None:
    """No mark on the axis."""
    fit = cox_fit(term("age"), term("dose", math.nan, math.nan)).document()
    forest = forest_of(view("cox", fit))
    assert forest is not None
    assert forest.rows[1].effect is None
