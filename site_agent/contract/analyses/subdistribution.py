"""Risk sets of a subdistribution hazard: who has had a competing event stays, and fades.

Fine and Gray (1999) keep those with a competing event in the risk sets of the event of
interest, as if they could still have it, with the chance that they would not have been censored
yet. With G the Kaplan-Meier curve of censoring, of n at risk and c censored at a time, row i with
time T_i weighs at t

    w_i(t) = 1                   while t <= T_i
             G(t-) / G(T_i-)     later, after a competing event
             0                   later, after the event or censoring

and the risk sets are those of a Cox model with these weights (risk_sets.py). G is from pooled
counts by time without covariates, so it is public and every sum stays one over rows:

    S_m(t) = sum over T_i >= t of r_i x_i^m
             + G(t-) sum over competing T_i < t of r_i x_i^m / G(T_i-)

Two conventions where events and censorings tie: `crr` counts those with an event at t as at risk
when others are censored there, and takes G(0) for the left limit at t = 0; `finegray` lets them
leave first.

Left truncated rows count from their entry on, and G(t-) becomes G(t-) H(t-), with H the
product-limit curve of entry in reversed time (Geskus 2011): of n who have entered and not left, m
enter at e,

    H(t-) = product over e >= t of (1 - m/n)

References: Fine and Gray, J Am Stat Assoc 1999;94:496-509. Geskus, Biometrics 2011;67:39-49.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from site_agent.contract.analyses.counts import Course
from site_agent.contract.analyses.risk_sets import DEATH, Deaths, Weights, risk_set_sums
from site_agent.contract.frames import NO_ENTRY, Floats, Integers, Rows
from site_agent.contract.sums import Arrays, Ask

CONVENTIONS: Final = ("crr", "finegray")


@dataclass(frozen=True, slots=True)
class Censoring:
    """The J times at which rows are censored: ticks, how many are at risk, how many censored.

    entry: the ticks at which rows enter, and which part of those under observation then does.
    """

    tick: Integers
    at_risk: Floats
    censored: Floats
    convention: str
    entry: tuple[Integers, Floats]

    @property
    def hazard(self) -> Floats:
        """Return the increments of the cumulative hazard of censoring, (J,)."""
        return self.censored / self.at_risk

    def before(self, ticks: Integers) -> Floats:
        """Return G H just before some ticks, (m,); at 0, by the convention of `crr`, G itself."""
        steps = np.concatenate([[1.0], np.cumprod(1 - self.hazard)])
        passed = np.searchsorted(self.tick, ticks, side="left")
        if self.convention == "crr":
            passed = passed + ((ticks == 0) & np.isin(0, self.tick))
        return np.asarray(steps[passed] * self._entered_before(ticks))

    def _entered_before(self, ticks: Integers) -> Floats:
        """Return H just before some ticks, (m,); 1 where rows are at risk from the start."""
        entries, part = self.entry
        tails = np.concatenate([np.cumprod((1 - part)[::-1])[::-1], [1.0]])
        return np.asarray(tails[np.searchsorted(entries, ticks, side="left")])


def censoring_of(course: Course, convention: str) -> Censoring:
    """Return when rows of a course are censored, and enter."""
    at = course.left[0] > 0
    gone = course.n_event[at] if convention == "finegray" else 0.0
    ticks, entered = course.entries
    late = ticks != NO_ENTRY
    part = entered[late] / course.at_risk_at(ticks[late] + 1)
    return Censoring(
        tick=course.tick[at],
        at_risk=course.n_risk[at] - gone,
        censored=course.left[0][at],
        convention=convention,
        entry=(ticks[late], part),
    )


def competing_ticks(course: Course) -> Integers:
    """Return the ticks at which rows have a competing event."""
    return np.asarray(course.tick[course.left[2:].sum(axis=0) > 0])


@dataclass(frozen=True, slots=True)
class Fading:
    """How rows fade: G H just before each competing tick, (Q,), and each death time, (K,)."""

    ticks: Integers
    leaving: Floats
    staying: Floats


def fading(censoring: Censoring, competing: Integers, deaths: Integers) -> Fading:
    """Return how rows with a competing event at ticks (Q,) fade over death times (K,)."""
    return Fading(competing, censoring.before(competing), censoring.before(deaths))


def faded_of(ask: Ask) -> Fading | None:
    """Return how rows fade by an ask's arguments; None if they leave as in a Cox model."""
    if "staying" not in ask.floats:
        return None
    ticks = np.array(ask.fixed["competing"], dtype=np.int64)
    return Fading(ticks, ask.floats["leaving"], ask.floats["staying"])


def subdistribution_sums(
    rows: Rows,
    beta: Floats,
    centre: Floats,
    *,
    deaths: Deaths,
    efron: bool,
    faded: Fading,
    weights: Weights | None = None,
) -> Arrays:
    """Return the sums of `risk_set_sums` with those who have had a competing event."""
    sums = risk_set_sums(rows, beta, centre, deaths=deaths, efron=efron, weights=weights)
    gone = rows.cause > DEATH
    design = rows.design[gone] - centre
    weight = np.exp(design @ beta) / left_before(rows.time[gone], faded)
    stayed = cumulative(rows.time[gone], _moments(design, weight), deaths.ticks[0])
    return {**sums, "risk": sums["risk"] + faded.staying[:, None] * stayed}


def _moments(design: Floats, weight: Floats) -> Floats:
    """Return w, w x and the upper triangle of w x x' of each row, (n, M)."""
    one, two = np.triu_indices(design.shape[1])
    weighted = design * weight[:, None]
    return np.column_stack([weight, weighted, weighted[:, one] * design[:, two]])


def left_before(times: Integers, faded: Fading) -> Floats:
    """Return G H just before each of some times of competing events."""
    return np.asarray(faded.leaving[np.searchsorted(faded.ticks, times)])


def cumulative(times: Integers, values: Floats, at: Integers) -> Floats:
    """Return the sums of values (n, M) over the rows whose time is before each tick of `at`."""
    first, bins = np.searchsorted(at, times, side="right"), len(at) + 1
    binned = np.empty((bins, values.shape[1]))
    for column in range(values.shape[1]):
        binned[:, column] = np.bincount(first, values[:, column], minlength=bins)
    return np.asarray(np.cumsum(binned, axis=0)[:-1])
