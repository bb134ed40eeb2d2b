"""Analyses that can be read and make no sense: refused in words when the study is read."""

from __future__ import annotations

import pytest

from tests.studytext import issues

TEST = "test: {kind: logrank, endpoint: survival, by: sex}"
THREE = '"cut(age, [40, 60])"'


def found(analysis: str) -> list[str]:
    """Return the issues of the small study with another analysis, without their place."""
    return [issue.split(": ", 2)[2] for issue in issues((TEST, f"test: {analysis}"))]


def test_a_test_of_two_groups_takes_two() -> None:
    """A t test of three groups is refused, with what takes them."""
    assert found(f"{{kind: compare, variables: [kps], by: {THREE}, test: t}}") == [
        "test: t takes two groups, and 'cut(age, [40, 60])' has 3 levels; take anova for all of "
        "them, or a cohort that holds two"
    ]


def test_the_rank_sum_test_takes_two_groups() -> None:
    """Of Wilcoxon's test Kruskal and Wallis' is the one for more groups."""
    (said,) = found(f"{{kind: compare, variables: [kps], by: {THREE}, test: wilcoxon}}")
    assert "take kruskal for all of them" in said


def test_a_cohort_may_hold_two_of_three_groups() -> None:
    """Two arms of three are compared within a cohort of them, as in R with a subset."""
    within = f"{{kind: compare, cohort: adults, variables: [kps], by: {THREE}, test: welch}}"
    assert found(within) == []


def test_a_variable_is_not_compared_with_itself() -> None:
    """Sex between the sexes."""
    assert found("{kind: compare, variables: [kps, sex], by: sex}") == [
        "'sex' is compared with itself; take it out of the variables, or other groups (by)"
    ]


def test_a_number_is_no_pair_with_itself() -> None:
    """Before and after are two numbers, however one is spelled."""
    assert found('{kind: paired, before: kps + age, after: "kps  +  age"}') == [
        "'kps + age' is compared with itself; name another number"
    ]


def test_an_outcome_is_no_covariate_of_its_own() -> None:
    """A linear model of kps with kps."""
    assert found("{kind: glm, outcome: kps, family: gaussian, covariates: [age, kps]}") == [
        "covariate 'kps' is the outcome 'kps'; take it out"
    ]


def test_nor_is_what_is_made_of_the_outcome_alone() -> None:
    """Equations of whether a grade is high, with the grade."""
    model = "{kind: gee, table: grades, outcome: crs > 2, family: binomial, covariates: [crs], "
    assert found(f"{model}wave: day, waves: [0, 9]}}") == [
        "covariate 'crs' is made of nothing but the outcome 'crs > 2'; take it out"
    ]


def test_a_change_may_go_with_the_value_before() -> None:
    """Analysis of covariance: the change is made of two values, of which one is a covariate."""
    change = "{kind: glm, outcome: last_seen_day - age, family: gaussian, covariates: [age]}"
    assert found(change) == []


def test_a_worst_grade_may_go_with_the_first() -> None:
    """What reads several rows is another quantity of the same column."""
    first = "{kind: glm, outcome: peak, family: gaussian, covariates: [min(grades.crs)]}"
    peak = first.replace("peak", "max(grades.crs)")
    assert found(peak) == []


@pytest.mark.parametrize("covariate", ["last_seen_day", "death_day", "death_day > 30"])
@pytest.mark.parametrize("kind", ["cox", "cox_screen", "meta_analysis"])
def test_time_and_event_are_no_covariates(kind: str, covariate: str) -> None:
    """Of an endpoint in days neither the last day seen nor the day of the event."""
    (said,) = found(f"{{kind: {kind}, endpoint: survival, covariates: [{covariate}]}}")[:1]
    assert f"covariate '{covariate}' is" in said and "the endpoint's own time or event" in said


def test_a_status_is_no_covariate_of_its_event() -> None:
    """Of an endpoint with a status, the column that the event is read from."""
    status = ("    event: {death: death_day}\n    censored: last_seen_day\n  trm:",
              "    time: last_seen_day\n    event: {death: smoker == true}\n  trm:")  # fmt: skip
    model = (TEST, "test: {kind: cox, endpoint: survival, covariates: [smoker]}")
    assert any("'smoker' is made of nothing but" in issue for issue in issues(status, model))


@pytest.mark.parametrize(
    "asked",
    ["survival, at: [28, 401]", "incidence, at: [401]", "survival, restricted_mean: [401, 365]"],
)
def test_no_time_is_beyond_the_horizon(asked: str) -> None:
    """A time that no patient can have is refused, and not carried on to."""
    assert found(f"{{endpoint: survival, grid: [90, 400], kind: {asked}}}") == [
        "found 401, expected times up to the study's horizon of 400 days"
    ]


def test_months_beyond_the_horizon() -> None:
    """14 months are 426.125 days; 13, 395.6875, are within 400."""
    assert found("{kind: survival, endpoint: survival, grid: [90], at_months: [13, 14]}") == [
        "found 14, which is 426.125, expected times up to the study's horizon of 400 days"
    ]


def predicted(age: float) -> list[str]:
    return found(
        f"{{kind: cox, endpoint: survival, covariates: [age], baseline_at: [90], "
        f"predict: {{one: {{age: {age}}}}}}}"
    )


def test_no_curve_is_predicted_beyond_a_range() -> None:
    """An age of 150 where patients are from 0 to 110."""
    assert predicted(150) == [
        "found the number 150, which the range of 'age' (from 0 to 110) leaves out: the model has "
        "seen no such patient. Take another value, or widen the range"
    ]


def test_curves_are_predicted_at_the_ends_of_a_range() -> None:
    """Both ends are within it."""
    assert [predicted(0), predicted(110)] == [[], []]
