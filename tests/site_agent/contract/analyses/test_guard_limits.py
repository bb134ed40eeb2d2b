"""Deaths, carriers and the budget of a model, each at its limit and one below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from site_agent.contract.analyses.guard_limits import (
    Budget,
    carriers_ask,
    limited,
    limits_sentence,
    needs_limits,
    scalars,
)
from site_agent.contract.analyses.guard_openings import openings
from site_agent.contract.frames import Frame
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Arrays
from tests.site_agent.contract.analyses.guarded import CURVE, MODEL, guarded

STUDY = guarded(MODEL + "[age, stage, old]")
FRAME = openings(STUDY)[0].frame  # columns: age, stage=two, stage=three, old


def totals(
    *,
    deaths: Sequence[int] = (9,),
    not_zero: Sequence[int] = (40, 10, 10, 20),
    zero: Sequence[int] = (0, 30, 30, 20),
    not_binary: Sequence[int] = (40, 0, 0, 0),
    reference: Sequence[int] = (20,),
    in_stratum: Sequence[int] = (40,),
    in_group: Sequence[int] = (40,),
    patients: int = 40,
) -> Arrays:
    """Totals of a model with 40 patients that is within all limits."""
    counts = {"deaths": deaths, "not_zero": not_zero, "zero": zero}
    counts |= {"not_binary": not_binary, "reference": reference, "patients": (patients,)}
    counts |= {"in_stratum": in_stratum, "in_group": in_group}
    return {name: np.array(values, dtype=np.float64) for name, values in counts.items()}


def said(found: Arrays, *, frame: Frame = FRAME, study: Study = STUDY) -> str:
    """Why a model with these totals is withheld."""
    return limits_sentence(study, frame, found)


def group_of(found: Arrays) -> str:
    """The group for whose sake a model is withheld; "" if it is not."""
    return said(found).partition("the group ")[2].partition(";")[0]


def test_what_is_asked_of_a_model() -> None:
    """One stratum, four columns, of which the second and third are a category's."""
    fixed = carriers_ask(STUDY, FRAME).fixed
    values = [[0.0, 1.0]] * 4
    blocks = {"categories": [[1, 3]], "values": values}
    assert fixed == {"columns": 4, "strata": 1, "groups": 1, **blocks}


def test_a_number_of_two_values_is_a_group() -> None:
    """Coded 1 and 3."""
    study = guarded(MODEL + '["if(age > 60, 3, 1)", age]')
    fixed = carriers_ask(study, openings(study)[0].frame).fixed
    assert fixed["values"] == [[1.0, 3.0], [0.0, 1.0]]


def test_what_is_asked_of_strata() -> None:
    """Each combination of two strata is counted."""
    study = guarded(MODEL + "[age], strata: [sex, stage]")
    assert carriers_ask(study, openings(study)[0].frame).fixed["strata"] == 6


@pytest.mark.parametrize(("few", "told"), [(0, False), (1, True), (4, True), (5, False)])
def test_patients_of_a_stratum(few: int, told: bool) -> None:
    """One who is alone in a stratum is left out by it, whether or not anybody there dies."""
    study = guarded(MODEL + "[age], strata: [sex]")
    one = {"not_zero": (40,), "zero": (0,), "not_binary": (40,), "reference": ()}
    found = totals(deaths=(9, 0), in_stratum=(40 - few, few), **one)
    sentence = said(found, frame=openings(study)[0].frame, study=study)
    assert ("patients are in a stratum of sex" in sentence) == told


def test_the_groups_of_a_test_have_limits() -> None:
    """A log-rank test is the score test of a model of its groups."""
    study = guarded("kind: logrank, endpoint: survival, by: sex")
    frame = limited(openings(study)[0])
    found = {**totals(in_group=(36, 4)), "not_zero": np.zeros(0), "zero": np.zeros(0)}
    assert "patients are in a group of sex" in limits_sentence(study, frame, found)


def test_the_deaths_of_a_test_have_limits() -> None:
    """As those of a model."""
    study = guarded("kind: logrank, endpoint: survival, by: sex")
    frame, found = limited(openings(study)[0]), totals(deaths=(4,), in_group=(20, 20))
    assert "fewer than 5 patients have the event" in limits_sentence(study, frame, found)


@pytest.mark.parametrize(("patients", "told"), [(4, True), (5, False)])
def test_a_cohort_has_the_patients_of_a_study(patients: int, told: bool) -> None:
    """A curve of few patients is these patients; its groups are for what is shown."""
    study = guarded(CURVE + ", cohort: elders, by: sex")
    frame = limited(openings(study)[0])
    found = totals(deaths=(1,), patients=patients, in_stratum=(patients,), in_group=(patients,))
    sentence = limits_sentence(study, frame, found)
    assert ("patients are in the cohort elders" in sentence) == told


def test_a_model_within_its_limits() -> None:
    """Nothing is said."""
    assert said(totals()) == ""


@pytest.mark.parametrize(("deaths", "few"), [(0, False), (1, True), (4, True), (5, False)])
def test_deaths(deaths: int, few: bool) -> None:
    """Five, or none: then nothing is estimated."""
    expected = "fewer than 5 patients have the event; a model needs 5 (disclosure.compute.deaths)"
    assert said(totals(deaths=(deaths,))).startswith(expected) == few


def test_deaths_in_strata() -> None:
    """Each stratum that has any needs five."""
    study = guarded(MODEL + "[age, stage, old], strata: [sex]")
    frame = openings(study)[0].frame
    found = [said(totals(deaths=d), frame=frame, study=study) for d in ((9, 4), (9, 5), (9, 0))]
    expected = "fewer than 5 patients have the event in a stratum; a model needs 5 in each stratum"
    assert [sentence.startswith(expected) for sentence in found] == [True, False, False]


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [
        (4, 36, "stage=three"),
        (5, 35, ""),
        (0, 40, ""),
        (36, 4, "stage=three"),
        (35, 5, ""),
        (40, 0, ""),
    ],
)
def test_carriers(inside: int, outside: int, expected: str) -> None:
    """Five inside and five outside of a group, or nobody on one side."""
    found = totals(not_zero=(40, 10, inside, 20), zero=(0, 30, outside, 20))
    assert group_of(found) == expected


@pytest.mark.parametrize(("inside", "expected"), [(4, "old"), (5, "")])
def test_carriers_of_a_condition(inside: int, expected: str) -> None:
    """A condition is a group."""
    found = totals(not_zero=(40, 10, 10, inside), zero=(0, 30, 30, 40 - inside))
    assert group_of(found) == expected


@pytest.mark.parametrize(("inside", "expected"), [(4, "stage=one"), (5, ""), (0, "")])
def test_the_reference_is_a_group(inside: int, expected: str) -> None:
    """The level that has no column of its own needs five patients too."""
    assert group_of(totals(reference=(inside,))) == expected


def test_a_category_that_nobody_leaves() -> None:
    """Four patients, all in the reference level: no column tells anything."""
    found = totals(not_zero=(40, 0, 0, 20), zero=(0, 40, 40, 20), reference=(4,))
    assert group_of(found) == ""


@pytest.mark.parametrize(
    ("inside", "outside", "expected"),
    [(4, 36, "age"), (5, 35, ""), (36, 4, ""), (4, 0, "")],
)
def test_a_number_with_zeros(inside: int, outside: int, expected: str) -> None:
    """Five that are not zero; a few zeros among other values are no group."""
    found = totals(not_zero=(inside, 10, 10, 20), zero=(outside, 30, 30, 20))
    assert group_of(found) == expected


def test_the_numbers_of_the_study_count() -> None:
    """A study may ask for more deaths and carriers."""
    policy = replace(STUDY.policy, deaths=10, carriers=11)
    study = replace(STUDY, policy=policy)
    found = [said(totals(deaths=(d,)), study=study)[:16] for d in (9, 10)]
    assert found == ["fewer than 10 pa", "fewer than 11 pa"]


@pytest.mark.parametrize(("columns", "expected"), [(1, 21), (2, 43), (5, 151)])
def test_the_numbers_that_a_model_opens(columns: int, expected: int) -> None:
    """2 p + q and six times 1 + p + q, where q = p (p + 1) / 2."""
    assert scalars(columns) == expected


def test_the_numbers_of_what_follows_from_a_fit() -> None:
    """Two tests of proportional hazards add 2 (p + 2 q), four steps of a baseline 4."""
    assert scalars(2, scales=2, steps=4) == 43 + 2 * (2 + 6) + 4


@pytest.mark.parametrize(
    ("firth", "profile", "expected"),
    [
        ("always", False, 3 + 8 * 4),
        ("on_separation", False, 21 + 8 * 4),
        ("never", True, 21 + 15 * 3),
        ("always", True, 3 + 8 * 4 + 15 * 4),
    ],
)
def test_the_numbers_of_a_penalised_fit(firth: str, profile: bool, expected: int) -> None:
    """Eight points of four numbers for one column; five points for each of three profile roots."""
    assert scalars(1, firth=firth, profile=profile) == expected


def spent(study: Study, patients: int) -> list[bool]:
    """Whether each model is beyond the budget, in order, when all are opened."""
    budget, found = Budget(study, {"patients": patients}), []
    for opening in openings(study):
        found.append(bool(budget.sentence(opening)))
        budget.spend(opening)
    return found


@pytest.mark.parametrize(("patients", "beyond"), [(21, False), (20, True)])
def test_the_budget_of_one_model(patients: int, beyond: bool) -> None:
    """21 numbers of 21 values are within it."""
    assert spent(guarded(MODEL + "[age]"), patients) == [beyond]


def test_what_is_said_of_a_model_beyond_the_budget() -> None:
    """How many numbers it opens, and of how many patients."""
    study = guarded(MODEL + "[age]")
    sentence = Budget(study, {"patients": 20}).sentence(openings(study)[0])
    assert sentence.startswith(
        "it would open 21 numbers, and with those of the models before it more about some "
        "covariates than these have values in 20 patients"
    )


def test_the_budget_over_models() -> None:
    """Two models of one column open 42 numbers; a curve none; another column is free."""
    study = guarded(MODEL + "[age]", CURVE, MODEL + "[age], ties: breslow", MODEL + "[start]")
    assert [spent(study, n) for n in (42, 41)] == [
        [False, False, False, False],
        [False, False, True, False],
    ]


def test_values_of_other_columns_hide_nothing() -> None:
    """Three models of age open 63 numbers, however many values of others there are."""
    study = guarded(*[MODEL + f"[{name}]" for name in ("start", "sex", "age", "age", "age")])
    assert spent(study, 62) == [False, False, False, False, True]


def test_a_model_of_several_columns_takes_of_each() -> None:
    """43 numbers of two columns, and 21 of one of these: 64 of 64 values."""
    study = guarded(MODEL + "[age, start]", MODEL + "[age]")
    assert [spent(study, n) for n in (32, 31)] == [[False, False], [False, True]]


def test_what_is_accepted_beyond_the_budget_leaves_nothing() -> None:
    """A model of 20 patients opened by name: no further one about its column."""
    study = guarded(MODEL + "[age]", MODEL + "[age]", MODEL + "[start, sex]")
    assert spent(study, 22) == [False, True, False]


def test_the_budget_of_tests_and_baseline() -> None:
    """One scale of time adds 3, two steps in each of three strata 6."""
    fields = "kind: cox, endpoint: survival, covariates: [age], strata: [stage]"
    study = guarded(fields + ", zph: [km], baseline_at: [100, 200]")
    assert [spent(study, n) for n in (30, 29)] == [[False], [True]]


def test_the_budget_of_tables() -> None:
    """Each table has its own."""
    study = guarded(
        MODEL + "[age]", "kind: cox, endpoint: ward, baseline: by_site, covariates: [ward]"
    )
    budget = Budget(study, {"patients": 21, "episodes": 21})
    one, other = openings(study)
    budget.spend(one)
    assert (bool(budget.sentence(one)), bool(budget.sentence(other))) == (True, False)


def test_of_which_analyses_limits_are_asked() -> None:
    """Of models that are not accepted by name."""
    study = guarded(CURVE, MODEL + "[age]", MODEL + "[old]", accepted=["c"])
    assert [needs_limits(opening) for opening in openings(study)] == [False, True, False]
