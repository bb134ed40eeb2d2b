"""Deaths, carriers, hospitals and the budget of a model, each at its limit and one below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from site_agent.contract.analyses.guard_limits import (
    Budget,
    carriers_ask,
    compares,
    limits_sentence,
    needs_limits,
    scalars,
)
from site_agent.contract.analyses.guard_openings import Opening, openings
from site_agent.contract.analyses.guard_sums import HOSPITALS
from site_agent.contract.catalogue import KINDS
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Arrays
from tests.site_agent.contract.analyses.guarded import CURVE, MODEL, guarded

STUDY = guarded(MODEL + "[age, stage, old]")
MODEL_OF_THREE = openings(STUDY)[0]
FRAME = MODEL_OF_THREE.frame  # columns: age, stage=two, stage=three, old


NO_COLUMN: Any = {"not_zero": (), "zero": (), "not_binary": (), "reference": ()}
AGE_ALONE: Any = {"not_zero": (40,), "zero": (0,), "not_binary": (40,), "reference": ()}


def totals(
    *,
    deaths: Sequence[int] = (9,),
    not_zero: Sequence[int] = (40, 10, 10, 20),
    zero: Sequence[int] = (0, 30, 30, 20),
    not_binary: Sequence[int] = (40, 0, 0, 0),
    reference: Sequence[int] = (20,),
    in_stratum: Sequence[int] = (40,),
    in_group: Sequence[int] = (40,),
    in_cell: Sequence[int] = (40,),
    patients: int = 40,
    **sites: Sequence[int],
) -> Arrays:
    """Totals of a model with 40 patients within all limits; nine hospitals have each part."""
    counts = {"deaths": deaths, "not_zero": not_zero, "zero": zero}
    counts |= {"not_binary": not_binary, "reference": reference, "patients": (patients,)}
    counts |= {"in_stratum": in_stratum, "in_group": in_group, "in_cell": in_cell}
    counts |= {of: [9 * (n > 0) for n in counts[part]] for of, part in HOSPITALS.items()} | sites
    return {name: np.array(values, dtype=np.float64) for name, values in counts.items()}


def said(found: Arrays, *, opening: Opening = MODEL_OF_THREE, study: Study = STUDY) -> str:
    """Why a model with these totals is withheld."""
    return limits_sentence(study, opening, found)


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
    found = totals(deaths=(9, 0), in_stratum=(40 - few, few), **AGE_ALONE)
    sentence = said(found, opening=openings(study)[0], study=study)
    assert ("patients are in a stratum of sex" in sentence) == told


def test_the_groups_of_a_test_have_limits() -> None:
    """A log-rank test is the score test of a model of its groups."""
    study = guarded("kind: logrank, endpoint: survival, by: sex")
    found = totals(in_group=(36, 4), **NO_COLUMN)
    assert "patients are in a group of sex" in said(found, opening=openings(study)[0], study=study)


def test_the_deaths_of_a_test_have_limits() -> None:
    """As those of a model."""
    study = guarded("kind: logrank, endpoint: survival, by: sex")
    found = totals(deaths=(4,), in_group=(20, 20))
    sentence = said(found, opening=openings(study)[0], study=study)
    assert "fewer than 5 patients have the event" in sentence


@pytest.mark.parametrize(("patients", "told"), [(4, True), (5, False)])
def test_a_cohort_has_the_patients_of_a_study(patients: int, told: bool) -> None:
    """A curve of few patients is these patients; its groups are for what is shown."""
    study = guarded(CURVE + ", cohort: elders, by: sex")
    found = totals(deaths=(1,), patients=patients, in_group=(patients,), **NO_COLUMN)
    sentence = said(found, opening=openings(study)[0], study=study)
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
    opening, both = openings(study)[0], (20, 20)
    found = [
        said(totals(deaths=deaths, in_stratum=both), opening=opening, study=study)
        for deaths in ((9, 4), (9, 5), (9, 0))
    ]
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
    assert [needs_limits(study, opening) for opening in openings(study)] == [False, True, False]


@pytest.mark.parametrize(
    ("analysis", "asked"),
    [
        (CURVE, False),
        (CURVE + ", by: sex", True),
        (CURVE + ", cohort: elders", True),
        (CURVE.replace("survival, endpoint: survival", "survival, endpoint: lost"), True),
        ("kind: survival, endpoint: ward", True),
        ("kind: logrank, endpoint: survival, by: sex, by_site: true", True),
    ],
    ids=["of everybody", "groups", "a cohort", "ends that may lack", "another table", "a test"],
)
def test_of_which_curves_limits_are_asked(analysis: str, asked: bool) -> None:
    """Of those that do not take everybody whom the first question counts, and of groups."""
    study = guarded(analysis)
    assert needs_limits(study, openings(study)[0]) == asked


HOSPITALS_OF_A_MODEL = [
    ({"sites": (2,)}, "in it"),
    ({"not_zero_sites": (9, 9, 2, 9)}, "in, or outside of, the group stage=three"),
    ({"not_zero_sites": (9, 9, 9, 1)}, "in, or outside of, the group old"),
    ({"zero_sites": (0, 9, 9, 2)}, "in, or outside of, the group old"),
    ({"zero_sites": (2, 9, 9, 9)}, ""),
    ({"reference_sites": (1,)}, "in, or outside of, the group stage=one"),
    ({"sites": (3,), "not_zero_sites": (3, 3, 3, 3)}, ""),
]


@pytest.mark.parametrize(("sites", "part"), HOSPITALS_OF_A_MODEL)
def test_what_few_hospitals_have_is_theirs(sites: dict[str, Sequence[int]], part: str) -> None:
    """Three hospitals for a model, for each group of it and for the rest; or none."""
    sentence = said(totals(**sites))
    assert sentence.partition(" have patients ")[2].partition(":")[0] == part


@pytest.mark.parametrize("kind", ["survival", "incidence", "logrank"])
@pytest.mark.parametrize(("sites", "told"), [((9, 1), True), ((9, 3), False), ((9, 0), False)])
def test_a_group_that_one_hospital_alone_has(kind: str, sites: tuple[int, int], told: bool) -> None:
    """Its curve, or its part of a test, would be that of the hospital."""
    study = guarded(f"kind: {kind}, endpoint: survival, by: site.country")
    found = totals(in_group=(20, 20 * (sites[1] > 0)), group_sites=sites, **NO_COLUMN)
    sentence = said(found, opening=openings(study)[0], study=study)
    assert ("hospitals have patients in a group of site.country" in sentence) == told


def test_a_stratum_that_one_hospital_alone_has() -> None:
    """Deaths open by stratum."""
    study = guarded(MODEL + "[age], strata: [site.country]")
    found = totals(deaths=(9, 9), in_stratum=(20, 20), stratum_sites=(8, 1), **AGE_ALONE)
    sentence = said(found, opening=openings(study)[0], study=study)
    assert "hospitals have patients in a stratum of site.country" in sentence


@pytest.mark.parametrize(("by_site", "told"), [("false", True), ("true", False)])
def test_a_group_within_a_stratum_that_one_hospital_alone_has(by_site: str, told: bool) -> None:
    """Counts by time open by both; totals of a test within hospitals do not."""
    fields = f"kind: logrank, endpoint: survival, by: sex, strata: [stage], by_site: {by_site}"
    study, opening = guarded(fields), openings(guarded(fields))[0]
    parts: Any = {"in_stratum": (15, 15, 10), "in_group": (20, 20), "deaths": (9, 9, 9)}
    found = totals(
        **parts, in_cell=(10, 5, 5, 10, 5, 5), cell_sites=(9, 9, 1, 9, 9, 9), **NO_COLUMN
    )
    sentence = said(found, opening=opening, study=study)
    assert ("hospitals have patients in a group within a stratum" in sentence) == told


def test_a_table_of_its_own_has_the_limits_of_the_study() -> None:
    """The first question counts the patients of the first table, not those of another."""
    study = guarded("kind: survival, endpoint: ward")
    found = [
        said(totals(patients=n, sites=(m,), **NO_COLUMN), opening=openings(study)[0], study=study)
        for n, m in ((4, 3), (5, 2), (5, 3))
    ]
    expected = ["fewer than 5 patients ", "fewer than 3 hospitals", ""]
    assert [sentence[:22] for sentence in found] == expected


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_but_a_curve_has_the_limits_of_a_model(kind: str) -> None:
    """A kind that is added later has them, unless it is entered as a curve."""
    opening = openings(guarded(CURVE))[0]
    of_kind = replace(opening, analysis=replace(opening.analysis, kind=kind))
    assert compares(of_kind) == (kind not in ("survival", "incidence"))
