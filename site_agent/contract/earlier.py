"""The releases with which a new one is compared, and in which respects.

A name is `<hash of the study>/<number>`. Each site names the releases that its ledger knows; all
parties take the union, so one site that remembers is enough, and the guard asks everybody the
same. For each of these names it counts, in several respects, the patients who contribute otherwise:

    <name>              in anything
    <name>/<analysis>   in the rows of one analysis of the same study, ends of follow-up left out
    <name>/events       in what another study has in common, ends of follow-up left out
    <name>/selected/<analysis>/<n>  by belonging to the rows of this analysis, or to those of the
                        n-th distinct selection of another study

In each respect but the last nobody differs, or enough patients do. In the last, otherwise, the
analysis is withheld: what it finds would subtract from what the other study found. One count over
everything would not do: a hospital that updates the day last seen changes everybody, and a single
new patient, whose covariates are all that a model's totals differ by, would pass among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from site_agent.contract.analyses.guard_selections import selection
from site_agent.contract.catalogue import KINDS
from site_agent.contract.errors import Refused
from site_agent.contract.frames import Frame
from site_agent.contract.messages import MOST_EARLIER, Ready
from site_agent.contract.study.model import Study

NAME: Final = re.compile(r"[0-9a-f]{64}/[1-9][0-9]{0,9}\Z")
EVENTS: Final = "events"
SELECTED: Final = "selected"
MOST_SELECTED: Final = 32  # selections of another study that are compared with, the first ones


def analysed(study: Study) -> dict[str, Frame]:
    """Return the distinct frames of all analyses, each by the first analysis that has it.

    A screen has a frame for each model: `<analysis>:<covariate>`.
    """
    found: dict[Frame, str] = {}
    for name, analysis in study.analyses.items():
        for model, frame in KINDS[analysis.kind].models(study, analysis):
            found.setdefault(frame, f"{name}:{model}" if model else name)
    return {label: frame for frame, label in found.items()}


def selected(study: Study) -> dict[str, Frame]:
    """Return the distinct selections of all analyses, each by the first analysis that has it."""
    found: dict[Frame, str] = {}
    for label, frame in analysed(study).items():
        found.setdefault(selection(study, frame), label)
    return {label: frame for frame, label in found.items()}


def selection_of(respect: str) -> tuple[str, str]:
    """Return the analysis whose selection is compared, and with which release; "" if none is."""
    study, number, *more = respect.split("/", 2)
    kind, _, rest = (more[0] if more else "").partition("/")
    label, numbered, _ = rest.rpartition("/")
    return (label if kind == SELECTED and numbered else ""), f"{study}/{number}"


def respects(study: Study, earlier: Iterable[str]) -> tuple[str, ...]:
    """Return everything in which a release of `study` is compared with each of `earlier`."""
    own = list(analysed(study))
    numbered = [f"{name}/{number}" for name in selected(study) for number in range(MOST_SELECTED)]
    other = [EVENTS, *(f"{SELECTED}/{item}" for item in numbered)]
    return tuple(
        respect
        for name in earlier
        for respect in (
            name,
            *(f"{name}/{item}" for item in (own if _of(study, name) else other)),
        )
    )


def _of(study: Study, name: str) -> bool:
    return name.partition("/")[0] == study.hash


def earlier_releases(readies: Iterable[Ready]) -> tuple[str, ...]:
    """Return the names of all releases that any READY names, sorted; Refused("malformed")."""
    found: set[str] = set()
    for ready in readies:
        check_names(ready.earlier)
        found |= set(ready.earlier)
    if len(found) > MOST_EARLIER:
        raise Refused(
            "malformed",
            f"{len(found)} earlier releases in all READY messages, expected at most {MOST_EARLIER}",
        )
    return tuple(sorted(found))


def check_names(names: Sequence[str]) -> None:
    """Raise Refused("malformed") unless these are names of releases, sorted, none twice, few."""
    fit = all(NAME.match(name) for name in names) and list(names) == sorted(set(names))
    if not fit or len(names) > MOST_EARLIER:
        raise Refused(
            "malformed",
            f"a READY whose earlier releases are no sorted names, or more than {MOST_EARLIER}",
        )
