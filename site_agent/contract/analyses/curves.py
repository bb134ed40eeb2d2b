"""The kind `survival`, and what it shares with `incidence`: one ask for pooled counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from site_agent.contract.analyses.counts import COUNTS, Course, counts_ask, courses
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld, frame_of
from site_agent.contract.analyses.survival import (
    CurveOptions,
    SurvivalCurves,
    left_out,
    survival_curve,
)
from site_agent.contract.analyses.weighted_counts import WEIGHTED_COUNTS, Weights
from site_agent.contract.analyses.weights import is_weighted, read_weights, weighting_of
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Frame
from site_agent.contract.rows import levels_of
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Arrays, Disclosure, Estimator

DAYS_PER_MONTH: Final = Fraction(1461, 48)  # a twelfth of 365.25
SURVIVAL_SCALES: Final = ("log", "log-log", "plain", "logit", "arcsin")


def read_common(fields: Fields, context: Context) -> tuple[dict[str, Any], str]:
    """Read the options of both kinds of curves; and the table of their rows."""
    rows, table = context.rows(fields)
    return {
        **rows,
        "by": context.category(fields, "by", table),
        **_read_times(fields, context),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }, table


def _read_times(fields: Fields, context: Context) -> dict[str, Any]:
    """Read the times of estimates: `at`, and `at_months` with the days that are a month."""
    scale, days = context.time, fields.fraction("days_per_month") or DAYS_PER_MONTH
    at, months = context.times(fields, "at"), context.times(fields, "at_months", unit=days)
    given = [fields.named[name] for name in ("at_months", "days_per_month") if name in fields.named]
    if given and scale.unit != "day":
        fields.issue(
            f"months are converted in studies whose time is in days; this one's is in "
            f"{scale.unit}s: write the times under 'at'",
            given[0],
        )
    return {
        "at": sorted({*at, *(float(Fraction(m) * days) for m in months)}),
        "at_months": sorted(set(months)),
        "days_per_month": float(days),
    }


def _read_survival(fields: Fields, context: Context) -> dict[str, Any]:
    options, table = read_common(fields, context)
    weights = {name: text for name, text in read_weights(fields, context, table).items() if text}
    endpoint = context.endpoints.get(options["endpoint"])
    if weights and endpoint is not None and endpoint.entry is not None:
        fields.issue(
            f"a weighted curve is not offered with an entry (left truncation), which endpoint "
            f"'{endpoint.name}' has; take 'weights' out",
            fields.named["weights"],
        )
    quantiles = fields.numbers("quantiles", least=0) or [0.25, 0.5, 0.75]
    if any(not 0 < p < 1 for p in quantiles):
        fields.issue("quantiles are probabilities between 0 and 1")
    return {
        **options,
        "conf_type": fields.choice("conf_type", SURVIVAL_SCALES, default="log"),
        "quantiles": quantiles,
        "restricted_mean": context.times(fields, "restricted_mean"),
        "reverse": fields.flag("reverse"),
        **weights,
    }


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    split = f", in each group of {options['by']}" if options["by"] else ""
    if is_weighted(options):
        return ((WEIGHTED_COUNTS.disclosure, WEIGHTED_COUNTS.gives),)
    return (("B", f"how many leave at each time, by cause{split}"),)


def _frame(study: Study, analysis: Analysis) -> Frame:
    options = analysis.options
    return frame_of(
        study,
        options,
        by=options["by"],
        weights=options.get("weights"),
        weighting=weighting_of(study, options),
    )


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    return (_frame(study, analysis),)


def groups(study: Study, frame: Frame, totals: Arrays) -> list[tuple[str, Course]]:
    """Return (level, course) of the groups that have rows; AnalysisError if none has."""
    levels = levels_of(study, frame.table, frame.by)
    named = [
        (level, course)
        for level, course in zip(levels, courses(totals), strict=True)
        if course.rows
    ]
    if not named:
        raise AnalysisError(
            "no row has the endpoint and a group: all are missing, or enter at their end"
        )
    return named


def _survival(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    options = analysis.options
    frame = _frame(study, analysis)
    ask = counts_ask(study, frame)
    if frame.weighted:
        ask = replace(ask, sum=WEIGHTED_COUNTS.name)
    (answer,) = yield (ask,)
    endpoint = study.endpoints[options["endpoint"]]
    wanted = CurveOptions(
        conf_type=options["conf_type"],
        conf_level=options["conf_level"],
        at=tuple(options["at"]),
        quantiles=tuple(options["quantiles"]),
        restricted_mean=tuple(options["restricted_mean"]),
        reverse=options["reverse"],
    )
    return SurvivalCurves(
        unit=study.time.unit,
        outcome="follow-up" if options["reverse"] else endpoint.event,
        by=options["by"] or "",
        conf_type=options["conf_type"],
        conf_level=options["conf_level"],
        patients=int(answer.totals["patients"][0]),
        left_out=left_out(answer.totals["left_out"]),
        curves=tuple(
            survival_curve(course, study.time, level, wanted, weights)
            for level, course, weights in _weighed(study, frame, answer.totals)
        ),
    )


def _weighed(
    study: Study, frame: Frame, totals: Arrays
) -> Iterator[tuple[str, Course, Weights | None]]:
    """Yield (level, course, weights) of the groups that have rows."""
    levels = levels_of(study, frame.table, frame.by)
    for level, course in groups(study, frame, totals):
        if "weight" not in totals:
            yield level, course, None
            continue
        sums, squares = (totals[name][:, levels.index(level)] for name in ("weight", "square"))
        yield level, course, Weights(sums[:, course.tick], squares[:, course.tick])


SURVIVAL: Final = Kind(
    "survival", _read_survival, _uses, _frames, _survival, (COUNTS, WEIGHTED_COUNTS)
)
