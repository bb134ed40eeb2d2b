"""Small counts in sentences, and marks for them; what tables show is decided in output_rules.py.

With the policy's `show.cell` = k, a count from 1 to k - 1 is small. The sentence of an analysis
that failed may name one: none of the 3 events happens in a group.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from coordinator.report import numbers
from coordinator.report.suppression import Cell, Suppressed, small

COUNTED: Final = re.compile(r"(?<![\w.,])(\d+)(?= (?:events?|rows?|patients?|deaths?)\b)")


@dataclass(frozen=True, slots=True)
class Limit:
    """The smallest count that is shown, 0 or 1 for all."""

    least: int

    @property
    def mark(self) -> Suppressed:
        """Return what stands for a small count by itself."""
        return Suppressed(self.least, alone=True)

    @property
    def hidden(self) -> Suppressed:
        """Return what stands for one of several numbers that hang together."""
        return Suppressed(self.least)

    def small(self, count: int | None) -> bool:
        """Return whether a count is from 1 to least - 1."""
        return small(count, self.least)

    def cell(self, value: float | None, *, shown: bool) -> Cell:
        """Return a count, or what stands for it."""
        return numbers.count(value) if shown else self.hidden

    def sentence(self, text: str) -> str:
        """Return a sentence with the small counts of rows, events or patients in it marked."""

        def marked(found: re.Match[str]) -> str:
            return str(self.mark) if self.small(int(found[1])) else found[1]

        return COUNTED.sub(marked, text)


def limit_of(disclosure: Mapping[str, Any], analysis: str) -> Limit:
    """Return the limit that the policy in a manifest sets for an analysis."""
    accepted = {name for name, *_ in disclosure.get("accepted", [])}
    if disclosure.get("development") or analysis in accepted:
        return Limit(0)
    return Limit(int(disclosure["show"]["cell"]))
