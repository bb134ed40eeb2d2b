"""Gray's test of equal cumulative incidence over groups, for one cause against all others.

At a time, group k has n_k at risk, d_k events of the cause and o_k of the others; S_k is its
survival free of any cause, F_k its incidence of the cause, both just before unless said. With
R_k = n_k (1 - F_k) / S_k and m = sum of d_k the score is

    z_k = sum over times of d_k - m R_k / sum of R_r                        Gray 1988, rho = 0

Its variance is that under equal incidences. Let h_k = n_k / S_k, H their sum, dF = m / H the
increment of the common incidence F, and

    a_kr = h_k (delta_kr - h_r / H)        c_kr = sum up to and with the time of a_kr dF / (1 - F)
    b_kr = c_kr(end) - c_kr                g_r = (1 - F after) / S_r after, 0 where S_r ends

A martingale increment of the cause in group r moves z_k by a_kr + (1 - g_r) b_kr over h_r, one of
another cause by -g_r b_kr over h_r, so that

    var z = sum of (a + (1 - g) b)(..)' t_1 dF / h_r  +  (g b)(..)' t_2 o_r / h_r^2

with factors for ties t_1 = 1 - (m - 1)/(H S_r - 1), t_2 = 1 - (o_r - 1)/(n_r - 1), 1 for a single
event (`cmprsk::cuminc`). Scores and variances add up over strata. chi-square = z' V^- z over all
groups but one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.counts import COUNTS, Course, courses
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.results import Cell, number
from site_agent.contract.frames import Floats, Rows
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.sums import Arrays, Ask, Lane, Sum

COLUMNS: Final = ("outcome", "statistic", "df", "p_value", "because")
SINGULAR: Final = 1e-10  # smallest eigenvalue of the scaled variance that is not rounding


@dataclass(frozen=True, slots=True)
class GrayTest:
    """The test of one cause; NaN throughout if there is none, and `because` says why."""

    outcome: str
    statistic: float
    df: int
    p_value: float
    because: str = ""

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        found = asdict(self)
        return {**found, "statistic": number(self.statistic), "p_value": number(self.p_value)}

    def cells(self) -> tuple[Cell, ...]:
        """Return the test as a row of COLUMNS."""
        document = self.document()
        return tuple(document[name] for name in COLUMNS)


@dataclass(frozen=True, slots=True)
class _Times:
    """The T times at which somebody leaves, as arrays (T, G): at risk, of the cause, of others."""

    at_risk: Floats
    own: Floats
    others: Floats


def gray_sums(strata: Sequence[Sequence[Course]], causes: int) -> Arrays:
    """Return rows (G,), events (C, G), scores (C, G), variances (C, G, G) over strata of groups."""
    groups = len(strata[0])
    found = {
        "rows": np.zeros(groups),
        "events": np.zeros((causes, groups)),
        "scores": np.zeros((causes, groups)),
        "variance": np.zeros((causes, groups, groups)),
    }
    for stratum in strata:
        found["rows"] += [course.rows for course in stratum]
        for cause in range(causes):
            times = _times(stratum, cause + 1)
            if not len(times.own):
                continue
            score, variance = _score(times)
            found["events"][cause] += times.own.sum(axis=0)
            found["scores"][cause] += score
            found["variance"][cause] += variance
    return found


def _times(stratum: Sequence[Course], cause: int) -> _Times:
    ticks = np.unique(np.concatenate([course.tick for course in stratum]))
    at_risk = np.stack([course.at_risk_at(ticks) for course in stratum], axis=1)
    own, others = np.zeros_like(at_risk), np.zeros_like(at_risk)
    for group, course in enumerate(stratum):
        places = np.searchsorted(ticks, course.tick)
        own[places, group] = course.left[cause]
        others[places, group] = course.n_event - course.left[cause]
    return _Times(at_risk, own, others)


def _before(values: Floats, start: float) -> Floats:
    """Return a step function's values just before each time, from those after it."""
    return np.concatenate([np.full((1, *values.shape[1:]), start), values[:-1]])


def _score(times: _Times) -> tuple[Floats, Floats]:
    """Return the score (G,) and its variance (G, G) of one stratum."""
    n, own = times.at_risk, times.own
    share = np.divide(1.0, n, out=np.zeros_like(n), where=n > 0)
    after = np.asarray(np.cumprod(1 - (own + times.others) * share, axis=0), dtype=np.float64)
    survival = _before(after, 1.0)
    incidence = _before(np.cumsum(survival * own * share, axis=0), 0.0)
    h = np.divide(n, survival, out=np.zeros_like(n), where=n > 0)
    m = own.sum(axis=1)
    risk = h * (1 - incidence)
    total = risk.sum(axis=1)
    expected = np.divide(m, total, out=np.zeros_like(m), where=total > 0)
    score = (own - expected[:, None] * risk).sum(axis=0)
    return score, _variance(times, after, survival, h)


def _variance(times: _Times, after: Floats, survival: Floats, h: Floats) -> Floats:
    """Return the variance of the score (G, G) under equal incidences."""
    m, total = times.own.sum(axis=1), h.sum(axis=1)
    increment = np.divide(m, total, out=np.zeros_like(m), where=total > 0)
    common = np.cumsum(increment)
    alive = 1 - _before(common, 0.0)
    hazard = np.divide(increment, alive, out=np.zeros_like(m), where=alive > 0)
    groups = h.shape[1]
    a = h[:, :, None] * (
        np.eye(groups) - np.divide(h, total[:, None], out=np.zeros_like(h), where=h > 0)[:, None, :]
    )
    c = np.cumsum(a * hazard[:, None, None], axis=0)
    b = c[-1] - c
    ends = 1 - common[:, None]
    g = np.divide(ends, after, out=np.zeros_like(h), where=after > 0)[:, None, :]
    inverse = np.divide(1.0, h, out=np.zeros_like(h), where=h > 0)
    of_cause = _tied(m[:, None], total[:, None] * survival) * increment[:, None] * inverse
    of_others = _tied(times.others, times.at_risk) * times.others * inverse**2
    own, other = a + (1 - g) * b, g * b
    return np.asarray(
        np.einsum("tkr,tlr,tr->kl", own, own, of_cause)
        + np.einsum("tkr,tlr,tr->kl", other, other, of_others)
    )


def _tied(events: Floats, at_risk: Floats) -> Floats:
    """Return 1 - (events - 1)/(at risk - 1) where there is more than one event, else 1."""
    tied = (events > 1) & (at_risk > 1)
    part = np.divide(events - 1, at_risk - 1, out=np.zeros(tied.shape), where=tied)
    return np.asarray(1 - part)


def gray_tests(sums: Arrays, outcomes: Sequence[str]) -> tuple[GrayTest, ...]:
    """Return the test of each cause over the groups that have rows; none for a single group."""
    groups = np.flatnonzero(sums["rows"] > 0)
    if len(groups) < 2:
        return ()
    block = np.ix_(groups, groups)
    return tuple(
        _test(outcome, sums["events"][k], sums["scores"][k][groups], sums["variance"][k][block])
        for k, outcome in enumerate(outcomes)
    )


def _test(outcome: str, events: Floats, score: Floats, variance: Floats) -> GrayTest:
    df = len(score) - 1
    if not events.sum():
        return _none(outcome, df, "nobody has an event of this cause; there is nothing to compare")
    scale = np.sqrt(np.maximum(np.diag(variance)[1:], 0.0))
    if not (scale > 0).all() or _smallest(variance[1:, 1:], scale) < SINGULAR:
        return _none(
            outcome,
            df,
            "the variance of the scores is singular: a group is not at risk together with others "
            "when an event happens; join groups",
        )
    statistic = float(score[1:] @ np.linalg.solve(variance[1:, 1:], score[1:]))
    return GrayTest(outcome, statistic, df, chi_square_p(statistic, df))


def _smallest(variance: Floats, scale: Floats) -> float:
    """Return the smallest eigenvalue of a variance scaled to a diagonal of 1."""
    return float(np.linalg.eigvalsh(variance / np.outer(scale, scale))[0])


def _none(outcome: str, df: int, because: str) -> GrayTest:
    return GrayTest(outcome, math.nan, df, math.nan, because)


def by_stratum(every: Sequence[Course], by: int) -> list[list[Course]]:
    """Return the courses of the groups of each stratum."""
    return [list(every[start : start + by]) for start in range(0, len(every), by)]


def _lanes(ask: Ask) -> tuple[Lane, ...]:
    causes, groups = ask.fixed["causes"], ask.fixed["by"]
    return (
        Lane("rows", (groups,), COUNT),
        Lane("events", (causes, groups), COUNT),
        Lane("scores", (causes, groups), REAL),
        Lane("variance", (causes, groups, groups), REAL),
    )


def _within(rows: Rows, ask: Ask) -> Arrays:
    every = courses(COUNTS.compute(rows, ask))
    return gray_sums(by_stratum(every, ask.fixed["by"]), ask.fixed["causes"])


WITHIN_SITE: Final = Sum(
    name="gray_within_site",
    disclosure="A",
    gives="events, scores and variances of Gray's tests within hospitals, over all of them",
    lanes=_lanes,
    compute=_within,
)
