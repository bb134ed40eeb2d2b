"""What the report does not show, and why: analyses without a result, and what is hidden in others.

It names where something is hidden, which the marks in the tables tell too, and no number of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from coordinator.report.sections import NOT_DRAWN, Section
from coordinator.report.suppression import Cell, Suppressed
from coordinator.report.views import Table

IN_FIGURES: Final = "counts under the figure"
BECAUSE: Final = (
    "a count from 1 to {most}, or a number that would give one back by subtraction from other "
    "times, groups, analyses or the number of patients"
)


def withheld(sections: Sequence[Section]) -> Table:
    """Return a row for each analysis of which something is not shown."""
    rows = tuple(row for part in sections for row in _rows(part))
    return Table("Not shown, and why", ("Analysis", "What", "Because"), rows, prose=True)


def _rows(part: Section) -> Iterator[tuple[str, str, str]]:
    if part.failure:
        yield (part.heading, part.verdict.lower(), part.failure)
        return
    found: dict[str, Suppressed] = {}
    for table in part.tables:
        _note(found, table.caption, [cell for row in table.rows for cell in row])
    for figure in part.figures:
        _note(found, IN_FIGURES, figure.cells)
    if found:
        least = next(iter(found.values())).least
        yield (part.heading, "; ".join(found), BECAUSE.format(most=least - 1))
    if NOT_DRAWN in part.note:
        yield (part.heading, "curves", "their first points would tell of few patients")


def _note(found: dict[str, Suppressed], where: str, cells: Iterable[Cell]) -> None:
    for cell in cells:
        if isinstance(cell, Suppressed):
            found[where] = cell
