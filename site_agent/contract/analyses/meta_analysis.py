"""The kind `meta_analysis`: hospitals fit their own Cox models, and only sums are pooled.

For each coefficient, from k hospitals with estimates b and weights w = 1 / SE^2 (meta_sums.py):

    fixed           b_F = sum w b / sum w,  SE = 1 / sqrt(sum w)
    heterogeneity   Q = sum w b^2 - (sum w b)^2 / sum w  on k - 1 degrees of freedom
                    H = sqrt(Q / (k - 1)),  I2 = max(0, (Q - (k - 1)) / Q)
    between         tau2 = max(0, (Q - (k - 1)) / (sum w - sum w^2 / sum w))
    random          b_R = sum v b / sum v,  SE = 1 / sqrt(sum v),  v = 1 / (SE^2 + tau2)
    prediction      b_R -+ t(k - 2) sqrt(tau2 + SE^2)

(DerSimonian and Laird 1986 for tau2; Higgins and Thompson 2002 for H and I2; Higgins, Thompson and
Spiegelhalter 2009 for the interval of prediction.)

A hospital's estimate must not come back. The four sums are as many equations about 2 k numbers,
and a hospital knows two of them: three contributing hospitals leave it four equations for four
numbers, which have one solution up to the names of the two. So at least four hospitals
contribute, and five where random effects add two more equations. The count opens first, and of
the sums only those that enough hospitals contribute to.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from typing import Any, Final

import numpy as np
from scipy.special import stdtrit

from site_agent.contract.analyses.coefficients import Term, term_of
from site_agent.contract.analyses.cox_options import TIES
from site_agent.contract.analyses.intervals import chi_square_p
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld, frame_of
from site_agent.contract.analyses.meta_results import Heterogeneity, MetaAnalysis, Pooled
from site_agent.contract.analyses.meta_sums import CONTRIBUTING, ESTIMATES, RANDOM
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Frame
from site_agent.contract.rows import design_columns, levels_of
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Disclosure, Estimator

LEAST_FIXED: Final = 4  # hospitals, so that none can work out the others
LEAST_RANDOM: Final = 5
LEAST_EVENTS: Final = 5
NOWHERE: Final = "not estimable: in every hospital constant, or a combination of those before it"


def read(fields: Fields, context: Context) -> dict[str, Any]:
    """Read the options in canonical form."""
    rows, table = context.rows(fields)
    return {
        **rows,
        "covariates": context.covariates_of(fields, table, rows["endpoint"]),
        "strata": context.strata(
            fields, table, instead="every hospital has a baseline of its own already"
        ),
        "ties": fields.choice("ties", TIES, default="efron"),
        "least_events": fields.whole("least_events", default=LEAST_EVENTS, least=1),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }


def uses(_: Options) -> tuple[tuple[Disclosure, str], ...]:
    """Return each disclosure class with what is opened in it."""
    return tuple((one.disclosure, one.gives) for one in (CONTRIBUTING, ESTIMATES, RANDOM))


def frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    """Return the rows that the analysis runs over."""
    options = analysis.options
    return (
        frame_of(
            study,
            options,
            strata=tuple(options["strata"]),
            covariates=tuple(options["covariates"]),
        ),
    )


def _meta_analysis(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    (frame,) = frames(study, analysis)
    options = analysis.options
    terms = tuple(n for c in frame.covariates for n in design_columns(study, frame.table, c))
    fixed = {
        "columns": len(terms),
        "strata": math.prod(len(levels_of(study, frame.table, name)) for name in frame.strata),
        "efron": options["ties"] == "efron",
        "least_events": options["least_events"],
    }
    (first,) = yield (Ask(CONTRIBUTING.name, frame, fixed, {}),)
    known = first.totals
    if not known["events"][0]:
        raise AnalysisError("no event among the rows that have all covariates; nothing to pool")
    hidden = _hidden(known)
    if hidden:
        fixed |= hidden
        (again,) = yield (Ask(CONTRIBUTING.name, frame, fixed, {}),)
        known = again.totals
    sites = [int(count) for count in known["contributing"]]
    least, least_random = limits(study, analysis)
    chosen = [k for k, count in enumerate(sites) if count >= max(least, 1)]
    if not chosen:
        raise AnalysisError(_too_few(least, options["least_events"]))
    pooled = yield from _pooled(frame, fixed, chosen, sites, least_random, options["conf_level"])
    return MetaAnalysis(
        ties=options["ties"],
        strata=frame.strata,
        least_events=options["least_events"],
        conf_level=options["conf_level"],
        rows=int(known["rows"][0]),
        patients=int(known["patients"][0]),
        events=int(known["events"][0]),
        left_out=left_out(known["left_out"]),
        terms=tuple(
            pooled[k].named(name)
            if k in pooled
            else Pooled(
                name,
                withheld=_too_few(least, options["least_events"])
                if known["estimated"][k]
                else NOWHERE,
            )
            for k, name in enumerate(terms)
        ),
    )


def _hidden(known: Arrays) -> dict[str, Any]:
    """Return the columns without an estimate anywhere, and the coefficients that they hide."""
    own = {name: known[name] > 0 for name in ("contributing", "estimated")}
    nowhere = np.flatnonzero(~own["estimated"]).tolist()
    hidden = np.flatnonzero(own["estimated"] & ~own["contributing"]).tolist()
    return {"nowhere": nowhere, "hidden": hidden} if nowhere and hidden else {}


def limits(study: Study, analysis: Analysis) -> tuple[int, int]:
    """Return how many hospitals must contribute to a sum, without and with random effects."""
    policy = study.policy
    if policy.development:
        return 1, 1
    if any(item.analysis == analysis.name for item in policy.accepted):
        return policy.sites, policy.sites
    return max(policy.sites, LEAST_FIXED), max(policy.sites, LEAST_RANDOM)


def _too_few(least: int, events: int) -> str:
    few = f"fewer than {least} hospitals have an estimate of their own"
    if least == 1:
        few = "no hospital has an estimate of its own"
    return (
        f"withheld: {few} (at least {events} events, a likelihood with a maximum, a covariate that "
        f"varies), and the sums of fewer would give single ones back. Take a "
        f"pooled model (cox), or join groups"
    )


def _pooled(
    frame: Frame,
    fixed: Mapping[str, Any],
    chosen: list[int],
    sites: list[int],
    least_random: int,
    level: float,
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], dict[int, Pooled]]:
    """Return fixed and random effects of the chosen terms, by number; one round or two."""
    (answer,) = yield (Ask(ESTIMATES.name, frame, {**fixed, "terms": chosen}, {}),)
    spread = {
        k: heterogeneity(sites[k], {name: float(v[n]) for name, v in answer.totals.items()})
        for n, k in enumerate(chosen)
    }
    apart = [k for k in chosen if spread[k].tau2 > 0 and sites[k] >= least_random]
    random: Arrays = {"v": np.zeros(0), "vb": np.zeros(0)}
    if apart:
        tau2 = np.array([spread[k].tau2 for k in apart])
        asked = Ask(RANDOM.name, frame, {**fixed, "terms": apart}, {"tau2": tau2})
        (behind,) = yield (asked,)
        random = behind.totals
    found = {}
    for n, k in enumerate(chosen):
        w, wb = float(answer.totals["w"][n]), float(answer.totals["wb"][n])
        own = Pooled("", fixed=_effect(w, wb, level), heterogeneity=spread[k])
        if k in apart:
            at = apart.index(k)
            own = own.with_random(_effect(float(random["v"][at]), float(random["vb"][at]), level))
        elif spread[k].tau2 <= 0:
            own = own.with_random(_effect(w, wb, level))
        else:
            own = own.without_random(
                f"random effects are withheld: they need {least_random} hospitals with an estimate"
            )
        found[k] = own.predicted(level, _quantile)
    return found


def _quantile(level: float, df: int) -> float:
    return float(stdtrit(df, 1 - (1 - level) / 2))


def heterogeneity(sites: int, sums: Mapping[str, float]) -> Heterogeneity:
    """Return how much hospitals differ, from sums w, wb, wbb, ww over so many of them."""
    w, wb, wbb, ww = (sums[name] for name in ("w", "wb", "wbb", "ww"))
    df = sites - 1
    if not df:
        return Heterogeneity(sites, 0.0, 0, 1.0, math.nan, math.nan, 0.0)
    q = max(wbb - wb * wb / w, 0.0)
    excess = max(q - df, 0.0)
    return Heterogeneity(
        sites=sites,
        q=q,
        df=df,
        p_value=chi_square_p(q, df),
        i2=excess / q if q else 0.0,
        h=math.sqrt(q / df),
        tau2=excess / (w - ww / w),
    )


def _effect(weight: float, weighted: float, level: float) -> Term:
    """Return an estimate from the sums of weights and of weighted estimates."""
    return term_of("", weighted / weight, 1 / math.sqrt(weight), level)


META_ANALYSIS: Final = Kind(
    "meta_analysis", read, uses, frames, _meta_analysis, (CONTRIBUTING, ESTIMATES, RANDOM)
)
