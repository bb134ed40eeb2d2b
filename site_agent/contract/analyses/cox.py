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

from site_agent.contract.analyses.cox_results import CoxFit, CoxScreen, Wanted, fitted
from site_agent.contract.analyses.cox_sums import DEATHS, MOMENTS, RISK_SETS, WITHIN_SITE
from site_agent.contract.analyses.kind import Context, Kind, Options, frame_of
from site_agent.contract.analyses.newton import Monotone, maximise
from site_agent.contract.analyses.results import Failure
from site_agent.contract.analyses.separation import monotone_words, refuse_separation
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Frame
from site_agent.contract.lockstep import lockstep
from site_agent.contract.rows import design_columns, levels_of
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Disclosure, Estimator

TIES: Final = ("efron", "breslow")
BASELINES: Final = ("pooled", "by_site")
COMPLETE: Final = ("per_model", "common")


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
    refuse_separation(study, model.frame.table, model.columns, known)
    rows, events = known["rows"][0], int(known["events"][0])
    centre = known["sum"] / rows
    spread = _spread(known["squares"] / rows, centre)
    name, fixed = _points(model, answers)

    def ask(beta: Floats) -> Ask:
        return Ask(name, model.frame, fixed, {"beta": beta, "centre": centre})

    try:
        maximum = yield from maximise(ask, spread, events)
    except Monotone as monotone:
        raise AnalysisError(monotone_words(terms, monotone)) from None
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


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    rows, table = context.rows(fields)
    return {
        **rows,
        "covariates": context.covariates(fields, table),
        "strata": context.strata(
            fields, table, instead="for a baseline of each hospital's own: baseline: by_site"
        ),
        "ties": fields.choice("ties", TIES, default="efron"),
        "baseline": fields.choice("baseline", BASELINES, default="pooled"),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }


def _read_screen(fields: Fields, context: Context) -> dict[str, Any]:
    complete = fields.choice("complete", COMPLETE, default="per_model")
    return {**_read(fields, context), "complete": complete}


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    if options["baseline"] == "by_site":
        return (("A", MOMENTS.gives), ("A", WITHIN_SITE.gives))
    return (("A", MOMENTS.gives), ("B", DEATHS.gives), ("C", RISK_SETS.gives))


def _frame(study: Study, options: Options, covariates: tuple[str, ...]) -> Frame:
    common = options.get("complete") == "common"
    return frame_of(
        study,
        options,
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
