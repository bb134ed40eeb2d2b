"""Analyses that can be read and make no sense: refused in words when the study is read."""

from __future__ import annotations

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
