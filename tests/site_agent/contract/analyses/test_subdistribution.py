"""Risk sets of a subdistribution on six patients, one a time, in exact fractions.

time         1      2          3         4      5         6
ends with    event  competing  censored  event  censored  event
x            1      0          1         0      1         1
G after      1      1          3/4       3/4    3/8       3/8
S0 at 0      6                           15/4             11/8
S1 at 0      4                           2                1
At 4 the one with a competing event counts 3/4, at 6 3/8.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from site_agent.contract.analyses.risk_sets import deaths_of, risk_set_sums
from site_agent.contract.analyses.subdistribution import (
    Censoring,
    Fading,
    censoring_of,
    competing_ticks,
    fading,
    subdistribution_sums,
)
from site_agent.contract.frames import Floats, Rows
from tests.site_agent.contract.analyses.by_hand import F, floats, groups, rows

CAUSES = [1, 2, 0, 1, 0, 1]
X = [[1.0], [0.0], [1.0], [0.0], [1.0], [1.0]]
SIX = rows([1, 2, 3, 4, 5, 6], CAUSES, x=X)


def known(given: Rows, convention: str = "crr") -> tuple[Censoring, Fading]:
    """The curve of censoring and how rows fade, from counts by time."""
    (course,) = groups(given, causes=2)
    censoring = censoring_of(course, convention)
    return censoring, fading(censoring, competing_ticks(course), deaths_of(given, 1).ticks[0])


def risk(given: Rows, beta: float = 0.0, *, pooled: Rows | None = None) -> Floats:
    """S0, S1, S2 of some rows at the event times of all."""
    everybody = pooled or given
    return subdistribution_sums(
        given,
        np.array([beta]),
        np.zeros(1),
        deaths=deaths_of(everybody, 1),
        efron=False,
        faded=known(everybody)[1],
    )["risk"]


def test_the_curve_of_censoring() -> None:
    """One of four is censored at 3, one of two at 5; just before, neither is."""
    before = known(SIX)[0].before(np.array([2, 3, 4, 5, 6]))
    assert before.tolist() == [1.0, 1.0, 0.75, 0.75, 0.375]


@pytest.mark.parametrize(("convention", "expected"), [("crr", F(2, 3)), ("finegray", F(1, 2))])
def test_events_tied_with_censoring(convention: str, expected: Fraction) -> None:
    """Of three at risk one has an event and one is censored: first or last."""
    tied = rows([1, 1, 2], [1, 0, 1])
    before = known(tied, convention)[0].before(np.array([2]))
    assert before == pytest.approx(floats([expected]), rel=1e-15)


@pytest.mark.parametrize(("convention", "expected"), [("crr", 0.75), ("finegray", 1.0)])
def test_the_left_limit_at_time_0(convention: str, expected: float) -> None:
    """crr takes G(0) for it, with one of four censored there."""
    start = rows([0, 1, 2, 3], [0, 1, 1, 1])
    assert known(start, convention)[0].before(np.array([0])).tolist() == [expected]


def test_left_truncated_weights() -> None:
    """One of two enters at 2, one of three at 4: H is 1/2 * 2/3 up to 2, 2/3 up to 4, then 1."""
    late = rows([9, 9, 9], [1, 1, 1], entry=[0, 2, 4])
    before = known(late, "finegray")[0].before(np.array([1, 2, 3, 4, 5]))
    expected = [F(1, 3), F(1, 3), F(2, 3), F(2, 3), F(1)]
    assert before == pytest.approx(floats(expected), rel=1e-15)


def test_those_with_competing_events_fade() -> None:
    """S0 and S1 at the three event times."""
    expected = [F(6), F(4), F(15, 4), F(2), F(11, 8), F(1)]
    assert risk(SIX)[:, :2].ravel() == pytest.approx(floats(expected), rel=1e-15)


def test_beta_weighs_those_who_stay() -> None:
    """With a hazard ratio of 2 per x those with x count twice, whether they stay or not."""
    stay = rows([1, 2, 3, 4, 5, 6], CAUSES, x=[[1.0], [1.0], *X[2:]])
    expected = [2 + 2 + 2 + 1 + 2 + 2, 1 + 2 + 2 + 2 * 0.75, 2 + 2 * 0.375]
    assert risk(stay, np.log(2.0))[:, 0] == pytest.approx(expected, rel=1e-14)


def test_without_competing_events() -> None:
    """Then the risk sets are those of a Cox model, whoever is censored."""
    plain = rows([1, 2, 3, 4, 5, 6], [1, 0, 0, 1, 0, 1], x=X)
    cox = risk_set_sums(
        plain, np.array([0.5]), np.zeros(1), deaths=deaths_of(plain, 1), efron=False
    )
    assert risk(plain, 0.5).tolist() == cox["risk"].tolist()


def test_parts_add_up() -> None:
    """Sums of two hospitals, one of them with nobody at risk at an event, are those of all."""
    parts = [np.array([0, 3, 5]), np.array([1, 2, 4]), np.array([], dtype=np.int64)]
    total = sum(risk(SIX.subset(part), 0.3, pooled=SIX) for part in parts)
    assert np.ravel(total) == pytest.approx(risk(SIX, 0.3).ravel(), rel=1e-14)


def test_a_competing_event_on_the_day_of_an_event() -> None:
    """Who has a competing event at an event time is at risk there, and fades after it."""
    tied = rows([1, 1, 1, 2], [1, 2, 0, 1], x=[[0.0]] * 4)
    assert risk(tied)[:, 0] == pytest.approx([4.0, 1 + 0.75], rel=1e-15)
