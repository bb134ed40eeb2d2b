"""Cell suppression: which counts are shown, so that no small one can be worked back.

Notation. The policy's `show.cell` is k. A count from 1 to k - 1 is small; nought is nobody. A
count or a difference of counts is *safe* if it is 0 or at least k in size. A series is the
cumulative count of one way to leave (censored, or one cause), v(g, t) in group g through time t.
With the rows n(g) and the number still at risk Y(g, t) after t,

    n(g) = Y(g, t) + sum over series of v(g, t)                                       (1)

What a reader can do with linear relations is bounded by linear programming: a suppressed cell is
protected if its feasible interval, given all that is shown, is wide enough (Hundepool et al.,
Statistical Disclosure Control, Wiley 2012, chapter 4: primary suppression by a threshold rule,
secondary suppression for protection from 0 to k, intervals by Fischetti and Salazar). Here an
interval must be at least k wide. Instead of solving programs, a release shows only a shape of
table whose intervals are known, and the tests solve the programs:

1. *Points.* A series is shown at a set of times such that every increment from one to the next,
   from 0 to the first, and from the last to the end is safe in every group. So the count at a
   time between is anywhere from one shown value to the next: an interval of 0 or at least k.
   Times that tables need are taken first, then round times, never the days of events.
2. *Ends.* A series whose end is small in any group is not shown at its end, in no group, and
   with it other series, until their sum is safe in every group: by (1) that sum is no secret.
3. *Rest.* With l(g, t) the last shown value of each series up to t, n(g) - sum of l(g, t) is what
   (1) leaves to share among what is not shown at t. It must be safe; else fewer series are
   shown there. Y is shown where all series are.
4. *Groups.* Groups are shown at points at which their total is shown, all of them together, and
   rows that lack the group count as one more group. For a group and its rest over points of
   the total this is a table of two rows, whose intervals have the widths
   min(row, column, other row, other columns), all of them safe.

The first series is the first to be given up: censored, then competing causes, the event last.
"""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Counts = tuple[int, ...]
At = Callable[[float], Counts]
END: Final = math.inf


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What stands in place of a number: a small count by itself, or one of several hidden ones.

    Of several that hang together the mark does not say which are small.
    """

    least: int
    alone: bool = False

    def __str__(self) -> str:
        return f"<{self.least}" if self.alone else "hidden"


Cell = str | Suppressed


def small(count: int | None, least: int) -> bool:
    """Return whether a count is from 1 to least - 1."""
    return count is not None and 0 < count < least


def safe(difference: int, least: int) -> bool:
    """Return whether a difference of counts is nought, or at least `least` in size."""
    return difference == 0 or abs(difference) >= least


def all_safe(later: Counts, earlier: Counts, least: int) -> bool:
    """Return whether every difference of two vectors is safe."""
    return all(safe(b - a, least) for a, b in zip(earlier, later, strict=True))


def complements(
    ends: Sequence[Counts], hidden: Iterable[int], least: int, parts: Sequence[int] = ()
) -> frozenset[int]:
    """Return which series are not shown at the end, by rule 2; counts are by series and group.

    `parts` says of how many counts each series is the sum, one unless it is given.

    >>> sorted(complements([(40,), (8,), (3,)], {2}, 5))
    [0, 2]
    """
    found = set(hidden)
    found |= {s for s, end in enumerate(ends) if any(small(count, least) for count in end)}
    while found and not _protected(ends, found, least, parts):
        more = [s for s, end in enumerate(ends) if s not in found and any(end)]
        if not more:
            return frozenset(range(len(ends)))
        found.add(more[0])
    return frozenset(found)


def _protected(
    ends: Sequence[Counts], hidden: Iterable[int], least: int, parts: Sequence[int]
) -> bool:
    """Return whether several counts are hidden, and their sum is safe in every group."""
    chosen = list(hidden)
    several = sum(parts[s] if parts else 1 for s in chosen) > 1
    sums = [sum(group) for group in zip(*(ends[s] for s in chosen), strict=True)]
    return several and all(safe(total, least) for total in sums)


def points(candidates: Iterable[float], at: At, end: Counts | None, least: int) -> list[float]:
    """Return the times at which a series is shown, ascending, by rule 1; the first wanted first.

    `at(t)` is the vector of the series over groups. `end` is its last value, None if not shown.
    """
    chosen: list[float] = []
    values: dict[float, Counts] = {}
    for time in candidates:
        if time in values:
            continue
        here, place = at(time), bisect_right(chosen, time)
        before = values[chosen[place - 1]] if place else (0,) * len(here)
        after = values[chosen[place]] if place < len(chosen) else end
        if all_safe(here, before, least) and (after is None or all_safe(after, here, least)):
            insort(chosen, time)
            values[time] = here
    return chosen


@dataclass(frozen=True, slots=True)
class Layer:
    """Groups that are shown together: rows n(g), and the series, the first to give up first.

    `series` gives every count of a series in every group, `sums` one for each group.
    """

    rows: Counts
    series: Mapping[str, At]
    sums: Mapping[str, At]

    def parts(self, name: str) -> int:
        """Return of how many counts in a group a series is the sum."""
        return 1 + (len(self.series[name](0.0)) > len(self.rows))


Points = Mapping[str, frozenset[float]]


def settle(
    layer: Layer, wanted: Sequence[float], *, least: int, hidden: Iterable[str], within: Points
) -> Points:
    """Return the times at which each series of a layer is shown; END among them if its end is.

    `wanted` are candidates, the first wanted first. `hidden` names ends that must not be shown.
    `within` are the points of the total, empty for the total itself.
    """
    gone = _ends_not_shown(layer, least, {*hidden, *(n for n in within if END not in within[n])})
    found = {}
    for name, at in layer.series.items():
        allowed = [time for time in wanted if not within or time in within[name]]
        found[name] = points(allowed, at, None if name in gone else at(END), least)
    _leave_rest(layer, found, gone, least)
    return {
        name: frozenset(times if name in gone else [*times, END]) for name, times in found.items()
    }


def _ends_not_shown(layer: Layer, least: int, hidden: Iterable[str]) -> frozenset[str]:
    names = list(layer.series)
    unsafe = {
        name
        for name, at in layer.series.items()
        if not all(safe(count, least) for count in at(END))
    }
    ends = [layer.sums[name](END) for name in names]
    chosen = [names.index(name) for name in {*hidden, *unsafe}]
    found = complements(ends, chosen, least, [layer.parts(name) for name in names])
    return frozenset(names[s] for s in found)


def _leave_rest(
    layer: Layer, found: Mapping[str, list[float]], gone: frozenset[str], least: int
) -> None:
    """Take points away from `found` where what they leave is not safe, by rule 3."""
    last = {name: (0,) * len(layer.rows) for name in found}
    for time in sorted({time for times in found.values() for time in times}):
        shown = {name: layer.sums[name](time) for name in found if time in found[name]}
        while shown and not _rest_safe(layer.rows, {**last, **shown}, least):
            given_up = next(iter(shown))
            del shown[given_up]
            found[given_up].remove(time)
        last |= shown
    last |= {name: layer.sums[name](END) for name in found if name not in gone}
    while any(found[name] for name in gone) and not _rest_safe(layer.rows, last, least):
        latest = max((name for name in gone if found[name]), key=lambda name: found[name][-1])
        found[latest].pop()
        last[latest] = layer.sums[latest](found[latest][-1] if found[latest] else -math.inf)


def _rest_safe(rows: Counts, known: Mapping[str, Counts], least: int) -> bool:
    used = tuple(sum(group) for group in zip(*known.values(), strict=True))
    return all_safe(rows, used, least)
