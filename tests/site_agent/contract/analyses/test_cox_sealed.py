"""Sealed risk sets give the points of a Cox model that open ones give, and no risk set."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from site_agent.contract.analyses import cox_sealed
from site_agent.contract.analyses.risk_sets import triangle
from site_agent.contract.catalogue import SUMS
from site_agent.contract.frames import Rows
from site_agent.contract.securesum.fixedpoint import COUNT, SEALED
from site_agent.contract.securesum.sealing import POINT
from site_agent.contract.securesum.splitting import halves, numbers_of
from tests.site_agent.contract.analyses.by_hand import F, floats, rows
from tests.site_agent.contract.analyses.sealed_points import (
    ask_of,
    differences,
    in_the_open,
    point,
    random_rows,
    sealers,
    spread_over,
    total,
)

# As in test_risk_sets.py: at time 2 two of five at risk die.
TIMES, CAUSES, X = [1, 2, 2, 2, 3, 4], [1, 1, 1, 0, 1, 0], [1, 0, 2, 1, 1, 0]
SIX = rows(TIMES, CAUSES, x=[[x] for x in X])
SUM = SUMS["cox_sealed"]


def three(found: Any) -> list[float]:
    """Log-likelihood, score and information of one covariate."""
    return [float(found[name].ravel()[0]) for name in ("loglik", "score", "information")]


# By hand


def test_efron_by_hand() -> None:
    """The second of the tied deaths meets 5 less half of the dying, 4 with a sum of 3 and 4."""
    score = 4 - F(5, 6) - F(4, 5) - F(3, 4) - F(1, 2)
    information = (
        F(7, 6) - F(5, 6) ** 2 + F(6, 5) - F(4, 5) ** 2 + F(4, 4) - F(3, 4) ** 2 + F(1, 2) - F(1, 4)
    )
    expected = [-math.log(6 * 5 * 4 * 2), *floats([score, information])]
    assert three(point(ask_of(SIX, [0.0]), spread_over(SIX, 3))) == expected


def test_breslow_by_hand() -> None:
    """One pseudo-time counts for both tied deaths, and meets all 5 at risk."""
    score = 4 - F(5, 6) - 2 * F(4, 5) - F(1, 2)
    information = F(7, 6) - F(5, 6) ** 2 + 2 * (F(6, 5) - F(4, 5) ** 2) + F(1, 2) - F(1, 4)
    expected = [-math.log(6 * 5 * 5 * 2), *floats([score, information])]
    assert three(point(ask_of(SIX, [0.0], efron=False), spread_over(SIX, 3))) == expected


def test_left_truncation_by_hand() -> None:
    """Who enters on day 2 is at risk on day 3, not on day 2: 1 * 1/2, then 1/2."""
    late = rows([2, 3, 3], [1, 1, 0], entry=[0, 1, 2], x=[[0], [1], [1]])
    expected = [-math.log(2 * 2), *floats([1 - F(1, 2) - 1, F(1, 4)])]
    assert three(point(ask_of(late, [0.0]), spread_over(late, 2))) == expected


def test_weights_by_hand() -> None:
    """With g = 2 at the first death: 2 (x - E), 2 V and 4 V; 1/A0 is 1/6, then 1/5 + 1/4."""
    ask = ask_of(SIX, [0.0], steps=[1, 2], g=np.array([2.0, 0.0, 0.0]))
    found = point(ask, spread_over(SIX, 3))
    variance = F(7, 6) - F(5, 6) ** 2
    expected = {
        "score": floats([2 * (1 - F(5, 6))]),
        "information": floats([2 * variance, 4 * variance]),
        "ratio": floats([F(1, 6), F(1, 5) + F(1, 4)]),
    }
    assert {name: found[name].ravel().tolist() for name in expected} == expected


# Sealed equals open

FORMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "one column": {"p": 1},
    "five columns": {"p": 5},
    "entry": {"entry": True},
    "strata": {"strata": 3},
    "all": {"entry": True, "strata": 2, "p": 3},
    "weighted": {"weighted": True},
    "weighted, strata": {"weighted": True, "strata": 2, "entry": True},
}


@pytest.mark.parametrize("efron", [True, False], ids=["efron", "breslow"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(3))
def test_sealed_equals_open(form: str, efron: bool, seed: int) -> None:
    """Within 1e-13 for tied, truncated, start-stop, stratified and weighted rows."""
    made = random_rows(seed, **FORMS[form])
    p = made.design.shape[1]
    beta = np.random.default_rng(seed).normal(0, 0.4, p)
    ask = ask_of(made, beta.tolist(), efron=efron, strata=FORMS[form].get("strata", 1))
    sites = spread_over(made, 4, seed)
    assert differences(point(ask, sites), point(in_the_open(ask), sites)) < 1e-13


@pytest.mark.parametrize("efron", [True, False], ids=["efron", "breslow"])
@pytest.mark.parametrize("strata", [1, 2])
@pytest.mark.parametrize("sets", [0, 1, 3])
def test_what_follows_from_the_fit(strata: int, efron: bool, sets: int) -> None:
    """Sums with any sets of weights, and 1/A0 over steps, equal those of open risk sets."""
    made = random_rows(5, strata=strata, entry=True)
    times = len(ask_of(made, [0.0, 0.0], strata=strata).fixed["ties"])
    g = np.random.default_rng(sets).normal(0, 3, (sets, times))
    ask = ask_of(made, [0.3, -0.2], strata=strata, efron=efron, steps=[3, 7, 8], g=g)
    sites = spread_over(made, 4)
    assert differences(point(ask, sites), point(in_the_open(ask), sites)) < 1e-13


def test_no_steps_and_no_weights() -> None:
    """A question behind the maximum that asks for neither gives rows of nothing."""
    ask = ask_of(SIX, [0.0], steps=[], g=np.zeros((0, 3)))
    found = point(ask, spread_over(SIX, 3))
    shapes = {name: found[name].shape for name in ("score", "information", "ratio")}
    assert shapes == {"score": (0, 1), "information": (0, 1), "ratio": (0,)}


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 6), st.booleans(), st.floats(-2, 2))
def test_any_rows_over_any_hospitals(seed: int, sites: int, efron: bool, beta: float) -> None:
    """However patients are spread, empty hospitals included, sealed equals open."""
    made = random_rows(seed, n=12, p=1)
    if not made.cause.any():
        return
    ask = ask_of(made, [beta], efron=efron)
    parts = spread_over(made, sites, seed)
    assert differences(point(ask, parts), point(in_the_open(ask), parts)) < 1e-12


@pytest.mark.parametrize("transcript", [b"T_1", b"T_2", b"T_3"])
def test_the_blinding_does_not_show_in_the_result(transcript: bytes) -> None:
    """Another round draws other factors and gives the same doubles, to the last bit."""
    made = random_rows(1)
    ask, sites = ask_of(made, [0.2, -0.1]), spread_over(made, 3)
    found = [point(ask, sites, sealers(3, one)) for one in (b"T_0", transcript)]
    one, other = [{name: own[name].tolist() for name in own} for own in found]
    assert one == other


def test_how_patients_are_spread_does_not_show_in_the_quotients() -> None:
    """Over one hospital or six: score and information agree to the last digits of a double."""
    made = random_rows(2)
    ask = ask_of(made, [0.2, -0.1])
    one, six = point(ask, [made]), point(ask, spread_over(made, 6))
    assert differences(one, six) < 1e-14


@pytest.mark.parametrize("eta", [-20.0, -30.0, -33.9])
def test_a_tiny_risk_set(eta: float) -> None:
    """A last death whose hazard is e^-34 of a usual one still gives its mean and variance."""
    far = rows([1, 2, 3, 3], [1, 1, 1, 0], x=[[0], [1], [eta], [eta - 0.5]])
    ask = ask_of(far, [1.0])
    sites = spread_over(far, 3)
    assert differences(point(ask, sites), point(in_the_open(ask), sites)) < 2e-12


# Numbers too large or too small


def beyond(**changed: Any) -> Rows:
    """Three patients of whom the second may be far away."""
    given_ = {"time": [1, 2, 3], "cause": [1, 1, 0], "x": [[0.0], [1.0], [2.0]], **changed}
    return rows(given_["time"], given_["cause"], x=given_["x"])


FAR: dict[str, tuple[list[list[float]], float]] = {
    "a product of covariates": ([[0.0], [2.0**31], [0.0]], 0.0),
    "a hazard": ([[0.0], [1.0], [0.0]], 42.0),
    "an infinite hazard": ([[0.0], [1.0], [0.0]], 1e4),
    "a negative hazard of a death": ([[0.0], [1.0], [0.0]], -34.1),
    "no hazard at all": ([[0.0], [1.0], [0.0]], -1e4),
}


@pytest.mark.parametrize("name", FAR)
@pytest.mark.filterwarnings("error")
def test_what_does_not_fit_is_marked(name: str) -> None:
    """A hospital whose numbers do not fit puts in nothing but a mark; no number opens."""
    x, beta = FAR[name]
    made = beyond(x=x)
    sites = [made.subset(np.arange(3) == k) for k in range(3)]
    found = point(ask_of(made, [beta]), sites)
    shown = {name: found[name].ravel().tolist() for name in found}
    assert shown == {"loglik": [0.0], "score": [0.0], "information": [0.0], "overflow": [1.0]}


def test_who_is_marked_puts_in_nothing() -> None:
    """Its share before blinding is zeros: the others' sums are not spoiled, and nothing shows."""
    huge = beyond(x=[[0.0], [1e12], [0.0]])
    found = SUM.compute(huge, ask_of(huge, [0.0]))
    largest = {name: float(np.abs(found[name]).max()) for name in found}
    assert largest == {"S0": 0, "S1": 0, "S2": 0, "loglik": 0, "score": 0, "overflow": 1}


@pytest.mark.parametrize(
    ("x", "beta"), [([[0.0], [2.0**29], [0.0]], 0.0), ([[0.0], [1.0], [0.0]], 41.0)]
)
def test_just_below_the_bound(x: list[list[float]], beta: float) -> None:
    """Products of nearly 2^60, and hazards of nearly as much, are summed."""
    made = beyond(x=x)
    ask = ask_of(made, [beta])
    sites = [made.subset(np.arange(3) == k) for k in range(3)]
    found, expected = point(ask, sites), point(in_the_open(ask), sites)
    assert (found["overflow"][0], differences(found, expected) < 1e-12) == (0.0, True)


def test_a_censored_row_may_be_far_away() -> None:
    """Only a death that meets itself alone must have a hazard: others may have next to none."""
    made = beyond(x=[[0.0], [0.0], [-1.0]])
    ask = ask_of(made, [300.0])
    found, expected = point(ask, [made]), point(in_the_open(ask), [made])
    assert differences(found, expected) < 1e-13


# What opens


def test_the_lanes_of_a_point() -> None:
    """For K deaths and p columns: c, g, q by death, no further column; totals and a mark."""
    lanes = {
        lane.name: (lane.shape, lane.encoding) for lane in SUM.lanes(ask_of(random_rows(0), [0, 0]))
    }
    deaths = int(random_rows(0).cause.sum())
    assert lanes == {
        "c": ((deaths,), SEALED),
        "g": ((deaths, 2), SEALED),
        "q": ((deaths, 3), SEALED),
        "e": ((deaths, 0), SEALED),
        "loglik": ((1,), SEALED),
        "score": ((1, 2), SEALED),
        "information": ((1, 3), SEALED),
        "ratio": ((0, 1), SEALED),
        "overflow": ((1,), COUNT),
    }


def test_breslow_has_one_pseudo_time_for_each_time() -> None:
    """Ties make fewer sealed numbers with Breslow's method."""
    lanes = {lane.name: lane.shape for lane in SUM.lanes(ask_of(SIX, [0.0], efron=False))}
    assert (lanes["c"], lanes["q"]) == ((3,), (3, triangle(1)))


def test_what_opens_is_not_what_is_summed() -> None:
    """No number that opens for a time is, or is a multiple of, the sum that it stands for."""
    ask, sites = ask_of(SIX, [0.0]), spread_over(SIX, 3)
    opened = total(ask, sites)
    at_risk = [6, 5, 4, 2]
    exact = [c % (n << POINT) == 0 for c, n in zip(opened["c"].tolist(), at_risk, strict=True)]
    assert exact == [False] * 4


def test_the_same_question_in_another_round_opens_other_numbers() -> None:
    """Even of the same data: no number of one round is one of another."""
    ask, sites = ask_of(SIX, [0.0]), spread_over(SIX, 3)
    found = [
        {int(number) for name in ("c", "g", "q") for number in opened[name].ravel()}
        for opened in (total(ask, sites, sealers(3, bound)) for bound in (b"T_1", b"T_2"))
    ]
    assert found[0] & found[1] == set()


def test_two_models_draw_for_themselves() -> None:
    """Two asks of one round over the same rows have no factor in common."""
    asks = [ask_of(SIX, [0.0]), ask_of(SIX, [0.0], centre=[0.5])]
    drawn = []
    for ask in asks:
        blinds = sealers(1)[0].blindings(ask.identity(), columns=1, further=0)
        assert blinds is not None
        drawn.append(next(blinds).factor)
    assert drawn[0] != drawn[1]


def test_a_bracket_cannot_be_read() -> None:
    """Only the leader's share of the totals is blinded, and nobody's is exact for more than one."""
    ask, sites = ask_of(SIX, [0.0]), spread_over(SIX, 3)
    shares = [SUM.share(one, ask, seal) for one, seal in zip(sites, sealers(3), strict=True)]
    own = [abs(int(share["score"][0, 0])) >> 336 for share in shares]
    assert (own[0] > 2**60, max(own[1:]) < 10) == (True, True)


# The hospital at the center


def test_numbers_in_two_parts() -> None:
    """Two others add what a third one splits: the point is that of three, exactly."""
    made = random_rows(3)
    ask, sites = ask_of(made, [0.2, -0.1]), spread_over(made, 3)
    assert SUM.split is not None
    numbers = SUM.split(sites[2], ask)
    given_ = [
        {ask.identity(): numbers_of(part, [len(numbers)])[0]}
        for part in halves(numbers, b"seed" * 8, b"T_r")
    ]
    first, second, third = sealers(3)
    seals = [replace(first, given=given_[0]), replace(second, given=given_[1])]
    found = point(ask, sites, [*seals, replace(third, secret=None)])
    expected = point(ask, sites)
    assert {k: v.tolist() for k, v in found.items()} == {k: v.tolist() for k, v in expected.items()}


def test_what_is_split_is_what_would_be_blinded() -> None:
    """S0, S1, S2 of each pseudo-time in order, and the further column where there is one."""
    ask = ask_of(SIX, [0.0], steps=[4], g=np.zeros((0, 3)))
    assert SUM.split is not None
    found = [number / (1 << POINT) for number in SUM.split(SIX, ask)]
    assert found == [6, 5, 7, 0, 5, 4, 6, 0, 4, 3, 4, 0, 2, 1, 1, 0]


def test_without_the_secret_only_totals_are_put_in() -> None:
    """The hospital at the center sends its deaths, and zeros for every time."""
    share = SUM.share(SIX, ask_of(SIX, [0.0]), replace(sealers(1)[0], secret=None, leader=False))
    sent = {name: bool(np.abs(share[name]).max(initial=0)) for name in share}
    assert [name for name in sent if sent[name]] == ["score"]


def test_before_blinding() -> None:
    """What a preview shows: the hospital's own sums at each pseudo-time, in doubles."""
    found = SUM.compute(SIX, ask_of(SIX, [0.0]))
    assert {name: found[name].tolist() for name in found} == {
        "S0": [[6], [5], [4], [2]],
        "S1": [[5], [4], [3], [1]],
        "S2": [[7], [6], [4], [1]],
        "loglik": [0],
        "score": [[4]],
        "overflow": [0],
    }


def test_the_disclosure() -> None:
    """Sealed risk sets are class A, and say that risk sets are blinded."""
    assert (SUM.disclosure, SUM.sealed, "blinded" in SUM.gives) == ("A", True, True)


def test_constants_stand_in_the_documentation() -> None:
    """The bounds of a number before blinding are those of docs/sealed.md."""
    least = math.floor(cox_sealed.SMALLEST_LOG / math.log(2))
    assert (cox_sealed.LARGEST, least) == (2.0**60, -50)
