from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from tests.privacy import factors, lattice, neighbours
from tests.privacy.cases import (
    HOSPITALS,
    ONE,
    SEEDS,
    THREE,
    points,
    public_at_risk,
    truth,
)
from tests.privacy.recovery import fraction_recovered

Zeroths = list[dict[int, Fraction]]


def test_a_basis_by_hand() -> None:
    """Rows (1, 1, 1), (-1, 0, 2), (3, 5, 6) reduce to short ones (Cohen's example)."""
    found = lattice.reduced([[1, 1, 1], [-1, 0, 2], [3, 5, 6]])
    assert found == [[0, 1, 0], [1, 0, 1], [-1, 0, 2]]


def test_a_common_factor_by_hand() -> None:
    """3, 5 and 14 come back from multiples of one R with fuzz."""
    R = 2**400 + 12345
    values = [R * s + u for s, u in ((3, 2**200 + 1), (5, 7), (14, 2**231))]
    assert lattice.common_factor(values) == [3, 5, 14]


def same_for_times(seed: int, form: str) -> Zeroths:
    """S0 of all rounds, for one R in a round."""
    n, variance = public_at_risk(seed, pseudo=True), float(truth(seed, ONE).var())
    return [
        lattice.same_for_times(held, factors.expected(held, n, variance))
        for held in points(seed, ONE, form)
    ]


def same_for_rounds(seed: int, form: str) -> Zeroths:
    """S0 of all rounds, for one R at a time."""
    return lattice.same_for_rounds(points(seed, ONE, form), public_at_risk(seed, pseudo=True))


Attack = Callable[[int, str], Zeroths]
ATTACKS = pytest.mark.parametrize(
    ("attack", "weakened"),
    [(same_for_times, "one R for all times"), (same_for_rounds, "one R for all rounds")],
)


def recovered(attack: Attack, seed: int, form: str) -> float:
    """The fraction of patients that follow from S0 over the rounds."""
    rounds, values = points(seed, ONE, form), truth(seed, ONE)
    betas = [float(held.beta[0]) for held in rounds]
    centre = float(rounds[0].ask.floats["centre"][0])
    known = list(zip(betas, attack(seed, form), strict=True))
    return fraction_recovered(np.array(factors.leavers(known, centre, float(values.std()))), values)


@ATTACKS
@pytest.mark.parametrize("seed", SEEDS)
def test_one_factor_for_several_falls(attack: Attack, weakened: str, seed: int) -> None:
    """An R that serves twice gives back those who left alone: more than a quarter."""
    assert recovered(attack, seed, weakened) > 0.25


@ATTACKS
@pytest.mark.parametrize("seed", SEEDS)
def test_the_product_stands(attack: Attack, weakened: str, seed: int) -> None:
    """With a fresh R for each time and round the same lattices give nobody."""
    assert recovered(attack, seed, "sealed") == 0.0


@ATTACKS
@pytest.mark.parametrize("seed", SEEDS)
def test_no_risk_set_of_the_product_is_found(attack: Attack, weakened: str, seed: int) -> None:
    """No S0 at a beta other than 0, where it is the public number at risk, is found."""
    rounds = points(seed, ONE)[1:]
    found = attack(seed, "sealed")[1:]
    assert {factors.right(f, h) for f, h in zip(found, rounds, strict=True)} == {0.0}


def behind_the_fuzz(seed: int, form: str) -> float:
    """The fraction of patients that S1 at beta = 0 gives back."""
    held, n = points(seed, THREE, form)[0], public_at_risk(seed, pseudo=False)
    firsts = lattice.firsts(held, n, HOSPITALS)
    return fraction_recovered(
        neighbours.from_firsts(firsts, n, held.ask.floats["centre"]), truth(seed)
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_fuzz_that_does_not_scale_falls(seed: int) -> None:
    """v of a fixed size gives S1 at beta = 0, and patients."""
    assert behind_the_fuzz(seed, "fuzz of v and w not scaled with R") > 0.1


@pytest.mark.parametrize("seed", SEEDS)
def test_fuzz_that_scales_stands(seed: int) -> None:
    """On the product's numbers the same lattice gives nobody."""
    assert behind_the_fuzz(seed, "sealed") == 0.0
