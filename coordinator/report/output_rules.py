"""What the report shows of each analysis of a release, decided over all of them together.

Between models (analyses, and models of a screen) a reader subtracts. So:

1. Models are taken in order: those that the policy accepts by name, which are shown in full,
   then the others, those with most rows first. The number of patients of the release is shown.
2. Rows and patients are shown if they are safe, and differ safely (suppression.py) from every
   number of rows or patients shown so far. So rows left out, which are such a difference, are
   no secret only if they are safe. Which cohorts are nested the report does not know: it takes
   any two as if they were.
3. Events and those without (rows less events) are shown under the same rule, by cause.
4. Groups are shown if every group is safe, and differs safely from the group of the same name in
   every model shown so far. With a group of few rows nothing of the analysis is shown: no
   estimate, no interval, no p-value, no curve. So are the cells of a comparison: the groups of a
   variable, and of a category each level in each group.
5. What a number of events would be read off is not shown where it is not: of few events no hazard
   ratio, of unknown rows no likelihood, at a time without events no estimate.
6. A model whose counts an accepted one already shows (same endpoint, cohort, groups and numbers)
   hides nothing.

Guarantees are for what is shown under these rules; what accepted analyses give away, the
stewards have accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from coordinator.report.families import EVENT, REST, Curves, curves_of, family_points
from coordinator.report.folder import Document
from coordinator.report.shown_so_far import Reader, Totals
from coordinator.report.suppression import END, Points, small
from coordinator.report.tallies import Group, Tally, tallies

CURVES: Final = ("survival", "incidence")


@dataclass(frozen=True, slots=True)
class Rules:
    """What is shown of one analysis.

    `free`: everything. `totals` by model. `groups`: each group's counts. `estimates`: anything
    that is estimated by group. `points`: by series, the times at which it is shown. `few`: the
    series that are small in a group. `shown_by`: accepted analyses that show its counts already.
    """

    free: bool = True
    totals: Mapping[str, Totals] = field(default_factory=dict)
    groups: bool = True
    estimates: bool = True
    points: Points = field(default_factory=dict)
    few: frozenset[str] = frozenset()
    shown_by: tuple[str, ...] = ()

    def total(self, model: str = "") -> Totals:
        """Return what is shown of a model's counts."""
        return self.totals.get(model, Totals())

    @property
    def full(self) -> bool:
        """Return whether nothing is hidden that a rounded estimate could give back."""
        return self.free or (self.groups and self.total().rows)

    def rows(self, model: str, *, grouped: bool) -> bool:
        """Return whether the rows of a model are shown; of one with groups, where these are."""
        return self.full if grouped else self.free or self.total(model).rows

    def counts(self, series: str, time: float) -> bool:
        """Return whether a series' count is shown at a time; END for all of it."""
        return self.free or (self.full and time in self._points(series))

    def at_risk(self, time: float) -> bool:
        """Return whether the number at risk is shown after a time."""
        return self.free or (self.full and all(time in shown for shown in self.points.values()))

    def estimate(self, series: str, time: float) -> bool:
        """Return whether a curve's estimate is shown at a time."""
        return self.free or (self.estimates and time in self._points(series))

    def summary(self, series: str) -> bool:
        """Return whether medians, means and tests of a series are shown."""
        return self.free or (self.estimates and series not in self.few)

    def drawn(self, series: str) -> frozenset[float] | None:
        """Return the times at which a curve may step, None for all."""
        if self.free:
            return None
        return self._points(series) if self.estimates else frozenset()

    def _points(self, series: str) -> frozenset[float]:
        """Return the times of a series; of a cause in a family that has them as a whole, its."""
        if not self.points:
            return frozenset()
        return self.points[series] if series in self.points else self.points[REST]


def decide(
    documents: Sequence[Document], disclosure: Mapping[str, Any], patients: int | None
) -> dict[str, Rules]:
    """Return the rules of every analysis; `patients` is the number at the report's head."""
    accepted = {name for name, *_ in disclosure.get("accepted", [])}
    least = 0 if disclosure.get("development") else int(disclosure["show"]["cell"])
    if least <= 1:
        return {document.name: Rules() for document in documents}
    found = {document.name: list(tallies(document)) for document in documents}
    shown_by = {name: _shown_by(own, found, accepted) for name, own in found.items()}
    free = accepted | {name for name, others in shown_by.items() if others}
    totals, groups, events = _totals(found, accepted, least, patients)
    curves = {d.name: curves_of(d) for d in documents if _has_curves(d)}
    hidden = {
        name: (not totals[name, ""].events, not events.get(name, True))
        for name in curves
        if name not in free
    }
    points = _points(curves, found, hidden, least)
    rules = {}
    for name, own in found.items():
        every = [group for tally in own for group in tally.groups]
        few = _few(every, least)
        ends = _ends_safe(every, least) and events.get(name, True)
        ends = ends and all(totals[name, t.model].events for t in own)
        rules[name] = Rules(
            free=name in free,
            totals={t.model: totals[name, t.model] for t in own if name not in free},
            groups=name in free or groups.get(name, True),
            estimates=not any(small(group.rows, least) for group in every),
            points=points.get(name, {EVENT: frozenset([END] if ends else [])}),
            few=few,
            shown_by=() if name in accepted else shown_by[name],
        )
    return rules


def series_of(cause: int) -> str:
    """Return the series of a cause, the event of interest being 0; of the censored, REST."""
    return f"{REST} {cause + 1}" if cause else EVENT


def _ends_safe(groups: Sequence[Group], least: int) -> bool:
    """Return whether neither the events nor the other rows of any group are a small count."""
    events = [sum(group.events[:1]) for group in groups]
    others = [group.rows - n for group, n in zip(groups, events, strict=True)]
    return not any(small(count, least) for count in [*events, *others])


def _few(groups: Sequence[Group], least: int) -> frozenset[str]:
    """Return the series that are a small count in any group."""
    found = set()
    for group in groups:
        found |= {series_of(c) for c, n in enumerate(group.events) if small(n, least)}
        if small(group.rows - sum(group.events), least):
            found.add(REST)
    return frozenset(found)


def _has_curves(document: Document) -> bool:
    return document.kind in CURVES and bool(document.result.get("curves"))


def _shown_by(
    own: Sequence[Tally], found: Mapping[str, Sequence[Tally]], accepted: Iterable[str]
) -> tuple[str, ...]:
    """Return the accepted analyses that show every count of these models, by rule 6."""
    shown: dict[str, None] = {}
    for tally in own:
        others = (
            name for name in accepted for other in found.get(name, ()) if _shows(other, tally)
        )
        name = min(others, default="")
        if not name:
            return ()
        shown[name] = None
    return tuple(shown)


def _shows(accepted: Tally, tally: Tally) -> bool:
    """Return whether a model shows all that another does."""
    if accepted.counts != tally.counts or dict(accepted.left_out) != dict(tally.left_out):
        return False
    if tally.cells:
        return accepted.by == tally.by and set(tally.cells) <= set(accepted.cells)
    if not tally.groups:
        return True
    grouped = accepted.by == tally.by or not tally.by
    causes = len(accepted.events) >= len(tally.events)
    return bool(accepted.groups) and grouped and causes


def _totals(
    found: Mapping[str, Sequence[Tally]],
    accepted: Iterable[str],
    least: int,
    patients: int | None,
) -> tuple[dict[tuple[str, str], Totals], dict[str, bool], dict[str, bool]]:
    """Return what is shown of every model's totals, and of each analysis's groups' rows, events."""
    known = [] if patients is None else [patients]
    reader = Reader(least, list(known), list(known))
    totals, groups, events = {}, {}, {}
    everything = [tally for own in found.values() for tally in own]
    for tally in sorted(everything, key=lambda t: (t.analysis not in accepted, -t.rows)):
        now = Totals()
        if tally.analysis not in accepted:
            now = reader.totals(tally, patients)
            few = any(small(group.rows, least) for group in tally.groups)
            rows, events[tally.analysis] = reader.grouped(tally)
            groups[tally.analysis] = now.rows and not few and rows
        totals[tally.analysis, tally.model] = now
        reader.learn(tally, now, groups=groups.get(tally.analysis, True))
    return totals, groups, events


def _points(
    curves: Mapping[str, Curves],
    found: Mapping[str, Sequence[Tally]],
    hidden: Mapping[str, tuple[bool, bool]],
    least: int,
) -> dict[str, Points]:
    """Return the times at which each analysis of curves shows each series."""
    families: dict[tuple[str, str], list[Curves]] = {}
    for name in hidden:
        (tally,) = found[name]
        families.setdefault((tally.endpoint, tally.cohort), []).append(curves[name])
    return {
        name: points
        for family in families.values()
        for name, points in family_points(family, least=least, hidden=hidden).items()
    }
