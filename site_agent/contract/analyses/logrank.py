"""The kind `logrank`: the log-rank test over groups, stratified by columns or by hospital.

At each time with d events among n at risk, d_g and n_g of them in group g:

    O_g = sum of w d_g
    E_g = sum of w d n_g / n
    V_gh = sum of w^2 d (n - d) / (n - 1) (n_g / n) (delta_gh - n_h / n)

with w = S(t-)^rho, S the Kaplan-Meier curve of all groups of the stratum (Harrington and Fleming
1982): 1 for the log-rank test, rho = 0; S for Peto and Peto's, rho = 1. Each is summed over strata;
chi-square = (O - E)' V^- (O - E) over all groups but one that have E > 0 (Mantel 1966, Peto and
Peto 1972; `survdiff`). The variance is hypergeometric, so that with rho = 0 it is the score test of
the Cox model with exact ties. With hospitals as strata each hospital forms its own O, E and V: only
their totals open (class A).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.counts import (
    COUNTS,
    LEFT_OUT,
    Course,
    counts_ask,
    courses,
)
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld, frame_of
from site_agent.contract.analyses.results import Tidy
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Frame, Rows
from site_agent.contract.rows import levels_of
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import SITE, Analysis, Study
from site_agent.contract.sums import Arrays, Ask, Disclosure, Estimator, Lane, Sum


@dataclass(frozen=True, slots=True)
class LogRank:
    """A log-rank test: per group rows, observed and expected; var is (G, G).

    observed counts events; weighted and expected are sums with the weights of rho.
    """

    by: str
    strata: tuple[str, ...]
    groups: tuple[str, ...]
    rows: Floats
    observed: Floats
    expected: Floats
    variance: Floats
    statistic: float
    df: int
    p_value: float
    patients: int
    left_out: Mapping[str, int]
    rho: float
    weighted: Floats

    def document(self) -> dict[str, Any]:
        """Return all of it as JSON."""
        return {
            "by": self.by,
            "strata": list(self.strata),
            "groups": list(self.groups),
            "rows": self.rows.tolist(),
            "observed": self.observed.tolist(),
            "expected": self.expected.tolist(),
            "variance": self.variance.tolist(),
            "statistic": self.statistic,
            "df": self.df,
            "p_value": self.p_value,
            "patients": self.patients,
            "left_out": dict(self.left_out),
            "rho": self.rho,
            "weighted": self.weighted.tolist(),
        }

    def tables(self) -> Mapping[str, Tidy]:
        """Return `groups` and `test`."""
        groups = zip(
            self.groups,
            (int(rows) for rows in self.rows),
            (int(observed) for observed in self.observed),
            self.expected.tolist(),
            self.weighted.tolist(),
            strict=True,
        )
        return {
            "groups": Tidy(("strata", "n", "observed", "expected", "weighted"), tuple(groups)),
            "test": Tidy(
                ("statistic", "df", "p_value"), ((self.statistic, self.df, self.p_value),)
            ),
        }


def score_sums(strata: Sequence[Sequence[Course]], rho: float = 0.0) -> Arrays:
    """Return rows, observed, weighted, expected (G,) each, and variance (G, G) over strata."""
    groups = len(strata[0])
    names = ("rows", "observed", "weighted", "expected")
    found: dict[str, Floats] = {name: np.zeros(groups) for name in names}
    found["variance"] = np.zeros((groups, groups))
    for stratum in strata:
        found["rows"] += [course.rows for course in stratum]
        surviving = 1.0
        for d_group, n_group in _event_times(stratum):
            d, n = d_group.sum(), n_group.sum()
            weight, share = surviving**rho, n_group / n
            found["observed"] += d_group
            found["weighted"] += weight * d_group
            found["expected"] += weight * d * share
            surviving *= (n - d) / n
            if n > 1:
                factor = weight**2 * d * (n - d) / (n - 1)
                found["variance"] += factor * (np.diag(share) - np.outer(share, share))
    return found


def _event_times(stratum: Sequence[Course]) -> list[tuple[Floats, Floats]]:
    """Return (events, at risk) by group, (G,) each, at every time with an event of cause 1."""
    ticks = np.unique(np.concatenate([c.tick[c.left[1] > 0] for c in stratum]))
    at_risk = np.stack([course.at_risk_at(ticks) for course in stratum])
    events = np.zeros_like(at_risk)
    for group, course in enumerate(stratum):
        events[group, np.searchsorted(ticks, course.tick[course.left[1] > 0])] = course.left[1][
            course.left[1] > 0
        ]
    return [(events[:, k], at_risk[:, k]) for k in range(len(ticks))]


def _stratified(totals: Arrays, by: int) -> list[list[Course]]:
    every = courses(totals)
    return [every[start : start + by] for start in range(0, len(every), by)]


def _within_lanes(ask: Ask) -> tuple[Lane, ...]:
    groups = ask.fixed["by"]
    return (
        Lane("rows", (groups,), COUNT),
        Lane("observed", (groups,), COUNT),
        Lane("weighted", (groups,), REAL),
        Lane("expected", (groups,), REAL),
        Lane("variance", (groups, groups), REAL),
        Lane("left_out", (len(LEFT_OUT),), COUNT),
        Lane("patients", (1,), COUNT),
    )


def _within(rows: Rows, ask: Ask) -> Arrays:
    counted = COUNTS.compute(rows, ask)
    own = {name: counted[name] for name in ("left_out", "patients")}
    rho = float(ask.floats["rho"][0])
    return {**score_sums(_stratified(counted, ask.fixed["by"]), rho), **own}


WITHIN_SITE: Final = Sum(
    name="logrank_within_site",
    disclosure="A",
    gives="observed, expected and variance of a log-rank test within hospitals, over all of them",
    lanes=_within_lanes,
    compute=_within,
)


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    rows, table = context.rows(fields)
    by = context.category(fields, "by", table)
    if by is None and "by" not in fields.named:
        fields.issue("'by' is missing: the groups to compare")
    return {
        **rows,
        "by": by,
        "strata": context.strata(fields, table, instead="for hospitals as strata: by_site: true"),
        "by_site": fields.flag("by_site"),
        "rho": _read_rho(fields),
    }


def _read_rho(fields: Fields) -> float:
    """Read `rho`, one number of at least 0."""
    found = fields.numbers("rho", least=0) or [0.0]
    if len(found) > 1:
        fields.issue("rho: expected one number", fields.named["rho"])
    return found[0]


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    if options["by_site"]:
        return (("A", "observed, expected and variance by group, summed over hospitals"),)
    return (("B", f"how many leave at each time, by cause, in each group of {options['by']}"),)


def _frame(study: Study, analysis: Analysis) -> Frame:
    options = analysis.options
    return frame_of(study, options, by=options["by"], strata=tuple(options["strata"]))


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    return (_frame(study, analysis),)


def _logrank(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    options = analysis.options
    frame = _frame(study, analysis)
    ask = counts_ask(study, frame)
    if options["by_site"]:
        rho = np.array([options["rho"]])
        (answer,) = yield (Ask(WITHIN_SITE.name, frame, ask.fixed, {"rho": rho}),)
        sums = answer.totals
    else:
        (answer,) = yield (ask,)
        sums = score_sums(_stratified(answer.totals, ask.fixed["by"]), options["rho"])
    statistic, df = _chi_square(sums)
    return LogRank(
        by=options["by"],
        strata=(*options["strata"], *([SITE] if options["by_site"] else [])),
        groups=levels_of(study, frame.table, frame.by),
        rows=sums["rows"],
        observed=sums["observed"],
        expected=sums["expected"],
        variance=sums["variance"],
        statistic=statistic,
        df=df,
        p_value=chi_square_p(statistic, df),
        patients=int(answer.totals["patients"][0]),
        left_out=left_out(answer.totals["left_out"]),
        rho=options["rho"],
        weighted=sums["weighted"],
    )


def _chi_square(sums: Arrays) -> tuple[float, int]:
    """Return the statistic and its degrees of freedom; AnalysisError if there is no test."""
    compared = np.flatnonzero(sums["expected"] > 0)
    if len(compared) < 2:
        raise AnalysisError(
            "fewer than two groups are at risk when an event happens; there is nothing to compare"
        )
    kept = compared[1:]
    difference = (sums["weighted"] - sums["expected"])[kept]
    variance = sums["variance"][np.ix_(kept, kept)]
    try:
        solved = np.linalg.solve(variance, difference)
    except np.linalg.LinAlgError:
        solved = np.full(len(kept), math.nan)
    statistic = float(difference @ solved)
    if not math.isfinite(statistic):
        raise AnalysisError(
            "the variance of observed less expected is singular: groups are never at risk together"
        )
    return statistic, len(kept)


LOGRANK: Final = Kind("logrank", _read, _uses, _frames, _logrank, (COUNTS, WITHIN_SITE))
