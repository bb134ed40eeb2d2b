"""Each analysis in a few sentences, in words that need no statistics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from site_agent.contract.catalogue import KINDS
from site_agent.contract.rows import levels_of
from site_agent.contract.study.model import Analysis, Study
from site_agent.review.wording import listed, rows_noun, rows_of


def analysis_sentences(study: Study, analysis: Analysis) -> list[str]:
    """Return what an analysis asks, over which rows, in which groups."""
    endpoint = study.endpoints.get(analysis.options.get("endpoint", ""))
    words = WORDS.get(analysis.kind)
    what = words(study, analysis) if words else [f"An analysis of the kind {analysis.kind}."]
    if not KINDS[analysis.kind].frames(study, analysis):
        return what
    cohort = analysis.options["cohort"]
    chosen = study.cohorts[cohort] if cohort else None
    table = analysis.options["table"] if endpoint is None else endpoint.table
    rows = rows_of(study, table, chosen)
    return [*what, *_weights(study, analysis), *_steps(study, analysis), rows]


def _weights(study: Study, analysis: Analysis) -> list[str]:
    """Return what rows count as, if not as one each."""
    options = analysis.options
    if options.get("weights"):
        return [f"Each row counts as {options['weights']}."]
    named = study.analyses.get(options.get("weighting", ""))
    if named is None:
        return []
    names = listed([named.options["treatment"], *named.options["covariates"]])
    return [f"Each row counts by a weight that its {names} decide, from the score of {named.name}."]


def _steps(study: Study, analysis: Analysis) -> list[str]:
    """Return the steps of time of an analysis on a grid."""
    grid = [f"{time:g}" for time in analysis.options.get("grid", ())]
    if not grid:
        return []
    ends = f"{listed(grid)} {study.time.unit}s"
    return [f"Times are counted in steps that end at {ends}; later ones are cut off."]


def grouping(study: Study, analysis: Analysis, expression: str) -> str:
    """Return a grouping with its groups: `arm (standard, new)`."""
    endpoint = study.endpoints.get(analysis.options.get("endpoint", ""))
    table = endpoint.table if endpoint is not None else analysis.options["table"]
    return f"{expression} ({', '.join(levels_of(study, table, expression))})"


def _endpoint(analysis: Analysis) -> str:
    return f"endpoint {analysis.options['endpoint']}"


def _curves(study: Study, analysis: Analysis) -> list[str]:
    by = analysis.options["by"]
    return [f"One curve for each group of {grouping(study, analysis, by)}."] if by else []


def _survival(study: Study, analysis: Analysis) -> list[str]:
    noun = rows_noun(study, study.endpoints[analysis.options["endpoint"]].table)
    event = study.endpoints[analysis.options["endpoint"]].event
    what = f"The share of {noun}s still without the event {event}, at each time (a survival curve)"
    if analysis.options["reverse"]:
        what = f"How long the {noun}s were followed (a survival curve of the end of follow-up)"
    return [f"{what}; {_endpoint(analysis)}.", *_censoring(study, analysis)]


def _incidence(study: Study, analysis: Analysis) -> list[str]:
    endpoint = study.endpoints[analysis.options["endpoint"]]
    noun, (event, *others) = rows_noun(study, endpoint.table), endpoint.cause_names
    same = f", and the same for {listed(others)}" if others else ""
    what = f"The share of {noun}s with the event {event} by each time{same} (cumulative incidence)"
    return [f"{what}; {_endpoint(analysis)}.", *_curves(study, analysis), *_tested(study, analysis)]


def _tested(study: Study, analysis: Analysis) -> list[str]:
    """Return with what the groups of an incidence are compared, if they are."""
    options = analysis.options
    if not options["by"] or study.endpoints[options["endpoint"]].entry is not None:
        return []
    compared = _compared(study, analysis, by_site=options["by_site"])
    return ["A test whether the groups have the same incidence (Gray's test).", *compared]


def _logrank(study: Study, analysis: Analysis) -> list[str]:
    event = study.endpoints[analysis.options["endpoint"]].event
    groups = grouping(study, analysis, analysis.options["by"])
    rho = analysis.options["rho"]
    weighted = f", early times weighing more, rho = {rho:g}" if rho else ""
    return [
        f"A test whether the event {event} comes sooner in some groups of {groups} than in others "
        f"(log-rank test{weighted}); {_endpoint(analysis)}.",
        *_compared(study, analysis, by_site=analysis.options["by_site"]),
        *_censored_by_others(study, analysis),
    ]


FIRTH: Final = "With a penalty that keeps rates finite where groups have no event (Firth's fit)."


def _cox(study: Study, analysis: Analysis) -> list[str]:
    return _models(
        study, analysis, "How the rate of the event {event} goes with {names} (a Cox model)", ""
    )


def _fine_gray(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    event, *others = study.endpoints[options["endpoint"]].cause_names
    names = listed(options["covariates"])
    stay = f" Those with {listed(others, 'or')} stay among those compared." if others else ""
    return [
        f"How the share with the event {event} by each time goes with {names} (a Fine and Gray "
        f"model); {_endpoint(analysis)}.{stay}",
        *_compared(study, analysis, by_site=options["baseline"] == "by_site"),
    ]


def _screen(study: Study, analysis: Analysis) -> list[str]:
    whole = "Each model takes the rows in which its own covariate is known."
    if analysis.options["complete"] == "common":
        whole = "All models take the rows in which every covariate is known."
    what = "How the rate of the event {event} goes with each of these alone: {names} (Cox models)"
    return _models(study, analysis, what, whole)


def _compare(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    what = f"Whether each of these differs between groups of {options['by']}"
    if options["complete"] == "common":
        return [
            _groups_tested(study, analysis, what),
            "All take the rows in which every one is known.",
        ]
    return [_groups_tested(study, analysis, what), "Each takes the rows in which it is known."]


def _groups_tested(study: Study, analysis: Analysis, what: str) -> str:
    options = analysis.options
    strata = [grouping(study, analysis, name) for name in options["strata"]]
    strata += ["the hospital"] if options["by_site"] else []
    within = f", within the same {listed(strata)}" if strata else ""
    names = listed(options["variables"])
    groups = grouping(study, analysis, options["by"])
    return f"{what}: {names}. The groups are {groups}; test: {options['test']}{within}."


def _table_one(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    by = f", by group of {grouping(study, analysis, options['by'])}" if options["by"] else ""
    ends = ", the smallest and the largest value" if options["extremes"] else ""
    tests = ["Whether the groups differ is tested."] if options["tests"] else []
    apart = ["Standardized mean differences of the groups are given."] if options["smd"] else []
    return [
        f"A table of {listed(options['variables'])}{by}: counts, or mean, deviation, median and "
        f"quartiles{ends}, and how many values are missing.",
        *tests,
        *apart,
    ]


def _proportion(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    by = f", by group of {grouping(study, analysis, options['by'])}" if options["by"] else ""
    tested = ["Each is tested against a given probability."] if options["against"] else []
    return [
        f"Which part of the rows has each level of {listed(options['variables'])}{by}.",
        *tested,
    ]


def _paired(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    return [
        f"How much {options['after']} differs from {options['before']} in the same row, and in how "
        f"many it fell, rose or stayed; tests: {listed(options['tests'])}."
    ]


MEANS: Final = {
    "gaussian": "the mean of {outcome} goes",
    "binomial": "the odds of {outcome} go",
    "poisson": "the rate of {outcome} goes",
}


def _regression(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    goes = MEANS[options["family"]].format(outcome=options["outcome"])
    names = listed(options["covariates"]) if options["covariates"] else "nothing (a mean alone)"
    said = [f"How {goes} with {names} (a regression)."]
    if options["offset"]:
        said.append(f"The part {options['offset']} of it is taken as known (an offset).")
    if options.get("robust", "none") != "none":
        said.append(f"Errors are robust, with one cluster for each {options['robust']}.")
    if options.get("intervals") == "profile":
        said.append("Limits of each coefficient are found by its profile likelihood too.")
    return said


def _equations(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    first, last = options["waves"]
    return [
        *_regression(study, analysis),
        f"A patient's rows, numbered {first} to {last} by {options['wave']}, count as alike "
        f"(estimating equations, correlation: {options['correlation']}).",
    ]


WEIGHTS: Final = {
    "ate": "so that treated and untreated both stand for everybody",
    "stabilised": "so that treated and untreated both stand for everybody, in their own numbers",
    "att": "so that the untreated stand for the treated",
    "overlap": "so that both stand for those of whom either was likely",
}


def _weighting(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    limits = [f"{limit:g}" for limit in options["truncate"]]
    held = f" Weights are held between {listed(limits)}." if limits else ""
    return [
        f"How likely {options['treatment']} was, given {listed(options['covariates'])} (a "
        f"propensity score), and weights made of it, {WEIGHTS[options['variant']]}.{held} Sums of "
        f"weights and covariates open for each of the two arms.",
    ]


def _smoothed(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    by = f", in each group of {grouping(study, analysis, options['by'])}" if options["by"] else ""
    return [
        f"How {options['outcome']} runs over the days {options['days'][0]} to "
        f"{options['days'][1]} of {options['day']}{by}, smoothed (loess). Sums of each day open: "
        f"of a day on which one row is left, its value.",
    ]


def _diagram(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    return [
        f"What a model of {options['outcome']} on {options['exposure']} must adjust for, by a "
        f"diagram that the study draws. No hospital is asked for anything.",
    ]


def _models(study: Study, analysis: Analysis, what: str, whole: str) -> list[str]:
    options = analysis.options
    event = study.endpoints[options["endpoint"]].event
    said = what.format(event=event, names=listed(options["covariates"]))
    compared = _compared(study, analysis, by_site=options["baseline"] == "by_site")
    others = _censored_by_others(study, analysis)
    firth = {"always": FIRTH, "on_separation": f"Where it is needed: {FIRTH[0].lower()}{FIRTH[1:]}"}
    further = [text for text in (whole, firth.get(options["firth"], "")) if text]
    said = f"{said}; {_endpoint(analysis)}."
    return [said, *further, *compared, *others, *_beyond(analysis)]


def _beyond(analysis: Analysis) -> list[str]:
    """Return what a model is asked for beyond its fit, and what is taken as known in it."""
    options = analysis.options
    said = []
    if options["offset"]:
        said.append(f"The part {options['offset']} of the log rate is taken as known (an offset).")
    if options["robust"]:
        said.append(f"Errors are robust, with one cluster for each {_cluster(options['cluster'])}.")
    if options["concordance"]:
        said.append("How often of two the one with the higher rate has the event first is counted.")
    if options.get("predict"):
        said.append(f"Survival is predicted for: {listed(list(options['predict']))}.")
    return said


def _cluster(cluster: str) -> str:
    return {"site": "hospital"}.get(cluster, cluster)


def _meta_analysis(study: Study, analysis: Analysis) -> list[str]:
    options = analysis.options
    event = study.endpoints[options["endpoint"]].event
    names = listed(options["covariates"])
    return [
        f"How the rate of the event {event} goes with {names}, by a Cox model of each hospital's "
        f"own, which it keeps; {_endpoint(analysis)}.",
        f"Only sums over hospitals with at least {options['least_events']} events are formed: of "
        f"their estimates and of how sure these are (a meta-analysis).",
        *_compared(study, analysis, by_site=True),
        *_censored_by_others(study, analysis),
    ]


def _compared(study: Study, analysis: Analysis, *, by_site: bool) -> list[str]:
    """Return with whom patients are compared: over hospitals or within, and in which strata."""
    over = "within each hospital" if by_site else "over all hospitals together"
    strata = [grouping(study, analysis, name) for name in analysis.options.get("strata", ())]
    within = f", and only within the same group of {listed(strata)}" if strata else ""
    return [f"Compared {over}{within}."]


def _censoring(study: Study, analysis: Analysis) -> list[str]:
    others = [] if analysis.options["reverse"] else _censored_by_others(study, analysis)
    return [*_curves(study, analysis), *others]


def _censored_by_others(study: Study, analysis: Analysis) -> list[str]:
    competing = study.endpoints[analysis.options["endpoint"]].cause_names[1:]
    if not competing:
        return []
    return [f"Follow-up ends with {listed(competing, 'or')}, if that comes first."]


WORDS: Final[dict[str, Callable[[Study, Analysis], list[str]]]] = {
    "survival": _survival,
    "incidence": _incidence,
    "logrank": _logrank,
    "cox": _cox,
    "cox_screen": _screen,
    "fine_gray": _fine_gray,
    "meta_analysis": _meta_analysis,
    "glm": _regression,
    "gee": _equations,
    "loess": _smoothed,
    "weighting": _weighting,
    "adjustment": _diagram,
    "compare": _compare,
    "paired": _paired,
    "table_one": _table_one,
    "proportion": _proportion,
}
