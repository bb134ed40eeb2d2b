from __future__ import annotations

import numpy as np
import pytest

from tests.privacy import neighbours
from tests.privacy.cases import SEEDS, THREE, points, release, truth
from tests.privacy.recovery import fraction_recovered


def test_a_patient_who_leaves_alone() -> None:
    """Of x = 1, 2, 4 at risk, 2 leaves alone and then 1 and 4 together: 2 is found."""
    sums = np.array([[3.0, 7.0, 21.0], [2.0, 5.0, 17.0]])
    assert [x.tolist() for x in neighbours.leavers(sums, 1)] == [[2.0]]


@pytest.mark.parametrize("seed", SEEDS)
def test_open_risk_sets_give_back_those_who_left_alone(seed: int) -> None:
    """From one round at beta = 0 the differences give more than a quarter of all patients."""
    found = neighbours.from_open(points(seed, THREE, "open")[0])
    assert fraction_recovered(found, truth(seed)) > 0.25


@pytest.mark.parametrize("seed", SEEDS)
def test_sealed_risk_sets_give_back_nobody(seed: int) -> None:
    """The same differences of sealed risk sets, of all rounds, give no patient."""
    (counts,) = release(seed).of("counts_by_time")
    found = [x for held in points(seed) for x in neighbours.from_sealed(held, counts)]
    assert fraction_recovered(found, truth(seed)) == 0.0
