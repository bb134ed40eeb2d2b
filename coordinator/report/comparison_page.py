"""The page of published numbers: each beside ours, what is due of it and whether it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from coordinator.report.published import EQUAL, NOT_SHOWN, Comparison, Ground
from coordinator.report.views import Table

COLUMNS: Final = ("Number", "Published", "Quorum", "Due", "Verdict")
DUE_COLUMNS: Final = ("Ground", "Due", "Numbers", "Hold", "Fail, explained", "Fail", "Why")


@dataclass(frozen=True, slots=True)
class Source:
    """The numbers of one place in what was published."""

    heading: str
    table: Table


def dues(comparisons: Sequence[Comparison]) -> Table:
    """Return what is due of numbers, why, and of how many it holds."""
    grounds = list(dict.fromkeys(item.entry.ground for item in comparisons))
    rows = tuple(_due(ground, comparisons) for ground in grounds)
    return Table("What is due, and of how many it holds", DUE_COLUMNS, rows, prose=True)


def _due(ground: Ground, comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    own = [item for item in comparisons if item.entry.ground == ground]
    others = [item for item in own if not item.holds]
    stated = sum(bool(item.entry.because) or item.verdict == NOT_SHOWN for item in others)
    counts = (len(own), len(own) - len(others), stated, len(others) - stated)
    return (ground.name, ground.due, *map(str, counts), ground.because)


def sources(comparisons: Sequence[Comparison]) -> Iterator[Source]:
    """Yield the numbers by where they were published, in the order of the file."""
    for source in dict.fromkeys(item.entry.source for item in comparisons):
        own = [item for item in comparisons if item.entry.source == source]
        equal = sum(item.verdict == EQUAL for item in own)
        holds = sum(item.holds for item in own)
        caption = f"{equal} of {len(own)} equal as rounded there; what is due holds for {holds}"
        yield Source(source, Table(caption, COLUMNS, tuple(map(_row, own)), prose=True))


def _row(item: Comparison) -> tuple[str, ...]:
    entry = item.entry
    verdict = f"{item.verdict}: {entry.because}" if entry.because else item.verdict
    what = f"{entry.what} ({entry.analysis})"
    ground = entry.ground
    due = ground.due if ground.name == ground.due else f"{ground.due}, {ground.name}"
    return (what, entry.text, item.ours, due, verdict)
