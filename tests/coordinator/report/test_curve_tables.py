"""The tables of survival and incidence, from hand-worked numbers."""

from __future__ import annotations

from coordinator.report.curve_tables import incidence_tables, survival_tables
from tests.coordinator.report.made import incidence, survival, survival_curve, view


def test_a_median_without_upper_limit_is_not_reached() -> None:
    """Rows, events, median and quartile of the six."""
    table = survival_tables(view("survival", survival()))[0]
    assert table.rows == (("6", "4", "4 (3 to not reached)", "3 (1 to not reached)"),)


def test_estimates_at_times_count_events_so_far() -> None:
    """At 2 one of six has died, at 5 three."""
    table = survival_tables(view("survival", survival()))[1]
    assert table.rows == (
        ("2", "5", "1", "83.3 (60.0 to 100.0)"),
        ("5", "2", "3", "41.7 (15.0 to 100.0)"),
    )


def test_restricted_means_have_their_error() -> None:
    """Up to 5 days the mean is 4.25, printed with one decimal."""
    table = survival_tables(view("survival", survival()))[2]
    assert table.rows == (("5", "4.2", "0.5"),)


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
    """With a limit of five, the six patients' counts are hidden and their estimates stay."""
    table = survival_tables(view("survival", survival(), least=5))[1]
    assert table.rows[0] == ("2", "hidden", "hidden", "83.3 (60.0 to 100.0)")


def test_incidence_by_group_and_outcome() -> None:
    """At 4 two of six have died and two have relapsed."""
    tables = incidence_tables(view("incidence", incidence("low")))
    assert tables[1].rows == (
        ("low", "death", "4", "3", "2", "33.3 (5.0 to 90.0)"),
        ("low", "relapse", "4", "3", "2", "33.3 (5.0 to 90.0)"),
    )


def test_rows_and_events_by_cause() -> None:
    """Three of six die, two relapse, one is censored."""
    table = incidence_tables(view("incidence", incidence("low")))[0]
    assert table.rows == (("low", "6", "1", "3", "2"),)


def test_an_incidence_that_is_not_reached_says_so() -> None:
    """Half of the six have died after 5 days, and never do half relapse."""
    table = incidence_tables(view("incidence", incidence("low")))[2]
    assert [row[2:] for row in table.rows] == [("50 %", "5"), ("50 %", "not reached")]
