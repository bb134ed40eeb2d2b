"""The releases under attack, each computed once: open, sealed, and sealed badly."""

from __future__ import annotations

from functools import cache, partial
from typing import Final

from tests.privacy import slow, slow_thirds
from tests.privacy.cohort import SITES, Cohort, cohort, study
from tests.privacy.holding import Held, Holding, hold
from tests.privacy.recovery import Floats, at_risk, deaths_at, steps

ONE: Final = ("age",)
THREE: Final = ("age", "ferritin", "severe")
SEEDS: Final = (0, 1, 2)
WEAKENED: Final = {
    "no fuzz": slow.Switches(fuzz=False),
    "fuzz of v and w not scaled with R": slow.Switches(scaled=False),
    "one R for all times": slow.Switches(fresh_times=False),
    "one R for all rounds": slow.Switches(fresh_rounds=False),
    "one b for both openings": slow.Switches(own_mean=False),
}
HOSPITALS: Final = SITES


@cache
def patients(seed: int) -> Cohort:
    """The patients of a seed."""
    return cohort(seed)


@cache
def release(seed: int, covariates: tuple[str, ...] = THREE, form: str = "sealed") -> Holding:
    """What the coordinator holds of one model; `form` is open, sealed, or how it is weakened."""
    switches = WEAKENED.get(form)
    told = "open" if form == "open" else "sealed"
    text = study({"model": {"covariates": covariates, "risk_sets": told}})
    seal = None if switches is None else partial(slow.share, switches=switches)
    return hold(text, patients(seed).at_sites(), seal=seal)


def points(
    seed: int, covariates: tuple[str, ...] = THREE, form: str = "sealed"
) -> tuple[Held, ...]:
    """The points of a model's likelihood, from beta = 0 on."""
    name = "cox_risk_sets" if form == "open" else "cox_sealed"
    return release(seed, covariates, form).of(name)


@cache
def firth(seed: int, covariates: tuple[str, ...] = THREE, form: str = "sealed") -> Holding:
    """What the coordinator holds of one model with Firth's penalty; forms as in `release`."""
    switches = slow.SOUND if form == "slow" else WEAKENED.get(form)
    told = "open" if form == "open" else "sealed"
    text = study({"model": {"covariates": covariates, "risk_sets": told, "firth": "true"}})
    seal = None if switches is None else partial(slow_thirds.share, switches=switches)
    return hold(text, patients(seed).at_sites(), seal=seal)


def thirds(
    seed: int, covariates: tuple[str, ...] = THREE, form: str = "sealed"
) -> tuple[Held, ...]:
    """The third moments of such a model, from beta = 0 on."""
    name = "cox_thirds" if form == "open" else "cox_sealed_thirds"
    return firth(seed, covariates, form).of(name)


def points_and_thirds(
    seed: int, covariates: tuple[str, ...] = THREE, form: str = "sealed"
) -> tuple[tuple[Held, Held], ...]:
    """The likelihood and the third moments at each beta of such a model."""
    both = zip(
        firth(seed, covariates, form).of("cox_sealed"), thirds(seed, covariates, form), strict=True
    )
    return tuple(pair for pair in both)


def public_at_risk(seed: int, *, pseudo: bool) -> list[int]:
    """How many are at risk at each death time, or pseudo-time, by the curve."""
    held = points(seed, ONE)[0]
    (counts,) = release(seed, ONE).of("counts_by_time")
    n = at_risk(counts, deaths_at(held)).tolist()
    return [n[k] for k in steps(held)] if pseudo else n


def truth(seed: int, covariates: tuple[str, ...] = THREE) -> Floats:
    """The true covariates."""
    return patients(seed).values(covariates)
