"""The kinds `cox` and `cox_screen`: cause-specific proportional hazards over hospitals.

A fit takes one round for counts and moments, one for each point of Newton's method, and one to
three more for what follows from it (cox_following.py).

baseline by_site: each hospital is a stratum of its own, forms its own score, information and
log-likelihood, and only their totals open (class A).
baseline pooled: one risk set over all hospitals. Death times open (class B). Sums over those at
risk open to the coordinator at every death, blinded (risk_sets: sealed, class A) or in the clear
(risk_sets: open, class C); it reduces them to score, information and log-likelihood, and sites
and log see only these.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from site_agent.contract.analyses.counts import COUNTS, counts_ask
from site_agent.contract.analyses.cox_concordance import WITHIN_SITE as CONCORDANCE
from site_agent.contract.analyses.cox_following import following
from site_agent.contract.analyses.cox_further_options import cluster_of
from site_agent.contract.analyses.cox_maximum import best, profile_of
from site_agent.contract.analyses.cox_model import Model, model_of
from site_agent.contract.analyses.cox_options import read, read_screen, seals, uses
from site_agent.contract.analyses.cox_pairs import OUTLIVING, PAIR_SQUARES
from site_agent.contract.analyses.cox_results import CoxFit, CoxScreen, Wanted, fitted
from site_agent.contract.analyses.cox_robust import POOLED as ROBUST
from site_agent.contract.analyses.cox_robust import WITHIN_SITE as ROBUST_WITHIN_SITE
from site_agent.contract.analyses.cox_sealed import SEALED_RISK_SETS
from site_agent.contract.analyses.cox_sums import (
    DEATH_WEIGHTS,
    DEATHS,
    MOMENTS,
    RISK_SETS,
    WITHIN_SITE,
)
from site_agent.contract.analyses.cox_thirds import THIRDS, cubes
from site_agent.contract.analyses.death_predictors import DEATH_PREDICTORS
from site_agent.contract.analyses.functional_form import functional_form
from site_agent.contract.analyses.kind import Kind, Options, Withheld, frame_of
from site_agent.contract.analyses.open_risk_sets import OPEN_RISK_SETS
from site_agent.contract.analyses.results import Failure
from site_agent.contract.analyses.risk_sets import triangle, unpack
from site_agent.contract.analyses.score_residuals import COLUMN
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.analyses.weights import weighting_of
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats, Frame
from site_agent.contract.lockstep import by_covariate
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Estimator

MOST_SEALED: Final = 2**17  # numbers of 160 bytes a hospital sends for one point: 20 MB


def fit(study: Study, model: Model) -> Generator[tuple[Ask, ...], tuple[Answer, ...], CoxFit]:
    """Fit one model; AnalysisError in words if it has no estimate."""
    terms = model.terms
    asks = [Ask(MOMENTS.name, model.frame, {"columns": len(terms)}, {})]
    if model.baseline == "pooled":
        grid = {"strata": model.strata, "ticks": study.time.ticks}
        asks.append(Ask(DEATHS.name, model.frame, grid, {}))
        if model.frame.weighted:
            asks.append(Ask(DEATH_WEIGHTS.name, model.frame, grid, {}))
    if model.zph or model.baseline_at:
        asks.append(counts_ask(study, model.frame))
    answers = yield tuple(asks)
    known = answers[0].totals
    refuse_without_events(known)
    rows, events = known["rows"][0], int(known["events"][0])
    centre = known["sum"] / rows
    covariance = covariance_of(unpack(known["products"], len(terms)) / rows, centre)
    name, fixed = _points(model, answers)
    public = {"centre": centre, **_death_weights(model, answers)}

    def ask(beta: Floats) -> Ask:
        return Ask(name, model.frame, fixed, {"beta": beta, **public})

    highest = yield from best(study, model, known, ask, covariance)
    maximum = highest.maximum
    found = fitted(
        maximum,
        terms,
        Wanted(model.ties, model.baseline, model.frame.strata, model.conf_level),
        counts=(int(rows), int(known["patients"][0]), events),
        left_out=left_out(known["left_out"]),
        firth=highest.firth,
    )
    found = replace(
        found,
        firth_because=highest.because,
        profile=(yield from profile_of(model, known, ask, covariance, highest)),
        functional_form=functional_form(
            model.functional_form,
            model.blocks,
            maximum.estimate,
            maximum.variance,
            level=model.conf_level,
        ),
    )
    return (yield from following(study, model, found, maximum, ask, answers[-1].totals))


def covariance_of(mean_products: Floats, centre: Floats) -> Floats:
    """Return the covariance (p, p) of the columns; 0 for one that is constant up to rounding."""
    covariance = mean_products - np.outer(centre, centre)
    varies = np.diag(covariance) > 1e-12 * np.diag(mean_products)
    return np.where(np.outer(varies, varies), covariance, 0.0)


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
    fixed |= {"deaths": [[int(tick) for tick in at] for at in ticks], "ties": ties}
    if model.risk_sets == "open":
        return RISK_SETS.name, fixed
    _refuse_large(model, sum(ties) if fixed["efron"] else len(ties))
    return SEALED_RISK_SETS.name, fixed


def _death_weights(model: Model, answers: tuple[Answer, ...]) -> Arrays:
    """Return the mean weight of the dying at each pooled death time, if rows have weights."""
    if model.baseline == "by_site" or not model.frame.weighted:
        return {}
    deaths, weights = answers[1].totals["deaths"], answers[2].totals["weights"]
    return {"death_weights": weights[deaths > 0] / deaths[deaths > 0]}


def _refuse_large(model: Model, times: int) -> None:
    p = len(model.terms)
    numbers = times * (1 + p + triangle(p))
    if model.firth != "never":
        numbers += times * (1 + p + triangle(p) + cubes(p))
    if numbers > MOST_SEALED:
        raise AnalysisError(
            f"{times} {'deaths' if model.ties == 'efron' else 'death times'} and {p} columns make "
            f"{numbers} sealed numbers for each point of the fit, more than {MOST_SEALED}. "
            f"Choose baseline: by_site; or a coarser 'grid' of times with ties: breslow; or "
            f"risk_sets: open, if the stewards accept class C"
        )


def refuse_without_events(known: Arrays) -> None:
    """Raise AnalysisError if there is no row, or no event of interest; known are the moments."""
    if not known["rows"][0]:
        raise AnalysisError("no row has the endpoint and all covariates; nothing can be fitted")
    if not known["events"][0]:
        raise AnalysisError(
            "no event among the rows that have all covariates; the model has no estimate"
        )


def _frame(study: Study, options: Options, covariates: tuple[str, ...]) -> Frame:
    common = options.get("complete") == "common"
    return frame_of(
        study,
        options,
        strata=tuple(options["strata"]),
        covariates=covariates,
        weights=options["weights"],
        weighting=weighting_of(study, options),
        offset=options["offset"],
        cluster=options["cluster"] if cluster_of(options) == COLUMN else None,
        complete=tuple(options["covariates"]) if common else (),
    )


def _cox_frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    return (_frame(study, analysis.options, tuple(analysis.options["covariates"])),)


def _screen_frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    covariates = analysis.options["covariates"]
    return tuple(_frame(study, analysis.options, (name,)) for name in covariates)


def _cox(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    (frame,) = _cox_frames(study, analysis)
    return (yield from fit(study, model_of(study, frame, analysis)))


def _cox_screen(study: Study, analysis: Analysis, withheld: Withheld) -> Estimator:
    models: dict[str, CoxFit | Failure] = yield from by_covariate(
        _screen_frames(study, analysis),
        withheld,
        lambda frame: fit(study, model_of(study, frame, analysis)),
    )
    return CoxScreen(models)


_SUMS: Final = (
    *(COUNTS, MOMENTS, DEATHS, DEATH_WEIGHTS, SEALED_RISK_SETS, RISK_SETS, WITHIN_SITE),
    *(OPEN_RISK_SETS, ROBUST, ROBUST_WITHIN_SITE, CONCORDANCE),
    *(DEATH_PREDICTORS, OUTLIVING, PAIR_SQUARES),
    *THIRDS.values(),
)

COX: Final = Kind("cox", read, uses, _cox_frames, _cox, _SUMS, seals=seals)
COX_SCREEN: Final = Kind(
    "cox_screen",
    read_screen,
    uses,
    _screen_frames,
    _cox_screen,
    _SUMS,
    seals=seals,
    by_covariate=True,
)
