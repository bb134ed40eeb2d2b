"""Points of a Cox model's likelihood over several hospitals, sealed or open, through the lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from site_agent.contract.analyses.risk_sets import deaths_of
from site_agent.contract.catalogue import SUMS
from site_agent.contract.frames import NO_ENTRY, Floats, Frame, Rows
from site_agent.contract.securesum import vector
from site_agent.contract.securesum.sealing import Sealer
from site_agent.contract.sums import Arrays, Ask

SEALED, OPEN = "cox_sealed", "cox_risk_sets"
FRAME = Frame("patients", "survival", covariates=("x",))
SECRET = bytes(range(32))


def ask_of(
    given: Rows,
    beta: Sequence[float],
    *,
    efron: bool = True,
    strata: int = 1,
    centre: Sequence[float] | None = None,
    steps: Sequence[int] | None = None,
    g: Floats | None = None,
    name: str = SEALED,
) -> Ask:
    """The question for a point over all rows; with `steps` and `g` one behind the maximum."""
    deaths = deaths_of(given, strata)
    fixed: dict[str, Any] = {
        "columns": given.design.shape[1],
        "strata": strata,
        "efron": efron,
        "deaths": [ticks.tolist() for ticks in deaths.ticks],
        "ties": deaths.ties.tolist(),
    }
    floats = {"beta": np.array(beta), "centre": np.zeros(len(beta))}
    if centre is not None:
        floats["centre"] = np.array(centre)
    if given.weight is not None:
        floats["death_weights"] = _death_weights(given, strata)
    if steps is not None:
        fixed["steps"], floats["weights"] = list(steps), np.atleast_2d(g)
    return Ask(name, FRAME, fixed, floats)


def _death_weights(given: Rows, strata: int) -> Floats:
    """The mean weight of those who die at each time of each stratum."""
    assert given.weight is not None
    means = [
        given.weight[(given.cause == 1) & (given.stratum == stratum) & (given.time == tick)].mean()
        for stratum, ticks in enumerate(deaths_of(given, strata).ticks)
        for tick in ticks
    ]
    return np.array(means)


def sealers(count: int, transcript: bytes = b"T_r") -> list[Sealer]:
    """What each of several hospitals brings; the first one puts in what all draw."""
    return [Sealer(SECRET, transcript, fuzz=bytes([n]) * 32, leader=n == 0) for n in range(count)]


def total(ask: Ask, sites: Sequence[Rows], seals: Sequence[Sealer] | None = None) -> Arrays:
    """What opens to the coordinator, summed in fixed point."""
    layout = vector.Layout((SUMS[ask.sum].lanes(ask),))
    seals = seals or sealers(len(sites))
    shares = [
        vector.encode(layout, [SUMS[ask.sum].share(site, ask, seal)], len(sites))
        for site, seal in zip(sites, seals, strict=True)
    ]
    (opened,) = vector.open_total(layout, vector.total(layout, shares), len(sites))
    return opened


def point(ask: Ask, sites: Sequence[Rows], seals: Sequence[Sealer] | None = None) -> Arrays:
    """What the coordinator makes of it."""
    reduce = SUMS[ask.sum].reduce
    assert reduce is not None
    return reduce(total(ask, sites, seals), ask)


def in_the_open(ask: Ask) -> Ask:
    """The same question for open risk sets."""
    return replace(ask, sum=OPEN)


def spread_over(given: Rows, sites: int, seed: int = 0) -> list[Rows]:
    """Rows spread over hospitals at random; one of several may have none."""
    whose = np.random.default_rng(seed).integers(0, sites, len(given))
    return [given.subset(whose == site) for site in range(sites)]


def random_rows(
    seed: int,
    *,
    n: int = 40,
    p: int = 2,
    entry: bool = False,
    strata: int = 1,
    weighted: bool = False,
) -> Rows:
    """Rows with tied times; with `entry` truncated, and some patients in two rows."""
    draw = np.random.default_rng(seed)
    time = draw.integers(1, 12, n)
    start = np.minimum(draw.integers(NO_ENTRY, 8, n), time - 1) if entry else np.full(n, NO_ENTRY)
    return Rows(
        entry=start.astype(np.int64),
        time=time.astype(np.int64),
        cause=(draw.uniform(size=n) < 0.6).astype(np.int64),
        group=np.zeros(n, dtype=np.int64),
        stratum=draw.integers(0, strata, n).astype(np.int64),
        design=np.round(draw.normal(1, 2, (n, p)), 3),
        patient=np.arange(n) // 2 if entry else np.arange(n),
        patients=n // 2 if entry else n,
        weight=np.round(draw.uniform(0.2, 3, n), 2) if weighted else None,
    )


def differences(one: Arrays, other: Mapping[str, Any]) -> float:
    """The largest difference of two points, relative to 1 or the number."""
    assert list(one) == list(other)
    return max(
        float(np.max(np.abs(one[k] - other[k]) / np.maximum(1.0, np.abs(other[k])), initial=0.0))
        for k in other
    )
