"""Which counts of patients the report shows, and what stands for the others.

With the policy's `show.cell` = k, a count from 1 to k - 1 is small. Analyses that the policy
accepts by name, and studies under the development policy, are shown as they are. Else:

1. At a time at which any group has a small count (at risk, censored so far, events so far by
   cause), none of the counts of any group is shown. "<k" stands once for all counts of a group
   that has a small one, "hidden" for those of the other groups.
2. The same holds for the sizes of groups, and for all counts of a log-rank table together.
3. A single number of rows, events, or rows left out is "<k" by itself, also in the sentence of an
   analysis that failed. Rows are hidden if rows less events is small.

The reasons. At risk + censored + events = rows, so beside two of them the third is no secret;
hence all of a group. A curve over all patients less the other groups gives the group; hence
all groups. And "<k" does not say which count is small: marking each small count by itself
gives many of them back, as then the unmarked ones are known not to be small. With this rule
no small count follows from the others, over all short histories (the tests go through them).

This is about counts in tables. The curve drawn above them is what the policy's class B allows, and
differences between analyses (all patients less those of a model) are for the guard.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coordinator.report import numbers

HIDDEN: Final = "hidden"
COUNTED: Final = re.compile(r"(?<![\w.,])(\d+)(?= (?:events?|rows?|patients?|deaths?)\b)")


@dataclass(frozen=True, slots=True)
class Standing:
    """One group at one time: at risk just before it (None: unknown), the rest through it."""

    at_risk: int | None
    censored: int
    events: tuple[int, ...]

    @property
    def counts(self) -> tuple[int | None, ...]:
        """Return at risk, censored, and the events of each cause."""
        return (self.at_risk, self.censored, *self.events)


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of some counts: a text for each, and if hidden what stands for all."""

    cells: tuple[str, ...]
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """The smallest count that is shown, 0 or 1 for all."""

    least: int

    @property
    def active(self) -> bool:
        """Return whether any count could be hidden."""
        return self.least > 1

    @property
    def mark(self) -> str:
        """Return what stands for a small count."""
        return f"<{self.least}"

    def small(self, count: int | None) -> bool:
        """Return whether a count is from 1 to least - 1."""
        return count is not None and 0 < count < self.least

    def count(self, value: float | int | None) -> str:
        """Return one count that stands by itself."""
        whole = None if value is None else round(value)
        return self.mark if self.small(whole) else numbers.count(whole)

    def sentence(self, text: str) -> str:
        """Return a sentence with the small counts of rows, events or patients in it marked."""
        return COUNTED.sub(lambda found: self.mark if self.small(int(found[1])) else found[1], text)

    def sizes(self, rows: Sequence[int]) -> tuple[str, ...]:
        """Return the number of rows of each group, under rule 2."""
        return tuple(s.instead or s.cells[0] for s in self._together([(n,) for n in rows]))

    def column(self, standings: Sequence[Standing]) -> list[Shown]:
        """Return the counts of all groups at one time, under rule 1."""
        return self._together([standing.counts for standing in standings])

    def groups(self, counts: Sequence[Sequence[float]]) -> list[Shown]:
        """Return the counts of each group of a log-rank table, under rule 2."""
        return self._together([[round(value) for value in group] for group in counts])

    def _together(self, groups: Sequence[Sequence[int | None]]) -> list[Shown]:
        small = [any(self.small(count) for count in group) for group in groups]
        if not any(small):
            return [Shown(tuple(numbers.count(count) for count in group)) for group in groups]
        return [
            Shown((HIDDEN,) * len(group), self.mark if own else HIDDEN)
            for group, own in zip(groups, small, strict=True)
        ]


def limit_of(disclosure: Mapping[str, Any], analysis: str) -> Limit:
    """Return the limit that the policy in a manifest sets for an analysis."""
    accepted = {name for name, _ in disclosure.get("accepted", [])}
    if disclosure.get("development") or analysis in accepted:
        return Limit(0)
    return Limit(int(disclosure["show"]["cell"]))
