"""The tables of tests and models."""

from __future__ import annotations

from coordinator.report.model_tables import (
    cox_tables,
    fine_gray_tables,
    logrank_tables,
    screen_tables,
)
from coordinator.report.suppression import Suppressed
from tests.coordinator.report.made import (
    NAN,
    SEPARATED,
    cox_fit,
    cox_screen,
    fine_gray,
    logrank,
    term,
    view,
)

HIDDEN = Suppressed(5)


def test_log_rank_groups() -> None:
    """Rows, observed and expected of each group."""
    table = logrank_tables(view("logrank", logrank()))[0]
    assert table.rows == (("low", "12", "9", "6.2"), ("high", "18", "6", "8.8"))


def test_a_log_rank_test_has_its_degrees_of_freedom() -> None:
    """Chi-square with three digits, p with two decimals above 0.10."""
    table = logrank_tables(view("logrank", logrank()))[1]
    assert table.rows == (("Log-rank", "2.16", "1", "0.14"),)


def test_weighted_rank_tests_have_both_counts() -> None:
    """With rho = 1 the events stand beside their weighted sum, and the test has its name."""
    tables = logrank_tables(view("logrank", logrank(rho=1)))
    assert (tables[0].columns[3], tables[0].rows[0]) == (
        "Observed, weighted",
        ("low", "12", "9", "6.8", "6.2"),
    )
    assert tables[1].rows[0][0] == "Peto-Peto"


def test_a_small_group_hides_observed_and_expected() -> None:
    """Three events in one group hide the events of every group, and the expected ones."""
    table = logrank_tables(view("logrank", logrank(rows=(30, 18), observed=(9, 3)), least=5))[0]
    assert table.rows == (("low", "30", HIDDEN, HIDDEN), ("high", "18", HIDDEN, HIDDEN))


def test_a_group_of_few_rows_hides_the_test() -> None:
    """Three rows of one group: no count, no chi-square and no p."""
    tables = logrank_tables(view("logrank", logrank(rows=(3, 18), observed=(0, 8)), least=5))
    assert [row[1:] for table in tables for row in table.rows] == [
        (HIDDEN, HIDDEN, HIDDEN),
        (HIDDEN, HIDDEN, HIDDEN),
        (HIDDEN, "1", HIDDEN),
    ]


def test_hazard_ratios_with_limits() -> None:
    """log 2 with a standard error of 0.5 is 2 (0.75 to 5.3)."""
    table = cox_tables(view("cox", cox_fit(term("age")).document(), labels={"age": "Age"}))[0]
    assert table.rows == (("Age", "2.00 (0.75 to 5.33)", "0.17", "0.69", "0.50"),)


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
    assert table.rows == (("30", "30", "15", "−40.1", "−38.5", "81.0"),)


def test_few_events_of_a_model_are_hidden() -> None:
    """Three events are <5; the rows stay, as they do not give them back."""
    table = cox_tables(view("cox", cox_fit(events=3).document(), least=5))[-1]
    assert table.rows[0] == ("30", "30", Suppressed(5, alone=True), HIDDEN, HIDDEN, HIDDEN)


def test_few_events_hide_what_is_read_off_them() -> None:
    """No hazard ratio, standard error or test of a model of three events."""
    tables = cox_tables(view("cox", cox_fit(term("age"), events=3).document(), least=5))
    assert (tables[0].rows, len(tables)) == ((("age", *[HIDDEN] * 4),), 2)


def test_few_censored_rows_of_a_model_are_not_given_back() -> None:
    """28 events of 30 rows would tell of two without: the events are hidden."""
    table = cox_tables(view("cox", cox_fit(events=28).document(), least=5))[2]
    assert table.rows[0] == ("30", "30", HIDDEN, HIDDEN, HIDDEN, HIDDEN)


def test_a_screen_is_one_table_with_its_failures() -> None:
    """A model that failed has its sentence in place of numbers."""
    table = screen_tables(view("cox_screen", cox_screen()))[0]
    assert table.rows == (("age", "30", "15", "2.00 (0.75 to 5.33)", "0.17"), ("dose", SEPARATED))


def test_a_failure_in_a_screen_names_no_small_count() -> None:
    """The sentence of a separated model is shown without its three events."""
    table = screen_tables(view("cox_screen", cox_screen(), least=5))[0]
    assert table.rows[1] == ("dose", SEPARATED.replace("the 3 events", "the <5 events"))


def test_a_model_that_the_guard_withholds_says_so_in_the_screen() -> None:
    """Beside the others, in place of its numbers."""
    withheld = {"failed": True, "because": "withheld: fewer than 5 patients have the event"}
    table = screen_tables(view("cox_screen", {"models": {"dose": withheld}}, least=5))[0]
    assert table.rows == (("dose", "Withheld. Fewer than 5 patients have the event."),)


def test_tests_of_proportional_hazards_are_shown_if_asked_for() -> None:
    """Transform, term, chi-square, degrees of freedom and p."""
    test = {"transform": "km", "term": "age", "statistic": 2.3456, "df": 1, "p_value": 0.1256}
    found = {**cox_fit(term("age")).document(), "proportionality": [test]}
    assert cox_tables(view("cox", found))[3].rows == (("km", "age", "2.35", "1", "0.13"),)


def test_a_baseline_hazard_says_where_it_is_not_given() -> None:
    """A step of few deaths has no value."""
    step = {"strata": "", "time": 28.0, "cumulative_hazard": 0.12345}
    found = {**cox_fit(term("age")).document(), "baseline_hazard": [step]}
    found["baseline_hazard_left_out"] = [60.0]
    assert cox_tables(view("cox", found))[3].rows == (
        ("", "28", "0.12"),
        ("", "60", "not given: too few deaths since the time before"),
    )


def test_a_covariate_of_several_terms_is_named_with_each() -> None:
    """Terms stand behind the label of their covariate."""
    model = cox_fit(term("dose=mid"), term("dose=high")).document()
    found = {"models": {"dose": model}}
    table = screen_tables(view("cox_screen", found, labels={"dose": "Dose", "dose=mid": "Middle"}))[
        0
    ]
    assert [row[0] for row in table.rows] == ["Dose: Middle", "Dose: high"]


def test_subdistribution_hazards() -> None:
    """Ratios, the two tests, and a fit without a criterion."""
    tables = fine_gray_tables(view("fine_gray", fine_gray()))
    assert [table.rows for table in tables] == [
        (("age", "2.00 (0.75 to 5.33)", "0.17", "0.69", "0.50"),),
        (("Pseudo likelihood ratio", "3.25", "1", "0.071"), ("Wald", "2.90", "1", "0.089")),
        (("30", "30", "15", "−40.1", "−38.5"),),
    ]


def test_subdistribution_hazards_of_few_events_are_hidden() -> None:
    """Three events: neither ratio nor test nor likelihood."""
    tables = fine_gray_tables(view("fine_gray", fine_gray(events=3), least=5))
    assert [table.caption for table in tables] == ["Subdistribution hazard ratios", "Fit"]
    assert tables[0].rows == (("age", *[HIDDEN] * 4),)
