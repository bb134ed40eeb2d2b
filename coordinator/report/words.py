"""What an analysis is, in one sentence, with the conventions behind its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from coordinator.report import numbers
from coordinator.report.suppression import Cell, Suppressed
from coordinator.report.views import View

SCALES: Final = {
    "plain": "the untransformed scale",
    "log": "the log scale",
    "log-log": "the log(−log) scale",
    "logit": "the logit scale",
    "arcsin": "the arcsine square root scale",
    "cloglog": "the log(−log(1 − p)) scale",
}
VARIANCES: Final = {
    "gray": "Gray's variance as in cmprsk",
    "greenwood": "multinomial (Greenwood-type) variance",
    "jackknife": "infinitesimal jackknife variance",
}
BASELINES: Final = {
    "pooled": "one baseline hazard over all hospitals",
    "by_site": "a baseline hazard of each hospital's own",
}
WEIGHTS: Final = {"crr": "cmprsk's crr", "finegray": "survival's finegray"}
SANDWICHES: Final = {
    "fine_gray": "Fine and Gray's variance as in cmprsk",
    "robust": "robust variance for known weights",
    "model": "variance of the information, which takes the weights as known (not that of cmprsk)",
}
WITHHELD: Final = "withheld:"
NO_RESULT: Final = "No result"
CLUSTERS: Final = {"site": "hospital"}
TIES: Final = {"efron": "Efron's", "breslow": "Breslow's"}
COMPLETE: Final = {
    "per_model": "each on the rows that have its own covariate",
    "common": "all on the rows that have every covariate",
}


def sentence(view: View) -> str:
    """Return one sentence on an analysis; a kind without one of its own is just named."""
    kind = view.document.kind
    if kind not in SENTENCES:
        return f"Analysis of the kind {kind}."
    return f"{SENTENCES[kind](view)}{_months(view)}{_gridded(view)}{_weighted(view)}"


def _months(view: View) -> str:
    """Return how months were converted, if estimates at months were asked for."""
    options = view.document.options
    if not options.get("at_months"):
        return ""
    return f" A month is {options['days_per_month']:g} days."


def _gridded(view: View) -> str:
    """Return that times are those of a grid, if they are."""
    grid = view.document.options.get("grid", ())
    if not grid:
        return ""
    points = ", ".join(f"{time:g}" for time in grid)
    return f" Times are moved up to the next of {points}: nothing is known in between."


def _weighted(view: View) -> str:
    """Return what rows count as, if not as one each."""
    options = view.document.options
    if options.get("weighting"):
        return f" Rows are weighted by the propensity score of {view.label(options['weighting'])}."
    weights = options.get("weights")
    return f" Rows are weighted by {view.label(weights)}." if weights else ""


def _subject(view: View) -> str:
    """Return the endpoint's label, with the cohort if it is not everybody."""
    options = view.document.options
    cohort = options.get("cohort")
    within = f" in the cohort {view.label(cohort)}" if cohort else ""
    return f"{view.label(options.get('endpoint', ''))}{within}"


def _by(view: View) -> str:
    by = view.document.options.get("by")
    return f" by {view.label(by)}" if by else ""


def _limits(view: View, scale: str) -> str:
    words = SCALES.get(scale, f"the {scale} scale")
    return f"{view.level.removesuffix(' CI')} limits on {words}"


def _survival(view: View) -> str:
    options = view.document.options
    limits = _limits(view, options["conf_type"])
    what = f"Kaplan-Meier estimate of {_subject(view)}{_by(view)}"
    if options.get("reverse"):
        what = (
            f"Follow-up for {_subject(view)}{_by(view)}, by the reverse Kaplan-Meier estimate in "
            f"which censoring counts as the event"
        )
    weighted = options.get("weights") or options.get("weighting")
    variance = VARIANCES["jackknife"] if weighted else "Greenwood's variance"
    return f"{what}; {variance}, {limits}."


def _incidence(view: View) -> str:
    options = view.document.options
    variance = VARIANCES.get(options["variance"], options["variance"])
    outcomes = list(dict.fromkeys(curve["outcome"] for curve in view.result.get("curves", ())))
    names = ", ".join(view.label(outcome) for outcome in outcomes)
    risks = f" (competing causes: {names})" if len(outcomes) > 1 else ""
    return (
        f"Cumulative incidence (Aalen-Johansen) of {_subject(view)}{_by(view)}{risks}; "
        f"{variance}, {_limits(view, options['conf_type'])}.{_gray(view)}"
    )


def _gray(view: View) -> str:
    """Return how groups are compared, if they are."""
    if not view.result.get("tests"):
        return ""
    return f" Gray's test{_stratified(view)} compares the groups, for each cause by itself."


def _stratified(view: View) -> str:
    options = view.document.options
    strata = [view.label(name) for name in options.get("strata", [])]
    strata += ["hospital"] if options.get("by_site") else []
    return f", stratified by {' and '.join(strata)}," if strata else ""


def rank_test(rho: float) -> str:
    """Return the name of the test whose weights are S to the power of rho."""
    names = {0.0: "Log-rank", 1.0: "Peto-Peto"}
    return names.get(rho, f"Fleming-Harrington, rho = {rho:g},")


def _logrank(view: View) -> str:
    return (
        f"{rank_test(view.result.get('rho', 0))} test of {_subject(view)}{_by(view)}"
        f"{_stratified(view).removesuffix(',')}; hypergeometric variance, chi-square over all "
        f"groups."
    )


def _model_conventions(view: View) -> str:
    options = view.document.options
    strata = [view.label(name) for name in options.get("strata", [])]
    stratified = f", stratified by {' and '.join(strata)}" if strata else ""
    return (
        f"{TIES.get(options['ties'], options['ties'])} method for ties, "
        f"{BASELINES.get(options['baseline'], options['baseline'])}{stratified}, "
        f"{view.level.removesuffix(' CI')} Wald limits{_robust(options)}"
    )


def _robust(options: Mapping[str, Any]) -> str:
    """Return by what robust errors add up, if they are robust."""
    if not options.get("robust"):
        return ""
    cluster = CLUSTERS.get(options["cluster"], options["cluster"])
    return f" with robust (sandwich) standard errors, clustered by {cluster}"


def _cox(view: View) -> str:
    names = ", ".join(view.document.options["covariates"])
    return (
        f"Cause-specific Cox proportional hazards model of {_subject(view)} on {names}; "
        f"{_model_conventions(view)}.{_firth(view)}"
    )


def _firth(view: View) -> str:
    """Return that a fit is penalised, and why if it was not asked for."""
    if not view.result.get("firth"):
        return ""
    because = ", as the likelihood has no maximum" if "firth_because" in view.result else ""
    return f" Firth's penalised likelihood{because}; its log-likelihoods are penalised."


def _screen(view: View) -> str:
    complete = COMPLETE.get(view.document.options.get("complete", "per_model"), "")
    return (
        f"Cause-specific Cox proportional hazards models of {_subject(view)}, one for each "
        f"covariate, {complete}; {_model_conventions(view)}."
    )


def _fine_gray(view: View) -> str:
    options = view.document.options
    names = ", ".join(options["covariates"])
    ties = TIES.get(options["ties"], options["ties"])
    return (
        f"Subdistribution hazard (Fine and Gray) of {_subject(view)} on {names}, competing causes "
        f"staying at risk with the weight of {WEIGHTS.get(options['convention'], '')}; {ties} "
        f"method for ties, {BASELINES.get(options['baseline'], options['baseline'])}, "
        f"{SANDWICHES.get(options['variance'], options['variance'])}, "
        f"{view.level.removesuffix(' CI')} Wald limits."
    )


def _cohort(view: View) -> str:
    cohort = view.document.options.get("cohort")
    return f" in the cohort {view.label(cohort)}" if cohort else ""


def _compare(view: View) -> str:
    options = view.document.options
    names = ", ".join(view.label(name) for name in options["variables"])
    complete = COMPLETE.get(options["complete"], "").replace("covariate", "variable")
    strata = [view.label(name) for name in options["strata"]]
    strata += ["hospital"] if options["by_site"] else []
    within = f", within {' and '.join(strata)}" if strata else ""
    return f"Tests of {names}{_by(view)}{_cohort(view)}, {complete}{within}; two-sided p-values."


def _paired(view: View) -> str:
    options = view.document.options
    return (
        f"{view.label(options['after'])} (after) against {view.label(options['before'])} (before) "
        f"in the same patient{_cohort(view)}; a change is after less before."
    )


def _table_one(view: View) -> str:
    options = view.document.options
    quantiles = "type 2 (SAS)" if options["quantiles"] == "type_2" else "type 7 (R)"
    apart = "; SMD is the largest standardized difference of two groups" if options["smd"] else ""
    tests = "; two-sided p-values" if options["tests"] else ""
    return f"The cohort{_cohort(view)}{_by(view)}; quantiles of {quantiles}{apart}{tests}."


def _proportion(view: View) -> str:
    options = view.document.options
    names = ", ".join(view.label(name) for name in options["variables"])
    against = options["against"]
    tested = "" if against is None else f"; two-sided p against {numbers.share(against)}"
    return (
        f"Proportions of {names}{_by(view)}{_cohort(view)}, of the rows in which each is known; "
        f"{METHODS[options['method']]} limits{tested}."
    )


METHODS: Final = {
    "clopper_pearson": "exact (Clopper-Pearson)",
    "wilson": "Wilson's",
    "wilson_cc": "Wilson's corrected",
}


def _meta_analysis(view: View) -> str:
    options = view.document.options
    names = ", ".join(options["covariates"])
    ties = TIES.get(options["ties"], options["ties"])
    return (
        f"Meta-analysis of Cox models of {_subject(view)} on {names}, one of each hospital with at "
        f"least {options['least_events']} events; {ties} method for ties, fixed effect and random "
        f"effects of DerSimonian and Laird, {view.level.removesuffix(' CI')} Wald limits."
    )


FAMILIES: Final = {"gaussian": "Linear", "binomial": "Logistic", "poisson": "Poisson"}


def _on(options: Mapping[str, Any]) -> str:
    return ", ".join(options["covariates"]) or "an intercept alone"


def _glm(view: View) -> str:
    options = view.document.options
    robust = options["robust"]
    errors = "" if robust == "none" else f", robust errors with one cluster for each {robust}"
    if options["intervals"] == "profile":
        errors = "; limits by profile likelihood beside them"
    return (
        f"{FAMILIES[options['family']]} regression of {view.label(options['outcome'])} on "
        f"{_on(options)}{_cohort(view)}; {view.level.removesuffix(' CI')} Wald limits{errors}."
    )


def _gee(view: View) -> str:
    options = view.document.options
    first, last = options["waves"]
    return (
        f"{FAMILIES[options['family']]} estimating equations of {view.label(options['outcome'])} "
        f"on {_on(options)}{_cohort(view)} over the waves {first} to {last} of "
        f"{view.label(options['wave'])}; working correlation: {options['correlation']}, moments as "
        f"geepack's, {view.level.removesuffix(' CI')} limits with the sandwich variance."
    )


def _loess(view: View) -> str:
    options = view.document.options
    return (
        f"Local regression of {view.label(options['outcome'])} on {view.label(options['day'])}"
        f"{_by(view)}{_cohort(view)}; span {options['span']:g}, degree {options['degree']}, "
        f"direct; rows of one patient count as independent."
    )


EFFECTS: Final = {
    "ate": "the average effect in all (ATE)",
    "stabilised": "the average effect in all (ATE), stabilised by the share of the treated",
    "att": "the average effect in the treated (ATT)",
    "overlap": "the average effect where the arms overlap",
}


def _weighting(view: View) -> str:
    options = view.document.options
    limits = [f"{limit:g}" for limit in options["truncate"]]
    held = f", truncated at {' and '.join(limits)}" if limits else ""
    return (
        f"Propensity score of {view.label(options['treatment'])} by logistic regression on "
        f"{_on(options)}{_cohort(view)}; inverse probability weights for "
        f"{EFFECTS[options['variant']]}{held}; standardized mean differences over the standard "
        f"deviations before weighting."
    )


def _adjustment(view: View) -> str:
    options = view.document.options
    return (
        f"What a model of {view.label(options['outcome'])} must adjust for, so that it tells the "
        f"total effect of {view.label(options['exposure'])}, by the study's causal diagram and the "
        f"back-door criterion. No data are used."
    )


SENTENCES: Final = {
    "survival": _survival,
    "incidence": _incidence,
    "logrank": _logrank,
    "cox": _cox,
    "cox_screen": _screen,
    "fine_gray": _fine_gray,
    "compare": _compare,
    "paired": _paired,
    "table_one": _table_one,
    "proportion": _proportion,
    "meta_analysis": _meta_analysis,
    "glm": _glm,
    "gee": _gee,
    "loess": _loess,
    "weighting": _weighting,
    "adjustment": _adjustment,
}


def left_out(view: View) -> str:
    """Return the rows left out by reason, in words; nothing where the kind counts none."""
    if "models" in view.result:
        return _left_out_by_model(view)
    if "left_out" not in view.result:
        return ""
    return f"Rows left out: {reasons(view, view.result['left_out'])}."


def _left_out_by_model(view: View) -> str:
    fits = {name: m for name, m in view.result["models"].items() if not m.get("failed")}
    parts = [
        f"{view.label(name)}: {reasons(view, model['left_out'], name)}"
        for name, model in fits.items()
        if any(model["left_out"].values())
    ]
    if not parts:
        return "Rows left out: none." if fits else ""
    others = "; every other model: none" if len(parts) < len(fits) else ""
    return f"Rows left out by model: {'; '.join(parts)}{others}."


def reasons(view: View, counts: Mapping[str, Any], model: str = "") -> str:
    """Return the rows left out; the reasons are not told apart if one of them is a small count."""
    known = {reason: int(count) for reason, count in counts.items() if count}
    total, why = sum(known.values()), " or ".join(known)
    shown = view.rules.total(model).rows and view.rules.total(model).left_out
    if not known:
        return "none"
    if view.rules.free or not any(view.limit.small(count) for count in (total, *known.values())):
        if view.rules.free or shown:
            return ", ".join(f"{numbers.count(n)} ({reason})" for reason, n in known.items())
        return f"{view.limit.hidden} ({why})"
    if view.limit.small(total):
        return f"{view.limit.mark} ({why})"
    return f"{view.limit.cell(total, shown=shown)} ({why})"


def no_result(view: View, because: str) -> tuple[str, str]:
    """Return what to call an analysis without a result, and why: a failure, or the guard."""
    if not because.startswith(WITHHELD):
        return NO_RESULT, view.limit.sentence(because)
    why = because.removeprefix(WITHHELD).strip()
    return "Withheld", f"{why[:1].upper()}{why[1:]}{'' if why.endswith('.') else '.'}"


def points(least: int) -> str:
    """Return how a curve is drawn of which small counts are hidden."""
    return (
        f"Drawn straight between points that are at least {least} events of each group apart, or "
        f"none; a curve ends where no such point follows."
    )


def shown_counts(view: View, cells: Iterable[Cell]) -> str:
    """Return what the marks among `cells` stand for, or why small counts are shown."""
    if view.accepted:
        return f"Accepted exception, with all counts shown: {'; '.join(view.accepted)}."
    if view.rules.shown_by:
        names = " and ".join(view.label(name) for name in view.rules.shown_by)
        return f"All counts are shown, as an accepted exception shows them already: {names}."
    marks = {str(cell): cell for cell in cells if isinstance(cell, Suppressed)}
    return " ".join(_meaning(cell) for _, cell in sorted(marks.items()))


def _meaning(cell: Suppressed) -> str:
    if cell.alone:
        return f"{cell}: from 1 to {cell.least - 1}."
    return (
        f"{cell}: a count from 1 to {cell.least - 1}, or a number that could give one back, also "
        f"by subtraction from other times, groups or analyses."
    )
