"""The sums of a subdistribution hazard beside those of a Cox model.

Pooled: behind the maximum, sums over risk sets at each death time and over those with a competing
event at each time of censoring open to everybody (class C), so that each hospital can form its
rows' influence; their outer products open as one total (class A). Within hospitals each has a
curve of censoring, risk sets and influence of its own (class A).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from site_agent.contract.analyses.counts import COUNTS, courses
from site_agent.contract.analyses.cox_points import (
    deaths_in,
    exceeds,
    point_lanes,
    risk_sets_of,
)
from site_agent.contract.analyses.cox_sums import LARGEST
from site_agent.contract.analyses.fine_gray_influence import (
    Increments,
    at_risk_sums,
    compensator,
    increments,
    influence,
    left_sums,
    outer_products,
)
from site_agent.contract.analyses.risk_sets import Deaths, deaths_of, likelihood, triangle
from site_agent.contract.analyses.subdistribution import (
    Censoring,
    Fading,
    censoring_of,
    competing_ticks,
    faded_of,
    fading,
    subdistribution_sums,
)
from site_agent.contract.frames import Rows
from site_agent.contract.securesum.fixedpoint import REAL
from site_agent.contract.sums import Arrays, Ask, Lane, Sum


def _at_risk_lanes(ask: Ask) -> tuple[Lane, ...]:
    width = 1 + ask.fixed["columns"]
    return (
        Lane("risk", (len(ask.fixed["ties"]), width), REAL),
        Lane("left", (len(ask.fixed["censored"]), width), REAL),
    )


def _at_risk(rows: Rows, ask: Ask) -> Arrays:
    faded, beta, centre = faded_of(ask), ask.floats["beta"], ask.floats["centre"]
    assert faded is not None
    risk = risk_sets_of(rows, ask, deaths_in(ask), None)["risk"]
    ticks = np.array(ask.fixed["censored"], dtype=np.int64)
    left = left_sums(rows, beta, centre, faded=faded, ticks=ticks)
    return at_risk_sums(risk, left, ask.fixed["columns"])


def _influence_lanes(ask: Ask) -> tuple[Lane, ...]:
    return (Lane("products", (triangle(ask.fixed["columns"]),), REAL),)


def _influence(rows: Rows, ask: Ask) -> Arrays:
    faded, floats = faded_of(ask), ask.floats
    assert faded is not None
    ticks = np.array(ask.fixed["censored"], dtype=np.int64)
    found = influence(
        rows,
        floats["beta"],
        floats["centre"],
        deaths=deaths_in(ask),
        faded=faded,
        pooled=Increments(floats["mean"], floats["hazard"], floats["drift"], ticks),
        compensator=floats["compensator"],
    )
    return {"products": outer_products(found)}


def _own(rows: Rows, ask: Ask) -> tuple[Deaths, Censoring, Fading]:
    """Return a hospital's own death times, curve of censoring, and how its rows fade."""
    (course,) = courses(COUNTS.compute(rows, ask))
    deaths, censoring = deaths_of(rows, 1), censoring_of(course, ask.fixed["convention"])
    return deaths, censoring, fading(censoring, competing_ticks(course), deaths.ticks[0])


def _within(rows: Rows, ask: Ask) -> Arrays:
    deaths, _, faded = _own(rows, ask)
    beta, centre, efron = ask.floats["beta"], ask.floats["centre"], ask.fixed["efron"]
    with np.errstate(over="ignore", invalid="ignore"):
        sums = subdistribution_sums(rows, beta, centre, deaths=deaths, efron=efron, faded=faded)
        point = likelihood(sums, deaths, ask.fixed["columns"], efron=efron)
    large = exceeds(point.values(), LARGEST)
    kept = {name: np.zeros_like(values) if large else values for name, values in point.items()}
    return {**kept, "overflow": np.array([float(large)])}


def _influence_within(rows: Rows, ask: Ask) -> Arrays:
    (deaths, censoring, faded), p = _own(rows, ask), ask.fixed["columns"]
    beta, centre = ask.floats["beta"], ask.floats["centre"]
    sums = subdistribution_sums(rows, beta, centre, deaths=deaths, efron=False, faded=faded)
    left = left_sums(rows, beta, centre, faded=faded, ticks=censoring.tick)
    pooled = increments(
        at_risk_sums(sums["risk"], left, p),
        deaths,
        censoring,
        faded,
        estimated=bool(ask.fixed["estimated"]),
    )
    found = influence(
        rows,
        beta,
        centre,
        deaths=deaths,
        faded=faded,
        pooled=pooled,
        compensator=compensator(pooled, censoring),
    )
    return {"products": outer_products(found)}


AT_RISK: Final = Sum(
    name="fine_gray_at_risk",
    disclosure="C",
    gives="sums of covariates over those at risk at each event, and over those who have had a "
    "competing event: close to the covariates of single patients in a small study",
    lanes=_at_risk_lanes,
    compute=_at_risk,
)
INFLUENCE: Final = Sum(
    name="fine_gray_influence",
    disclosure="A",
    gives="squares and products of what each row adds to the score, over all rows",
    lanes=_influence_lanes,
    compute=_influence,
)
WITHIN_SITE: Final = Sum(
    name="fine_gray_within_site",
    disclosure="A",
    gives="score, information and log-likelihood of subdistribution hazards within hospitals",
    lanes=point_lanes,
    compute=_within,
)
INFLUENCE_WITHIN: Final = Sum(
    name="fine_gray_influence_within_site",
    disclosure="A",
    gives="squares and products of what each row adds to its hospital's score, over all rows",
    lanes=_influence_lanes,
    compute=_influence_within,
)
