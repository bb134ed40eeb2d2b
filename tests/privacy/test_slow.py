from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from tests.privacy import slow
from tests.privacy.cases import patients
from tests.privacy.cohort import study
from tests.privacy.holding import Held, hold

MODELS = {
    "three": {"covariates": ("age", "ferritin", "severe")},
    "breslow": {"covariates": ("age",), "ties": "breslow"},
    "strata": {"covariates": ("ferritin",), "strata": ("severe",), "zph": ("km", "identity")},
}


@cache
def both(seed: int) -> list[tuple[Held, Held]]:
    """The sealed questions of a release, by the product and by the slow implementation."""
    sites, text = patients(seed).at_sites(), study(MODELS)
    quick, slowly = hold(text, sites), hold(text, sites, seal=slow.share)
    return list(zip(quick.of("cox_sealed"), slowly.of("cox_sealed"), strict=True))


@pytest.mark.parametrize("lane", ["c", "g", "q", "e", "score", "information", "ratio"])
def test_what_opens_is_the_same_bit_for_bit(lane: str) -> None:
    """All that opens in all rounds of three models is the same whole numbers."""
    assert [one.opened[lane].tolist() for one, _ in both(0)] == [
        other.opened[lane].tolist() for _, other in both(0)
    ]


def test_the_logarithms_agree() -> None:
    """Two series for the logarithm of R, far beyond the bits of a double."""
    differences = [
        abs(one.opened["loglik"][0] - other.opened["loglik"][0]) / 2**336 for one, other in both(0)
    ]
    assert max(differences) < 2**-240


@pytest.mark.parametrize("name", ["score", "information"])
def test_unblinded_totals_are_the_same_doubles(name: str) -> None:
    """The exact fraction that the blinding is taken off from, rounded once, is what is reported."""
    for held, _ in both(0):
        exact = slow.point(held.opened, slow.weights_of(held.ask), len(held.beta))
        expected = [[float(one) for one in row] for row in getattr(exact, name)]
        assert np.atleast_2d(held.reduced[name]).tolist() == expected


def test_the_logarithm_by_hand() -> None:
    """log 2 and log 10, to the last bit of a double."""
    assert [slow.log_at_272(n) / 2**272 for n in (2, 10)] == [np.log(2.0), np.log(10.0)]
