"""Which analyses can take different rows, and when two that do must not both be opened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from site_agent.contract import expressions
from site_agent.contract.analyses.guard_openings import openings
from site_agent.contract.analyses.guard_selections import (
    always_known,
    nested_sentence,
    selection,
    selections,
    weight_issues,
)
from site_agent.contract.frames import Frame
from tests.site_agent.contract.analyses.guarded import CURVE, MODEL, SCREEN, guarded, text
from tests.studytext import issues

STUDY = guarded(CURVE)
ALL = Frame("patients")


def known(expression: str, table: str = "patients") -> bool:
    """Whether the dictionary rules out that an expression is missing."""
    return always_known(STUDY, table, expressions.parse(expression))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("age", True),
        ("ldh", False),
        ("age * 2 > 60 and not (sex == 'male')".replace("'", '"'), True),
        ("age + ldh", False),
        ("old", True),
        ("log10_ldh", False),
        ("dose", True),
        ("gapped", False),
        ("worst", False),
        ("cut(age, [50])", True),
        ("cut(ldh, [50])", False),
        ("site.country", True),
        ("count(episodes)", False),
        ("unheard_of", False),
    ],
)
def test_what_cannot_be_missing(expression: str, expected: bool) -> None:
    """Columns without gaps, what is made of them row by row, and attributes of sites."""
    assert known(expression) == expected


def test_columns_of_the_parent_may_be_missing() -> None:
    """They are not looked up."""
    assert not known("patient.age", "episodes")


def chosen(fields: str) -> Frame:
    """The selection of one analysis of these fields."""
    study = guarded(fields)
    return selection(study, openings(study)[0].frame)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (CURVE, ALL),
        (CURVE + ", by: sex", ALL),
        (CURVE + ", grid: [100, 400]", ALL),
        (CURVE + ", cohort: adults", Frame("patients", cohort="adults")),
        (MODEL + "[ldh, age, log10_ldh]", Frame("patients", complete=("ldh", "log10_ldh"))),
        ("kind: survival, endpoint: from_start", ALL),
        ("kind: survival, endpoint: entered", Frame("patients", "entered")),
        (
            "kind: survival, endpoint: entered, grid: [100]",
            Frame("patients", "entered", grid=(100,)),
        ),
        ("kind: survival, endpoint: lost, grid: [100]", Frame("patients", "lost")),
        ("kind: survival, endpoint: relative", Frame("patients", "relative")),
        ("kind: survival, endpoint: stay", Frame("episodes")),
        ("kind: survival, endpoint: doubt", Frame("episodes", "doubt")),
    ],
)
def test_the_selection_of_an_analysis(fields: str, expected: Frame) -> None:
    """What can leave rows out: cohort, gaps, an entry, an end that is not known."""
    assert chosen(fields) == expected


def test_selections_that_are_equal_are_compared_once() -> None:
    """Three analyses, two selections, one pair."""
    study = guarded(CURVE, MODEL + "[age]", MODEL + "[ldh]", MODEL + "[ldh, age]")
    found = selections(study, openings(study))["patients"]
    expected = (ALL, Frame("patients", complete=("ldh",)))
    assert (found.frames, found.pairs) == (expected, ((0, 1),))


def test_every_pair_is_compared() -> None:
    """Three selections, three pairs."""
    study = guarded(SCREEN + "[age, ldh, left]")
    assert selections(study, openings(study))["patients"].pairs == ((0, 1), (0, 2), (1, 2))


def test_one_selection_needs_no_comparison() -> None:
    """Nothing is asked."""
    study = guarded(CURVE, MODEL + "[age]")
    assert selections(study, openings(study)) == {}


def test_tables_are_not_compared() -> None:
    """Rows of different tables are different rows."""
    study = guarded(CURVE, "kind: survival, endpoint: stay")
    assert selections(study, openings(study)) == {}


def test_accepted_analyses_are_not_compared_with_each_other() -> None:
    """A pair of which the stewards accept both is not asked."""
    three = (CURVE, MODEL + "[ldh]", MODEL + "[left]")
    study = guarded(*three, accepted=["a", "b"])
    assert selections(study, openings(study))["patients"].pairs == ((0, 2), (1, 2))


def test_a_selection_counts_if_one_of_its_analyses_is_not_accepted() -> None:
    """The curve is accepted, the model over the same rows is not."""
    study = guarded(CURVE, MODEL + "[ldh]", MODEL + "[age]", accepted=["a", "b"])
    assert selections(study, openings(study))["patients"].pairs == ((0, 1),)


def test_the_question_of_selections() -> None:
    """One frame of the whole table that compares the others."""
    study = guarded(CURVE, MODEL + "[ldh]")
    ask = selections(study, openings(study))["patients"].ask()
    compared = (ALL, Frame("patients", complete=("ldh",)))
    assert (ask.frame, ask.fixed) == (Frame("patients", compared=compared), {"pairs": [[0, 1]]})


@pytest.mark.parametrize(("accepted", "expected"), [([], ["b", "c"]), (["b"], ["c"])])
def test_weights_go_by_name(accepted: list[str], expected: list[str]) -> None:
    """A weight close to 0 leaves a patient out, and no count shows it."""
    weighted = [MODEL + "[age], weights: age", SCREEN + "[age, start], weights: age"]
    opened = openings(guarded(CURVE, *weighted, accepted=["b", "c"]))
    opened = tuple(replace(item, accepted=item.analysis.name in accepted) for item in opened)
    assert [name for name, _ in weight_issues(opened)] == expected


def test_a_study_with_weights_is_refused() -> None:
    """When it is read, with the analysis and what to do."""
    (issue,) = issues(text=text(MODEL + "[age], weights: age"))
    assert "analyses.a: its weights can leave patients out as a cohort does" in issue


@pytest.mark.parametrize(
    ("patients", "sites", "refused"),
    [(0, 0, False), (1, 1, True), (4, 4, True), (5, 2, True), (5, 3, False)],
)
def test_a_difference(patients: int, sites: int, refused: bool) -> None:
    """No patient, or at least five of at least three hospitals."""
    study = guarded(CURVE, MODEL + "[ldh]")
    found = selections(study, openings(study))["patients"]
    totals = {"patients": np.array([patients * 1.0]), "sites": np.array([sites * 1.0])}
    sentence = nested_sentence(study.policy, found.frames[1], {ALL: "a"}, found.differences(totals))
    expected = "its patients differ from those of 'a' by fewer than 5, or in fewer than 3 hospitals"
    assert sentence.startswith(expected) == refused


def test_the_numbers_of_the_study_count() -> None:
    """A study may ask for more patients and hospitals."""
    policy = replace(STUDY.policy, changed_patients=9, changed_sites=4)
    other = Frame("patients", complete=("ldh",))
    counts = {frozenset({ALL, other}): (8, 4)}
    assert "fewer than 9, or in fewer than 4" in nested_sentence(policy, other, {ALL: "a"}, counts)
