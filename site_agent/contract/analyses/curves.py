"""The kinds `survival` and `incidence`: one ask for pooled counts, then the curves."""

from __future__ import annotations

from typing import Any, Final

from site_agent.contract.analyses.counts import COUNTS, Course, counts_ask, courses
from site_agent.contract.analyses.incidence import (
    IncidenceCurves,
    IncidenceOptions,
    incidence_curve,
)
from site_agent.contract.analyses.intervals import SCALES
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld, frame_of
from site_agent.contract.analyses.survival import (
    CurveOptions,
    SurvivalCurves,
    left_out,
    survival_curve,
)
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Frame
from site_agent.contract.rows import levels_of
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Disclosure, Estimator

VARIANCES: Final = ("gray", "greenwood")
SURVIVAL_SCALES: Final = ("log", "log-log", "plain", "logit", "arcsin")


def _read_common(fields: Fields, context: Context) -> dict[str, Any]:
    rows, table = context.rows(fields)
    return {
        **rows,
        "by": context.category(fields, "by", table),
        "at": sorted(set(fields.numbers("at", least=0))),
        "conf_level": fields.proportion("conf_level", default=0.95),
    }


def _read_survival(fields: Fields, context: Context) -> dict[str, Any]:
    options = _read_common(fields, context)
    quantiles = fields.numbers("quantiles", least=0) or [0.25, 0.5, 0.75]
    if any(not 0 < p < 1 for p in quantiles):
        fields.issue("quantiles are probabilities between 0 and 1")
    return {
        **options,
        "conf_type": fields.choice("conf_type", SURVIVAL_SCALES, default="log"),
        "quantiles": quantiles,
        "restricted_mean": fields.numbers("restricted_mean", least=0),
        "reverse": fields.flag("reverse"),
    }


def _read_incidence(fields: Fields, context: Context) -> dict[str, Any]:
    options = _read_common(fields, context)
    endpoint = context.endpoints.get(options["endpoint"])
    truncated = endpoint is not None and endpoint.entry is not None
    variance = fields.choice("variance", VARIANCES, default="greenwood" if truncated else "gray")
    if truncated and variance == "gray":
        fields.issue(
            "gray is not defined for left truncated data (cuminc takes no entry); "
            "expected greenwood",
            fields.named.get("variance"),
        )
    time_to = fields.numbers("time_to", least=0)
    if any(not 0 < p < 1 for p in time_to):
        fields.issue("time_to: expected incidences between 0 and 1")
    return {
        **options,
        "variance": variance,
        "conf_type": fields.choice("conf_type", SCALES, default="log-log"),
        "time_to": time_to,
    }


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    split = f", in each group of {options['by']}" if options["by"] else ""
    return (("B", f"how many leave at each time, by cause{split}"),)


def _frame(study: Study, analysis: Analysis) -> Frame:
    return frame_of(study, analysis.options, by=analysis.options["by"])


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    return (_frame(study, analysis),)


def _groups(study: Study, frame: Frame, answer: Answer) -> list[tuple[str, Course]]:
    """Return (level, course) of the groups that have rows; AnalysisError if none has."""
    levels = levels_of(study, frame.table, frame.by)
    named = [
        (level, course)
        for level, course in zip(levels, courses(answer.totals), strict=True)
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
    (answer,) = yield (counts_ask(study, frame),)
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
            survival_curve(course, study.time, level, wanted)
            for level, course in _groups(study, frame, answer)
        ),
    )


def _incidence(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    options = analysis.options
    frame = _frame(study, analysis)
    (answer,) = yield (counts_ask(study, frame),)
    endpoint = study.endpoints[options["endpoint"]]
    wanted = IncidenceOptions(
        variance=options["variance"],
        conf_type=options["conf_type"],
        conf_level=options["conf_level"],
        at=tuple(options["at"]),
        time_to=tuple(options["time_to"]),
    )
    return IncidenceCurves(
        unit=study.time.unit,
        by=options["by"] or "",
        variance=options["variance"],
        conf_type=options["conf_type"],
        conf_level=options["conf_level"],
        patients=int(answer.totals["patients"][0]),
        left_out=left_out(answer.totals["left_out"]),
        curves=tuple(
            incidence_curve(course, study.time, (level, outcome), wanted, cause=cause)
            for level, course in _groups(study, frame, answer)
            for cause, outcome in enumerate(endpoint.cause_names, start=1)
        ),
    )


SURVIVAL: Final = Kind("survival", _read_survival, _uses, _frames, _survival, (COUNTS,))
INCIDENCE: Final = Kind("incidence", _read_incidence, _uses, _frames, _incidence, (COUNTS,))
