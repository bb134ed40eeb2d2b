"""Who is in: from the hospitals of the study to the patients of each analysis.

For an analysis of patients the numbers add up:

    patients of the release = analysed + left out, by reason + outside the analysis's cohort

All three are numbers that the sections of the analyses show, or their difference, which a reader
could take himself. Where one is hidden (output_rules.py), so is what would give it back: the
number outside a cohort is only told where all others are shown. Analyses with the same numbers and
the same cohort stand in one box.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from coordinator.report import numbers, words
from coordinator.report.folder import ReleaseFolder
from coordinator.report.suppression import Cell
from coordinator.report.tallies import Tally, tallies
from coordinator.report.views import Table, View

EVERYBODY: Final = "all patients"
NOBODY: Final = "none"


@dataclass(frozen=True, slots=True)
class Analysed:
    """Whom the analyses `names` run over, and who is not in them and why.
    `unit` is "patients", or "rows" of a table in which a patient has several.
    """

    names: tuple[str, ...]
    cohort: str
    size: Cell
    unit: str
    patients: Cell
    left_out: str
    outside: Cell

    @property
    def missing(self) -> tuple[str, ...]:
        """Return who is not in, in words, without those of whom there are none."""
        parts = []
        if self.cohort and str(self.outside) != "0":
            parts.append(f"Not in the cohort: {self.outside}")
        if self.left_out not in ("", NOBODY):
            parts.append(f"Left out: {self.left_out}")
        return tuple(parts)


@dataclass(frozen=True, slots=True)
class FlowChart:
    """The boxes from above: hospitals in and out, patients, analyses, those without a result."""

    hospitals: str
    out: tuple[str, ...]
    patients: str
    analysed: tuple[Analysed, ...]
    without: tuple[str, ...]


def flow_chart(release: ReleaseFolder, views: Sequence[View]) -> FlowChart:
    """Return the boxes of a release, those of everybody first."""
    manifest = release.manifest
    found: dict[tuple[str, ...], list[tuple[View, Tally, Analysed]]] = {}
    for view in views:
        for tally in tallies(view.document):
            box = _box(view, tally, int(manifest["patients"]))
            key = (box.cohort, str(box.size), box.unit, str(box.patients), box.left_out)
            found.setdefault(key, []).append((view, tally, box))
    grouped = [
        replace(
            own[-1][2],
            names=tuple(_names(own)),
        )
        for own in found.values()
    ]
    inside = len(manifest["sites_in"])
    return FlowChart(
        hospitals=numbers.count(inside + len(manifest["sites_out"])),
        out=tuple(f"{name}: {why}" for name, why in manifest["sites_out"].items()),
        patients=numbers.count(manifest["patients"]),
        analysed=tuple(sorted(grouped, key=_place)),
        without=tuple(view.heading for view in views if view.failed),
    )


def _place(box: Analysed) -> tuple[bool, bool, int]:
    """Return what boxes are sorted by: everybody, then the others by size, hidden ones last."""
    size = str(box.size).replace(",", "")
    return bool(box.missing), not size.isdecimal(), -int(size) if size.isdecimal() else 0


def _names(own: Sequence[tuple[View, Tally, Analysed]]) -> Iterator[str]:
    """Yield each analysis of a box; of one whose models are in several boxes, which are in this."""
    by_analysis: dict[str, list[tuple[View, Tally]]] = {}
    for view, tally, _ in own:
        by_analysis.setdefault(view.document.name, []).append((view, tally))
    for pairs in by_analysis.values():
        view, tally = pairs[0]
        every = sum(1 for _ in tallies(view.document))
        if len(pairs) == every:
            yield view.heading
        elif len(pairs) == 1:
            yield _member(view, tally)
        else:
            yield f"{view.heading}: {len(pairs)} of {every}"


def _member(view: View, tally: Tally) -> str:
    several = sum(1 for _ in tallies(view.document)) > 1
    return f"{view.heading}: {view.label(tally.model)}" if several else view.heading


def _box(view: View, tally: Tally, everybody: int) -> Analysed:
    shown = view.rules.rows(tally.model, grouped=bool(tally.groups))
    cell = view.limit.cell
    each = tally.rows == tally.patients
    outside = everybody - tally.rows - tally.all_left_out
    told = shown and view.rules.total(tally.model).left_out
    told = told and not any(map(view.limit.small, tally.left_out.values()))
    return Analysed(
        names=(),
        cohort=view.label(tally.cohort) if tally.cohort else "",
        size=cell(tally.rows, shown=shown),
        unit="patients" if each or not shown else "rows",
        patients=cell(tally.patients, shown=shown),
        left_out=words.reasons(view, tally.left_out, tally.model),
        outside=cell(outside, shown=view.rules.free or (each and told)) if tally.cohort else "0",
    )


def flow_table(chart: FlowChart) -> Table:
    """Return whom each analysis runs over, in words."""
    rows = tuple(
        (
            name,
            box.cohort or EVERYBODY,
            box.size if box.unit == "patients" else box.patients,
            "" if box.unit == "patients" else box.size,
            box.left_out or NOBODY,
        )
        for box in chart.analysed
        for name in box.names
    )
    columns = ("Analysis", "Cohort", "Patients", "Rows, if others", "Left out")
    return Table("Patients by analysis", columns, rows, prose=True)
