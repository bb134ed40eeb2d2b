"""The kinds `cox` and `cox_screen`: cause-specific proportional hazards over hospitals.

A fit takes one round for counts and moments and one for each point of Newton's method.

baseline by_site: each hospital is a stratum of its own, forms its own score, information and
log-likelihood, and only their totals open (class A).
baseline pooled: one risk set over all hospitals. Sums over those at risk open to the
coordinator at every death (class C), which reduces them to score, information and
log-likelihood; sites and log see only these.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.counts import LEFT_OUT
from site_agent.contract.analyses.cox_results import CoxFit, CoxScreen, Wanted, fitted
from site_agent.contract.analyses.kind import Context, Kind, Options
from site_agent.contract.analyses.newton import Monotone, maximise
from site_agent.contract.analyses.results import Failure
from site_agent.contract.analyses.risk_sets import (
    DEATH,
    Deaths,
    deaths_of,
    likelihood,
    risk_set_sums,
    triangle,
)
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Frame, Rows
from site_agent.contract.lockstep import lockstep
from site_agent.contract.rows import design_columns, levels_of
from site_agent.contract.securesum.fixedpoint import COUNT, REAL
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import SITE, Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Disclosure, Estimator, Lane, Sum

TIES: Final = ("efron", "breslow")
BASELINES: Final = ("pooled", "by_site")
COMPLETE: Final = ("per_model", "common")
LARGEST: Final = 2.0**100  # of a number in a share of the likelihood; a lane holds 2^126


def _moments_lanes(ask: Ask) -> tuple[Lane, ...]:
    p = ask.fixed["columns"]
    return (
        Lane("rows", (1,), COUNT),
        Lane("patients", (1,), COUNT),
        Lane("events", (1,), COUNT),
        Lane("left_out", (len(LEFT_OUT),), COUNT),
        Lane("sum", (p,), REAL),
        Lane("squares", (p,), REAL),
        Lane("event_sum", (p,), REAL),
        Lane("not_binary", (p,), COUNT),
    )


def _moments(rows: Rows, _: Ask) -> Arrays:
    dies = rows.cause == DEATH
    binary = (rows.design == 0) | (rows.design == 1)
    return {
        "rows": np.array([float(len(rows))]),
        "patients": np.array([float(rows.patients)]),
        "events": np.array([float(dies.sum())]),
        "left_out": np.array([float(rows.left_out.get(reason, 0)) for reason in LEFT_OUT]),
        "sum": rows.design.sum(axis=0),
        "squares": (rows.design**2).sum(axis=0),
        "event_sum": rows.design[dies].sum(axis=0),
        "not_binary": (~binary).sum(axis=0).astype(np.float64),
    }


def _death_lanes(ask: Ask) -> tuple[Lane, ...]:
    return (Lane("deaths", (ask.fixed["strata"], ask.fixed["ticks"]), COUNT),)


def _death_counts(rows: Rows, ask: Ask) -> Arrays:
    counts = np.zeros((ask.fixed["strata"], ask.fixed["ticks"]))
    dies = rows.cause == DEATH
    np.add.at(counts, (rows.stratum[dies], rows.time[dies]), 1.0)
    return {"deaths": counts}


def _point_lanes(ask: Ask) -> tuple[Lane, ...]:
    p = ask.fixed["columns"]
    return (
        Lane("loglik", (1,), REAL),
        Lane("score", (p,), REAL),
        Lane("information", (triangle(p),), REAL),
        Lane("overflow", (1,), COUNT),
    )


def _risk_set_lanes(ask: Ask) -> tuple[Lane, ...]:
    p, deaths = ask.fixed["columns"], _deaths(ask)
    width = 1 + p + triangle(p)
    tied = len(deaths.tied) if ask.fixed["efron"] else 0
    return (
        Lane("risk", (len(deaths.ties), width), REAL),
        Lane("tied", (tied, width), REAL),
        Lane("eta", (1,), REAL),
        Lane("covariates", (p,), REAL),
        Lane("overflow", (1,), COUNT),
    )


def _deaths(ask: Ask) -> Deaths:
    ticks = tuple(np.array(times, dtype=np.int64) for times in ask.fixed["deaths"])
    return Deaths(ticks, np.array(ask.fixed["ties"], dtype=np.int64))


def _risk_sets(rows: Rows, ask: Ask) -> Arrays:
    return _guarded(_risk_set_sums(rows, ask, _deaths(ask)))


def _risk_set_sums(rows: Rows, ask: Ask, deaths: Deaths) -> Arrays:
    beta, centre = ask.floats["beta"], ask.floats["centre"]
    with np.errstate(over="ignore", invalid="ignore"):
        return risk_set_sums(rows, beta, centre, deaths=deaths, efron=ask.fixed["efron"])


def _guarded(arrays: Arrays) -> Arrays:
    """Return arrays with a flag; all zero and flagged if a number is too large for a lane.

    A step of Newton's method that goes too far then counts as one that lowers the likelihood,
    instead of ending the release.
    """
    large = not all(bool(np.all(np.abs(values) < LARGEST)) for values in arrays.values())
    kept = {name: np.zeros_like(values) if large else values for name, values in arrays.items()}
    return {**kept, "overflow": np.array([float(large)])}


def _reduce(totals: Arrays, ask: Ask) -> Arrays:
    p = ask.fixed["columns"]
    if totals["overflow"][0]:
        zeros = {"loglik": np.zeros(1), "score": np.zeros(p), "information": np.zeros(triangle(p))}
        return {**zeros, "overflow": totals["overflow"]}
    point = likelihood(totals, _deaths(ask), p, efron=ask.fixed["efron"])
    return {**point, "overflow": totals["overflow"]}


def _within_site(rows: Rows, ask: Ask) -> Arrays:
    deaths = deaths_of(rows, ask.fixed["strata"])
    sums = _risk_set_sums(rows, ask, deaths)
    with np.errstate(over="ignore", invalid="ignore"):
        point = likelihood(sums, deaths, ask.fixed["columns"], efron=ask.fixed["efron"])
    return _guarded(point)


MOMENTS: Final = Sum(
    name="cox_moments",
    disclosure="A",
    gives="rows, events, sums and squares of each covariate, and its sum over events",
    lanes=_moments_lanes,
    compute=_moments,
)
DEATHS: Final = Sum(
    name="cox_deaths",
    disclosure="B",
    gives="how many have the event at each time, by stratum, without covariates",
    lanes=_death_lanes,
    compute=_death_counts,
)
RISK_SETS: Final = Sum(
    name="cox_risk_sets",
    disclosure="C",
    gives="sums of covariates over those at risk at each event: close to the covariates "
    "of single patients in a small study",
    lanes=_risk_set_lanes,
    compute=_risk_sets,
    reduce=_reduce,
    reduced_lanes=_point_lanes,
)
WITHIN_SITE: Final = Sum(
    name="cox_within_site",
    disclosure="A",
    gives="score, information and log-likelihood within hospitals, over all of them",
    lanes=_point_lanes,
    compute=_within_site,
)


@dataclass(frozen=True, slots=True)
class Model:
    """One model to fit: its rows, and the names of its design columns by covariate."""

    frame: Frame
    columns: tuple[tuple[str, tuple[str, ...]], ...]
    strata: int
    ties: str
    baseline: str
    conf_level: float

    @property
    def terms(self) -> tuple[str, ...]:
        """Return the names of all design columns in order."""
        return tuple(name for _, names in self.columns for name in names)


def _model(study: Study, frame: Frame, options: Options) -> Model:
    return Model(
        frame=frame,
        columns=tuple((c, design_columns(study, frame.table, c)) for c in frame.covariates),
        strata=math.prod(len(levels_of(study, frame.table, name)) for name in frame.strata),
        ties=options["ties"],
        baseline=options["baseline"],
        conf_level=options["conf_level"],
    )


def fit(study: Study, model: Model) -> Generator[tuple[Ask, ...], tuple[Answer, ...], CoxFit]:
    """Fit one model; AnalysisError in words if it has no estimate."""
    terms = model.terms
    asks = [Ask(MOMENTS.name, model.frame, {"columns": len(terms)}, {})]
    if model.baseline == "pooled":
        grid = {"strata": model.strata, "ticks": study.time.ticks}
        asks.append(Ask(DEATHS.name, model.frame, grid, {}))
    answers = yield tuple(asks)
    known = answers[0].totals
    _refuse_without_events(known)
    _refuse_separation(study, model, known)
    rows, events = known["rows"][0], int(known["events"][0])
    centre = known["sum"] / rows
    spread = _spread(known["squares"] / rows, centre)
    name, fixed = _points(model, answers)

    def ask(beta: Floats) -> Ask:
        return Ask(name, model.frame, fixed, {"beta": beta, "centre": centre})

    try:
        maximum = yield from maximise(ask, spread, events)
    except Monotone as monotone:
        raise AnalysisError(_monotone_words(terms, monotone)) from None
    return fitted(
        maximum,
        terms,
        Wanted(model.ties, model.baseline, model.frame.strata, model.conf_level),
        counts=(int(rows), int(known["patients"][0]), events),
        left_out=left_out(known["left_out"]),
    )


def _spread(mean_square: Floats, centre: Floats) -> Floats:
    """Return standard deviations (p,); 0 for a column that is constant up to rounding."""
    variance = mean_square - centre**2
    return np.sqrt(np.where(variance > 1e-12 * mean_square, variance, 0.0))


def _points(model: Model, answers: tuple[Answer, ...]) -> tuple[str, Mapping[str, Any]]:
    """Return the sum that gives a point of the likelihood, and its fixed arguments."""
    fixed: dict[str, Any] = {
        "columns": len(model.terms),
        "strata": model.strata,
        "efron": model.ties == "efron",
    }
    if model.baseline == "by_site":
        return WITHIN_SITE.name, fixed
    counts = answers[1].totals["deaths"]
    ticks = [np.flatnonzero(stratum) for stratum in counts]
    ties = [int(n) for stratum, at in zip(counts, ticks, strict=True) for n in stratum[at]]
    return RISK_SETS.name, {
        **fixed,
        "deaths": [[int(tick) for tick in at] for at in ticks],
        "ties": ties,
    }


def _refuse_without_events(known: Arrays) -> None:
    if not known["rows"][0]:
        raise AnalysisError("no row has the endpoint and all covariates; nothing can be fitted")
    if not known["events"][0]:
        raise AnalysisError(
            "no event among the rows that have all covariates; the model has no estimate"
        )


def _refuse_separation(study: Study, model: Model, known: Arrays) -> None:
    """Raise AnalysisError if all events fall outside one group of a covariate."""
    rows, events = known["rows"][0], known["events"][0]
    start = 0
    for covariate, names in model.columns:
        block = slice(start, start + len(names))
        start += len(names)
        if known["not_binary"][block].any():
            continue
        members = _group_counts(study, model.frame.table, covariate, known["sum"][block], rows)
        dying = _group_counts(
            study, model.frame.table, covariate, known["event_sum"][block], events
        )
        for level, count in members.items():
            if count > 0 and dying[level] == 0:
                raise AnalysisError(
                    f"separated by {covariate}: none of the {int(events)} events happens in the "
                    f"group {level}, so its hazard ratio against another group has no finite "
                    f"estimate; leave the covariate out, join groups, or take a continuous one"
                )


def _group_counts(
    study: Study, table: str, covariate: str, indicators: Floats, total: float
) -> dict[str, float]:
    """Return counts by group from the sums of indicator columns, the reference group included.

    Columns that are no partition into groups (interactions) give none.
    """
    try:
        levels = levels_of(study, table, covariate)
    except AnalysisError:
        levels = ("0", "1") if len(indicators) == 1 else ()
    if len(levels) != len(indicators) + 1:
        return {}
    named = design_columns(study, table, covariate)
    if len(indicators) == 1 and named == (covariate,):
        return {
            f"{covariate} = {levels[0]}": total - float(indicators[0]),
            f"{covariate} = {levels[1]}": float(indicators[0]),
        }
    counts = {name: float(count) for name, count in zip(named, indicators, strict=True)}
    reference = next(lv for lv in levels if f"{covariate}={lv}" not in counts)
    return {f"{covariate}={reference}": total - sum(counts.values()), **counts}


def _monotone_words(terms: tuple[str, ...], monotone: Monotone) -> str:
    directions = ", ".join(
        f"{terms[k]} ({'upwards' if sign > 0 else 'downwards'})"
        for k, sign in zip(monotone.columns, monotone.signs, strict=True)
    )
    return (
        f"separated: the likelihood has no maximum, it keeps rising with the coefficient of "
        f"{directions}; the events are ordered by it, so no finite hazard ratio exists. Leave "
        f"the covariate out or join groups"
    )


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    endpoint = context.endpoint(fields)
    table = endpoint.table if endpoint else next(iter(context.scopes))
    strata = fields.named.get("strata")
    site_named = strata is not None and SITE in [item.value for item in fields.items("strata")]
    if site_named:
        fields.issue(
            "'site' is not a column; for a baseline of each hospital's own: baseline: by_site",
            strata,
        )
    return {
        "endpoint": endpoint.name if endpoint else "",
        "cohort": context.cohort(fields, table),
        "covariates": context.covariates(fields, table),
        "strata": [] if site_named else context.categories(fields, "strata", table),
        "ties": fields.choice("ties", TIES, default="efron"),
        "baseline": fields.choice("baseline", BASELINES, default="pooled"),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }


def _read_screen(fields: Fields, context: Context) -> dict[str, Any]:
    complete = fields.choice("complete", COMPLETE, default="per_model")
    return {**_read(fields, context), "complete": complete}


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    if options["baseline"] == "by_site":
        return (("A", WITHIN_SITE.gives),)
    return (("A", MOMENTS.gives), ("B", DEATHS.gives), ("C", RISK_SETS.gives))


def _frame(study: Study, options: Options, covariates: tuple[str, ...]) -> Frame:
    common = options.get("complete") == "common"
    return Frame(
        table=study.endpoints[options["endpoint"]].table,
        endpoint=options["endpoint"],
        cohort=options["cohort"],
        strata=tuple(options["strata"]),
        covariates=covariates,
        complete=tuple(options["covariates"]) if common else (),
    )


def _cox_frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    return (_frame(study, analysis.options, tuple(analysis.options["covariates"])),)


def _screen_frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    covariates = analysis.options["covariates"]
    return tuple(_frame(study, analysis.options, (name,)) for name in covariates)


def _cox(study: Study, analysis: Analysis) -> Estimator:
    (frame,) = _cox_frames(study, analysis)
    return (yield from fit(study, _model(study, frame, analysis.options)))


def _cox_screen(study: Study, analysis: Analysis) -> Estimator:
    frames = _screen_frames(study, analysis)
    models = {
        frame.covariates[0]: fit(study, _model(study, frame, analysis.options)) for frame in frames
    }
    outcomes: dict[str, CoxFit | Failure] = yield from lockstep(models)
    return CoxScreen(outcomes)


COX: Final = Kind("cox", _read, _uses, _cox_frames, _cox, (MOMENTS, DEATHS, RISK_SETS, WITHIN_SITE))
COX_SCREEN: Final = Kind(
    "cox_screen",
    _read_screen,
    _uses,
    _screen_frames,
    _cox_screen,
    (MOMENTS, DEATHS, RISK_SETS, WITHIN_SITE),
)
