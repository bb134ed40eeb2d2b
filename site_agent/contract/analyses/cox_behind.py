"""What follows from a Cox fit in one more round: tests of proportionality, the baseline hazard."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace

import numpy as np

from site_agent.contract.analyses.baseline import baseline, steps
from site_agent.contract.analyses.counts import Course, courses
from site_agent.contract.analyses.cox_model import Model, strata_of
from site_agent.contract.analyses.cox_results import CoxFit
from site_agent.contract.analyses.newton import Maximum
from site_agent.contract.analyses.proportionality import score_tests, transformed
from site_agent.contract.analyses.risk_sets import DEATH, Deaths
from site_agent.contract.frames import Floats
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Answer, Arrays, Ask


def behind(
    study: Study,
    model: Model,
    found: CoxFit,
    maximum: Maximum,
    ask: Callable[[Floats], Ask],
    counts: Arrays,
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], CoxFit]:
    """Return the fit with what the model asks for behind it; counts are those by time.

    What cannot be opened is left out, and the result says so.
    """
    deaths = _deaths(counts)
    withheld = model.together.refuse_scales(len(np.unique(np.concatenate(deaths.ticks))))
    scales = [] if withheld else _usable(model, deaths)
    times = model.together.times if model.together.guarded else model.baseline_at
    kept = steps(times, study.time, counts["left"][DEATH])
    kept = [step for step in kept if step[1] in model.baseline_at]
    found = replace(found, proportionality_withheld=withheld if model.zph else "")
    if not scales and not kept:
        return replace(found, baseline=baseline(np.zeros(0), 0.0, (), model.baseline_at, [""]))
    g = [transformed(name, _course(counts), study.time, *_at(deaths)) for name in scales]
    question = _question(ask(_estimate(maximum)), deaths, g, [tick for tick, _ in kept])
    (answer,) = yield (question,)
    shift = float(answer.floats["centre"] @ answer.floats["beta"])
    strata = strata_of(study, model.frame)
    return replace(
        found,
        proportionality=score_tests(
            scales, answer.totals, maximum.last.information, model.blocks, maximum.aliased
        ),
        baseline=baseline(answer.totals["ratio"], shift, kept, model.baseline_at, strata),
    )


def _deaths(counts: Arrays) -> Deaths:
    """Return the pooled death times from counts by time."""
    deaths = counts["left"][DEATH]
    ticks = tuple(np.flatnonzero(stratum) for stratum in deaths)
    return Deaths(ticks, deaths[deaths > 0].astype(np.int64))


def _at(deaths: Deaths) -> tuple[np.ndarray, np.ndarray]:
    """Return ticks and ties over all strata in order."""
    return np.concatenate(deaths.ticks), deaths.ties


def _usable(model: Model, deaths: Deaths) -> list[str]:
    """Return the scales on which all deaths have a place: none at time 0 on a logarithm."""
    first = min(int(ticks.min()) for ticks in deaths.ticks if len(ticks))
    return [name for name in model.zph if name != "log" or first > 0]


def _course(counts: Arrays) -> Course:
    """Return the course of all rows, strata together."""
    together = {name: counts[name].sum(axis=0) for name in ("entered",) if name in counts}
    pooled = {name: values[None, :] for name, values in together.items()}
    (course,) = courses({"left": counts["left"].sum(axis=1, keepdims=True), **pooled})
    return course


def _estimate(maximum: Maximum) -> Floats:
    return np.asarray(np.where(maximum.aliased, 0.0, maximum.estimate))


def _question(point: Ask, deaths: Deaths, g: list[Floats], steps: list[int]) -> Ask:
    """Return a point's ask with weights of the death times and steps of the baseline hazard."""
    named = {"deaths": [ticks.tolist() for ticks in deaths.ticks], "ties": deaths.ties.tolist()}
    weights = np.reshape(g, (len(g), len(deaths.ties)))
    return replace(
        point,
        fixed={**point.fixed, **named, "steps": steps},
        floats={**point.floats, "weights": weights},
    )
