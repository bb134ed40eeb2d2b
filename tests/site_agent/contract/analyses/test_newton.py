"""Newton's method on likelihoods whose maximum is known in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from site_agent.contract.analyses.newton import (
    Maximum,
    Monotone,
    Point,
    estimable,
    inverse,
    maximise,
)
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Frame
from site_agent.contract.sums import Answer, Arrays, Ask
from tests.site_agent.contract.analyses.by_hand import F, floats


def run(
    likelihood: Callable[[Floats], Arrays],
    p: int = 1,
    events: int = 10,
    *,
    spread: float = 1.0,
    most: int = 100,
) -> Maximum:
    """Answer each question with the likelihood at its beta; columns vary by `spread`."""

    def ask(beta: Floats) -> Ask:
        return Ask("point", Frame("patients"), {}, {"beta": beta})

    steps = maximise(ask, spread**2 * np.eye(p), events, most=most)
    (asked,) = next(steps)
    while True:
        try:
            totals = {"overflow": np.zeros(1), **likelihood(asked.floats["beta"])}
            (asked,) = steps.send((Answer(totals, asked.floats),))
        except StopIteration as done:
            return done.value


def binomial(deaths: float, n: float) -> Callable[[Floats], Arrays]:
    """Return the likelihood of `deaths` among `n` as a function of the log odds."""

    def at(beta: Floats) -> Arrays:
        share = 1 / (1 + np.exp(-beta))
        return {
            "loglik": deaths * beta - n * np.log1p(np.exp(beta)),
            "score": deaths - n * share,
            "information": n * share * (1 - share),
        }

    return at


def quadratic(information: Floats, centre: Floats) -> Callable[[Floats], Arrays]:
    """Return a likelihood with constant information and its maximum at `centre`."""

    def at(beta: Floats) -> Arrays:
        away = beta - centre
        return {
            "loglik": np.array([-away @ information @ away / 2]),
            "score": -information @ away,
            "information": information[np.triu_indices(len(beta))],
        }

    return at


def test_estimate() -> None:
    """Three of ten have log odds of log 3/7."""
    assert run(binomial(3, 10)).estimate[0] == pytest.approx(math.log(3 / 7), rel=1e-14)


def test_variance() -> None:
    """Their variance is 1/3 + 1/7."""
    assert run(binomial(3, 10)).variance[0, 0] == pytest.approx(float(F(10, 21)), rel=1e-9)


def test_start_is_at_zero() -> None:
    """The null likelihood is the one at beta = 0, as for the score test."""
    assert run(binomial(3, 10)).start.loglik == pytest.approx(-10 * math.log(2))


def test_one_step_is_enough() -> None:
    """A quadratic likelihood is asked for twice: at 0 and at its maximum."""
    assert run(quadratic(np.eye(2), np.array([1.0, -2.0])), p=2).evaluations == 2


def test_a_step_too_far_is_halved() -> None:
    """Where the full step lowers the likelihood, the maximum is still found."""

    def at(beta: Floats) -> Arrays:  # -sqrt(1 + (b - 3)^2): steps from 0 go beyond all bounds
        away = beta - 3.0
        root = np.sqrt(1 + away**2)
        return {"loglik": -root, "score": -away / root, "information": root**-3}

    assert run(at).estimate[0] == pytest.approx(3.0, rel=1e-12)


def test_no_maximum() -> None:
    """All of ten having the event, the coefficient runs upwards and is named."""
    with pytest.raises(Monotone) as found:
        run(binomial(10, 10))
    assert (found.value.columns, found.value.signs) == ((0,), (1,))


def test_no_maximum_downwards() -> None:
    """None of ten having the event, the coefficient runs downwards."""
    with pytest.raises(Monotone) as found:
        run(binomial(0, 10))
    assert found.value.signs == (-1,)


def test_a_linear_combination_is_aliased() -> None:
    """A third column that is the sum of two others has no estimate; the others keep theirs."""
    design = np.array([[1.0, 0, 1], [0, 1, 1], [1, 1, 2]])
    maximum = run(quadratic(design.T @ design, np.array([0.5, 0.25, 0.0])), p=3)
    assert maximum.estimate == pytest.approx([0.5, 0.25, math.nan], nan_ok=True)


def test_an_aliased_variance_is_zero() -> None:
    """An aliased column has a row and a column of zeros, as R prints them."""
    design = np.array([[1.0, 2], [1, 2], [0, 0]])
    variance = run(quadratic(design.T @ design, np.zeros(2)), p=2).variance
    assert variance.tolist() == [[0.5, 0.0], [0.0, 0.0]]


def test_a_likelihood_that_is_not_finite() -> None:
    """A likelihood that is not a number ends in words."""

    def at(beta: Floats) -> Arrays:
        return {"loglik": beta * math.nan, "score": beta, "information": beta}

    with pytest.raises(AnalysisError, match="not finite"):
        run(at)


def test_inverse() -> None:
    """The inverse of [[2, 1], [1, 2]] is [[2, -1], [-1, 2]] / 3."""
    found, _ = inverse(np.array([[2.0, 1], [1, 2]]), np.zeros(2))
    assert found.ravel() == pytest.approx(floats([F(2, 3), F(-1, 3), F(-1, 3), F(2, 3)]))


def test_inverse_leaves_the_later_column_out() -> None:
    """Of two columns that say the same, the later one is left out."""
    _, aliased = inverse(np.ones((2, 2)), np.full(2, 1e-9))
    assert aliased.tolist() == [False, True]


def test_a_sum_that_overflows_at_the_start() -> None:
    """Numbers too large for a sum are told as such, not as a likelihood without a maximum."""
    flagged = {"loglik": np.zeros(1), "score": np.zeros(1), "information": np.zeros(1)}
    with pytest.raises(AnalysisError, match="too large to be summed"):
        run(lambda _: {**flagged, "overflow": np.ones(1)})


@pytest.mark.parametrize(("intercept", "aliased"), [(True, False), (False, True)])
def test_a_column_without_spread(intercept: bool, aliased: bool) -> None:
    """It may be an intercept; where there is none, its information is but rounding."""
    start = Point(np.zeros(1), 0.0, np.zeros(1), np.eye(1))
    assert estimable(start, 10, np.zeros(1), intercept=intercept)[1].tolist() == [aliased]


def far(beta: Floats) -> Arrays:
    """loglik = -b / 1e6 - exp(-b): its maximum is at log(1e6), 14 steps of about 1 away."""
    tail = np.exp(-beta)
    return {
        "loglik": -1e5 * (beta / 1e6 + tail),
        "score": -1e5 * (1e-6 - tail),
        "information": 1e5 * tail,
    }


def test_a_far_maximum_is_found() -> None:
    """Steps that stay long while the gain lasts lead to a finite maximum, however far."""
    assert run(far, spread=0.5).estimate[0] == pytest.approx(math.log(1e6), abs=1e-9)


def test_no_point_beyond_ten_standard_deviations() -> None:
    """Where the log hazards vary by more than 10 no likelihood is asked for."""
    with pytest.raises(AnalysisError, match="differ by a standard deviation of 10"):
        run(far)


def test_a_long_step_is_shortened() -> None:
    """The maximum at 9 is one step away; it is reached by way of 5."""
    asked: list[float] = []

    def noting(beta: Floats) -> Arrays:
        asked.append(float(beta[0]))
        return quadratic(np.eye(1), np.array([9.0]))(beta)

    run(noting)
    assert asked == [0.0, 5.0, 9.0]


def test_no_more_points_than_allowed() -> None:
    """A likelihood that is never at its end stops being asked for."""
    with pytest.raises(AnalysisError, match="within 8 points"):
        run(far, spread=0.5, most=8)
