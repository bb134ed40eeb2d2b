"""Distributions of one variable whose groups would link."""

from __future__ import annotations

import pytest

from site_agent.contract.errors import StudyError
from site_agent.contract.study.model import Study
from tests.studytext import STUDY, study

BY_SEX = "{kind: compare, variables: [age, smoker], by: sex, shift: true}"
BY_DOSE = "{kind: compare, variables: [kps, age], by: dose, shift: true}"


def comparing(*analyses: str, accepted: str = "") -> Study:
    """The small study with other analyses, named a, b and so on."""
    head, rest = STUDY.split("analyses:\n")
    tail = rest[rest.index("disclosure:") :].replace("[A, B]", "[A, B, V]")
    tail = tail.replace("analysis: curve", f"analysis: {accepted or 'a'}")
    if not accepted:
        tail = "\n".join(line for line in tail.split("\n") if "accepted" not in line)
        tail = "\n".join(line for line in tail.split("\n") if "primary result" not in line)
    body = "".join(f"  {name}: {text}\n" for name, text in zip("abcd", analyses, strict=False))
    return study(text=f"{head}analyses:\n{body}{tail}")


def test_two_groupings_of_one_variable_link() -> None:
    """Values of age by sex, and values of age by dose."""
    with pytest.raises(StudyError, match="analyses.b: opens values of age in groups of dose, and "):
        comparing(BY_SEX, BY_DOSE)


def test_one_may_be_accepted_by_name() -> None:
    """The stewards may accept the later one."""
    assert list(comparing(BY_SEX, BY_DOSE, accepted="b").analyses) == ["a", "b"]


def test_rank_sums_take_any_groups() -> None:
    """Without the shift the pooled values open once, and rank sums by sex and by dose."""
    without = (BY_SEX.replace(", shift: true", ""), BY_DOSE.replace(", shift: true", ""))
    assert list(comparing(*without).analyses) == ["a", "b"]


def test_two_cohorts_of_one_variable_link() -> None:
    """Values among adults in groups of dose, and among all by sex: who is an adult shows."""
    adults = BY_DOSE.replace("by: dose", "by: sex, cohort: adults").replace("[kps, age]", "[age]")
    assert list(comparing(BY_SEX, adults).analyses) == ["a", "b"]
    with pytest.raises(StudyError, match="cohort adults"):
        comparing(BY_DOSE, adults)


def test_numbers_made_of_one_column_link() -> None:
    """The logarithm of age has the order of age."""
    with pytest.raises(StudyError, match="analyses.b: opens values of log10"):
        comparing(BY_SEX, BY_DOSE.replace("[kps, age]", "[log10(age)]"))


def test_categories_open_no_values() -> None:
    """Counts of a condition by sex and by dose are class A."""
    only = (text.replace("[age, smoker]", "[smoker]") for text in (BY_SEX,))
    found = comparing(*only, BY_DOSE.replace("[kps, age]", "[smoker]"))
    assert list(found.analyses) == ["a", "b"]
