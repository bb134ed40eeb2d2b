"""The tables of tests and models."""

from __future__ import annotations

from coordinator.report.model_tables import cox_tables, logrank_tables, screen_tables
from tests.coordinator.report.made import NAN, SEPARATED, cox_fit, cox_screen, logrank, term, view


def test_log_rank_groups() -> None:
    """Rows, observed and expected of each group."""
    table = logrank_tables(view("logrank", logrank()))[0]
    assert table.rows == (("low", "12", "9", "6.2"), ("high", "18", "6", "8.8"))


def test_a_log_rank_test_has_its_degrees_of_freedom() -> None:
    """Chi-square with three digits, p with two decimals above 0.10."""
    table = logrank_tables(view("logrank", logrank()))[1]
    assert table.rows == (("Log-rank", "2.16", "1", "0.14"),)


def test_a_small_group_hides_observed_and_expected() -> None:
    """Three events in one group hide every count of the table, and the expected ones."""
    table = logrank_tables(view("logrank", logrank(observed=(9, 3)), least=5))[0]
    assert table.rows == (("low", "hidden"), ("high", "<5"))


def test_hazard_ratios_with_limits() -> None:
    """log 2 with a standard error of 0.5 is 2 (0.75 to 5.3)."""
    table = cox_tables(view("cox", cox_fit(term("age")).document(), labels={"age": "Age"}))[0]
    assert table.rows == (("Age", "2.00 (0.751 to 5.33)", "0.17", "0.693", "0.500"),)


def test_an_aliased_term_has_no_estimate() -> None:
    """A coefficient without an estimate says why."""
    fit = cox_fit(term("age"), term("months", NAN, NAN))
    table = cox_tables(view("cox", fit.document()))[0]
    assert table.rows[1] == ("months", "not estimable: constant, or a combination of the others")


def test_a_hazard_ratio_beyond_numbers_says_so() -> None:
    """exp(800) is no number, and no infinity is printed."""
    table = cox_tables(view("cox", cox_fit(term("age", 800.0)).document()))[0]
    assert table.rows[0][1] == "beyond the range of numbers"


def test_the_three_tests() -> None:
    """Likelihood ratio, score and Wald, in this order."""
    table = cox_tables(view("cox", cox_fit().document()))[1]
    assert [row[0] for row in table.rows] == ["Likelihood ratio", "Score", "Wald"]


def test_the_fit_has_its_likelihoods() -> None:
    """AIC is 2 x 38.5 + 2 x 2 = 81."""
    table = cox_tables(view("cox", cox_fit().document()))[2]
    assert table.rows == (("30", "30", "15", "−40.12", "−38.50", "81.00"),)


def test_few_events_of_a_model_are_hidden() -> None:
    """Three events are <5; the rows stay, as they do not give them back."""
    table = cox_tables(view("cox", cox_fit(events=3).document(), least=5))[2]
    assert table.rows[0][:3] == ("30", "30", "<5")


def test_few_censored_rows_of_a_model_are_not_given_back() -> None:
    """28 events of 30 rows would tell of two without: the rows are hidden."""
    table = cox_tables(view("cox", cox_fit(events=28).document(), least=5))[2]
    assert table.rows[0][:3] == ("hidden", "hidden", "28")


def test_a_screen_is_one_table_with_its_failures() -> None:
    """A model that failed has its sentence in place of numbers."""
    table = screen_tables(view("cox_screen", cox_screen()))[0]
    assert table.rows == (("age", "30", "15", "2.00 (0.751 to 5.33)", "0.17"), ("dose", SEPARATED))


def test_a_failure_in_a_screen_names_no_small_count() -> None:
    """The sentence of a separated model is shown without its three events."""
    table = screen_tables(view("cox_screen", cox_screen(), least=5))[0]
    assert table.rows[1] == ("dose", SEPARATED.replace("the 3 events", "the <5 events"))


def test_a_covariate_of_several_terms_is_named_with_each() -> None:
    """Terms stand behind the label of their covariate."""
    model = cox_fit(term("dose=mid"), term("dose=high")).document()
    found = {"models": {"dose": model}}
    table = screen_tables(view("cox_screen", found, labels={"dose": "Dose", "dose=mid": "Middle"}))[
        0
    ]
    assert [row[0] for row in table.rows] == ["Dose: Middle", "Dose: high"]
