"""The tables of survival and incidence, from hand-worked numbers."""

from __future__ import annotations

from coordinator.report.curve_tables import incidence_tables, survival_tables
from coordinator.report.suppression import Suppressed
from tests.coordinator.report.made import incidence, survival, survival_curve, view


def test_a_median_without_upper_limit_is_not_reached() -> None:
    """Rows, events, median and quartile of the six."""
    table = survival_tables(view("survival", survival()))[0]
    assert table.rows == (("6", "4", "4 (3 to not reached)", "3 (1 to not reached)"),)


def test_estimates_at_times_count_events_so_far() -> None:
    """At 2 one of six has died, at 5 three."""
    table = survival_tables(view("survival", survival()))[1]
    assert table.rows == (
        ("2", "4", "1", "83 (60 to 100)"),
        ("5", "1", "3", "42 (15 to 100)"),
    )


def test_restricted_means_have_their_error() -> None:
    """Up to 5 days the mean is 4.25, printed to the second digit of its error."""
    table = survival_tables(view("survival", survival()))[2]
    assert table.rows == (("5", "4.25", "0.51"),)


def test_groups_stand_in_the_first_column() -> None:
    """Curves by group are named, with the label of the level."""
    found = survival(survival_curve("low"), survival_curve("high"), by="dose")
    tables = survival_tables(view("survival", found, labels={"low": "Low dose"}, by="dose"))
    assert [row[0] for row in tables[0].rows] == ["Low dose", "high"]


def test_groups_of_a_condition_are_yes_and_no() -> None:
    """True and false mean nothing without the condition."""
    found = survival(survival_curve("false"), survival_curve("true"), by="bulky")
    tables = survival_tables(view("survival", found, by="bulky"))
    assert [row[0] for row in tables[0].rows] == ["bulky: no", "bulky: yes"]


def test_small_counts_are_hidden_from_the_tables() -> None:
    """With a limit of five, the six patients' four deaths are, and what they would be read off."""
    table = survival_tables(view("survival", survival(), least=5))[1]
    assert table.rows[0] == ("2", *[Suppressed(5)] * 3)


def test_a_median_of_few_events_is_hidden() -> None:
    """Six rows are shown; their four deaths, and when half have died, are not."""
    table = survival_tables(view("survival", survival(), least=5))[0]
    assert table.rows == (("6", *[Suppressed(5)] * 3),)


def test_nothing_is_estimated_of_a_small_group() -> None:
    """With six rows under a limit of eight the mean is hidden as well."""
    table = survival_tables(view("survival", survival(), least=8))[2]
    assert table.rows == (("5", Suppressed(8), Suppressed(8)),)


def test_incidence_by_group_and_outcome() -> None:
    """At 4 two of six have died and two have relapsed."""
    tables = incidence_tables(view("incidence", incidence("low")))
    assert tables[1].rows == (
        ("low", "death", "4", "2", "2", "33 (5 to 90)"),
        ("low", "relapse", "4", "2", "2", "33 (5 to 90)"),
    )


def test_rows_and_events_by_cause() -> None:
    """Three of six die, two relapse, one is censored."""
    table = incidence_tables(view("incidence", incidence("low")))[0]
    assert table.rows == (("low", "6", "1", "3", "2"),)


def test_an_incidence_that_is_not_reached_says_so() -> None:
    """Half of the six have died after 5 days, and never do half relapse."""
    table = incidence_tables(view("incidence", incidence("low")))[2]
    assert [row[2:] for row in table.rows] == [("50 %", "5"), ("50 %", "not reached")]


def test_gray_tests_stand_beside_the_curves() -> None:
    """A test with its statistic; of the other cause why there is none."""
    table = incidence_tables(view("incidence", incidence()))[3]
    assert table.rows == (("death", "2.12", "1", "0.14"), ("relapse", "no events"))


def test_gray_tests_are_hidden_with_the_events_of_any_cause() -> None:
    """Three deaths and two relapses of six: neither statistic nor p, nor that there is none."""
    table = incidence_tables(view("incidence", incidence(), least=4))[3]
    assert [row[1:] for row in table.rows] == [(Suppressed(4), "1", Suppressed(4))] * 2
