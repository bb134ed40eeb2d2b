"""Which analyses of a study a sum is asked for, and the rows that it runs over, in words.

It follows from the study alone: a sum serves every analysis that runs over its frame and takes
sums of its kind. Sums that no kind of analysis takes are the guard's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from site_agent.contract.analyses.kind import Kind
from site_agent.contract.catalogue import KINDS
from site_agent.contract.frames import Frame
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Sum
from site_agent.review.wording import counted

ANALYSED: Final = frozenset(entry.name for kind in KINDS.values() for entry in kind.sums)


def of_guard(sum_name: str) -> bool:
    """Return whether a sum is asked before all analyses, to see whether they are allowed."""
    return sum_name not in ANALYSED


def sums_of(analysis: Analysis) -> tuple[Sum, ...]:
    """Return the sums that an analysis takes with its options."""
    kind = KINDS[analysis.kind]
    wanted = dict.fromkeys(
        entry.name for use in kind.uses(analysis.options) for entry in _meant(kind, *use)
    )
    return tuple(entry for entry in kind.sums if entry.name in wanted)


def _meant(kind: Kind, disclosure: str, what: str) -> list[Sum]:
    """Return the sums that one use of an analysis speaks of: by its text, else by its class."""
    same = [entry for entry in kind.sums if entry.gives == what]
    return same or [entry for entry in kind.sums if entry.disclosure == disclosure]


def questions(study: Study) -> Iterator[tuple[str, str, Frame]]:
    """Yield analysis, sum and frame of everything that the analyses of a study ask for."""
    for name, analysis in study.analyses.items():
        for frame in KINDS[analysis.kind].frames(study, analysis):
            for entry in sums_of(analysis):
                yield name, entry.name, frame


class Serving:
    """The analyses that each question of one study serves."""

    def __init__(self, study: Study) -> None:
        self._asked: dict[tuple[str, str], list[str]] = {}
        for name, asked, frame in questions(study):
            served = self._asked.setdefault((asked, _key(frame.document())), [])
            if name not in served:
                served.append(name)

    def served(self, sum_name: str, frame: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the names of the analyses that a sum over a frame (canonical form) serves."""
        return tuple(self._asked.get((sum_name, _key(frame)), ()))


def _key(frame: Mapping[str, Any]) -> str:
    """Return a frame's canonical form as text; fields that are empty do not count."""
    return repr(sorted((name, value) for name, value in frame.items() if value))


def rows_in_words(frame: Mapping[str, Any]) -> str:
    """Return which rows a frame (canonical form) takes, and what it takes from each."""
    parts = [f"table {frame['table']}"]
    for name, words in WORDS.items():
        value = frame.get(name)
        if value:
            parts.append(f"{words} {_listed(value)}")
    if frame.get("weighting"):
        scored = frame["weighting"]
        covariates = _listed(scored["covariates"])
        parts.append(f"weighted by the score of {scored['treatment']} on {covariates}")
    if frame.get("grid"):
        parts.append(f"times moved to {counted(len(frame['grid']), 'point')}")
    if frame.get("compared"):
        parts.append(f"{counted(len(frame['compared']), 'selection')} of rows compared")
    return "; ".join(parts)


WORDS: Final[Mapping[str, str]] = {
    "endpoint": "endpoint",
    "cohort": "cohort",
    "by": "by",
    "strata": "strata",
    "covariates": "covariates",
    "complete": "complete in",
}


def _listed(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)
