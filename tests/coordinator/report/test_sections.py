"""An analysis as a section of the report."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from coordinator.report.sections import section
from tests.coordinator.report.made import (
    SEPARATED,
    cox_fit,
    incidence,
    logrank,
    survival,
    survival_curve,
    view,
)


def test_survival_has_one_figure() -> None:
    """All groups are in one figure."""
    found = survival(survival_curve("low"), survival_curve("high"), by="dose")
    assert len(section(view("survival", found, by="dose"), "a1").figures) == 1


def test_incidence_has_a_figure_for_each_cause() -> None:
    """Death and relapse are drawn apart, each by group."""
    captions = [f.caption for f in section(view("incidence", incidence()), "a1").figures]
    assert [caption.split(", with")[0] for caption in captions] == [
        "Cumulative incidence of death (survival) by dose",
        "Cumulative incidence of relapse (survival) by dose",
    ]


def test_the_events_under_a_figure_are_of_its_own_cause() -> None:
    """At the ticks 0 to 4 relapses so far are 0, 0, 1, 1, 2."""
    figures = section(view("incidence", incidence("low")), "a1").figures
    drawing = ET.fromstring(figures[1].drawing)
    cells = [n.text for n in drawing.iter("text") if n.get("class") == "risk-cell"]
    assert cells[2::3] == ["0", "0", "1", "1", "2"]


def test_small_counts_are_hidden_under_the_figure() -> None:
    """Of forty rows two die by day 1 and ten by day 2: no point is drawn for the two alone."""
    curve = {
        **survival()["curves"][0],
        "rows": 40,
        "time": [1.0, 2.0, 40.0],
        "n_risk": [40, 38, 30],
    }
    curve |= {"n_event": [2, 8, 0], "n_censor": [0, 0, 30], "events": 10, "at": []}
    curve |= {"estimate": [0.95, 0.75, 0.75], "conf_low": [0.9, 0.7, 0.7]}
    curve |= {"conf_high": [1.0, 0.8, 0.8]}
    found = {**survival(), "patients": 40, "curves": [curve]}
    figure = section(view("survival", found, least=5), "a1").figures[0]
    path = next(n for n in ET.fromstring(figure.drawing).iter("path") if n.get("class") == "curve")
    assert path.get("d") == "M76 28L92 80.5L398 80.5"


def test_curves_are_drawn_through_the_points_that_are_shown() -> None:
    """The caption says so."""
    curve = {**survival()["curves"][0], "rows": 40, "time": [1.0, 40.0], "n_risk": [40, 30]}
    curve |= {"n_event": [10, 0], "n_censor": [0, 30], "events": 10, "at": []}
    curve |= {"estimate": [0.75, 0.75], "conf_low": [0.7, 0.7], "conf_high": [0.8, 0.8]}
    found = {**survival(), "patients": 40, "curves": [curve]}
    figure = section(view("survival", found, least=5), "a1").figures[0]
    assert (
        "Drawn straight between points that are at least 5 events of each group apart"
        in figure.caption
    )


def test_a_failure_has_its_sentence_and_nothing_else() -> None:
    """An analysis that ended alone has no figures and no tables."""
    found = section(view("cox", {"failed": True, "because": SEPARATED}), "a1")
    assert (found.failure, found.figures, found.tables) == (SEPARATED, (), ())


@pytest.mark.parametrize(("kind", "figures"), [("logrank", 0), ("cox", 1)])
def test_models_have_a_forest_plot_and_tests_no_figure(kind: str, figures: int) -> None:
    """A test has one number."""
    result = {"logrank": logrank(), "cox": cox_fit().document()}[kind]
    assert len(section(view(kind, result), "a1").figures) == figures


def test_a_name_without_a_label_is_made_words() -> None:
    """The heading is a phrase; the name stands beside it."""
    found = section(view("logrank", logrank()), "a1")
    assert (found.heading, found.name) == ("One", "one")


def test_late_entry_is_explained_in_the_caption() -> None:
    """With left truncation at risk is not rows less those who left."""
    found = survival()
    found["curves"][0]["n_risk"] = [3, 2, 4, 3, 2, 1]
    caption = section(view("survival", found), "a1").figures[0].caption
    assert "under observation late" in caption
