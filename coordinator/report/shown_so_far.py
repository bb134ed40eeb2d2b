"""What a reader has been shown so far, and what may be shown beside it (rules 2 to 4).

Rows, patients, events and rows without an event are numbers of four kinds. Numbers of one kind are
subtracted from each other, whatever analysis they belong to; groups from their namesakes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from coordinator.report.suppression import safe, small
from coordinator.report.tallies import Group, Tally


@dataclass(frozen=True, slots=True)
class Totals:
    """What is shown of a model's counts; `few` if its events are a small count.

    `cells`: whether the counts of its groups and cells are shown. `crowded`: none of them is small.
    `left_out`: whether the rows left out are shown, which with its rows are those of its cohort.
    """

    rows: bool = True
    events: bool = True
    few: bool = False
    cells: bool = True
    crowded: bool = True
    left_out: bool = True


@dataclass(slots=True)
class Reader:
    """What a reader has been shown so far."""

    least: int
    rows: list[int]
    patients: list[int]
    events: list[int] = field(default_factory=list)
    censored: list[int] = field(default_factory=list)
    groups: dict[tuple[str, str], list[Group]] = field(default_factory=dict)

    def differ(self, value: int, shown: Iterable[int]) -> bool:
        """Return whether a number is no small count, and safely differs from those shown."""
        return not small(value, self.least) and all(safe(value - n, self.least) for n in shown)

    def totals(self, tally: Tally, everybody: int | None) -> Totals:
        """Return what may be shown of a model's totals."""
        whole = everybody is not None and tally.patients == everybody == tally.rows
        rows = self.differ(tally.rows, self.rows) and self.differ(tally.patients, self.patients)
        few = any(small(count, self.least) for count in tally.events[:1])
        events = not few and all(
            [
                self.differ(tally.events[0] if tally.events else 0, self.events),
                self.differ(tally.rows - sum(tally.events[:1]), self.censored),
            ]
        )
        shown = (whole or rows) and not small(tally.rows, self.least)
        crowded = not any(small(cell.rows, self.least) for cell in tally.cells)
        cells = not tally.cells or (shown and crowded and self.apart(tally))
        cohort = tally.rows + tally.all_left_out
        left_out = cohort == tally.rows or self.differ(cohort, self.rows)
        return Totals(shown, events, few, cells, crowded, left_out)

    def apart(self, tally: Tally) -> bool:
        """Return whether every cell of a model differs safely from those of its name."""
        return all(
            safe(cell.rows - other.rows, self.least)
            for cell in tally.cells
            for other in self.groups.get((tally.by, _named(tally, cell)), [])
        )

    def grouped(self, tally: Tally) -> tuple[bool, bool]:
        """Return whether rows, and whether events of every group differ safely from namesakes."""
        pairs = [
            pair
            for group in tally.groups
            for other in self.groups.get((tally.by, group.level), [])
            for pair in _pairs(group, other)
        ]
        rows = all(safe(a - b, self.least) for a, b in pairs[::3])
        return rows, all(safe(a - b, self.least) for a, b in pairs)

    def learn(self, tally: Tally, totals: Totals, *, groups: bool) -> None:
        """Remember what has been shown of a model."""
        if totals.rows:
            self.rows.append(tally.rows)
            self.patients.append(tally.patients)
        if totals.rows and totals.left_out:
            self.rows.append(tally.rows + tally.all_left_out)
        if totals.events:
            self.events += tally.events[:1]
            if totals.rows:
                self.censored.append(tally.rows - sum(tally.events[:1]))
        for group in tally.groups if groups else ():
            self.groups.setdefault((tally.by, group.level), []).append(group)
        for cell in tally.cells if totals.cells else ():
            self.groups.setdefault((tally.by, _named(tally, cell)), []).append(cell)


def _named(tally: Tally, cell: Group) -> str:
    """Return the name under which a cell is compared: a group's own, or with its variable."""
    return f"{tally.model}: {cell.level}" if "/" in cell.level else cell.level


def _pairs(group: Group, other: Group) -> Iterator[tuple[int, int]]:
    yield group.rows, other.rows
    events, others = sum(group.events[:1]), sum(other.events[:1])
    yield events, others
    yield group.rows - events, other.rows - others
