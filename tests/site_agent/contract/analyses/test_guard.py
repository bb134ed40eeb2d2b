"""The guard's rounds: what they ask, when they end a release, and what they withhold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from site_agent.contract.analyses.guard import Admitted, guard, refuse_exposed, second_round
from site_agent.contract.catalogue import SUMS
from site_agent.contract.errors import Refused
from site_agent.contract.frames import Frame
from site_agent.contract.study.model import Study
from site_agent.contract.study.read import read_study
from site_agent.contract.sums import Answer, Ask
from tests.site_agent.contract.analyses.guarded import CURVE, MODEL, SCREEN, guarded, text

EARLIER = ("1a2b3c4d5e6f7890/1", "1a2b3c4d5e6f7890/2")
Counts = Mapping[str, Sequence[int]]

PLENTY: Counts = {"patients": [300], "sites": [9]}
MODEL_OF_300: Counts = {
    "patients": [300],
    "deaths": [90],
    "not_zero": [100],
    "zero": [200],
    "not_binary": [0],
    "in_stratum": [200],
    "in_group": [200],
    "in_cell": [200],
    "reference": [200],
    "sites": [9],
    "stratum_sites": [9],
    "group_sites": [9],
    "cell_sites": [9],
    "not_zero_sites": [9],
    "zero_sites": [9],
    "reference_sites": [9],
}


def answer(ask: Ask, counts: Counts) -> Answer:
    """An answer whose lanes hold these counts, repeated to their length."""
    totals = {
        lane.name: np.resize(np.array(counts[lane.name], dtype=np.float64), lane.shape)
        for lane in SUMS[ask.sum].lanes(ask)
    }
    return Answer(totals, {})


def first_round(study: Study, earlier: tuple[str, ...] = (), **counts: Counts) -> Any:
    """What the guard does after round 0: "asks", "done", or the code of a refusal."""
    running = guard(study, earlier)
    answers = [answer(ask, counts.get(ask.sum, PLENTY)) for ask in next(running)]
    try:
        running.send(tuple(answers))
    except Refused as refused:
        return refused.code
    except StopIteration:
        return "done"
    return "asks"


def admitted(study: Study, **counts: Any) -> Admitted:
    """What the guard lets through; counts by sum, or by the covariate or grid of a frame."""
    running = guard(study)
    asks = next(running)
    try:
        asks = running.send(tuple(answer(ask, PLENTY) for ask in asks))
        running.send(tuple(answer(ask, _counts(ask, counts)) for ask in asks))
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("a third round")


def _counts(ask: Ask, counts: Mapping[str, Counts]) -> Counts:
    given = {"deaths_and_carriers": MODEL_OF_300, **counts}
    names = [*ask.frame.covariates, ask.sum]
    return {**given.get(ask.sum, {}), **next(given[name] for name in names if name in given)}


def reasons(study: Study, **counts: Any) -> dict[str, str]:
    """The first words of why analyses, and models of them, are withheld."""
    found = admitted(study, **counts).withheld
    return {".".join(filter(None, key)): " ".join(said.split()[:4]) for key, said in found.items()}


def test_the_first_question() -> None:
    """Patients of the first table, and hospitals that have any."""
    assert next(guard(guarded(CURVE))) == (Ask("enrolled", Frame("patients"), {}, {}),)


def test_the_first_question_after_other_releases() -> None:
    """And how many of them have changed since each."""
    expected = Ask("changed", Frame("patients"), {"earlier": list(EARLIER)}, {})
    assert next(guard(guarded(CURVE), EARLIER))[1] == expected


@pytest.mark.parametrize(
    ("patients", "sites", "expected"),
    [(5, 3, "done"), (4, 3, "too_few"), (5, 2, "too_few")],
)
def test_the_limits_of_the_whole_study(patients: int, sites: int, expected: str) -> None:
    """disclosure.compute of the study: five patients in three hospitals."""
    enrolled = {"patients": [patients], "sites": [sites]}
    assert first_round(guarded(CURVE), enrolled=enrolled) == expected


@pytest.mark.parametrize(
    ("patients", "sites", "expected"),
    [
        ((0, 0), (0, 0), "done"),
        ((5, 9), (3, 4), "done"),
        ((4, 9), (3, 4), "deferred"),
        ((0, 1), (0, 1), "deferred"),
        ((5, 5), (3, 2), "deferred"),
        ((0, 300), (0, 9), "done"),
    ],
)
def test_differences_to_earlier_releases(
    patients: tuple[int, int], sites: tuple[int, int], expected: str
) -> None:
    """From each earlier release no patient differs, or at least five of three hospitals."""
    changed = {"patients": patients, "sites": sites}
    assert first_round(guarded(CURVE), EARLIER, changed=changed) == expected


def test_what_is_said_of_a_deferred_release() -> None:
    """Until what it is deferred, and how many differ from which release."""
    running = guard(guarded(CURVE), EARLIER)
    enrolled, changed = next(running)
    few = {"patients": [1, 4], "sites": [1, 2]}
    with pytest.raises(Refused) as refusal:
        running.send((answer(enrolled, PLENTY), answer(changed, few)))
    assert str(refusal.value) == (
        "deferred until at least 5 patients of at least 3 hospitals differ, or none: 1 patient of "
        "1 hospital differs from release 1 of study 1a2b3c4d5e6f; 4 patients of 2 hospitals differ "
        "from release 2 of study 1a2b3c4d5e6f. The difference of two releases would be these "
        "patients (disclosure.between_releases)"
    )


def test_a_deferred_release_names_three_of_many() -> None:
    """The sentence stays short."""
    earlier = tuple(f"study/{number}" for number in range(7))
    running = guard(guarded(CURVE), earlier)
    enrolled, changed = next(running)
    with pytest.raises(Refused, match="release 2 of study study; and 4 more. The diff"):
        running.send((answer(enrolled, PLENTY), answer(changed, {"patients": [1], "sites": [1]})))


OTHER = "ab/3"
ELDERS = f"{OTHER}/selected/b/0"


@pytest.mark.parametrize(
    ("patients", "sites", "expected"),
    [(1, 1, {"b"}), (5, 2, {"b"}), (5, 3, set()), (0, 0, set())],
)
def test_a_selection_close_to_one_of_another_study(
    patients: int, sites: int, expected: set[str]
) -> None:
    """It is withheld alone: the release is not deferred for it."""
    study = guarded(CURVE, MODEL + "[sex], cohort: elders")
    running = guard(study, (OTHER, ELDERS))
    enrolled, changed = next(running)
    counts = {"patients": [0, patients], "sites": [0, sites]}
    asks = running.send((answer(enrolled, PLENTY), answer(changed, counts)))
    with pytest.raises(StopIteration) as done:
        running.send(tuple(answer(ask, {**MODEL_OF_300, **PLENTY}) for ask in asks))
    assert {name for name, _ in done.value.value.withheld} == expected


def test_what_is_said_of_a_selection_close_to_another() -> None:
    """Which release it stands too close to, and what to do."""
    study = guarded(CURVE)
    running = guard(study, (f"{OTHER}/selected/a/7",))
    enrolled, changed = next(running)
    with pytest.raises(StopIteration) as done:
        running.send((answer(enrolled, PLENTY), answer(changed, {"patients": [1], "sites": [1]})))
    assert done.value.value.withheld["a", ""].startswith(
        "withheld: its patients differ from those of an analysis in release 3 of study ab by "
        "fewer than 5, or in fewer than 3 hospitals"
    )


def test_development_defers_nothing() -> None:
    """Without a policy one changed patient is no reason to wait."""
    study = read_study(text(CURVE), "test", development=True)
    changed = {"patients": [1, 1], "sites": [1, 1]}
    assert first_round(study, EARLIER, changed=changed) == "done"


@pytest.mark.parametrize(
    ("analyses", "accepted", "expected"),
    [
        ((CURVE,), "", []),
        ((CURVE, MODEL + "[age]"), "", ["deaths_and_carriers"]),
        ((CURVE, MODEL + "[age]"), "b", []),
        ((CURVE, MODEL + "[ldh]"), "", ["deaths_and_carriers", "differing_patients"]),
        ((CURVE + ", grid: [100, 400]",), "", ["leaving_in_steps"]),
        ((SCREEN + "[age, sex]",), "", ["deaths_and_carriers"] * 2),
    ],
)
def test_the_second_round(analyses: Sequence[str], accepted: str, expected: list[str]) -> None:
    """Only what a limit needs is asked."""
    study = guarded(*analyses, accepted=list(accepted))
    assert [ask.sum for ask in second_round(study).values()] == expected


def test_development_has_no_second_round() -> None:
    """Without a policy there is nothing to ask."""
    assert second_round(read_study(text(MODEL + "[ldh]"), "test", development=True)) == {}


def test_a_study_within_its_limits() -> None:
    """Nothing is withheld."""
    study = guarded(CURVE, MODEL + "[sex, old]", SCREEN + "[sex, stage]")
    assert admitted(study) == Admitted(300, 9, {})


def test_a_model_with_few_deaths_is_withheld_alone() -> None:
    """The others of the screen go on."""
    study = guarded(CURVE, SCREEN + "[sex, old]")
    assert reasons(study, old={"deaths": [4]}) == {"b.old": "withheld: fewer than 5"}


def test_a_curve_on_a_fine_grid_is_withheld() -> None:
    """Four leave in one of its steps."""
    study = guarded(CURVE + ", grid: [100, 400]", CURVE)
    assert reasons(study, leaving_in_steps={"leaving": [4, 296]}) == {"a": "withheld: in some step"}


def test_of_nested_analyses_the_later_one_is_withheld() -> None:
    """In the order of the study."""
    study = guarded(MODEL + "[ldh]", CURVE)
    assert reasons(study, differing_patients={"patients": [1], "sites": [1]}) == {
        "b": "withheld: its patients differ"
    }


def test_what_is_withheld_is_not_held_against_others() -> None:
    """The model with few deaths opens nothing, so the curve is the first over its rows."""
    study = guarded(MODEL + "[ldh]", CURVE)
    one = {"patients": [1], "sites": [1]}
    assert reasons(study, ldh={"deaths": [4]}, differing_patients=one) == {
        "a": "withheld: fewer than 5"
    }


def test_what_is_accepted_is_held_against_others() -> None:
    """It is opened: a model of one patient less beside it is withheld."""
    study = guarded(CURVE, MODEL + "[ldh]", accepted=["a"])
    assert reasons(study, differing_patients={"patients": [1], "sites": [1]}) == {
        "b": "withheld: its patients differ"
    }


def test_the_budget_withholds_the_last_models() -> None:
    """43 patients: two models of one column open 42 numbers, a third one would open 63."""
    study = guarded(*[f"{MODEL}[age], ties: {ties}" for ties in ("efron", "breslow", "efron")])
    few = {**MODEL_OF_300, "patients": [43]}
    assert reasons(study, deaths_and_carriers=few) == {"c": "withheld: it would open"}


def test_accepted_models_spend_the_budget() -> None:
    """They are not withheld, and count for those behind them."""
    study = guarded(*[MODEL + "[age]"] * 3, accepted=["a", "b"])
    few = {**MODEL_OF_300, "patients": [43]}
    assert reasons(study, deaths_and_carriers=few) == {"c": "withheld: it would open"}


def test_an_accepted_model_is_not_withheld() -> None:
    """Whatever its counts; those of the others are asked alone."""
    study = guarded(MODEL + "[old]", MODEL + "[sex]", accepted=["a"])
    assert reasons(study, deaths_and_carriers={**MODEL_OF_300, "deaths": [1]}) == {
        "b": "withheld: fewer than 5"
    }


@pytest.mark.parametrize(
    ("patients", "own", "exposed"), [(10, 7, False), (10, 8, True), (2, 0, False)]
)
def test_others_to_hide_among(patients: int, own: int, exposed: bool) -> None:
    """Three patients of other hospitals, for a hospital that has any."""
    totals, mine = ({"patients": np.array([float(n)])} for n in (patients, own))
    try:
        refuse_exposed(guarded(CURVE), totals, mine)
    except Refused as refused:
        assert (refused.code, exposed) == ("exposed", True)
    else:
        assert not exposed


def test_a_study_may_ask_for_more_changes() -> None:
    """between_releases of the study counts."""
    study = guarded(CURVE)
    study = replace(study, policy=replace(study.policy, changed_patients=10))
    assert first_round(study, EARLIER, changed={"patients": [9], "sites": [3]}) == "deferred"
