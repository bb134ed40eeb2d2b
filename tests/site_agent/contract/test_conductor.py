"""The conductor: what a study asks follows from its totals, and from nothing else."""

from __future__ import annotations

import math
import struct
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinator.release import Release
from site_agent.contract.analyses.results import Failure
from site_agent.contract.catalogue import SUMS
from site_agent.contract.conductor import Conductor, sections
from site_agent.contract.errors import Refused
from site_agent.contract.sums import Answer, Ask
from site_agent.contract.totals import read_totals
from tests.protocol import STUDY, Play, World, frozen, the_study

GUARD = 2  # rounds of the guard: who takes part, and what the limits of the models need
SAME_TWICE = STUDY.replace(
    "  pooled:", "  again:   {kind: survival, endpoint: survival}\n  pooled:"
)

SCREEN = STUDY.replace(
    "  by_site:",
    "  screen:  {kind: cox_screen, endpoint: survival, covariates: [dose > 5, dose > 8.7],"
    " baseline: by_site}\n  by_site:",
)


@cache
def finished() -> Release:
    """A release in which nothing went wrong."""
    with tempfile.TemporaryDirectory() as name:
        return Play(World(Path(name))).finish()


def replay(rounds: int) -> Conductor:
    """A conductor that was given the totals of the first rounds."""
    conductor = Conductor(the_study())
    for entry in finished().log[:rounds]:
        asks = conductor.adopt(entry.arguments)
        conductor.advance(read_totals(asks, entry.totals))
    return conductor


def guarded(patients: float, sites: float) -> str:
    """The code with which counts are refused; "accepted" if they are not."""
    conductor = Conductor(the_study())
    try:
        conductor.advance(read_totals(conductor.asks, struct.pack("<2d", patients, sites)))
    except Refused as refused:
        return refused.code
    return "accepted"


def test_the_guard_is_asked_first() -> None:
    """Before anything else: how many patients, in how many hospitals."""
    assert [ask.sum for ask in Conductor(the_study()).asks] == ["enrolled"]


def test_the_limits_of_the_models_are_asked_next() -> None:
    """Of the model that is not accepted by name."""
    assert [(ask.sum, ask.frame.covariates) for ask in replay(1).asks] == [
        ("deaths_and_carriers", ("dose",))
    ]


def test_what_is_withheld_ends_with_the_reason() -> None:
    """Without the exception the second model of one dose is beyond the budget."""
    with tempfile.TemporaryDirectory() as name:
        outcome = Play(World(Path(name), study=frozen(accepted=()))).finish().outcome
    assert outcome is not None
    failed = {n: r.because[:26] for n, r in outcome.results.items() if isinstance(r, Failure)}
    assert failed == {"by_site": "withheld: it would open 21"}


def test_a_model_of_a_screen_is_withheld_alone() -> None:
    """Three carriers of a high dose; the other model of the screen is fitted."""
    with tempfile.TemporaryDirectory() as name:
        outcome = Play(World(Path(name), study=frozen(SCREEN))).finish().outcome
    assert outcome is not None
    models = outcome.results["screen"].document()["models"]
    assert {name: model.get("because", "")[:49] for name, model in models.items()} == {
        "dose > 5": "separated: the likelihood has no maximum, it keep",
        "dose > 8.7": "withheld: fewer than 5 patients are in, or outsid",
    }


@pytest.mark.parametrize(
    ("grid", "expected"),
    [("[6, 12]", [6.0, 12.0]), ("[2, 6, 12]", "withheld: in some step of its")],
)
def test_a_curve_on_a_grid(grid: str, expected: object) -> None:
    """Its times are those of the grid; with a step in which few leave it is withheld."""
    coarse = f"  coarse: {{kind: survival, endpoint: survival, grid: {grid}}}\n  pooled:"
    study = frozen(STUDY.replace("  pooled:", coarse))
    with tempfile.TemporaryDirectory() as name:
        outcome = Play(World(Path(name), study=study)).finish().outcome
    assert outcome is not None
    found = outcome.results["coarse"].document()
    assert (found["because"][:29] if "because" in found else found["curves"][0]["time"]) == expected


def test_the_number_of_a_round() -> None:
    """Rounds are counted from 0, the guard's first."""
    assert [replay(rounds).number for rounds in (0, 1, 2)] == [0, 1, 2]


def test_a_replay_asks_the_same() -> None:
    """The log of a release, replayed, gives the same questions byte by byte."""
    asked = [tuple(ask.float_bytes() for ask in replay(n).asks) for n in range(len(finished().log))]
    assert asked == [entry.arguments for entry in finished().log]


def test_a_replay_ends_with_the_same_results() -> None:
    """The last totals give the outcome."""
    outcome, expected = replay(len(finished().log)).outcome, finished().outcome
    assert outcome is not None and expected is not None
    assert {n: r.document() for n, r in outcome.results.items()} == {
        n: r.document() for n, r in expected.results.items()
    }


def test_when_finished_nothing_is_asked() -> None:
    """A finished study has no question."""
    last = replay(len(finished().log))
    assert (last.finished, last.asks) == (True, ())


def test_equal_questions_are_asked_once() -> None:
    """Two analyses that need the same counts share one question."""
    with tempfile.TemporaryDirectory() as name:
        first = Play(World(Path(name), study=frozen(SAME_TWICE))).finish().log[GUARD]
    assert [ask["sum"] for ask in first.asks] == ["counts_by_time", "cox_moments", "cox_deaths"]


def test_equal_questions_are_answered_twice() -> None:
    """And both analyses get its answer."""
    with tempfile.TemporaryDirectory() as name:
        outcome = Play(World(Path(name), study=frozen(SAME_TWICE))).finish().outcome
    assert outcome is not None
    assert outcome.results["again"].document() == outcome.results["curve"].document()


def test_sections() -> None:
    """Sums with a reduction go to the coordinator alone, all others are open."""
    asks = replay(GUARD + 1).asks
    named = {name: [asks[i].sum for i in at] for name, at in sections(asks).items()}
    assert named == {"open": ["cox_within_site"], "closed": ["cox_sealed"]}


@pytest.mark.parametrize(
    ("patients", "sites", "expected"),
    [
        (10, 3, "accepted"),
        (9, 3, "too_few"),
        (10, 2, "too_few"),
        (0, 0, "too_few"),
        (1e6, 2, "too_few"),
    ],
)
def test_the_limits_of_the_study(patients: float, sites: float, expected: str) -> None:
    """At least ten patients in at least three hospitals."""
    assert guarded(patients, sites) == expected


def test_what_was_refused_stays_refused() -> None:
    """A study that was refused does not seem finished when its totals come again."""
    conductor = Conductor(the_study())
    few = read_totals(conductor.asks, struct.pack("<2d", 1, 1))
    codes = []
    for _ in range(3):
        with pytest.raises(Refused) as refusal:
            conductor.advance(few)
        codes.append((refusal.value.code, conductor.finished, conductor.number))
    assert codes == [("too_few", False, 0)] * 3


@pytest.mark.parametrize(
    ("factor", "accepted"),
    [(1.0, True), (1 + 9e-10, True), (1 - 9e-10, True), (1 + 2e-9, False), (-1.0, False)],
)
def test_arguments_agree_within_a_billionth(factor: float, accepted: bool) -> None:
    """Processors differ in the last bit; more than 1e-9 is another question."""
    conductor = replay(GUARD + 2)
    arguments = finished().log[GUARD + 2].arguments
    sent = [bytes((factor * np.frombuffer(a)).tobytes()) for a in arguments]
    try:
        conductor.adopt(sent)
    except Refused as refused:
        assert (refused.code, accepted) == ("argument", False)
    else:
        assert accepted


@given(st.binary(max_size=40))
def test_arguments_of_any_bytes(sent: bytes) -> None:
    """Arguments that are no doubles, too few or too many are refused, and nothing else."""
    conductor = replay(GUARD + 1)
    with pytest.raises(Refused) as refusal:
        conductor.adopt([sent, sent])
    assert refusal.value.code == "argument"


def test_nan_is_refused() -> None:
    """NaN does not agree with anything."""
    with pytest.raises(Refused, match="other values of 'beta'"):
        replay(GUARD + 1).adopt([struct.pack("<2d", np.nan, np.nan)] * 2)


SPECIAL = [0.0, -0.0, 1.0, -1.0, 5e-324, 1e300, -1e300, np.inf, -np.inf, np.nan]
wild = st.one_of(st.sampled_from(SPECIAL), st.floats(-100, 100), st.floats())


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@given(st.lists(st.lists(wild, min_size=9, max_size=9), min_size=1, max_size=30))
def test_no_totals_break_the_conductor(rounds: list[list[float]]) -> None:
    """Whatever a coordinator gives for totals: an analysis may end, the conductor goes on."""
    conductor = replay(GUARD + 1)
    for values in rounds:
        if not conductor.finished:
            lanes = [lane for ask in conductor.asks for lane in SUMS[ask.sum].answered_lanes(ask)]
            size = sum(lane.size for lane in lanes)
            given_totals = np.resize(values, size).tobytes()
            conductor.advance(read_totals(conductor.asks, given_totals))
    assert conductor.finished or len(conductor.asks) in (1, 2)


@dataclass(frozen=True)
class Unsayable:
    """A result with a number that no document can hold."""

    number: float

    def document(self) -> dict[str, Any]:
        return {"estimate": self.number}


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_is_none_ends_its_analysis_alone(
    number: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result with NaN or infinity becomes a failure in words; the others stay."""

    def outcomes(_: object) -> Generator[tuple[Ask, ...], tuple[Answer, ...], dict[str, Any]]:
        yield from ()
        return {"bad": Unsayable(number), "good": Unsayable(1.0)}

    finished()
    monkeypatch.setattr("site_agent.contract.conductor.lockstep", outcomes)
    found = replay(GUARD).outcome
    assert found is not None
    assert [type(found.results[name]) for name in ("bad", "good")] == [Failure, Unsayable]
