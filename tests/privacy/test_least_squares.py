from __future__ import annotations

import numpy as np
import pytest

from tests.privacy import least_squares
from tests.privacy.cases import ONE, SEEDS, THREE, patients, points, truth
from tests.privacy.cohort import study
from tests.privacy.holding import Held, hold
from tests.privacy.recovery import Floats, fraction_recovered

FEW = 6


@pytest.mark.parametrize("seed", SEEDS)
def test_open_risk_sets_give_back_groups(seed: int) -> None:
    """Groups of up to six who left together are solved for over all rounds: most patients."""
    found = least_squares.from_open(points(seed, THREE, "open"), truth(seed).std(axis=0), most=FEW)
    assert fraction_recovered(found, truth(seed)) > 0.8


def test_the_fit_to_totals_can_see() -> None:
    """The totals of five rounds over four patients give back all four."""
    x, time = np.array([0.3, -1.1, 0.9, -0.2]), np.array([1.0, 2.0, 3.0, 4.0])
    dies = np.ones(4, dtype=bool)
    seen = [
        (beta, least_squares.totals(x, time, dies, np.array(beta)))
        for beta in (0.0, 0.4, 0.6, 0.8, 0.9)
    ]
    known = np.array([x.sum(), (x**2).sum()])
    found = least_squares.from_totals(seen, known, time, dies, seed=1)
    assert found is not None and fraction_recovered(found[:, None], x[:, None]) == 1.0


@pytest.mark.parametrize("seed", SEEDS)
def test_totals_of_all_rounds_give_back_nobody(seed: int) -> None:
    """Other patients have the totals that a sealed model of one covariate opens over all rounds."""
    values, rows = truth(seed, ONE), patients(seed).rows
    text = study({"model": {"covariates": ONE, "ties": "breslow"}})
    rounds = hold(text, patients(seed).at_sites()).of("cox_sealed")
    spread = float(values.std())
    seen = [(float(held.beta[0]) * spread, in_deviations(held, spread)) for held in rounds]
    distinct = [one for k, one in enumerate(seen) if k == 0 or abs(one[0] - seen[k - 1][0]) > 1e-3]
    n = len(rows)
    found = least_squares.from_totals(
        distinct,
        np.array([0.0, float(n)]),
        rows["days"].to_numpy(dtype=float),
        rows["status"].to_numpy(dtype=bool),
        seed=seed,
    )
    centred = (values - values.mean()) / spread
    assert found is not None and fraction_recovered(found[:, None], centred) == 0.0


def in_deviations(held: Held, spread: float) -> Floats:
    """Log-likelihood, score and information for a covariate in standard deviations."""
    totals = held.reduced
    return np.array(
        [totals["loglik"][0], totals["score"][0] / spread, totals["information"][0] / spread**2]
    )
