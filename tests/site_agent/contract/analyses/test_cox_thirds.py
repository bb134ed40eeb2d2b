"""Third cumulants over the risk sets: by hand, as a derivative of the information, and sealed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from site_agent.contract.analyses import cox_thirds
from site_agent.contract.analyses.cox_thirds import cubes, unpack_cubes
from site_agent.contract.analyses.risk_sets import unpack
from site_agent.contract.frames import Floats
from site_agent.contract.securesum.splitting import halves, numbers_of
from site_agent.contract.sums import Arrays, Ask
from tests.site_agent.contract.analyses.by_hand import F, floats, rows
from tests.site_agent.contract.analyses.sealed_points import (
    ask_of,
    differences,
    point,
    random_rows,
    sealers,
    spread_over,
    total,
)

# Times 1, 2, 2, 2, 3, 4: the first, two of the second and the fifth die.
TIMES, CAUSES, X = [1, 2, 2, 2, 3, 4], [1, 1, 1, 0, 1, 0], [1, 0, 2, 1, 1, 0]
SIX = rows(TIMES, CAUSES, x=[[x] for x in X])
OPEN, SEALED = "cox_thirds", "cox_sealed_thirds"


def cumulant(first: F, second: F, third: F) -> F:
    """The third cumulant from raw moments."""
    return third - 3 * first * second + 2 * first**3


def test_efron_by_hand() -> None:
    """Cubes at risk: 11 of 6, 10 of 5; 6 of 4 when half of the dying (8) is taken off; 1 of 2."""
    expected = (
        cumulant(F(5, 6), F(7, 6), F(11, 6))
        + cumulant(F(4, 5), F(6, 5), F(10, 5))
        + cumulant(F(3, 4), F(4, 4), F(6, 4))
        + cumulant(F(1, 2), F(1, 2), F(1, 2))
    )
    found = point(ask_of(SIX, [0.0], name=SEALED), spread_over(SIX, 3))["third"]
    assert found == pytest.approx(floats([expected]), rel=1e-15)


def test_breslow_by_hand() -> None:
    """Both of the tied deaths meet all five at risk."""
    expected = (
        cumulant(F(5, 6), F(7, 6), F(11, 6))
        + 2 * cumulant(F(4, 5), F(6, 5), F(10, 5))
        + cumulant(F(1, 2), F(1, 2), F(1, 2))
    )
    asked = ask_of(SIX, [0.0], name=SEALED, efron=False)
    assert point(asked, spread_over(SIX, 3))["third"] == pytest.approx(
        floats([expected]), rel=1e-15
    )


FORMS: dict[str, dict[str, object]] = {
    "one column": {"p": 1},
    "four columns": {"p": 4},
    "entry": {"entry": True},
    "strata": {"strata": 3, "p": 3, "entry": True},
    "weighted": {"weighted": True},
}


@pytest.mark.parametrize("efron", [True, False], ids=["efron", "breslow"])
@pytest.mark.parametrize("form", FORMS)
def test_sealed_equals_open(form: str, efron: bool) -> None:
    """Within 1e-13 for tied, truncated, stratified and weighted rows."""
    made = random_rows(3, **FORMS[form])  # type: ignore[arg-type]
    beta = np.random.default_rng(1).normal(0, 0.4, made.design.shape[1])
    strata = int(FORMS[form].get("strata", 1))  # type: ignore[call-overload]
    asked = ask_of(made, beta.tolist(), efron=efron, strata=strata, name=SEALED)
    sites = spread_over(made, 4)
    found, expected = point(asked, sites), point(replace(asked, sum=OPEN), sites)
    assert differences(found, expected) < 1e-13


@pytest.mark.parametrize("efron", [True, False], ids=["efron", "breslow"])
def test_they_are_how_the_information_changes(efron: bool) -> None:
    """Differences of the information between points beside each other come to the same."""
    made, at = random_rows(5, p=2), np.array([0.2, -0.1])
    asked = ask_of(made, at.tolist(), efron=efron, name=OPEN)
    found = unpack_cubes(point(asked, [made])["third"], 2)

    def information(beta: Floats) -> Floats:
        plain = ask_of(made, beta.tolist(), efron=efron, name="cox_risk_sets")
        return unpack(point(plain, [made])["information"], 2)

    steps = 1e-5 * np.eye(2)
    expected = [(information(at + s) - information(at - s)) / 2e-5 for s in steps]
    assert found == pytest.approx(np.array(expected), rel=1e-7, abs=1e-6)


def test_within_one_hospital() -> None:
    """A model by site over one hospital is that of all rows."""
    made = random_rows(2, p=3, strata=2)
    asked = ask_of(made, [0.1, 0.2, -0.3], strata=2, name=OPEN)
    within = cox_thirds.THIRDS_WITHIN_SITE.compute(made, asked)
    assert differences(within, point(asked, [made])) < 1e-13


def test_numbers_in_two_parts() -> None:
    """Two others add what a third one splits: the total is that of three, exactly."""
    made = random_rows(3)
    asked, sites = ask_of(made, [0.2, -0.1], name=SEALED), spread_over(made, 3)
    split = cox_thirds.SEALED_THIRDS.split
    assert split is not None
    numbers = split(sites[2], asked)
    given = [
        {asked.identity(): numbers_of(part, [len(numbers)])[0]}
        for part in halves(numbers, b"seed" * 8, b"T_r")
    ]
    first, second, third = sealers(3)
    seals = [replace(first, given=given[0]), replace(second, given=given[1])]
    found = point(asked, sites, [*seals, replace(third, secret=None)])
    assert found["third"].tolist() == point(asked, sites)["third"].tolist()


def test_the_blinding_does_not_show_in_the_result() -> None:
    """Another round draws other factors and gives the same doubles, to the last bit."""
    made = random_rows(1)
    asked, sites = ask_of(made, [0.2, -0.1], name=SEALED), spread_over(made, 3)
    one, other = (point(asked, sites, sealers(3, bound)) for bound in (b"T_0", b"T_1"))
    assert one["third"].tolist() == other["third"].tolist()


def _opened(made: str) -> Arrays:
    return total(ask_of(SIX, [0.0], name=made), spread_over(SIX, 3))


def test_nothing_is_drawn_twice() -> None:
    """The same deaths of the same point open other numbers than the sealed likelihood does."""
    one, other = (
        {int(number) for name in "cgq" for number in opened[name].ravel()}
        for opened in (_opened("cox_sealed"), _opened(SEALED))
    )
    assert one & other == set()


@pytest.mark.parametrize("eta", [-20.0, -30.0, -33.9])
def test_a_tiny_risk_set(eta: float) -> None:
    """A last death whose hazard is e^-34 of a usual one still gives its cumulant."""
    far = rows([1, 2, 3, 3, 3], [1, 1, 1, 0, 0], x=[[0], [1], [eta], [eta - 0.5], [eta + 1]])
    asked: Ask = ask_of(far, [1.0], name=SEALED)
    sites = spread_over(far, 3)
    assert differences(point(asked, sites), point(replace(asked, sum=OPEN), sites)) < 1e-8


def test_what_does_not_fit_is_marked() -> None:
    """A hospital whose cubes do not fit puts in nothing but a mark."""
    huge = rows([1, 2, 3], [1, 1, 0], x=[[0.0], [2.0**21], [0.0]])
    found = point(ask_of(huge, [0.0], name=SEALED), [huge])
    assert {name: found[name].tolist() for name in found} == {"third": [0.0], "overflow": [1.0]}


@pytest.mark.parametrize("p", [1, 2, 5])
def test_packed_and_full(p: int) -> None:
    """Every order of three indices finds its number."""
    packed = np.arange(cubes(p), dtype=np.float64)
    full = unpack_cubes(packed, p)
    assert (len(np.unique(full)), bool((full == full.transpose(2, 0, 1)).all())) == (
        cubes(p),
        True,
    )


def test_widths_hold() -> None:
    """The widest number of a sealed pseudo-time, over 2^16 hospitals, stays in its lane."""
    widest = (cox_thirds.POINT + 60) + 556 + 1 + (514 - 1) + 16
    assert widest < 1280 - 1
