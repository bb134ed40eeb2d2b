"""Cumulative incidence on seven patients, in exact fractions.

time   at risk   die of 1   die of 2   censored   S after   F1 after   F2 after
1      7         1          -          -          6/7       1/7        0
2      6         1          1          1          4/7       2/7        1/7
3      3         1          -          -          8/21      10/21      1/7
4      2         -          -          1          8/21      10/21      1/7
5      1         -          1          -          0         10/21      11/21   dies out
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from site_agent.contract.analyses.counts import Course
from site_agent.contract.analyses.incidence import (
    IncidenceCurve,
    IncidenceOptions,
    incidence_curve,
)
from site_agent.contract.frames import Rows
from tests.site_agent.contract.analyses.by_hand import DAYS, F, floats, groups, rows

SEVEN = rows([1, 2, 2, 2, 3, 4, 5], [1, 1, 2, 0, 1, 0, 2])


def curve_of(
    given: Rows = SEVEN,
    *,
    variance: str = "gray",
    cause: int = 1,
    at: tuple[float, ...] = (),
    to: tuple[float, ...] = (),
) -> IncidenceCurve:
    options = IncidenceOptions(variance, "log-log", 0.95, at, to)
    (course,) = groups(given, causes=2)
    return incidence_curve(course, DAYS, ("", ""), options, cause=cause)


def gray(course: Course, cause: int) -> list[Fraction]:
    """Return Gray's variance at each time as a double sum in fractions."""
    n = [F(int(v)) for v in course.n_risk]
    own = [F(int(v)) for v in course.left[cause]]
    other = [F(int(v)) - o for v, o in zip(course.n_event, own, strict=True)]
    after, incidence = [], []
    for k in range(len(n)):
        before = after[-1] if after else F(1)
        incidence.append((incidence[-1] if incidence else F(0)) + before * own[k] / n[k])
        after.append(before * (1 - (own[k] + other[k]) / n[k]))
    found = []
    for t in range(len(n)):
        total = F(0)
        for s in range(t + 1):
            before = after[s - 1] if s else F(1)
            g = (incidence[t] - incidence[s]) / after[s] if after[s] else F(0)
            v1, v2 = (_increment(d, n[s]) for d in (own[s], other[s]))
            total += before**2 * ((1 - g) ** 2 * v1 + (g**2 * v2 if after[s] else 0))
        found.append(total)
    return found


def _increment(d: Fraction, n: Fraction) -> Fraction:
    return d * ((1 - (d - 1) / (n - 1)) if d > 1 else 1) / n**2


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (1, [F(1, 7), F(2, 7), F(10, 21), F(10, 21), F(10, 21)]),
        (2, [0, F(1, 7), F(1, 7), F(1, 7), F(11, 21)]),
    ],
)
def test_incidence(cause: int, expected: list[Fraction]) -> None:
    """Each cause adds S before the time times its share of those at risk."""
    assert curve_of(cause=cause).estimate == pytest.approx(floats(expected), abs=1e-15)


def test_incidences_and_survival_are_one() -> None:
    """Where all have died, the incidences of both causes add up to 1."""
    assert curve_of(cause=1).estimate[-1] + curve_of(cause=2).estimate[-1] == pytest.approx(1)


def test_gray_by_hand() -> None:
    """On day 3, G is 7/18 for day 1, 1/3 for day 2 and 0 for day 3."""
    variance = (
        F(11, 18) ** 2 / 49 + F(6, 7) ** 2 * (F(2, 3) ** 2 + F(1, 3) ** 2) / 36 + F(4, 7) ** 2 / 9
    )
    assert curve_of().std_error[2] ** 2 == pytest.approx(float(variance), rel=1e-14)


@pytest.mark.parametrize("cause", [1, 2])
def test_gray(cause: int) -> None:
    """At every time Gray's variance is its double sum, the group's end included."""
    (course,) = groups(SEVEN, causes=2)
    expected = floats(gray(course, cause))
    assert curve_of(cause=cause).std_error ** 2 == pytest.approx(expected, rel=1e-13, abs=1e-17)


def test_gray_without_censoring() -> None:
    """Two of five on one day: 2/5 3/5 / 4, with n - 1 where binomial variance has n."""
    tied = rows([1, 1, 3, 3, 3], [1, 1, 0, 0, 0])
    assert curve_of(tied).std_error[0] ** 2 == pytest.approx(float(F(3, 50)), rel=1e-15)


def test_gray_of_many_times() -> None:
    """The sums behind the variance do not lose digits where few of 400 are left."""
    many = rows([1 + k % 19 for k in range(400)], [(7 * k // 3) % 3 for k in range(400)])
    (course,) = groups(many, causes=2)
    expected = floats(gray(course, 1))
    assert curve_of(many).std_error ** 2 == pytest.approx(expected, rel=1e-11)


def test_greenwood_by_hand() -> None:
    """On day 3, D is 1/3 for day 1, 4/21 for day 2 and 0 for day 3."""
    one = F(1, 3) ** 2 / (7 * 6) - 2 * F(1, 3) / 49 + F(6, 7**3)
    two = F(4, 21) ** 2 * 2 / (6 * 4) - 2 * F(4, 21) * F(6, 7) / 36 + F(6, 7) ** 2 * F(5, 6**3)
    three = F(4, 7) ** 2 * F(2, 3**3)
    error = curve_of(variance="greenwood").std_error[2]
    assert error**2 == pytest.approx(float(one + two + three), rel=1e-14)


def test_greenwood_without_censoring() -> None:
    """Without censoring the variance is binomial, F (1 - F) / n, ties or not."""
    uncensored = rows([1, 1, 2, 3, 3, 4, 4], [1, 2, 1, 1, 1, 2, 1])
    shares = [F(1, 7), F(2, 7), F(4, 7), F(5, 7)]
    errors = curve_of(uncensored, variance="greenwood").std_error
    expected = floats([share * (1 - share) / 7 for share in shares])
    assert errors**2 == pytest.approx(expected, rel=1e-14)


def test_one_cause_is_survival() -> None:
    """With one cause, incidence and Greenwood's error are those of 1 - S."""
    alone = rows([1, 2, 2, 3, 4], [1, 1, 0, 1, 0])
    curve = curve_of(alone, variance="greenwood")
    survival = [F(4, 5), F(3, 5), F(3, 10), F(3, 10)]
    sums = [F(1, 20), F(1, 20) + F(1, 12), F(1, 20) + F(1, 12) + F(1, 2)]
    expected = [s**2 * g for s, g in zip(survival, [*sums, sums[-1]], strict=True)]
    assert curve.std_error**2 == pytest.approx(floats(expected), rel=1e-14)


def test_left_truncation() -> None:
    """Of three at risk on day 2 one dies of 1; of two on day 4 one dies of 2."""
    late = rows([2, 3, 4, 4], [1, 0, 2, 0], entry=[0, 0, 1, 2])
    found = [curve_of(late, variance="greenwood", cause=cause).estimate[-1] for cause in (1, 2)]
    assert found == pytest.approx(floats([F(1, 3), F(2, 3) * F(1, 2)]), rel=1e-15)


def test_left_truncated_variance() -> None:
    """Greenwood's variance on day 4 of cause 2, with D = 1/3 for day 2 and 0 for day 4."""
    late = rows([2, 3, 4, 4], [1, 0, 2, 0], entry=[0, 0, 1, 2])
    variance = F(1, 3) ** 2 / (3 * 2) + F(2, 3) ** 2 * F(1, 2**3)
    error = curve_of(late, variance="greenwood", cause=2).std_error[-1]
    assert error**2 == pytest.approx(float(variance), rel=1e-14)


def test_dying_out_before_others_enter() -> None:
    """Once all at risk have died, nobody who enters later adds to the incidence."""
    late = rows([1, 2, 5], [1, 2, 1], entry=[0, 0, 3])
    assert curve_of(late, variance="greenwood").estimate.tolist() == [0.5, 0.5, 0.5]


def test_time_to_an_incidence() -> None:
    """An incidence of 2/7 is reached on day 2, one of 0.6 never."""
    (reached, never) = curve_of(to=(2 / 7, 0.6)).reached
    assert (reached[1], bool(np.isnan(never[1]))) == (2.0, True)


def test_events_since_the_time_before() -> None:
    """Events at given times are those since the one before."""
    assert [row[2] for row in curve_of(at=(1.0, 2.5, 10.0)).at] == [1.0, 1.0, 1.0]


def test_competing_and_censored() -> None:
    """Events of other causes and censorings are counted apart."""
    curve = curve_of()
    assert (curve.n_competing.tolist(), curve.n_censor.tolist()) == (
        [0, 1, 0, 0, 1],
        [0, 1, 0, 1, 0],
    )
