"""How often a study could be refreshed, if two releases must differ by k patients of m hospitals.

A simulation of accrual. Patients come on days uniform over the accrual, each to a hospital drawn
uniformly. Of them a share has the event, on days uniform over the follow-up of each. What counts
as a change since a release: a patient who came, one whose event came, and, if hospitals update
the day last seen, one who was seen again. A patient counts once, however much has changed.

Every `every` days the study is looked at. The first release goes as soon as `patients` patients
of `sites` hospitals are there (disclosure.compute). A later one goes when at least k patients of
m hospitals have changed since the last one; without any change it is left out, for it would show
the same. Nobody goes back to an earlier state here, so who has changed since the last release has
changed since all, and the last one decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from coordinator.center_words import table

RUNS: Final = 200
TABLE_K: Final = (3, 5, 10)
TABLE_M: Final = (1, 3, 5)
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Accrual:
    """How patients come, and by how many two releases must differ.

    seen_every_days: how often the day last seen of a patient is updated; 0: never. event_share:
    the share of patients with an event. at_least_patients, at_least_sites: of the first release.
    """

    patients: int
    accrual_days: int
    sites: int
    k: int = 5
    m: int = 3
    every_days: int = 7
    follow_up_days: int = 365
    event_share: float = 0.5
    seen_every_days: int = 0
    at_least_patients: int = 10
    at_least_sites: int = 5

    @property
    def slots(self) -> Integers:
        """Return the days on which the study is looked at."""
        return np.arange(
            self.every_days, self.accrual_days + self.follow_up_days + 1, self.every_days
        )


@dataclass(frozen=True, slots=True)
class Cadence:
    """What came of it, over all simulations: medians, days between releases."""

    k: int
    m: int
    releases: float
    median_gap_days: float
    longest_gap_days: float


def states(accrual: Accrual, draw: np.random.Generator) -> tuple[Integers, Integers]:
    """Return each patient's state on each day looked at, and hospital; (slots, n) and (n,).

    States are whole numbers that only grow: 0 is not there yet.
    """
    n, days = accrual.patients, accrual.slots[:, None]
    came = draw.uniform(0, accrual.accrual_days, n)
    event = came + draw.uniform(0, accrual.follow_up_days, n)
    event[draw.uniform(0, 1, n) >= accrual.event_share] = np.inf
    found = (days >= came).astype(np.int64) + (days >= event)
    if accrual.seen_every_days:
        end = np.minimum(event, came + accrual.follow_up_days)
        followed = np.clip(np.minimum(days, end) - came, 0, None)
        found += (followed // accrual.seen_every_days).astype(np.int64)
    return found, draw.integers(0, accrual.sites, n)


def release_days(accrual: Accrual, state: Integers, site: Integers) -> list[int]:
    """Return the days of releases; `state` and `site` as from `states`."""
    days: list[int] = []
    last = np.zeros(state.shape[1], dtype=np.int64)
    for day, now in zip(accrual.slots, state, strict=True):
        changed = now != last
        patients, sites = int(changed.sum()), len(np.unique(site[changed]))
        enough = patients >= accrual.k and sites >= accrual.m
        if not days:
            enough = patients >= accrual.at_least_patients and sites >= accrual.at_least_sites
        if enough:
            days.append(int(day))
            last = now
    return days


def cadence(accrual: Accrual, *, seed: int = 0, runs: int = RUNS) -> Cadence:
    """Return how often the study could be refreshed."""
    draw = np.random.default_rng(seed)
    days = [release_days(accrual, *states(accrual, draw)) for _ in range(runs)]
    gaps = [np.diff(found) for found in days if len(found) > 1]
    return Cadence(
        accrual.k,
        accrual.m,
        releases=float(np.median([len(found) for found in days])),
        median_gap_days=_median([float(np.median(found)) for found in gaps]),
        longest_gap_days=_median([float(np.max(found)) for found in gaps]),
    )


def _median(values: Sequence[float]) -> float:
    """Return the median; not a number if there are not even two releases."""
    return float(np.median(values)) if values else float("nan")


def varied(accrual: Accrual, *, seed: int = 0, runs: int = RUNS) -> list[Cadence]:
    """Return the cadence for the study's k and m, and for others around them."""
    pairs = {(accrual.k, accrual.m): None}
    pairs |= {(k, accrual.m): None for k in TABLE_K}
    pairs |= {(accrual.k, m): None for m in TABLE_M if m <= accrual.sites}
    return [cadence(replace(accrual, k=k, m=m), seed=seed, runs=runs) for k, m in sorted(pairs)]


def document(accrual: Accrual, found: Sequence[Cadence], *, runs: int) -> dict[str, Any]:
    """Return all of it as JSON; a gap that does not exist is null."""
    return {
        "accrual": asdict(accrual),
        "slots": len(accrual.slots),
        "simulations": runs,
        "counts_as_change": counted(accrual),
        "cadence": [
            {name: None if value != value else value for name, value in asdict(item).items()}
            for item in found
        ],
    }


def counted(accrual: Accrual) -> list[str]:
    """Return what counts as a change."""
    seen = accrual.seen_every_days
    return [
        "a new patient",
        *([f"an event ({accrual.event_share:.0%} of patients)"] if accrual.event_share else []),
        *([f"a new day last seen (every {seen} days)"] if seen else []),
    ]


def in_words(accrual: Accrual, found: Sequence[Cadence], *, runs: int) -> Iterator[str]:
    """Yield the lines of a table for a terminal."""
    yield (
        f"{accrual.patients} patients over {accrual.accrual_days} days in {accrual.sites} "
        f"hospitals, then {accrual.follow_up_days} days of follow-up; looked at every "
        f"{accrual.every_days} days, {len(accrual.slots)} times; medians of {runs} simulations."
    )
    yield f"Counted as changes: {', '.join(counted(accrual))}."
    yield ""
    head = ("patients (k)", "hospitals (m)", "releases", "median gap, days", "longest gap, days")
    rows = [
        [
            f"{item.k}{' *' if (item.k, item.m) == (accrual.k, accrual.m) else ''}",
            str(item.m),
            f"{item.releases:g}",
            _days(item.median_gap_days),
            _days(item.longest_gap_days),
        ]
        for item in found
    ]
    yield from table(head, rows)
    yield "* as asked"


def _days(value: float) -> str:
    return "-" if value != value else f"{value:g}"
