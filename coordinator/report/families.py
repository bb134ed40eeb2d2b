"""Curves of one endpoint and cohort: one set of times at which their counts are shown.

All curves of a family, by whatever they are grouped, add up to the same totals. So the times
are chosen for the total first, then within them for the groups of each analysis (rules 1 to 4 of
suppression.py). Series are `event` (of interest) and `rest`: whoever leaves otherwise.
Where every curve of a family tells the causes apart, `rest` is given up cause by cause;
where one does not, as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from coordinator.report.axes import round_step, time_axis
from coordinator.report.curve_lines import drawn_until, followed_until
from coordinator.report.folder import Document
from coordinator.report.group_courses import GroupCourse, incidence_groups, survival_groups
from coordinator.report.suppression import END, At, Counts, Layer, Points, points, settle

EVENT: Final = "event"
REST: Final = "rest"
ENTERED: Final = "entered"
STEPS: Final = 60  # of a curve that is drawn through points


@dataclass(frozen=True, slots=True)
class Curves:
    """One analysis of curves: its groups over time, and times to show, those of tables first."""

    name: str
    causes: int
    reverse: bool
    groups: tuple[GroupCourse, ...]
    wanted: tuple[float, ...]

    @property
    def rows(self) -> int:
        """Return the rows of all groups."""
        return sum(group.rows for group in self.groups)

    def leaving(self, group: GroupCourse, time: float) -> tuple[int, ...]:
        """Return (event of interest, censored, other causes) of a group through a time."""
        now = group.standing(time)
        if self.reverse:
            return (now.censored, now.events[0])
        return (now.events[0], now.censored, *now.events[1:])


def curves_of(document: Document) -> Curves:
    """Return the curves of a survival or incidence document."""
    found = document.result["curves"]
    incidence = document.kind == "incidence"
    groups = incidence_groups(found) if incidence else survival_groups(found)
    return Curves(
        name=document.name,
        causes=len(groups[0].events) if incidence and groups else 0,
        reverse=bool(document.options.get("reverse")),
        groups=tuple(groups),
        wanted=tuple(_wanted(document)),
    )


def _wanted(document: Document) -> list[float]:
    """Return the times of the tables, then the ticks of the axes, then even steps between."""
    curves, found = document.result["curves"], outcomes(document)
    tables = {float(row["time"]) for curve in curves for row in curve["at"]}
    ticks = {tick for outcome in found for tick in ticks_of(document, outcome)}
    even = {time for outcome in found for time in _even(longest(document, outcome))}
    return [*sorted(tables), *sorted(ticks), *sorted(even)]


def _even(until: float) -> list[float]:
    """Return round times from 0 on, at most STEPS steps: times that nobody's data chose."""
    if until <= 0:
        return [0.0]
    step = round_step(until, STEPS)
    return [step * k for k in range(math.floor(until / step * (1 + 1e-12)) + 1)]


def outcomes(document: Document) -> list[str]:
    """Return the outcomes that have a figure each; of survival, one without a name."""
    return list(dict.fromkeys(curve.get("outcome", "") for curve in document.result["curves"]))


def longest(document: Document, outcome: str) -> float:
    """Return the time up to which the figure of an outcome is drawn."""
    own = [c for c in document.result["curves"] if c.get("outcome", "") == outcome]
    return drawn_until(own) if document.kind == "incidence" else followed_until(own)


def ticks_of(document: Document, outcome: str) -> tuple[float, ...]:
    """Return the times at which the figure of an outcome has ticks."""
    return time_axis(longest(document, outcome), 0.0, 1.0).ticks


def family_points(
    family: Sequence[Curves], *, least: int, hidden: Mapping[str, tuple[bool, bool]]
) -> dict[str, Points]:
    """Return the times at which each series of each analysis is shown.

    `hidden` has, by analysis, whether all its events, and those of its groups, must not be shown.
    """
    whole = max(family, key=lambda curves: (curves.causes, curves.rows))
    apart = all(curves.causes for curves in family)
    wanted = [time for curves in family for time in curves.wanted]
    shut = [EVENT] if any(hidden[curves.name][0] for curves in family) else []
    total = _settled(_total(whole, apart), _entered([whole], None), wanted, least, shut, {})
    return {
        curves.name: {}
        if _other_sides(curves, whole)
        else _settled(
            _groups(curves, whole, apart),
            _entered([curves], whole),
            wanted,
            least,
            [EVENT] if hidden[curves.name][1] else [],
            total,
        )
        for curves in family
    }


def _other_sides(curves: Curves, whole: Curves) -> bool:
    """Return whether a reverse curve counts competing causes that no other curve tells apart."""
    if not curves.reverse or whole.causes or curves.rows != whole.rows:
        return False
    return _sum(curves, END)[0] != _sum(whole, END)[0]


def _sum(curves: Curves, time: float) -> tuple[int, ...]:
    return tuple(map(sum, zip(*(curves.leaving(g, time) for g in curves.groups), strict=True)))


def _settled(
    layer: Layer,
    entered: At | None,
    wanted: Sequence[float],
    least: int,
    hidden: Iterable[str],
    within: Points,
) -> Points:
    inside = {name: within[name] for name in layer.series} if within else {}
    found = dict(settle(layer, wanted, least=least, hidden=hidden, within=inside))
    if entered is not None:
        joint = frozenset.intersection(*found.values()) - {END}
        joint &= within.get(ENTERED, joint)
        found[ENTERED] = frozenset(points(sorted(joint), entered, entered(END), least))
    return found


def _entered(family: Sequence[Curves], whole: Curves | None) -> At | None:
    """Return how many rows have come under observation by group, None if all at the start."""
    (curves,) = family
    if not any(group.late_entry for group in curves.groups):
        return None

    def at(time: float) -> Counts:
        known = tuple(group.entered(time) for group in curves.groups)
        if whole is None:
            return (sum(known),)
        return (*known, sum(g.entered(time) for g in whole.groups) - sum(known))

    return at


def _names(curves: Curves, apart: bool) -> list[list[int]]:
    """Return which places of `leaving` are in each series: the rest first, the event last."""
    places = range(1, max(curves.causes, 1) + 1)
    return [*([place] for place in places), [0]] if apart else [list(places), [0]]


def series_names(curves: Curves, apart: bool) -> list[str]:
    """Return the names of the series: `rest`, `rest 2` and so on by cause, then `event`."""
    rest = range(1, len(_names(curves, apart)))
    return [*(REST if n == 1 else f"{REST} {n}" for n in rest), EVENT]


def _total(whole: Curves, apart: bool) -> Layer:
    names = series_names(whole, apart)
    pairs = zip(names, _names(whole, apart), strict=True)
    series = {name: _total_at(whole, places) for name, places in pairs}
    return Layer((whole.rows,), series, {n: _summed(at, 1) for n, at in series.items()})


def _total_at(whole: Curves, places: Sequence[int]) -> At:
    return lambda time: tuple(_sum(whole, time)[place] for place in places)


def _groups(curves: Curves, whole: Curves, apart: bool) -> Layer:
    """Return the groups of an analysis, and those of the total that have no group as one more."""
    names = series_names(curves, apart)
    groups = len(curves.groups)
    series, sums = {}, {}
    for name, places in zip(names, _names(curves, apart), strict=True):
        own = _groups_at(curves, places)
        missing = _missing_at(curves, whole, name, apart)
        series[name] = _joined(own, missing)
        sums[name] = _joined(_summed(own, groups), missing)
    rows = tuple(group.rows for group in curves.groups)
    return Layer((*rows, whole.rows - curves.rows), series, sums)


def _groups_at(curves: Curves, places: Sequence[int]) -> At:
    return lambda time: tuple(
        leaving[place]
        for leaving in (curves.leaving(group, time) for group in curves.groups)
        for place in places
    )


def _missing_at(curves: Curves, whole: Curves, name: str, apart: bool) -> At:
    total, own = _total(whole, apart).sums[name], _total(curves, apart).sums[name]
    return lambda time: (total(time)[0] - own(time)[0],)


def _summed(at: At, groups: int) -> At:
    """Return the sum in each of so many groups."""

    def summed(time: float) -> Counts:
        values = at(time)
        each = len(values) // groups
        return tuple(sum(values[g * each : (g + 1) * each]) for g in range(groups))

    return summed


def _joined(first: At, second: At) -> At:
    return lambda time: (*first(time), *second(time))
