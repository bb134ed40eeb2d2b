"""What each of six patients adds to the score at 0, in exact fractions (test_subdistribution.py).

E = 2/3, 8/15, 8/11 and dL = 1/6, 4/15, 8/11 at the event times 1, 4, 6. The one who has a competing
event at 2, with x = 0, would have added a = -(3/4)(8/15)(4/15) = -8/75 at 4 and
b = -(3/8)(8/11)(8/11) = -24/121 at 6, so that q(3) = a + b with 4 at risk, q(5) = b with 2.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from site_agent.contract.analyses.fine_gray_influence import (
    Increments,
    at_risk_sums,
    compensator,
    increments,
    influence,
    left_sums,
    outer_products,
)
from site_agent.contract.analyses.risk_sets import deaths_of
from site_agent.contract.frames import Floats, Rows
from tests.site_agent.contract.analyses.by_hand import F, floats, rows
from tests.site_agent.contract.analyses.test_subdistribution import SIX, known, risk

A, B = F(-8, 75), F(-24, 121)
ZERO = np.zeros(1)
AT_4, AT_6 = F(4, 15), F(8, 11)


def pooled(given: Rows = SIX, *, estimated: bool = True) -> Increments:
    censoring, faded = known(given)
    left = left_sums(given, ZERO, ZERO, faded=faded, ticks=censoring.tick)
    sums = at_risk_sums(risk(given), left, 1)
    return increments(sums, deaths_of(given, 1), censoring, faded, estimated=estimated)


def found(part: Rows = SIX, given: Rows = SIX, *, estimated: bool = True) -> Floats:
    """eta + psi of some rows, with the pooled parts of all."""
    (censoring, faded), parts = known(given), pooled(given, estimated=estimated)
    own = influence(
        part,
        ZERO,
        ZERO,
        deaths=deaths_of(given, 1),
        faded=faded,
        pooled=parts,
        compensator=compensator(parts, censoring),
    )
    return own[:, 0]


def eta() -> list[Fraction]:
    """What each adds if the weights are known."""
    first = F(1, 3) * F(1, 6)
    fourth = (1 - F(8, 15)) * AT_4
    return [
        1 - F(2, 3) - first,
        F(2, 3) * F(1, 6) - A - B,
        -first,
        -F(8, 15) + F(2, 3) * F(1, 6) + F(8, 15) * AT_4,
        -first - fourth,
        1 - F(8, 11) - first - fourth - (1 - F(8, 11)) * AT_6,
    ]


def psi() -> list[Fraction]:
    """What each adds because the curve of censoring is an estimate."""
    third, fifth = (A + B) / 4, B / 2
    at_3 = third / 4
    return [F(0), F(0), third - at_3, -at_3, fifth - at_3 - fifth / 2, -at_3 - fifth / 2]


def test_pooled_parts() -> None:
    """E, dL and q/Y."""
    parts = pooled()
    values = [*parts.mean[:, 0], *parts.hazard, *parts.drift[:, 0]]
    expected = [F(2, 3), F(8, 15), F(8, 11), F(1, 6), AT_4, AT_6, (A + B) / 4, B / 2]
    assert values == pytest.approx(floats(expected), rel=1e-14)


def test_influence_with_known_weights() -> None:
    """Each row adds what happens to it less what was expected."""
    assert found(estimated=False) == pytest.approx(floats(eta()), rel=1e-13)


def test_influence() -> None:
    """With the estimate of censoring each adds psi as well."""
    expected = [one + two for one, two in zip(eta(), psi(), strict=True)]
    assert found() == pytest.approx(floats(expected), rel=1e-13)


def test_influences_add_up_to_the_score() -> None:
    """At 0 the score is 2 less the sum of E; psi adds up to nothing."""
    assert found().sum() == pytest.approx(float(2 - F(2, 3) - F(8, 15) - F(8, 11)), rel=1e-12)


def test_parts_have_the_influence_of_all() -> None:
    """A hospital forms those of its own rows from the pooled parts."""
    chosen = np.array([1, 4])
    assert found(SIX.subset(chosen)) == pytest.approx(found()[chosen], rel=1e-14)


def test_nobody_is_censored() -> None:
    """Without censoring the weights are known: no psi."""
    whole = rows([1, 2, 3, 4], [1, 2, 2, 1], x=[[1.0], [0.0], [1.0], [0.0]])
    assert found(whole, whole).tolist() == found(whole, whole, estimated=False).tolist()


def test_outer_products() -> None:
    """Squares and products of two columns, as the upper triangle."""
    assert outer_products(np.array([[1.0, 2.0], [3.0, 4.0]])).tolist() == [10.0, 14.0, 20.0]
