"""The figure and tables of Firth's fit, of a functional form, and of a meta-analysis."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coordinator.report.form_figure import ratio_ticks
from coordinator.report.sections import Section, section
from site_agent.contract.analyses.cox_profile import Profile
from site_agent.contract.analyses.functional_form import FunctionalForm, functional_form
from site_agent.contract.analyses.meta_analysis import heterogeneity
from site_agent.contract.analyses.meta_results import MetaAnalysis, Pooled
from tests.coordinator.report.made import NAN, NONE_LEFT_OUT, cox_fit, term, view

SPLINE = "spline(age, knots = [30, 50, 70])"
FORM = functional_form(
    FunctionalForm(SPLINE, (20.0, 50.0, 80.0), 50.0),
    {SPLINE: range(2)},
    np.array([0.02, 0.01]),
    np.diag([1e-4, 1e-4]),
    level=0.95,
)
LOW = Profile("age", 0.1, NAN, 4.5, 1, 0.034)
FIT = replace(cox_fit(), functional_form=FORM, profile=(LOW,), firth=True)


def drawn(kind: str, result: dict[str, Any], least: int = 1) -> Section:
    return section(view(kind, result, least=least), "one")


def cells(found: Section, caption: str) -> list[tuple[str, ...]]:
    return [
        tuple(map(str, row)) for table in found.tables if table.caption == caption
        for row in table.rows
    ]  # fmt: skip


def test_the_form_is_drawn() -> None:
    """One curve with a band, the line of 1 and the reference."""
    *_, figure = drawn("cox", FIT.document()).figures
    assert [figure.drawing.count(f'class="{c}"') for c in ("curve", "band", "reference")] == [
        1, 1, 2,
    ]  # fmt: skip


def test_the_reference_stands_on_the_line_of_one() -> None:
    """The dot has the height of the dashed line."""
    *_, figure = drawn("cox", FIT.document()).figures
    line = re.search(r'y1="([\d.]+)"[^>]*class="reference"', figure.drawing)
    dot = re.search(r'class="reference" cx="[\d.]+" cy="([\d.]+)"', figure.drawing)
    assert line is not None and dot is not None and line[1] == dot[1]


def test_a_form_of_few_events_is_not_drawn() -> None:
    """Neither figure nor tables where a model has a small count of events."""
    few = drawn("cox", replace(FIT, events=3).document(), least=5)
    captions = [table.caption for table in few.tables]
    assert (few.figures, [c for c in captions if "orm" in c or "Profile" in c]) == ((), [])


def test_the_values_of_a_form() -> None:
    """At its reference the hazard ratio is 1."""
    found = cells(drawn("cox", FIT.document()), "Functional form: age")
    assert found[1] == ("50", "1.00 (1.00 to 1.00)")


def test_a_limit_out_of_reach() -> None:
    """A profile limit that was not found says so."""
    (row,) = cells(drawn("cox", FIT.document()), "Profile likelihood")
    assert row[1] == "1.11 to none within reach"


def test_a_penalised_fit_says_so() -> None:
    """The sentence of the analysis names the penalty."""
    assert "Firth's penalised likelihood" in drawn("cox", FIT.document()).sentence


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (np.log(0.5), np.log(2), [0.5, 1, 2]),
        (np.log(0.1), np.log(10), [0.1, 0.2, 0.5, 1, 2, 5, 10]),
        (np.log(0.01), np.log(100), [0.01, 0.1, 1, 10, 100]),
    ],
)
def test_ticks(low: float, high: float, expected: list[float]) -> None:
    """Round ratios, at most seven or powers of ten."""
    assert ratio_ticks(low, high) == pytest.approx(expected)


SPREAD = heterogeneity(3, {"w": 7.0, "wb": 12.0, "wbb": 28.0, "ww": 21.0})
POOLED = Pooled("age", fixed=term("", np.log(2)), heterogeneity=SPREAD)
WITHHELD = Pooled("dose=high", withheld="withheld: fewer than 4 hospitals")


def meta(*, events: int = 15) -> dict[str, Any]:
    terms = (POOLED.without_random("random effects are withheld"), WITHHELD)
    return MetaAnalysis(
        "efron", (), 5, 0.95, rows=30, patients=30, events=events, left_out=NONE_LEFT_OUT,
        terms=terms,
    ).document()  # fmt: skip


def test_effects() -> None:
    """A fixed effect, a reason for no random ones, and a coefficient that is withheld."""
    found = cells(drawn("meta_analysis", meta()), "Pooled hazard ratios")
    assert [row[:2] for row in found] == [
        ("age", "fixed"),
        ("age", "random"),
        ("dose=high", "withheld: fewer than 4 hospitals"),
    ]


def test_between_hospitals() -> None:
    """Q of 52/7 on two degrees of freedom: I2 is 73 %."""
    (row,) = cells(drawn("meta_analysis", meta()), "Between hospitals")
    assert row[1:6] == ("3", "7.43", "2", "0.024", "73 %")


def test_few_events_hide_the_effects() -> None:
    """A small count of events hides every estimate."""
    found = drawn("meta_analysis", meta(events=3), least=5)
    rows = cells(found, "Pooled hazard ratios")
    assert (rows[0][2], cells(found, "Between hospitals")) == ("hidden", [])
