"""How far a curve is drawn."""

from __future__ import annotations

import math

from coordinator.report.curve_lines import drawn_until, line_of
from tests.coordinator.report.made import incidence, survival

DEATHS = incidence()["curves"][::2]


def test_an_incidence_is_drawn_just_past_its_last_event() -> None:
    """The last death is at 5 of 60 days of follow-up: the axis ends 5 % later."""
    assert drawn_until(DEATHS) == 5.25


def test_given_times_are_always_drawn() -> None:
    """An axis reaches the last time at which an estimate was asked for."""
    assert drawn_until([{**DEATHS[0], "at": [{"time": 28.0}]}]) == 28.0


def test_curves_without_events_are_drawn_to_the_end() -> None:
    """Without an event or a given time there is no reason to stop."""
    assert drawn_until([{**DEATHS[0], "n_event": [0] * 6, "at": []}]) == 60.0


def test_a_line_that_is_cut_keeps_its_value() -> None:
    """Between two steps the curve goes on level to where it is cut."""
    line = line_of("", survival()["curves"][0]).until(3.5, 1.0)
    assert (line.time, line.estimate[-1]) == ((1, 2, 3, 3.5), 5 / 8)


def test_a_line_cut_before_its_first_step_is_level() -> None:
    """Before anything happens the curve is where it begins."""
    line = line_of("", survival()["curves"][0]).until(0.5, 1.0)
    assert (line.time, line.estimate, line.low) == ((0.5,), (1.0,), (1.0,))


def test_a_line_that_ends_before_is_left_alone() -> None:
    """Nothing is added behind the end of a curve."""
    line = line_of("", survival()["curves"][0])
    assert line.until(10, 1.0) == line


def test_a_line_through_points_is_straight() -> None:
    """At 3 of the six 5/8 are alive, at the end nobody; between them nothing is said."""
    line = line_of("", survival()["curves"][0]).through(frozenset([3.0, math.inf]), 1.0)
    assert (line.time, line.estimate, line.straight) == ((3.0, 6.0), (5 / 8, 0.0), True)


def test_a_line_ends_at_its_last_point() -> None:
    """Without the end nothing is drawn behind the last time that is shown."""
    line = line_of("", survival()["curves"][0]).through(frozenset([0.0, 3.0]), 1.0)
    assert (line.time, line.estimate) == ((3.0,), (5 / 8,))


def test_a_level_line_keeps_its_ends() -> None:
    """Of the times 1, 1.5 and 2, between which nobody dies, the first and the last stay."""
    line = line_of("", survival()["curves"][0]).through(frozenset([1.0, 1.5, 2.0, 3.0]), 1.0)
    assert line.time == (1.0, 2.0, 3.0)


def test_values_are_rounded_to_a_step() -> None:
    """5/8 is 60 per cent in steps of ten."""
    line = line_of("", survival()["curves"][0]).rounded(10.0)
    assert line.estimate[2] == 0.6
