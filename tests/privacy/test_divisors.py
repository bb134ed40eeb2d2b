from __future__ import annotations

import numpy as np
import pytest

from tests.privacy import divisors, factors
from tests.privacy.cases import ONE, SEEDS, THREE, points, public_at_risk, truth
from tests.privacy.recovery import fraction_recovered


def attacked(seed: int, form: str) -> float:
    """The fraction of patients that divisors over all rounds give back, with one covariate."""
    rounds, values = points(seed, ONE, form), truth(seed, ONE)
    n = public_at_risk(seed, pseudo=True)
    known = [
        (float(held.beta[0]), divisors.zeroths(held, factors.expected(held, n, values.var())))
        for held in rounds
    ]
    centre = float(rounds[0].ask.floats["centre"][0])
    found = factors.leavers(known, centre, float(values.std()))
    return fraction_recovered(np.array(found), values)


@pytest.mark.parametrize("seed", SEEDS)
def test_without_fuzz_divisors_give_back_those_who_left_alone(seed: int) -> None:
    """Exact integers fall: S0 at each time, and from it more than a sixth of all patients."""
    assert attacked(seed, "no fuzz") > 1 / 6


@pytest.mark.parametrize("seed", SEEDS)
def test_without_fuzz_divisors_give_every_risk_set(seed: int) -> None:
    """With three covariates the divisor of the ten numbers of a time is R itself."""
    held = points(seed, THREE, "no fuzz")[-1]
    found = divisors.zeroths(held, held.hidden["S0"][:, 0].tolist())
    assert factors.right(found, held) == 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_with_fuzz_divisors_give_back_nobody(seed: int) -> None:
    """On the product's numbers the same attack finds no patient."""
    assert attacked(seed, "sealed") == 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_with_fuzz_divisors_give_no_risk_set(seed: int) -> None:
    """No S0 is found in any round, even if it is told to a factor of two."""
    rounds = points(seed, THREE)
    found = [divisors.zeroths(held, held.hidden["S0"][:, 0].tolist()) for held in rounds]
    assert [factors.right(f, held) for f, held in zip(found, rounds, strict=True)] == [0.0] * len(
        rounds
    )
