"""Limits of each model: deaths, carriers, and how much all models tell about their covariates.

A binary covariate with few carriers can be followed through score and information of a model:
with eight deaths, the totals at beta = 0 and the public numbers at risk fixed when each of 1 to 5
carriers left in every simulation, and with 10 carriers in nine of ten. So a model needs

- patients: in each declared stratum that has any `compute.carriers`, and in all, if that is not
  everybody of the first table, `compute.patients`: who is alone in a stratum is left out by it;
- hospitals: with patients in all, and in each stratum, group and reference level as above, at
  least `between_releases.sites`: what one hospital alone has is that hospital's number. A curve,
  whose small groups are for the report to hide, has this limit too;
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
    q                       for a sandwich variance of a subdistribution hazard
    s                       steps of the baseline hazard, over all strata
    2 q                     for robust standard errors
    8                       for a concordance
    f (1 + p + q + t)       for a fit with Firth's penalty: eight points, with t third cumulants,
                            in place of the six, or besides them where it is only on separation
    5 (3 p) (1 + p + q)     for profile limits: two ends and a test of each coefficient, five
                            points each (with t if penalised)

A meta-analysis opens nine numbers for each coefficient, and a test between groups as many as it
has totals by group (`Kind.scalars`). What a pooled distribution opens, class V, are the values
themselves without whose they are; it is not in the budget, as no limit would leave anything of
it: the stewards accept the class, or do not.

Six points: beta = 0 and five steps of Newton's method, which bring a model whose estimate is
within a few units of 0 to its maximum. The guard decides before a fit begins, so it cannot count
the steps; the fit ends where it has opened as many numbers as there are values (cox_together.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from site_agent.contract import expressions
from site_agent.contract.analyses.cox_thirds import cubes
from site_agent.contract.analyses.cox_together import FIRTH_POINTS
from site_agent.contract.analyses.guard_flow import Spread
from site_agent.contract.analyses.guard_openings import Opening, columns_of
from site_agent.contract.analyses.guard_selections import selection
from site_agent.contract.analyses.guard_sums import CARRIERS
from site_agent.contract.analyses.guard_values import INDICATOR, two_values
from site_agent.contract.analyses.profile_limit import PROFILE_POINTS
from site_agent.contract.analyses.risk_sets import triangle
from site_agent.contract.catalogue import KINDS
from site_agent.contract.expressions import Category, Number
from site_agent.contract.frames import Frame
from site_agent.contract.rows import design_columns, levels_of
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Arrays, Ask

POINTS: Final = 6
META_SUMS: Final = (
    9  # two counts or three, four sums and two more, of each coefficient of a meta-analysis
)
LIFTED: Final = "or have the stewards accept the analysis by name"
CURVES: Final = ("survival", "incidence")  # every other kind compares its groups, new ones too


def limited(opening: Opening) -> Frame:
    """Return the rows whose groups have limits; of a regression's outcome too."""
    return KINDS[opening.analysis.kind].limits(opening.analysis.options, opening.frame)


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


def limits_sentence(study: Study, opening: Opening, totals: Arrays) -> str:
    """Return why an analysis is withheld for want of patients, deaths or carriers, or nothing."""
    frame = limited(opening)
    if not compares(opening):
        return _small_whole(study, frame, totals) or _few_hospitals(study, opening, totals)
    return (
        _small_whole(study, frame, totals)
        or _small_part(study, frame, totals)
        or (_small_model(study, frame, totals) if frame.covariates or frame.by else "")
        or _few_hospitals(study, opening, totals)
    )


def _small_model(study: Study, frame: Frame, totals: Arrays) -> str:
    """Return for want of which deaths or carriers a model is withheld, or nothing."""
    deaths, least = totals["deaths"], study.policy.deaths
    if _few(deaths, least).any():
        strata = f" in each stratum of {', '.join(frame.strata)}" if frame.strata else ""
        return (
            f"fewer than {least} patients have the event{' in a stratum' if strata else ''}; a "
            f"model needs {least}{strata} (disclosure.compute.deaths). Wait for more, "
            f"{'join strata, ' if strata else ''}{LIFTED}"
        )
    least = study.policy.carriers
    group = _small_group(study, frame, totals, least=least)
    if group:
        return (
            f"fewer than {least} patients are in, or outside of, the group {group}; a model or "
            f"test needs {least} in each (disclosure.compute.carriers). Join groups, leave the "
            f"covariate out, {LIFTED}"
        )
    return ""


def _small_whole(study: Study, frame: Frame, totals: Arrays) -> str:
    """Return that all rows of an analysis have too few patients, or nothing."""
    least = study.policy.patients
    if is_whole(study, frame) or not _few(totals["patients"], least).any():
        return ""
    place = f"are in the cohort {frame.cohort}" if frame.cohort else "have all that it needs"
    return (
        f"fewer than {least} patients {place} (disclosure.compute.patients). "
        f"{'Take a wider one' if frame.cohort else 'Wait for more'}, {LIFTED}"
    )


def is_whole(study: Study, frame: Frame) -> bool:
    """Return whether a frame takes everybody of the first table, whatever the data.

    These are the patients that the guard's first question counts.
    """
    return selection(study, frame) == Frame(table=next(iter(study.tables)))


def _small_part(study: Study, frame: Frame, totals: Arrays) -> str:
    """Return which part of the rows an analysis takes is too small to be one, or nothing."""
    least = study.policy.carriers
    for part, (counts, _) in _parts(frame, totals).items():
        if len(counts) > 1 and _few(counts, least).any():
            return (
                f"fewer than {least} patients are in {part}: without it the analysis "
                f"would differ by them (disclosure.compute.carriers). Join groups, {LIFTED}"
            )
    return ""


def _parts(frame: Frame, totals: Arrays) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return (patients, hospitals) of each declared stratum, and of each group, by their name."""
    stratum, group = f"a stratum of {', '.join(frame.strata)}", f"a group of {frame.by}"
    found = {stratum: (totals["in_stratum"], totals["stratum_sites"])} if frame.strata else {}
    return found | ({group: (totals["in_group"], totals["group_sites"])} if frame.by else {})


def _few_hospitals(study: Study, opening: Opening, totals: Arrays) -> str:
    """Return which part of an analysis few hospitals have, or nothing.

    What is summed over patients of one hospital alone is what that hospital would not show. What
    opens by time opens by stratum and group at once.
    """
    least, frame = study.policy.changed_sites, limited(opening)
    parts = {f"in {name}": sites for name, (_, sites) in _parts(frame, totals).items()}
    if opening.by_time and frame.by and frame.strata:
        parts["in a group within a stratum"] = totals["cell_sites"]
    for part, sites in {"in it": totals["sites"], **parts}.items():
        if _few(sites, least).any():
            return _of_few(least, part)
    group = _small_group(study, frame, totals, least=least, counting="_sites")
    return _of_few(least, f"in, or outside of, the group {group}") if group else ""


def _of_few(least: int, part: str) -> str:
    return (
        f"fewer than {least} hospitals have patients {part}: its totals would be those of a "
        f"hospital (disclosure.between_releases.sites). Join groups, wait for more, {LIFTED}"
    )


def _few(counts: np.ndarray, least: int) -> np.ndarray:
    return (counts > 0) & (counts < least)


def _small_group(
    study: Study, frame: Frame, totals: Arrays, *, least: int, counting: str = ""
) -> str:
    """Return the name of the first group that is too small, or whose rest is; "" if none is.

    counting: "" for patients, "_sites" for hospitals.
    """
    named = columns_of(study, frame)
    inside, outside = totals[f"not_zero{counting}"], totals[f"zero{counting}"]
    small = _few(inside, least) & (outside > 0)
    small |= (totals["not_binary"] == 0) & _few(outside, least) & (inside > 0)
    groups = [name for name, few in zip(named, small, strict=True) if few]
    references = zip(_categories(study, frame), totals[f"reference{counting}"], strict=True)
    for (name, (first, last)), count in references:
        if 0 < count < least and (totals["not_zero"][first:last] > 0).any():
            groups.append(f"{name}={_reference(study, frame, name)}")
    return groups[0] if groups else ""


def _reference(study: Study, frame: Frame, name: str) -> str:
    levels = levels_of(study, frame.table, name)
    others = design_columns(study, frame.table, name)
    return next(level for level in levels if f"{name}={level}" not in others)


def scalars(
    columns: int,
    *,
    scales: int = 0,
    steps: int = 0,
    robust: bool = False,
    concordance: bool = False,
    firth: str = "never",
    profile: bool = False,
) -> int:
    """Return how many numbers a model with so many columns opens about them.

    scales: of time, on which it tests proportional hazards; steps: of its baseline hazard; firth:
    never, always or on_separation; profile: whether it asks for profile limits.
    """
    pairs = triangle(columns)
    plain = 1 + columns + pairs
    penalised = plain + cubes(columns)
    points = 0 if firth == "always" else POINTS * plain
    points += 0 if firth == "never" else FIRTH_POINTS * penalised
    if profile:
        each = plain if firth == "never" else penalised
        points += 3 * columns * PROFILE_POINTS * each
    tests = scales * (columns + 2 * pairs)
    return 2 * columns + pairs + points + tests + steps + 2 * pairs * robust + 8 * concordance


def _scalars_of(study: Study, opening: Opening) -> int:
    frame, options = opening.frame, opening.analysis.options
    counted = KINDS[opening.analysis.kind].scalars
    if counted is not None:
        return counted(study, opening.analysis, frame)
    columns = len(columns_of(study, frame))
    if opening.analysis.kind == "meta_analysis":
        return META_SUMS * columns
    sandwich = triangle(columns) if options.get("variance", "model") != "model" else 0
    return sandwich + scalars(
        columns,
        scales=len(options.get("zph", ())),
        steps=_strata(study, frame) * len(options.get("baseline_at", ())),
        robust=bool(options.get("robust")),
        concordance=bool(options.get("concordance")),
        firth=options.get("firth", "never"),
        profile=options.get("intervals") == "profile",
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


def needs_limits(study: Study, opening: Opening) -> bool:
    """Return whether the guard asks for an opening's patients, hospitals, deaths and carriers.

    A curve of everybody has no limit that the guard's first question does not see to.
    """
    frame = opening.frame
    plain = not (compares(opening) or frame.by or frame.strata) and is_whole(study, frame)
    return not (opening.accepted or plain)


def compares(opening: Opening) -> bool:
    """Return whether an opening has the limits of a model; a curve has those of its hospitals.

    A log-rank test is the score test of a Cox model of its groups, and has the limits of one; so
    has a stratified test of incidences, which tells more than a curve of each group does.
    """
    options = opening.analysis.options
    stratified = bool(options.get("strata") or options.get("by_site"))
    return opening.analysis.kind not in CURVES or stratified
