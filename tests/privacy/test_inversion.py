from __future__ import annotations

import numpy as np
import pytest

from tests.privacy import inversion
from tests.privacy.cohort import Cohort, cohort, study
from tests.privacy.holding import Holding, hold
from tests.privacy.inversion import Public, Totals
from tests.privacy.recovery import at_risk, deaths_at

RUNS = 40


def test_a_path_by_hand() -> None:
    """Of 4, 3, 2 at risk with two carriers, score and information fix the path 2, 1, 1."""
    public = Public(np.array([4, 3, 2]), np.array([0, 1, 1, 2]), carriers=2, dying=1)
    seen = [Totals(0.0, 1 - (2 / 4 + 1 / 3 + 1 / 2), 1 / 4 + 2 / 9 + 1 / 4)]
    found = inversion.paths(public, seen)
    assert found is not None and found.tolist() == [[2, 1, 1]]


def test_who_is_pinned_by_hand() -> None:
    """On that path a carrier leaves first, then one who is not, and the last two are unknown."""
    public = Public(np.array([4, 3, 2]), np.array([0, 1, 1, 2]), carriers=2, dying=1)
    assert inversion.pinned(np.array([[2, 1, 1]]), public) == 2


def test_two_paths_pin_what_they_agree_on() -> None:
    """Paths 2, 1, 1 and 2, 2, 1 agree on nobody."""
    public = Public(np.array([4, 3, 2]), np.array([0, 1, 1, 2]), carriers=2, dying=1)
    assert inversion.pinned(np.array([[2, 1, 1], [2, 2, 1]]), public) == 0


@pytest.mark.parametrize("carriers", [1, 3, 4])
@pytest.mark.parametrize("deaths", [4, 8])
def test_below_the_limit_of_carriers_all_paths_are_found(carriers: int, deaths: int) -> None:
    """With fewer than five carriers their path is unique nearly always: the guard's reason."""
    found = inversion.measure(patients=43, carriers=carriers, deaths=deaths, steps=0, runs=RUNS)
    assert found.unique >= 0.95


@pytest.mark.parametrize("carriers", [2, 7, 15])
def test_the_true_path_is_among_those_found(carriers: int) -> None:
    """Whatever else has the same totals."""
    someone = inversion.made_up(5, patients=43, carriers=carriers, deaths=9)
    found = inversion.paths(someone.public(), inversion.points(someone, 1))
    assert found is not None and someone.path().tolist() in found.tolist()


@pytest.mark.parametrize(("carriers", "at_most"), [(5, 0.5), (10, 0.25), (20, 0.15)])
def test_what_the_limits_leave(carriers: int, at_most: float) -> None:
    """At and above the limits the path is still found; fewer patients are pinned by it."""
    found = inversion.measure(patients=43, carriers=carriers, deaths=8, steps=0, runs=RUNS)
    assert found.pinned / 43 < at_most


def test_a_sealed_model_and_a_curve_are_enough() -> None:
    """Eight deaths and six carriers, within the guard's limits: the coordinator finds their path.

    This is what class A does not promise (docs/disclosure.md).
    """
    someone = inversion.made_up(3, patients=43, carriers=6, deaths=8)
    holding = hold(study({"model": {"covariates": ("severe",)}}), as_cohort(someone).at_sites())
    public, seen = from_holding(holding)
    found = inversion.paths(public, seen)
    assert found is not None and found.tolist() == [someone.path().tolist()]


def as_cohort(someone: inversion.Patients) -> Cohort:
    """The made-up patients as rows at hospitals."""
    blank = cohort(0)
    rows = blank.rows.assign(
        days=someone.time + 1, status=someone.dies.astype(int), severe=someone.carries
    )
    return Cohort(rows, blank.site)


def from_holding(holding: Holding) -> tuple[Public, list[Totals]]:
    """What the coordinator knows of one model of a binary covariate."""
    rounds = holding.of("cox_sealed")
    (counts,), (moments,) = holding.of("counts_by_time"), holding.of("cox_moments")
    n = at_risk(counts, deaths_at(rounds[0]))
    everybody = int(moments.opened["rows"][0])
    leaving = -np.diff(np.concatenate([[everybody], n, [0]]))
    carriers, dying = (round(moments.opened[name][0]) for name in ("sum", "event_sum"))
    seen = [
        Totals(float(h.beta[0]), float(h.reduced["score"][0]), float(h.reduced["information"][0]))
        for h in rounds
    ]
    return Public(n, leaving, carriers, dying), seen
