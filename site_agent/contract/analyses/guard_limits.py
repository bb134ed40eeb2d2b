"""Limits of each model: deaths, carriers, and how much all models tell about their covariates.

A binary covariate with few carriers can be followed through score and information of a model:
with eight deaths, the totals at beta = 0 and the public numbers at risk fixed when each of 1 to 5
carriers left in every simulation, and with 10 carriers in nine of ten. So a model needs

- patients: in each declared stratum that has any `compute.carriers`, and in a cohort
  `compute.patients`: who is alone in a stratum is left out by it;
- deaths: patients with the event, at least `compute.deaths` in each declared stratum that has
  any (hospitals as strata count together);
- carriers: of each column that has two values throughout (0 and 1 as a rule; guard_values.py
  finds others), and of each reference level, at least `compute.carriers` patients inside and as
  many outside. A group of none gives nothing away. Of another column that has zeros, such as an
  interaction, as many that are not 0.

The budget: of any columns of a table, the models within them open at most as many numbers as
these columns have values, n patients each (guard_flow.py). A model with p columns and q =
p (p + 1) / 2 opens

    2 p + q                 sums, sums over events, sums of products
    6 (1 + p + q)           log-likelihood, score, information at each point
    z (p + 2 q)             for tests of proportional hazards on z scales of time
    s                       steps of the baseline hazard, over all strata

and a test between groups as many as it has totals by group (`Kind.scalars`). What a pooled
distribution opens, class V, are the values themselves without whose they are; it is not in the
budget, as no limit would leave anything of it: the stewards accept the class, or do not.

Six points: beta = 0 and five steps of Newton's method, which bring a model whose estimate is
within a few units of 0 to its maximum. The guard decides before a fit begins, so it cannot count
the steps; the fit ends where it has opened as many numbers as there are values (cox_together.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from site_agent.contract import expressions
from site_agent.contract.analyses.guard_flow import Spread
from site_agent.contract.analyses.guard_openings import Opening, columns_of
from site_agent.contract.analyses.guard_sums import CARRIERS
from site_agent.contract.analyses.guard_values import INDICATOR, two_values
from site_agent.contract.analyses.risk_sets import triangle
from site_agent.contract.catalogue import KINDS
from site_agent.contract.expressions import Category, Number
from site_agent.contract.frames import Frame
from site_agent.contract.rows import design_columns, levels_of
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Arrays, Ask

POINTS: Final = 6
LIFTED: Final = "or have the stewards accept the analysis by name"


def carriers_ask(study: Study, frame: Frame) -> Ask:
    """Return the ask for deaths by stratum, and carriers by column, of a model's frame."""
    fixed = {
        "columns": len(columns_of(study, frame)),
        "strata": _strata(study, frame),
        "groups": len(levels_of(study, frame.table, frame.by)),
        "categories": [list(block) for _, block in _categories(study, frame)],
        "values": [list(pair) for pair in _values(study, frame)],
    }
    return Ask(CARRIERS.name, frame, fixed, {})


def _strata(study: Study, frame: Frame) -> int:
    return math.prod(len(levels_of(study, frame.table, name)) for name in frame.strata)


def _blocks(study: Study, frame: Frame) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield each covariate with the first and the last column but one of its block."""
    first = 0
    for name in frame.covariates:
        last = first + len(design_columns(study, frame.table, name))
        yield name, (first, last)
        first = last


def _categories(study: Study, frame: Frame) -> list[tuple[str, tuple[int, int]]]:
    scope = study.scopes[frame.table]
    return [
        (name, block)
        for name, block in _blocks(study, frame)
        if isinstance(expressions.infer(expressions.parse(name), scope), Category)
    ]


def _values(study: Study, frame: Frame) -> Iterator[tuple[float, float]]:
    """Yield the two values that make each design column a group: 0 and 1, but for numbers."""
    for name, (first, last) in _blocks(study, frame):
        node = expressions.parse(name)
        kind = expressions.infer(node, study.scopes[frame.table])
        pair = two_values(study, frame.table, node) if isinstance(kind, Number) else INDICATOR
        yield from [pair] * (last - first)


def limits_sentence(study: Study, frame: Frame, totals: Arrays) -> str:
    """Return why an analysis is withheld for want of patients, deaths or carriers, or nothing."""
    because = _small_part(study, frame, totals)
    if because or not (frame.covariates or frame.by):
        return because
    deaths, least = totals["deaths"], study.policy.deaths
    if _few(deaths, least).any():
        strata = f" in each stratum of {', '.join(frame.strata)}" if frame.strata else ""
        return (
            f"fewer than {least} patients have the event{' in a stratum' if strata else ''}; a "
            f"model needs {least}{strata} (disclosure.compute.deaths). Wait for more, "
            f"{'join strata, ' if strata else ''}{LIFTED}"
        )
    group = _small_group(study, frame, totals)
    if group:
        least = study.policy.carriers
        return (
            f"fewer than {least} patients are in, or outside of, the group {group}; a model or "
            f"test needs {least} in each (disclosure.compute.carriers). Join groups, leave the "
            f"covariate out, {LIFTED}"
        )
    return ""


def _small_part(study: Study, frame: Frame, totals: Arrays) -> str:
    """Return which part of the rows an analysis takes is too small to be one, or nothing."""
    policy = study.policy
    if frame.cohort and 0 < totals["patients"][0] < policy.patients:
        return (
            f"fewer than {policy.patients} patients are in the cohort {frame.cohort} "
            f"(disclosure.compute.patients). Take a wider one, {LIFTED}"
        )
    parts = {"a stratum of " + ", ".join(frame.strata): totals["in_stratum"]}
    parts |= {f"a group of {frame.by}": totals["in_group"]} if frame.by else {}
    for part, counts in parts.items():
        if len(counts) > 1 and _few(counts, policy.carriers).any():
            return (
                f"fewer than {policy.carriers} patients are in {part}: without it the analysis "
                f"would differ by them (disclosure.compute.carriers). Join groups, {LIFTED}"
            )
    return ""


def _few(counts: np.ndarray, least: int) -> np.ndarray:
    return (counts > 0) & (counts < least)


def _small_group(study: Study, frame: Frame, totals: Arrays) -> str:
    """Return the name of the first group that is too small, or whose rest is; "" if none is."""
    least = study.policy.carriers
    named = columns_of(study, frame)
    small = _few(totals["not_zero"], least) & (totals["zero"] > 0)
    binary = totals["not_binary"] == 0
    small |= binary & _few(totals["zero"], least) & (totals["not_zero"] > 0)
    groups = [name for name, few in zip(named, small, strict=True) if few]
    references = zip(_categories(study, frame), totals["reference"], strict=True)
    for (name, (first, last)), count in references:
        if 0 < count < least and (totals["not_zero"][first:last] > 0).any():
            groups.append(f"{name}={_reference(study, frame, name)}")
    return groups[0] if groups else ""


def _reference(study: Study, frame: Frame, name: str) -> str:
    levels = levels_of(study, frame.table, name)
    others = design_columns(study, frame.table, name)
    return next(level for level in levels if f"{name}={level}" not in others)


def scalars(columns: int, *, scales: int = 0, steps: int = 0) -> int:
    """Return how many numbers a model with so many columns opens about them.

    scales: of time, on which it tests proportional hazards; steps: of its baseline hazard.
    """
    pairs = triangle(columns)
    points = POINTS * (1 + columns + pairs)
    return 2 * columns + pairs + points + scales * (columns + 2 * pairs) + steps


def _scalars_of(study: Study, opening: Opening) -> int:
    frame, options = opening.frame, opening.analysis.options
    counted = KINDS[opening.analysis.kind].scalars
    if counted is not None:
        return counted(study, opening.analysis, frame)
    return scalars(
        len(columns_of(study, frame)),
        scales=len(options.get("zph", ())),
        steps=_strata(study, frame) * len(options.get("baseline_at", ())),
    )


@dataclass(slots=True)
class Budget:
    """What the models of each table have opened so far; patients: the most of a table's models."""

    study: Study
    patients: Mapping[str, int]
    _spread: dict[str, Spread] = field(default_factory=dict)

    def sentence(self, opening: Opening) -> str:
        """Return why a model would open too much beside those before it, or nothing."""
        if not opening.frame.covariates:
            return ""
        numbers = _scalars_of(self.study, opening)
        if self._of(opening).fits(numbers, columns_of(self.study, opening.frame)):
            return ""
        return (
            f"it would open {numbers} numbers, and with those of the models before it more about "
            f"some covariates than these have values in {self._of(opening).capacity} patients; "
            f"more numbers than values can give values back. Put it before others, leave out "
            f"models, {LIFTED}"
        )

    def spend(self, opening: Opening) -> None:
        """Note that an analysis is opened; one without covariates spends nothing."""
        if opening.frame.covariates:
            numbers = _scalars_of(self.study, opening)
            self._of(opening).put(numbers, columns_of(self.study, opening.frame))

    def _of(self, opening: Opening) -> Spread:
        """Return the room on the columns of an opening's table."""
        table = opening.frame.table
        return self._spread.setdefault(table, Spread(self.patients.get(table, 0)))


def needs_limits(opening: Opening) -> bool:
    """Return whether the guard asks for an opening's patients, deaths and carriers."""
    frame = opening.frame
    wanted = bool(frame.covariates) or _compares(opening) or frame.cohort is not None
    return wanted and not opening.accepted


def limited(opening: Opening) -> Frame:
    """Return the rows whose parts have limits: of a curve the cohort, of others groups too.

    A log-rank test is the score test of a Cox model of its groups, and has the limits of one.
    """
    frame = opening.frame
    if frame.covariates or _compares(opening):
        return frame
    return replace(frame, by=None, strata=())


def _compares(opening: Opening) -> bool:
    return opening.analysis.kind == "logrank"
