"""The kind `fine_gray`: hazards of a subdistribution, with competing causes as Fine and Gray.

A fit takes one round for counts and moments, one for each point of Newton's method, and for a
variance other than the model's two more, one with `baseline: by_site`.

baseline pooled: one curve of censoring and one risk set over all hospitals. Counts by time open
(class B), and with them the weights; sums over the risk sets are sealed (class A) or open (class
C), as those of a Cox model. Variances that take pairs of times need them open to the hospitals
too. baseline by_site: each hospital has its own curve of censoring and risk sets, and only
totals open (class A).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from site_agent.contract.analyses.counts import COUNTS, counts_ask, courses
from site_agent.contract.analyses.cox import MOST_SEALED, covariance_of, refuse_without_events
from site_agent.contract.analyses.cox_sealed import SEALED_RISK_SETS
from site_agent.contract.analyses.cox_sums import DEATHS, MOMENTS, RISK_SETS
from site_agent.contract.analyses.cox_together import together
from site_agent.contract.analyses.fine_gray_influence import compensator, increments
from site_agent.contract.analyses.fine_gray_options import point_sum, read, seals, uses
from site_agent.contract.analyses.fine_gray_results import Counted, FineGrayFit, fitted
from site_agent.contract.analyses.fine_gray_sums import (
    AT_RISK,
    INFLUENCE,
    INFLUENCE_WITHIN,
    WITHIN_SITE,
)
from site_agent.contract.analyses.kind import Kind, Options, Withheld, frame_of
from site_agent.contract.analyses.newton import Maximum, Monotone, maximise
from site_agent.contract.analyses.risk_sets import DEATH, Deaths, triangle, unpack
from site_agent.contract.analyses.separation import monotone_words, refuse_separation
from site_agent.contract.analyses.subdistribution import (
    Censoring,
    Fading,
    censoring_of,
    competing_ticks,
    fading,
)
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Frame
from site_agent.contract.rows import design_columns
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Estimator

Variance = Generator[tuple[Ask, ...], tuple[Answer, ...], Floats]


@dataclass(frozen=True, slots=True)
class Pooled:
    """What everybody knows of the pooled rows by time: deaths, censoring, how rows fade."""

    deaths: Deaths
    censoring: Censoring
    faded: Fading


def _pooled(convention: str, counts: Arrays, deaths: Floats) -> Pooled:
    """Return what counts by time tell, deaths (ticks,) being those of the model's own rows."""
    (course,) = courses(counts)
    ticks = np.flatnonzero(deaths)
    own = Deaths((ticks,), deaths[ticks].astype(np.int64))
    censoring = censoring_of(course, convention)
    if not censoring.before(competing_ticks(course)).all():
        raise AnalysisError(
            "at some time all who are under observation have only just entered, so that those with "
            "an earlier competing event have no weight; take a cohort with a later entry"
        )
    return Pooled(own, censoring, fading(censoring, competing_ticks(course), ticks))


def _fine_gray(study: Study, analysis: Analysis, withheld: Withheld) -> Estimator:
    for because in withheld.values():
        raise AnalysisError(because)
    options, (frame, *_) = analysis.options, _frames(study, analysis)
    columns = tuple((c, design_columns(study, frame.table, c)) for c in frame.covariates)
    terms = tuple(name for _, names in columns for name in names)
    answers = yield (
        Ask(MOMENTS.name, frame, {"columns": len(terms)}, {}),
        *_by_time(study, analysis),
    )
    known = answers[0].totals
    refuse_without_events(known)
    refuse_separation(study, frame.table, columns, known)
    centre = known["sum"] / known["rows"][0]
    pooled = None
    if options["baseline"] == "pooled":
        counts, deaths = answers[1].totals, answers[1].totals["left"][DEATH, 0]
        deaths = answers[2].totals["deaths"][0] if len(answers) > 2 else deaths
        pooled = _pooled(options["convention"], counts, deaths)
    point = _point(frame, options, len(terms), centre, pooled, counts_ask(study, frame))
    patients = int(known["patients"][0])
    most = together(study, analysis).most_points(patients, len(terms))
    maximum = yield from _maximum(point, known, centre, terms, most=most)
    variance = yield from _variance(options, maximum, point, pooled)
    return _fitted(options, maximum, terms, known, variance)


def _by_time(study: Study, analysis: Analysis) -> tuple[Ask, ...]:
    """Return the asks for counts by time: for the curve of censoring, and for deaths if apart."""
    frame, *further = _frames(study, analysis)
    if analysis.options["baseline"] == "by_site":
        return ()
    if not further:
        return (counts_ask(study, frame),)
    deaths = Ask(DEATHS.name, frame, {"strata": 1, "ticks": study.time.ticks}, {})
    return (counts_ask(study, further[0]), deaths)


def _fitted(
    options: Options, maximum: Maximum, terms: tuple[str, ...], known: Arrays, variance: Floats
) -> FineGrayFit:
    rows, patients, events = (int(known[name][0]) for name in ("rows", "patients", "events"))
    counted = Counted(rows, patients, events, left_out(known["left_out"]))
    return fitted(maximum, terms, options, counted=counted, variance=variance)


def _maximum(
    point: Callable[[Floats], Ask],
    known: Arrays,
    centre: Floats,
    terms: tuple[str, ...],
    *,
    most: int,
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Maximum]:
    products = unpack(known["products"], len(terms)) / known["rows"][0]
    try:
        return (
            yield from maximise(
                point, covariance_of(products, centre), int(known["events"][0]), most=most
            )
        )
    except Monotone as monotone:
        raise AnalysisError(monotone_words(terms, monotone)) from None


def _point(
    frame: Frame,
    options: Options,
    columns: int,
    centre: Floats,
    pooled: Pooled | None,
    counts: Ask,
) -> Callable[[Floats], Ask]:
    """Return what asks for a point of the likelihood at beta."""
    fixed = {"columns": columns, "strata": 1, "efron": options["ties"] == "efron"}
    public = {"centre": centre}
    if pooled is None:
        fixed |= {**counts.fixed, "convention": options["convention"]}
    else:
        _refuse_large(options, pooled, columns)
        ticks = pooled.deaths.ticks[0]
        fixed |= {"deaths": [ticks.tolist()], "ties": pooled.deaths.ties.tolist()}
        fixed |= {"competing": pooled.faded.ticks.tolist()}
        public |= {"leaving": pooled.faded.leaving, "staying": pooled.faded.staying}

    def ask(beta: Floats) -> Ask:
        return Ask(point_sum(options).name, frame, fixed, {"beta": beta, **public})

    return ask


def _refuse_large(options: Options, pooled: Pooled, columns: int) -> None:
    ties = pooled.deaths.ties
    times = int(ties.sum()) if options["ties"] == "efron" else len(ties)
    numbers = times * (1 + columns + triangle(columns))
    if options["risk_sets"] == "sealed" and numbers > MOST_SEALED:
        raise AnalysisError(
            f"{times} times of events and {columns} columns make {numbers} sealed numbers for each "
            f"point of the fit, more than {MOST_SEALED}. Choose baseline: by_site; or a coarser "
            f"'grid' of times; or risk_sets: open, if the stewards accept class C"
        )


def _variance(
    options: Options, maximum: Maximum, point: Callable[[Floats], Ask], pooled: Pooled | None
) -> Variance:
    """Return the variance of the estimate, (p, p); that of the model takes no round."""
    if options["variance"] == "model":
        return maximum.variance
    ask = point(np.where(maximum.aliased, 0.0, maximum.estimate))
    estimated = options["variance"] == "fine_gray"
    if pooled is None:
        within = {**ask.fixed, "estimated": int(estimated)}
        (answer,) = yield (replace(ask, sum=INFLUENCE_WITHIN.name, fixed=within),)
    else:
        (answer,) = yield from _influences(ask, pooled, estimated=estimated)
    products = unpack(answer.totals["products"], len(maximum.estimate))
    return np.asarray(maximum.variance @ products @ maximum.variance)


def _influences(
    ask: Ask, pooled: Pooled, *, estimated: bool
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], tuple[Answer, ...]]:
    """Ask for the sums over risk sets, then for the products of what each row adds."""
    ticks = pooled.censoring.tick.tolist() if estimated else []
    fixed = {**ask.fixed, "censored": ticks}
    (answer,) = yield (replace(ask, sum=AT_RISK.name, fixed=fixed),)
    found = increments(
        answer.totals, pooled.deaths, pooled.censoring, pooled.faded, estimated=estimated
    )
    parts = {
        "mean": found.mean,
        "hazard": found.hazard,
        "drift": found.drift,
        "compensator": compensator(found, pooled.censoring),
    }
    fixed = {**ask.fixed, "censored": pooled.censoring.tick.tolist()}
    floats = {**ask.floats, **parts}
    return (yield (replace(ask, sum=INFLUENCE.name, fixed=fixed, floats=floats),))


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    options = analysis.options
    own = frame_of(study, options, covariates=tuple(options["covariates"]))
    return (own, frame_of(study, options)) if options["censoring_rows"] == "endpoint" else (own,)


_SUMS: Final = (
    *(COUNTS, MOMENTS, DEATHS, SEALED_RISK_SETS, RISK_SETS),
    *(AT_RISK, INFLUENCE, WITHIN_SITE, INFLUENCE_WITHIN),
)

FINE_GRAY: Final = Kind(
    "fine_gray", read, uses, _frames, _fine_gray, _SUMS, seals=seals, further=("censoring",)
)
