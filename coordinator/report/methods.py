"""The methods of a release in sentences that can be pasted into a paper, with their literature.

What the study asks for is described, and nothing else: each kind of analysis has its sentences,
over all its analyses together, from their options and results. Numbers in brackets are references.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coordinator.report import numbers
from coordinator.report.comparison_tables import TESTS
from coordinator.report.folder import Document, ReleaseFolder
from coordinator.report.provenance import day_of
from coordinator.report.references import Citations
from coordinator.report.views import PLURAL
from coordinator.report.words import METHODS as LIMITS
from coordinator.report.words import SCALES, VARIANCES, rank_test

Documents = Sequence[Document]
ERRORS: Final = {"site": "hospital"}
SAME: Final = {"cox_screen": "cox"}
CORRELATIONS: Final = {"ar1": "first-order autoregressive"}


@dataclass(frozen=True, slots=True)
class Methods:
    """Paragraphs, and the references that they cite by number from 1."""

    paragraphs: tuple[str, ...]
    references: tuple[str, ...]


def methods(release: ReleaseFolder) -> Methods:
    """Return the methods of a release."""
    cite = Citations()
    kinds: dict[str, list[Document]] = {}
    for document in release.documents:
        kinds.setdefault(SAME.get(document.kind, document.kind), []).append(document)
    paragraphs = [_data(release, cite), _endpoints(release)]
    paragraphs += [KINDS[kind](kinds[kind], cite) for kind in KINDS if kind in kinds]
    paragraphs.append(_end(release, cite))
    return Methods(tuple(filter(None, paragraphs)), cite.listed())


def _data(release: ReleaseFolder, cite: Citations) -> str:
    manifest = release.manifest
    hospitals, patients = len(manifest["sites_in"]), numbers.count(manifest["patients"])
    made = " All patients are synthetic." if manifest["synthetic"] else ""
    return (
        f"Data of {patients} patients at {hospitals} hospitals were analysed as of "
        f"{day_of(manifest)}.{made} Patient records did not leave the hospitals: each hospital "
        f"added up the terms of every estimating equation over its own patients and sent them "
        f"masked, so that only the sum over all hospitals could be read "
        f"(secure aggregation{cite.cite('bonawitz')}). The estimates are those of the pooled "
        f"table, up to rounding error."
    )


def _endpoints(release: ReleaseFolder) -> str:
    """Return how the endpoints that analyses use are defined."""
    definitions = release.manifest.get("definitions", {}).get("endpoints", {})
    used = {document.options.get("endpoint") for document in release.documents}
    labels, unit = release.manifest["labels"], str(release.manifest["unit"])
    found = [
        _endpoint(labels.get(name, name), definition, PLURAL.get(unit, unit), labels)
        for name, definition in definitions.items()
        if name in used
    ]
    return " ".join(found)


def _endpoint(
    name: str, definition: Mapping[str, Any], units: str, labels: Mapping[str, str]
) -> str:
    (event, how), *others = definition["causes"]
    start = definition["origin"] or "day 0"
    first = f"{name[:1].upper()}{name[1:]} was counted in {units} from {start} to "
    first += f"{labels.get(event, event)} ({how})"
    named = [f"{labels.get(other, other)} ({text})" for other, text in others]
    competing = f", with {listed(named)} as competing" if named else ""
    end = definition["censored"] or definition["time"]
    last = f"; follow-up ended at {end}" if end else ""
    late = f"; patients came under observation at {definition['entry']}"
    return f"{first}{competing}{last}{late if definition['entry'] else ''}."


def listed(names: Iterable[str], last: str = "and") -> str:
    """Return `a, b and c`."""
    *front, end = list(names) or [""]
    return f"{', '.join(front)} {last} {end}" if front else end


def _options(documents: Documents, name: str) -> list[Any]:
    """Return the distinct values of an option, in the study's order."""
    found: list[Any] = []
    for document in documents:
        value = document.options.get(name)
        if value is not None and value not in found:
            found.append(value)
    return found


def _any(documents: Documents, name: str, no: Any = False) -> bool:
    return any(value and value != no for value in _options(documents, name))


def _level(documents: Documents) -> str:
    return listed(numbers.share(value) for value in _options(documents, "conf_level") or [0.95])


def _tests(documents: Documents) -> str:
    """Return the tests that were done, in words."""
    found: dict[str, None] = {}
    for document in documents:
        for model in document.result.get("models", {}).values():
            test = model.get("test")
            name = test.get("test") if isinstance(test, Mapping) else test
            if name in TESTS:
                found[TESTS[name]] = None
    return listed(found)


def _table_one(documents: Documents, cite: Citations) -> str:
    types = listed(str(v).removeprefix("type_") for v in _options(documents, "quantiles"))
    text = (
        f"Continuous characteristics are given as median with first and third quartile (quantiles "
        f"of type {types}{cite.cite('hyndman')}), categories as numbers with percentages of those "
        f"for whom they are known."
    )
    tests = _tests(documents) if _any(documents, "tests") else ""
    if tests:
        text += f" Groups were compared by these tests: {tests}."
    if _any(documents, "smd"):
        text += f" Standardized mean differences are as defined by Austin{cite.cite('austin')}."
    return text


def _proportion(documents: Documents, cite: Citations) -> str:
    used = _options(documents, "method")
    keys = {"clopper_pearson": "clopper", "wilson": "wilson", "wilson_cc": "wilson"}
    named = listed(f"{LIMITS[method]}{cite.cite(keys[method])}" for method in used)
    return f"Proportions have {named} {_level(documents)} confidence limits."


def _compare(documents: Documents, cite: Citations) -> str:
    tests = _tests(documents)
    return f"Groups were compared by these tests: {tests}." if tests else ""


def _paired(documents: Documents, cite: Citations) -> str:
    names = {"t": "the paired t test", "ratio_t": "the t test of log ratios"}
    names |= {"signed_rank": "Wilcoxon’s signed rank test"}
    used = {test: None for tests in _options(documents, "tests") for test in tests}
    named = listed(map(_of(names), used))
    return f"Values before and after were compared within patients by {named}."


def _of(names: Mapping[str, str]) -> Callable[[str], str]:
    return lambda name: names.get(name, name)


def _survival(documents: Documents, cite: Citations) -> str:
    forward = [d for d in documents if not d.options.get("reverse")]
    parts = []
    if forward:
        scales = listed(_of(SCALES)(scale) for scale in _options(forward, "conf_type"))
        parts.append(
            f"Survival was estimated by the product-limit method{cite.cite('kaplan')} with "
            f"Greenwood’s variance{cite.cite('greenwood')} and {_level(forward)} confidence limits "
            f"on {scales}."
        )
    if _any(forward, "restricted_mean"):
        parts.append(f"Restricted mean survival times are areas under it{cite.cite('royston')}.")
    if len(forward) < len(documents):
        parts.append(
            f"Follow-up was estimated by the reverse Kaplan-Meier method{cite.cite('schemper')}."
        )
    return " ".join(parts)


def _incidence(documents: Documents, cite: Citations) -> str:
    variances = listed(_of(VARIANCES)(name) for name in _options(documents, "variance"))
    scales = listed(_of(SCALES)(scale) for scale in _options(documents, "conf_type"))
    text = (
        f"Cumulative incidence in the presence of competing risks was estimated after Aalen and "
        f"Johansen{cite.cite('aalen')}, with {variances} and {_level(documents)} confidence limits "
        f"on {scales}."
    )
    if any(document.result.get("tests") for document in documents):
        text += f" Groups were compared by Gray’s test{cite.cite('gray')}"
        text += ", stratified by hospital." if _any(documents, "by_site") else "."
    return text


def _logrank(documents: Documents, cite: Citations) -> str:
    names = listed(
        dict.fromkeys(rank_test(rho).rstrip(",") for rho in _options(documents, "rho") or [0])
    )
    keys = ["mantel", *(["harrington"] if _any(documents, "rho", 0) else [])]
    within = " (within hospitals where the table says so)" if _any(documents, "by_site") else ""
    return f"Survival of groups was compared by the {names} test{cite.cite(*keys)}{within}."


def _cox(documents: Documents, cite: Citations) -> str:
    source = cite.cite("cox")  # before those of ties, as it stands in the sentence
    ties = {"efron": "Efron’s", "breslow": "Breslow’s"}
    named = listed(f"{ties[t]} method{cite.cite(t)}" for t in _options(documents, "ties"))
    baselines = {
        "pooled": "one baseline hazard over all hospitals",
        "by_site": "a baseline hazard of each hospital’s own",
    }
    baseline = listed(map(_of(baselines), _options(documents, "baseline")), "or")
    several = any(len(d.options.get("covariates", ())) > 1 for d in documents if d.kind == "cox")
    single = any(d.kind == "cox_screen" for d in documents)
    what = listed([*(["of single covariates"] * single), *(["of several"] * several)]) or ""
    parts = [
        f"Cause-specific hazards were modelled by proportional hazards regression"
        f"{source}{f' {what}' if what else ''} with {baseline}, and {named} for ties; "
        f"hazard ratios have {_level(documents)} Wald limits."
    ]
    if _any(documents, "robust"):
        parts.append(f"Standard errors are robust{cite.cite('lin')} where the table says so.")
    if any(document.result.get("firth") for document in documents):
        parts.append(f"Firth’s penalty was used{cite.cite('firth', 'heinze')} where noted.")
    if _any(documents, "intervals", "wald"):
        parts.append("Limits of the profile likelihood are given beside them.")
    if _any(documents, "zph"):
        parts.append(
            f"Proportionality was tested by scaled Schoenfeld residuals{cite.cite('grambsch')}."
        )
    if _any(documents, "concordance"):
        parts.append(f"Discrimination is Harrell’s concordance{cite.cite('harrell_c')}.")
    if _any(documents, "functional_form"):
        parts.append(
            f"Functional forms were modelled by restricted cubic splines{cite.cite('harrell')}."
        )
    return " ".join(parts)


def _fine_gray(documents: Documents, cite: Citations) -> str:
    return (
        f"Subdistribution hazards were modelled after Fine and Gray{cite.cite('fine')}; ratios "
        f"have {_level(documents)} Wald limits."
    )


def _meta(documents: Documents, cite: Citations) -> str:
    least = listed(str(v) for v in _options(documents, "least_events"))
    return (
        f"Log hazard ratios of the hospitals with at least {least} events were pooled with weights "
        f"of inverse variance, as fixed effect and as random effects after DerSimonian and Laird"
        f"{cite.cite('dersimonian')}; heterogeneity is given as Q and I²{cite.cite('higgins')}."
    )


def _glm(documents: Documents, cite: Citations) -> str:
    families = {"gaussian": "linear", "binomial": "logistic", "poisson": "Poisson"}
    named = listed(map(_of(families), _options(documents, "family")))
    text = (
        f"Outcomes were modelled by {named} regression{cite.cite('mccullagh')} with "
        f"{_level(documents)} Wald limits."
    )
    if "profile" in _options(documents, "intervals"):
        text += " Limits of the profile likelihood are given beside them."
    robust = [v for v in _options(documents, "robust") if v != "none"]
    if robust:
        clusters = listed(map(_of(ERRORS), robust))
        text += f" Standard errors are robust{cite.cite('white')}, with a cluster each {clusters}."
    return text


def _gee(documents: Documents, cite: Citations) -> str:
    named = listed(map(_of(CORRELATIONS), _options(documents, "correlation")), "or")
    text = (
        f"Repeated outcomes were modelled by generalized estimating equations{cite.cite('liang')} "
        f"with {named} working correlation and sandwich standard errors."
    )
    if _any(documents, "qic"):
        text += f" Fits are compared by QIC{cite.cite('pan')}."
    return text


def _loess(documents: Documents, cite: Citations) -> str:
    spans = listed(f"{v:g}" for v in _options(documents, "span"))
    how = f"local regression{cite.cite('cleveland')}, span {spans}"
    return f"Courses over time were smoothed by {how}."


def _adjustment(documents: Documents, cite: Citations) -> str:
    return (
        f"Covariates to adjust for were read from the study’s causal diagram by the back-door "
        f"criterion{cite.cite('pearl')}."
    )


def _weighting(documents: Documents, cite: Citations) -> str:
    weights = {
        "ate": "of the average treatment effect",
        "stabilised": "of the average treatment effect, stabilised",
        "att": "of the effect in the treated",
        "overlap": "of the effect in the overlap",
    }
    named = listed(map(_of(weights), _options(documents, "variant")))
    return (
        f"Patients were weighted by a propensity score{cite.cite('rosenbaum')} from logistic "
        f"regression, with the weights {named}{cite.cite('austin_iptw')}. Balance is judged by "
        f"standardized mean differences{cite.cite('austin')}."
    )


KINDS: Final[Mapping[str, Callable[[Documents, Citations], str]]] = {
    "table_one": _table_one,
    "proportion": _proportion,
    "compare": _compare,
    "paired": _paired,
    "survival": _survival,
    "incidence": _incidence,
    "logrank": _logrank,
    "adjustment": _adjustment,
    "cox": _cox,
    "fine_gray": _fine_gray,
    "meta_analysis": _meta,
    "glm": _glm,
    "gee": _gee,
    "loess": _loess,
    "weighting": _weighting,
}


def _end(release: ReleaseFolder, cite: Citations) -> str:
    manifest = release.manifest
    rules = manifest["disclosure"]
    least = 0 if rules.get("development") else int(rules["show"]["cell"])
    hidden = (
        f" Counts from 1 to {least - 1}, and numbers that would give them back, are suppressed"
        f"{cite.cite('hundepool')}, save in analyses that the hospitals’ data stewards accepted by "
        f"name."
        if least > 1
        else ""
    )
    libraries = ", ".join(f"{name} {version}" for name, version in manifest["libraries"].items())
    return (
        f"Analyses are of complete cases; p-values are two-sided and not adjusted for their "
        f"number.{hidden} Software: {manifest['software']} on Python {manifest['python']} "
        f"({libraries}); release {manifest['release']} of the study {manifest['study']}, "
        f"SHA-256 {str(manifest['study_hash'])[:16]}."
    )
