"""The kind `incidence`: curves of each cause by group, and Gray's tests from the same counts.

With strata the counts are by stratum too; curves are those of all strata together, scores and
variances of a test those of each. With hospitals as strata (by_site) each hospital forms its
own, and only their totals open (class A), in the same round as the counts for the curves.
"""

from __future__ import annotations

from typing import Any, Final

from site_agent.contract.analyses.counts import COUNTS, counts_ask, courses
from site_agent.contract.analyses.curves import groups, read_common
from site_agent.contract.analyses.gray_test import (
    WITHIN_SITE,
    GrayTest,
    by_stratum,
    gray_sums,
    gray_tests,
)
from site_agent.contract.analyses.incidence import (
    IncidenceCurves,
    IncidenceOptions,
    incidence_curve,
)
from site_agent.contract.analyses.intervals import SCALES
from site_agent.contract.analyses.kind import Context, Kind, Options, Withheld, frame_of
from site_agent.contract.analyses.survival import left_out
from site_agent.contract.frames import Frame
from site_agent.contract.study.fields import Fields
from site_agent.contract.study.model import SITE, Analysis, Study
from site_agent.contract.sums import Answer, Arrays, Ask, Disclosure, Estimator

VARIANCES: Final = ("gray", "greenwood", "jackknife")
NOT_TRUNCATED: Final = {
    "gray": "gray is not defined for left truncated data (cuminc takes no entry)",
    "jackknife": "the jackknife of left truncated data needs the pairs of entry and time of "
    "each patient, which counts by time do not tell",
}


def _read(fields: Fields, context: Context) -> dict[str, Any]:
    options, table = read_common(fields, context)
    endpoint = context.endpoints.get(options["endpoint"])
    truncated = endpoint is not None and endpoint.entry is not None
    variance = fields.choice("variance", VARIANCES, default="greenwood" if truncated else "gray")
    if truncated and variance in NOT_TRUNCATED:
        fields.issue(f"{NOT_TRUNCATED[variance]}; expected greenwood", fields.named.get("variance"))
    time_to = fields.numbers("time_to", least=0)
    if any(not 0 < p < 1 for p in time_to):
        fields.issue("time_to: expected incidences between 0 and 1")
    return {
        **options,
        "strata": context.strata(fields, table, instead="for hospitals as strata: by_site: true"),
        "by_site": _read_by_site(fields, options["by"], truncated=truncated),
        "variance": variance,
        "conf_type": fields.choice("conf_type", SCALES, default="log-log"),
        "time_to": time_to,
    }


def _read_by_site(fields: Fields, by: str | None, *, truncated: bool) -> bool:
    """Read `by_site`; refuse strata where there is no test that could have them."""
    by_site = fields.flag("by_site")
    for name in ("strata", "by_site"):
        node = fields.named.get(name)
        if node is not None and (by is None or truncated):
            why = "Gray's test, which needs groups: give 'by'" if by is None else UNTESTED
            fields.issue(f"'{name}' is for {why}, or take it out", node)
    return by_site


UNTESTED: Final = "Gray's test, which left truncated data have not (cuminc takes no entry)"


def _uses(options: Options) -> tuple[tuple[Disclosure, str], ...]:
    split = f", in each group of {options['by']}" if options["by"] else ""
    opened: list[tuple[Disclosure, str]] = [("B", f"how many leave at each time, by cause{split}")]
    if options["by_site"]:
        opened.append((WITHIN_SITE.disclosure, WITHIN_SITE.gives))
    return tuple(opened)


def _frame(study: Study, analysis: Analysis) -> Frame:
    options = analysis.options
    return frame_of(study, options, by=options["by"], strata=tuple(options["strata"]))


def _frames(study: Study, analysis: Analysis) -> tuple[Frame, ...]:
    return (_frame(study, analysis),)


def _incidence(study: Study, analysis: Analysis, _: Withheld) -> Estimator:
    options = analysis.options
    frame = _frame(study, analysis)
    ask = counts_ask(study, frame)
    further = (Ask(WITHIN_SITE.name, frame, ask.fixed, {}),) if options["by_site"] else ()
    answers = yield (ask, *further)
    totals = answers[0].totals
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
        patients=int(totals["patients"][0]),
        left_out=left_out(totals["left_out"]),
        curves=tuple(
            incidence_curve(course, study.time, (level, outcome), wanted, cause=cause)
            for level, course in groups(study, frame, _over_strata(totals, ask.fixed["by"]))
            for cause, outcome in enumerate(endpoint.cause_names, start=1)
        ),
        strata=(*options["strata"], *([SITE] if options["by_site"] else [])),
        tests=() if endpoint.entry else _tests(answers, ask, endpoint.cause_names),
    )


def _over_strata(totals: Arrays, by: int) -> Arrays:
    """Return the counts by group, all strata together."""
    left = totals["left"]
    pooled = left.reshape(left.shape[0], -1, by, left.shape[2]).sum(axis=1)
    if "entered" not in totals:
        return {"left": pooled}
    entered = totals["entered"]
    return {"left": pooled, "entered": entered.reshape(-1, by, entered.shape[1]).sum(axis=0)}


def _tests(
    answers: tuple[Answer, ...], ask: Ask, outcomes: tuple[str, ...]
) -> tuple[GrayTest, ...]:
    """Return Gray's test of each cause; none without groups."""
    if ask.fixed["by"] < 2:
        return ()
    if len(answers) > 1:
        return gray_tests(answers[1].totals, outcomes)
    strata = by_stratum(courses(answers[0].totals), ask.fixed["by"])
    return gray_tests(gray_sums(strata, ask.fixed["causes"]), outcomes)


INCIDENCE: Final = Kind("incidence", _read, _uses, _frames, _incidence, (COUNTS, WITHIN_SITE))
