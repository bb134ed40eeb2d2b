"""What an analysis is, said in one sentence."""

from __future__ import annotations

import pytest

from coordinator.report.small_counts import Limit
from coordinator.report.suppression import Suppressed
from coordinator.report.views import View
from coordinator.report.words import left_out, no_result, sentence, shown_counts
from tests.coordinator.report.made import (
    OPTIONS,
    cohort,
    cox_fit,
    cox_screen,
    fine_gray,
    incidence,
    logrank,
    survival,
    view,
)


def test_survival_names_endpoint_variance_and_scale() -> None:
    """The endpoint has its label; the interval its level and scale."""
    labels = {"survival": "Overall survival"}
    assert sentence(view("survival", survival(), labels=labels)) == (
        "Kaplan-Meier estimate of Overall survival; Greenwood's variance, 95 % limits on the "
        "log scale."
    )


def test_follow_up_says_that_censoring_is_the_event() -> None:
    """A reverse curve is not read as survival."""
    assert "reverse Kaplan-Meier" in sentence(view("survival", survival(), reverse=True))


def test_incidence_names_its_causes() -> None:
    """Which causes compete, by what it is grouped, whose variance."""
    assert sentence(view("incidence", incidence(), cohort="adults")) == (
        "Cumulative incidence (Aalen-Johansen) of survival in the cohort adults by dose (competing "
        "causes: death, relapse); Gray's variance as in cmprsk, 95 % limits on the log(−log) scale."
        " Gray's test compares the groups, for each cause by itself."
    )


def test_months_are_told_as_they_are_converted() -> None:
    """How long a month is stands where estimates are at months."""
    told = sentence(view("survival", survival(), at_months=[6.0], days_per_month=30.4375))
    assert told.endswith(" A month is 30.4375 days.")


def test_a_rank_test_has_the_name_of_its_weights() -> None:
    """rho = 1 is Peto and Peto's."""
    told = sentence(view("logrank", logrank(rho=1)))
    assert told.startswith("Peto-Peto test of survival by dose; ")


def test_a_cohort_says_what_smd_is() -> None:
    """The column SMD is explained where it stands."""
    told = sentence(view("table_one", cohort((8, 7), (9, 6), smd=True), smd=True))
    assert told == (
        "The cohort by dose; quantiles of type 7 (R); SMD is the largest standardized difference "
        "of two groups; two-sided p-values."
    )


def test_a_log_rank_test_names_its_strata() -> None:
    """Columns and hospitals as strata are told."""
    told = sentence(view("logrank", logrank(), strata=["sex"], by_site=True))
    assert told.startswith("Log-rank test of survival by dose, stratified by sex and hospital;")


def test_a_model_names_ties_and_baseline() -> None:
    """Efron's ties and a baseline of each hospital's own."""
    assert sentence(view("cox", cox_fit().document(), baseline="by_site")) == (
        "Cause-specific Cox proportional hazards model of survival on age, dose; Efron's method "
        "for ties, a baseline hazard of each hospital's own, 95 % Wald limits."
    )


def test_a_subdistribution_hazard_names_its_variance() -> None:
    """Whose weights, ties, baseline and variance."""
    assert sentence(view("fine_gray", fine_gray())) == (
        "Subdistribution hazard (Fine and Gray) of survival on age, dose, competing causes staying "
        "at risk with the weight of cmprsk's crr; Breslow's method for ties, one baseline hazard "
        "over all hospitals, Fine and Gray's variance as in cmprsk, 95 % Wald limits."
    )


def test_a_grid_is_told() -> None:
    """What looks like a step on a day may have been on any day since the point before."""
    told = sentence(view("survival", survival(), grid=[250, 500]))
    assert told.endswith("Times are moved up to the next of 250, 500: nothing is known in between.")


def test_a_failed_analysis_still_says_what_it_was_to_be() -> None:
    """Without a result the sentence comes from the options."""
    told = sentence(view("incidence", {"failed": True, "because": "no rows"}))
    assert told.startswith("Cumulative incidence (Aalen-Johansen) of survival by dose; ")


def test_an_unknown_kind_is_named() -> None:
    """A report of a newer release does not end for one kind it does not know."""
    document = view("cox", {}).document
    odd = View(type(document)("one", "unheard_of", {}, {}), {}, Limit(0), "day", (), ())
    assert sentence(odd) == "Analysis of the kind unheard_of."


def test_rows_left_out_are_told_by_reason() -> None:
    """Reasons without rows are not listed."""
    found = view("cox", cox_fit().document())
    assert left_out(found) == "Rows left out: 2 (a value missing)."


def test_few_rows_left_out_are_not_counted() -> None:
    """Two rows are <5."""
    found = view("cox", cox_fit().document(), least=5)
    assert left_out(found) == "Rows left out: <5 (a value missing)."


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"a": 8, "b": 9}, "8 (a), 9 (b)"),
        ({"a": 8, "b": 2}, "10 (a or b)"),
        ({"a": 1, "b": 2}, "<5 (a or b)"),
        ({"a": 0, "b": 0}, "none"),
    ],
)
def test_reasons_are_not_told_apart_if_one_is_small(counts: dict[str, int], expected: str) -> None:
    """The sum of all reasons is shown if it is no small count."""
    found = {**cox_fit().document(), "left_out": counts}
    assert left_out(view("cox", found, least=5)) == f"Rows left out: {expected}."


def test_nothing_left_out_is_said() -> None:
    """No rows left out is worth saying."""
    assert left_out(view("survival", survival())) == "Rows left out: none."


def test_a_screen_lists_the_models_that_leave_rows_out() -> None:
    """Each model has its own rows."""
    found = view("cox_screen", cox_screen())
    assert left_out(found) == "Rows left out by model: age: 2 (a value missing)."


def test_the_marks_are_explained_where_they_stand() -> None:
    """A section with hidden counts says what the marks mean."""
    cells = ["30", Suppressed(5, alone=True), Suppressed(5)]
    assert shown_counts(view("cox", cox_fit().document(), least=5), cells) == (
        "<5: from 1 to 4. hidden: a count from 1 to 4, or a number that could give one back, also "
        "by subtraction from other times, groups or analyses."
    )


@pytest.mark.parametrize(
    ("because", "expected"),
    [
        ("none of the 3 events happens", ("No result", "none of the <5 events happens")),
        (
            "withheld: fewer than 4 patients have the event; wait for more",
            ("Withheld", "Fewer than 4 patients have the event; wait for more."),
        ),
    ],
)
def test_what_the_guard_withholds_is_no_failure(because: str, expected: tuple[str, str]) -> None:
    """Its sentence names limits, not counts, and reads as one."""
    assert (
        no_result(view("cox", {"failed": True, "because": because}, least=5), because) == expected
    )


def test_without_marks_there_is_nothing_to_explain() -> None:
    """A text that reads like a mark is none."""
    assert shown_counts(view("cox", cox_fit().document(), least=5), ["30", "<5", "hidden"]) == ""


def test_every_kind_of_the_contract_has_its_sentence() -> None:
    """The made-up options hold every kind that a study may name."""
    from site_agent.contract.catalogue import KINDS

    assert set(OPTIONS) == set(KINDS)
