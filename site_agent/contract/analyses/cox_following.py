"""What follows from a Cox fit, all parts side by side: equal questions are asked once.

- tests of proportionality, steps of the baseline hazard: 1 round
- robust errors: by_site 1, outer products; pooled 2, the open risk sets before them
- concordance: by_site 1, totals of counts; pooled 3 as a rule, see cox_pairs.py
- curves: 1, the open risk sets at the fit, the same that robust errors ask for
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np

from site_agent.contract.analyses.coefficients import Test, term_of
from site_agent.contract.analyses.concordance import Concordance
from site_agent.contract.analyses.cox_behind import behind
from site_agent.contract.analyses.cox_concordance import within_sites
from site_agent.contract.analyses.cox_further import Further, wald, with_robust
from site_agent.contract.analyses.cox_model import Model, strata_of
from site_agent.contract.analyses.cox_pairs import over_all
from site_agent.contract.analyses.cox_points import deaths_in
from site_agent.contract.analyses.cox_predict import (
    Predictor,
    at_times,
    baseline_curve,
    profiles_of,
)
from site_agent.contract.analyses.cox_results import CoxFit
from site_agent.contract.analyses.cox_robust import Robust, robust
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.newton import Maximum
from site_agent.contract.analyses.open_risk_sets import Increments, increments_of, opened
from site_agent.contract.analyses.results import Failure
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats
from site_agent.contract.lockstep import lockstep
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Answer, Arrays, Ask, Estimator

Points = Callable[[Floats], Ask]


def following(
    study: Study, model: Model, found: CoxFit, maximum: Maximum, ask: Points, counts: Arrays
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], CoxFit]:
    """Return the fit with what the model asks for behind it; counts are those by time, if any."""
    point = ask(np.asarray(np.where(maximum.aliased, 0.0, maximum.estimate)))
    profiles_of(study, model.frame, model.curves)  # what has no value ends the model before a round
    parts: dict[str, Estimator] = {}
    if model.zph or model.baseline_at:
        parts["behind"] = behind(study, model, found, maximum, ask, counts)
    if model.cluster:
        within = model.baseline == "by_site"
        parts["robust"] = robust(maximum, ask, cluster=model.cluster, within=within)
    if model.concordance:
        pairs = within_sites if model.baseline == "by_site" else over_all
        parts["concordance"] = pairs(point, model.cluster)
    if model.risk_sets == "open" and (model.curves or model.baseline_curve):
        parts["curves"] = _increments(opened(point))
    done = (yield from lockstep(parts)) if parts else {}
    for name in ("behind", "robust", "curves"):
        if isinstance(done.get(name), Failure):
            raise AnalysisError(done[name].because)
    found = done.get("behind", found)
    if "robust" in done:
        found = _made_robust(found, maximum, done["robust"])
    found = replace(found, further=_with_concordance(found.further, done.get("concordance")))
    if model.curves or model.baseline_curve:
        found = _with_curves(study, model, found, point, done.get("curves"))
    return found


def _increments(ask: Ask) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Increments]:
    (answer,) = yield (ask,)
    return increments_of(answer, ask)


def _with_concordance(further: Further, outcome: object) -> Further:
    if isinstance(outcome, Failure):
        return replace(further, concordance_withheld=outcome.because)
    return replace(further, concordance=outcome) if isinstance(outcome, Concordance) else further


def _made_robust(found: CoxFit, maximum: Maximum, outcome: Robust) -> CoxFit:
    """Return the fit with robust errors, intervals, Wald and score test, as summary.coxph."""
    names = tuple(term.term for term in found.terms)
    further = with_robust(found.further, outcome, names, found.variance, maximum.aliased)
    assert further.errors is not None
    level, df = found.wanted.conf_level, found.df
    terms = tuple(
        term_of(term.term, term.estimate, float(error), level)
        for term, error in zip(found.terms, further.errors, strict=True)
    )
    tests = tuple(
        Test("Wald", *wald(maximum.estimate, outcome.variance)) if test.name == "Wald" else test
        for test in found.tests
    )
    p_value = chi_square_p(outcome.score, df) if df else 1.0
    score = Test("robust score", outcome.score, df, p_value)
    return replace(
        found, terms=terms, variance=outcome.variance, tests=(*tests, score), further=further
    )


def _with_curves(
    study: Study, model: Model, found: CoxFit, point: Ask, shown: Increments | None
) -> CoxFit:
    """Return the fit with its predicted curves, at every death where risk sets have opened."""
    profiles, names = profiles_of(study, model.frame, model.curves), strata_of(study, model.frame)
    centre, beta = point.floats["centre"], point.floats["beta"]
    fit = Predictor(beta, found.variance, centre, found.wanted.conf_level)
    if shown is None:
        steps = (
            [] if found.baseline is None else [fit.at_steps(p, found.baseline) for p in profiles]
        )
        at = tuple(row for rows in steps for row in rows)
        return replace(found, further=replace(found.further, predicted_at=at))
    deaths, shift = deaths_in(point), float(centre @ beta)
    curves = {p.name: fit.curve(p, deaths, shown, names, study.time) for p in profiles}
    at = tuple(
        row
        for name, curve in curves.items()
        for row in at_times(curve, model.baseline_at, names, name)
    )
    base = baseline_curve(deaths, shown, shift, names, study.time) if model.baseline_curve else ()
    return replace(
        found,
        further=replace(
            found.further,
            predicted=tuple(row for curve in curves.values() for row in curve),
            predicted_at=at,
            baseline_curve=base,
        ),
    )
