"""What the ways to a point of a Cox model's likelihood have in common."""

from __future__ import annotations

import numpy as np
import pytest

from site_agent.contract.analyses import cox_points
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from tests.site_agent.contract.analyses.by_hand import rows
from tests.site_agent.contract.analyses.sealed_points import ask_of

# Deaths on days 1, 2 (two of them) and 4 of the first stratum, on 2 and 5 of the second.
TWO = rows(
    [1, 2, 2, 4, 2, 5, 5],
    [1, 1, 1, 1, 1, 1, 0],
    stratum=[0, 0, 0, 0, 1, 1, 1],
    x=[[k, k * k] for k in range(7)],
)
PLAIN = ask_of(TWO, [0.0, 0.0], strata=2)
BEHIND = ask_of(TWO, [0.0, 0.0], strata=2, steps=[1, 4], g=np.arange(10.0).reshape(2, 5))


def test_a_plain_point() -> None:
    """A point of the likelihood has no weights; what follows from the fit has."""
    found = [cox_points.is_plain(PLAIN), cox_points.is_plain(BEHIND), cox_points.weights_of(PLAIN)]
    assert found == [True, False, None]


def test_pooled_deaths() -> None:
    """Ticks by stratum and how many die at each, as the question names them."""
    deaths = cox_points.deaths_in(PLAIN)
    found = [ticks.tolist() for ticks in deaths.ticks], deaths.ties.tolist(), deaths.tied.tolist()
    assert found == ([[1, 2, 4], [2, 5]], [1, 2, 1, 1, 1], [1])


def test_weights_are_squared_for_the_information() -> None:
    """Sets g for scores; g, then g^2, for the information."""
    weights = cox_points.weights_of(BEHIND)
    assert weights is not None
    found = [weights.score.tolist(), weights.information.tolist()]
    g = [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert found == [g, [*g, *[[v * v for v in row] for row in g]]]


def test_deaths_between_steps() -> None:
    """To day 1, then to day 4, stratum by stratum; what comes behind the last step is left out."""
    weights = cox_points.weights_of(BEHIND)
    assert weights is not None
    assert weights.ratio.tolist() == [
        [1, 0, 0, 0, 0],
        [0, 1, 1, 0, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 1, 0],
    ]


def test_how_many_rows() -> None:
    """Two sets: two scores, four informations; two strata by two steps: four ratios."""
    assert cox_points.rows_of(BEHIND) == (2, 4, 4)


def test_the_lanes_of_a_plain_point() -> None:
    """Log-likelihood, score (p,), packed information, and a mark."""
    found = {lane.name: (lane.shape, lane.encoding) for lane in cox_points.point_lanes(PLAIN)}
    assert found == {
        "loglik": ((1,), REAL),
        "score": ((2,), REAL),
        "information": ((3,), REAL),
        "overflow": ((1,), COUNT),
    }


def test_the_lanes_behind_the_maximum() -> None:
    """A row for each set, and a ratio for each step of each stratum."""
    found = {lane.name: lane.shape for lane in cox_points.point_lanes(BEHIND)}
    assert found == {
        "loglik": (1,),
        "score": (2, 2),
        "information": (4, 3),
        "ratio": (4,),
        "overflow": (1,),
    }


@pytest.mark.parametrize("ask", [PLAIN, BEHIND], ids=["plain", "behind"])
def test_no_point(ask: object) -> None:
    """Where a number was too large: zeros in every lane, and how many hospitals said so."""
    found = cox_points.no_point(ask, {"overflow": np.array([3.0])})  # type: ignore[arg-type]
    lanes = {lane.name: lane.shape for lane in cox_points.point_lanes(ask)}  # type: ignore[arg-type]
    shown = {name: (found[name].shape, float(found[name].max())) for name in found}
    assert shown == {name: (shape, 3.0 * (name == "overflow")) for name, shape in lanes.items()}


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.9, False), (1.0, True), (-1.0, True), (np.nan, True), (np.inf, True), (-np.inf, True)],
)
def test_what_is_too_large(value: float, expected: bool) -> None:
    """At the bound, beyond it at either sign, or no number."""
    assert cox_points.exceeds([np.zeros(2), np.array([0.0, value])], 1.0) is expected
