"""What each analysis opens, and what the classes that occur give away.

What opens is the catalogue's own text (`Kind.uses`, `Sum.gives`), with what that leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from site_agent.contract.analyses.fine_gray_sums import AT_RISK
from site_agent.contract.analyses.weights import is_weighted
from site_agent.contract.catalogue import KINDS
from site_agent.contract.party import Roster
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Disclosure
from site_agent.review.sources import alike, covariate_columns
from site_agent.review.wording import listed

CLASSES: Final[dict[Disclosure, tuple[str, ...]]] = {
    "A": (
        "Totals over all patients of an analysis together, nothing by time.",
        "Among many patients no single one stands out in them. With few events, or few patients "
        "in a group, they can be worked back to single patients: if a model has one event, the "
        "sum of ages over those with the event is the age of that patient.",
    ),
    "B": (
        "Counts of patients by time, over all hospitals together or in each group of an "
        "analysis: what a published curve shows, in exact numbers.",
        "In a small study they are the list of the patients' times. Who knows when a patient had "
        "the event finds that patient in the counts, and the group with it.",
        "Counts of the same patients in several groupings can be linked: together they say more "
        "than each alone.",
    ),
    "V": (
        "The distribution of one variable over all hospitals: how many patients have each value.",
        "A rare value is one patient, though nothing else about the patient goes with it.",
    ),
    "C": (
        "Sums of covariates over the patients still at risk, at each time of an event. Those of a "
        "fit open to the center alone. The hospitals see what it makes of them (score, "
        "information and log-likelihood of the model), and cannot check them as they "
        "check the other totals.",
        "WARNING for small studies: the difference of two neighbouring sums is the patients who "
        "left in between, often a single one. Then the center can work out the covariates and "
        "times of single patients, without name and hospital. Approve class C only if the center "
        "may receive such rows, which are pseudonymous data of patients.",
    ),
}

BESIDE_THE_FIT: Final = (
    "For {names} sums over the patients at risk, or the linear predictors of those who have the "
    "event, at each of its times, open to the hospitals as well as to the center: robust errors, a "
    "concordance and curves are computed from them."
)

FITTED: Final = (
    "Score, information and log-likelihood are sums from which a model is fitted, a few times over."
)

SEALED: Final = (
    "The sums over the patients at risk at each event open to the center only scrambled with a "
    "secret that the hospitals share and the center has not. It is undone in the total over all "
    "events. A hospital that gave the center the secret would open them: then this is class C."
)

TO_ALL: Final = (
    "Once, at the estimate, such sums open to every hospital as well, so that each can work out "
    "what its own patients add to the variance:"
)

WEIGHTS_BY_TIME: Final = (
    "For {names} the weights of those who leave, or have the event, open at each time, to the "
    "hospitals as well as to the center. Where one patient leaves at a time, that is the patient's "
    "weight, a number made of the columns above."
)

Opened = tuple[Disclosure, str]


def opens(study: Study, analysis: Analysis) -> list[Opened]:
    """Return each class with what an analysis opens in it."""
    found: list[Opened] = []
    for disclosure, what in KINDS[analysis.kind].uses(analysis.options):
        found.append((disclosure, what + (_also(study, analysis) if disclosure == "B" else "")))
    return found


def _also(study: Study, analysis: Analysis) -> str:
    """Return what counts by time hold besides: entries, and strata of a test."""
    options = analysis.options
    if "endpoint" not in options or ("baseline" in options and analysis.kind != "fine_gray"):
        return ""
    strata = analysis.options.get("strata", ())
    within = f", in each group of {listed(strata)}" if strata else ""
    entry = study.endpoints[analysis.options["endpoint"]].entry
    return within + (", and how many come under observation at each time" if entry else "")


def used_classes(study: Study) -> dict[Disclosure, list[str]]:
    """Return the classes that the analyses open, in order, each with their names."""
    found: dict[Disclosure, list[str]] = {name: [] for name in CLASSES}
    for analysis in study.analyses.values():
        for disclosure in dict.fromkeys(disclosure for disclosure, _ in opens(study, analysis)):
            found[disclosure].append(analysis.name)
    return {disclosure: names for disclosure, names in found.items() if names}


def class_sentences(study: Study, disclosure: Disclosure, analyses: Sequence[str]) -> list[str]:
    """Return what a class gives away in this study."""
    sentences = list(CLASSES[disclosure])
    models = [study.analyses[name] for name in analyses]
    if disclosure == "A" and any("baseline" in model.options for model in models):
        sentences.append(FITTED)
    if disclosure == "A" and any(KINDS[model.kind].seals(model.options) for model in models):
        sentences.append(SEALED)
    if disclosure == "C":
        columns = {column for model in models for column in covariate_columns(study, model)}
        sentences.append(f"Here these sums are made from: {', '.join(sorted(columns))}.")
        shown = [model.name for model in models if _shows_hospitals(model)]
        sentences += [BESIDE_THE_FIT.format(names=listed(shown))] if shown else []
        weighed = [model.name for model in models if is_weighted(model.options)]
        sentences += [WEIGHTS_BY_TIME.format(names=listed(weighed))] if weighed else []
        wide = [model.name for model in models if _wide(model)]
        if wide:
            sentences.append(f"{TO_ALL} {listed(wide)}.")
    return sentences


def _shows_hospitals(analysis: Analysis) -> bool:
    """Return whether open risk sets are shown to hospitals too, for what follows from the fit."""
    options = analysis.options
    asked = ("robust", "concordance", "predict", "baseline_curve")
    return options.get("risk_sets") == "open" and any(options.get(name) for name in asked)


def _wide(model: Analysis) -> bool:
    """Return whether the variance of a model needs open risk sets at the hospitals."""
    uses = KINDS[model.kind].uses(model.options)
    return (AT_RISK.disclosure, AT_RISK.gives) in uses


def declared_sentence(study: Study) -> str:
    """Return whether the classes that the study declares are those that its analyses open."""
    declared, used = study.policy.classes, used_classes(study)
    beyond = [name for name in used if name not in declared]
    idle = [name for name in declared if name not in used]
    if beyond:
        return (
            f"The analyses open more than the study declares: {_named(beyond)}. Do not "
            f"approve this study."
        )
    if idle:
        return (
            f"The study declares more than it uses: {_named(idle)}, which no analysis "
            f"opens. Ask for a study without it; nothing of it opens in this one."
        )
    return f"The study declares what its analyses open and nothing more: {_named(declared)}."


def _named(classes: Sequence[Disclosure]) -> str:
    return f"class{'es' if len(classes) > 1 else ''} {listed(classes)}"


def warnings(study: Study, roster: Roster, site: str, analysis: Analysis) -> list[str]:
    """Return what an analysis gives away of this hospital because few share its attributes."""
    words, others = alike(study, roster, site, analysis)
    if not words or len(others) > 1:
        return []
    if not others:
        return [
            f"WARNING: this analysis uses {words}, and no other hospital of the study has that. "
            f"Totals by it can be this hospital's own numbers."
        ]
    return [
        f"WARNING: this analysis uses {words}, which only this hospital and {others[0]} have. "
        f"{others[0]} can take its own numbers off totals by it, and what is left is this "
        f"hospital's; without {others[0]} in a release, they are this hospital's alone."
    ]
