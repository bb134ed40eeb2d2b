"""The guard: rounds of counts that come first, and what they allow.

Round 0 asks how many patients of how many hospitals take part, and how many of them contribute
otherwise than to each earlier release. Below the study's limits nothing further is asked
(`too_few`); with a few changed patients the release is deferred, because the difference of two
releases is these patients (`deferred`). A release that is refused here has opened these counts
and nothing else.

Round 1 asks what the limits of each analysis need: deaths and carriers (guard_limits.py), who
leaves in the steps of a grid (guard_grids.py), by whom nested analyses differ
(guard_selections.py). What is not within its limits is withheld: it ends with the reason, the
others go on. A release whose study leaves nothing to ask has no such round. An analysis that
the stewards accept by name is withheld for none of this.

Counts only, never reduced. Every site adds up the signed shares itself before it answers
anything further, and checks that what is left without its own patients is enough to hide among.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Final

from site_agent.contract.analyses.guard_grids import needs_steps, steps_ask, steps_sentence
from site_agent.contract.analyses.guard_limits import (
    Budget,
    carriers_ask,
    limited,
    limits_sentence,
    needs_limits,
)
from site_agent.contract.analyses.guard_openings import Key, Opening, Totals, openings
from site_agent.contract.analyses.guard_selections import (
    nested_sentence,
    selection,
    selections,
)
from site_agent.contract.analyses.guard_sums import CARRIERS, CHANGED, DIFFERING, ENROLLED, STEPS
from site_agent.contract.earlier import selected, selection_of
from site_agent.contract.errors import Refused
from site_agent.contract.frames import Frame
from site_agent.contract.study.model import Policy, Study
from site_agent.contract.sums import Answer, Arrays, Ask

SHOWN: Final = 3  # of the releases that defer one, how many its sentence names


@dataclass(frozen=True, slots=True)
class Admitted:
    """A release that may go on: who takes part, and what is withheld, each with its reason."""

    patients: int
    sites: int
    withheld: dict[Key, str]


def enrolled_ask(study: Study) -> Ask:
    """Return the first question: the patients of the study's first table."""
    return Ask(ENROLLED.name, _whole(study), {}, {})


def changed_ask(study: Study, earlier: tuple[str, ...]) -> Ask:
    """Return the question by how many patients the data differ from each earlier release."""
    return Ask(CHANGED.name, _whole(study), {"earlier": list(earlier)}, {})


def _whole(study: Study) -> Frame:
    return Frame(table=next(iter(study.tables)))


def guard(
    study: Study, earlier: tuple[str, ...] = ()
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Admitted]:
    """Ask for the counts; Refused if the release must not go on, else what it must not open."""
    first = [enrolled_ask(study), *([changed_ask(study, earlier)] if earlier else [])]
    enrolled, *changed = yield tuple(first)
    patients, sites = (int(enrolled.totals[name][0]) for name in ("patients", "sites"))
    _refuse_few(study.policy, patients, sites)
    apart: dict[Frame, str] = {}
    for answer in changed:
        refuse_deferred(study.policy, earlier, answer.totals)
        apart = _apart(study, earlier, answer.totals)
    asks = second_round(study)
    answers = (yield tuple(asks.values())) if asks else ()
    totals = {key: answer.totals for key, answer in zip(asks, answers, strict=True)}
    return Admitted(patients, sites, withheld(study, totals, apart))


def _refuse_few(policy: Policy, patients: int, sites: int) -> None:
    if patients < policy.patients or sites < policy.sites:
        raise Refused(
            "too_few",
            f"{patients} patients in {sites} hospitals take part; the study computes nothing "
            f"below {policy.patients} patients in {policy.sites} hospitals. Wait for more "
            f"patients, or have the stewards approve other limits (disclosure.compute)",
        )


def refuse_deferred(policy: Policy, earlier: tuple[str, ...], totals: Arrays) -> None:
    """Refuse if a few patients have changed since an earlier release: neither none nor enough."""
    k, m = policy.changed_patients, policy.changed_sites
    said = [
        f"{_counted(patients, 'patient')} of {_counted(sites, 'hospital')} "
        f"{'differs' if patients == 1 else 'differ'} from {_release(name)}"
        for name, patients, sites in zip(earlier, totals["patients"], totals["sites"], strict=True)
        if _few(policy, patients, sites) and not selection_of(name)[0]
    ]
    if said:
        more = f"; and {len(said) - SHOWN} more" if len(said) > SHOWN else ""
        raise Refused(
            "deferred",
            f"deferred until at least {k} patients of at least {m} hospitals differ, or none: "
            f"{'; '.join(said[:SHOWN])}{more}. The difference of two releases would be these "
            f"patients (disclosure.between_releases)",
        )


def _few(policy: Policy, patients: float, sites: float) -> bool:
    """Return whether patients differ, and so few that a difference would show them."""
    return bool(patients) and (patients < policy.changed_patients or sites < policy.changed_sites)


def _apart(study: Study, earlier: tuple[str, ...], totals: Arrays) -> dict[Frame, str]:
    """Return the selections that differ by a few patients from one that another study opened.

    What was opened there over just these patients shows nothing new if it is opened again.
    """
    found: dict[Frame, str] = {}
    named = selected(study)
    counts = list(zip(earlier, totals["patients"], totals["sites"], strict=True))
    again = {selection_of(name) for name, patients, _ in counts if not patients}
    for name, patients, sites in counts:
        label, release = selection_of(name)
        few = _few(study.policy, patients, sites) and (label, release) not in again
        if label in named and few:
            found.setdefault(
                named[label],
                f"its patients differ from those of an analysis in {_release(release)} by fewer "
                f"than {study.policy.changed_patients}, or in fewer than "
                f"{study.policy.changed_sites} hospitals (disclosure.between_releases): the two "
                f"results would subtract to them. Take the same patients as there, or have the "
                f"stewards accept the analysis by name",
            )
    return found


def _release(name: str) -> str:
    study, number, *respect = name.split("/", 2)
    return f"release {number} of study {study[:12]}" + "".join(f" in {item}" for item in respect)


def _counted(number: float, noun: str) -> str:
    return f"{int(number)} {noun}{'' if number == 1 else 's'}"


def second_round(study: Study) -> dict[tuple[str, str, str], Ask]:
    """Return what the limits of the analyses need, by sum and analysis and model, or table."""
    if study.policy.development:
        return {}
    opened = openings(study)
    asks: dict[tuple[str, str, str], Ask] = {}
    for opening in opened:
        if needs_limits(study, opening):
            asks[CARRIERS.name, *opening.key] = carriers_ask(study, limited(opening))
        if needs_steps(opening):
            asks[STEPS.name, *opening.key] = steps_ask(study, opening.frame)
    for table, found in selections(study, opened).items():
        asks[DIFFERING.name, table, ""] = found.ask()
    return asks


def withheld(study: Study, totals: Totals, apart: Mapping[Frame, str]) -> dict[Key, str]:
    """Return what must not be opened, each with its reason; the first reason counts.

    apart: selections that a release of another study stands too close to, with the reason.
    Analyses are taken in the order of the study: of two that do not go together the later one
    is withheld. What is withheld opens nothing, so what comes behind it is not held against it.
    """
    if study.policy.development:
        return {}
    opened = openings(study)
    differences, budget = _differences(study, opened, totals), _budget(study, opened, totals)
    before: dict[Frame, str] = {}
    refused: dict[Key, str] = {}
    for opening in opened:
        chosen = selection(study, opening.frame)
        because = (
            ""
            if opening.accepted
            else (
                _own_limits(study, opening, totals)
                or nested_sentence(study.policy, chosen, before, differences)
                or apart.get(chosen, "")
                or budget.sentence(opening)
            )
        )
        if because:
            refused[opening.key] = f"withheld: {because}"
        else:
            before.setdefault(chosen, opening.analysis.name)
            budget.spend(opening)
    return refused


def _differences(
    study: Study, opened: tuple[Opening, ...], totals: Totals
) -> dict[frozenset[Frame], tuple[int, int]]:
    """Return (patients, hospitals) in which two selections differ, over all tables."""
    return {
        pair: counts
        for table, found in selections(study, opened).items()
        for pair, counts in found.differences(totals[DIFFERING.name, table, ""]).items()
    }


def _budget(study: Study, opened: tuple[Opening, ...], totals: Totals) -> Budget:
    """Return a budget that knows how many patients the models of each table have."""
    patients: dict[str, int] = {}
    for opening in opened:
        counted, table = totals.get((CARRIERS.name, *opening.key)), opening.frame.table
        if counted is not None and opening.frame.covariates:
            patients[table] = max(patients.get(table, 0), int(counted["patients"][0]))
    return Budget(study, patients)


def _own_limits(study: Study, opening: Opening, totals: Totals) -> str:
    """Return why an opening is withheld whatever else the study opens, or nothing."""
    counted = totals.get((CARRIERS.name, *opening.key))
    steps = totals.get((STEPS.name, *opening.key))
    because = limits_sentence(study, opening, counted) if counted is not None else ""
    return because or (steps_sentence(study, steps) if steps is not None else "")


def refuse_exposed(study: Study, totals: Arrays, own: Arrays) -> None:
    """Refuse if, without this site's patients, too few others are left to hide them among."""
    others = int(totals["patients"][0] - own["patients"][0])
    if own["patients"][0] and others < study.policy.others:
        raise Refused(
            "exposed",
            f"{others} patients of other hospitals take part; this hospital's are hidden only "
            f"among {study.policy.others} others or more (disclosure.compute.others)",
        )
