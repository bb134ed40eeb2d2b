"""The line of a curve, and how far along the axis of time it is drawn."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coordinator.report.numbers import to_step

AFTER: Final = 1.05
Points = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: K times, estimates and limits (None where there is none); of steps or straight."""

    label: str
    time: tuple[float, ...]
    estimate: Points
    low: Points
    high: Points
    straight: bool = False

    def until(self, time: float, begins: float) -> Line:
        """Return the line up to `time`, with its value there if it goes on; `begins` is at 0."""
        if not self.time or self.time[-1] <= time:
            return self
        kept = bisect_right(self.time, time)
        estimate, low, high = (
            (*values[:kept], values[kept - 1] if kept else begins) for values in self._values
        )
        return Line(self.label, (*self.time[:kept], time), estimate, low, high)

    def through(self, times: frozenset[float], begins: float) -> Line:
        """Return straight lines through the curve at the given times; infinity is its end.

        Of times between which it stays level only the first and the last are kept.
        """
        end = self.time[-1] if self.time else 0.0
        wanted = sorted({time for time in (*times, *([end] * (math.inf in times))) if time <= end})
        places = [bisect_right(self.time, time) - 1 for time in wanted]
        columns = [
            [values[place] if place >= 0 else begins for place in places] for values in self._values
        ]
        first = columns[0]
        kept = [
            n for n, t in enumerate(wanted) if not _level(first, n) and (t or first[n] != begins)
        ]
        estimate, low, high = (tuple(column[n] for n in kept) for column in columns)
        return Line(self.label, tuple(wanted[n] for n in kept), estimate, low, high, straight=True)

    def rounded(self, step: float) -> Line:
        """Return the line with its values rounded to a step in per cent."""
        estimate, low, high = (tuple(to_step(v, step) for v in values) for values in self._values)
        return Line(self.label, self.time, estimate, low, high, straight=self.straight)

    @property
    def _values(self) -> tuple[Points, Points, Points]:
        return self.estimate, self.low, self.high


def _level(values: Sequence[float | None], place: int) -> bool:
    """Return whether a value is that before it and that behind it."""
    inner = 0 < place < len(values) - 1
    return inner and values[place - 1] == values[place] == values[place + 1]


def line_of(label: str, curve: Mapping[str, Any]) -> Line:
    """Return the line of a curve's document."""
    names = ("estimate", "conf_low", "conf_high")
    estimate, low, high = (tuple(curve[name]) for name in names)
    return Line(label, tuple(curve["time"]), estimate, low, high)


def drawn_until(curves: Sequence[Mapping[str, Any]]) -> float:
    """Return a time just after the last event and not before the last given time.

    After it an incidence is flat, and a long follow-up would press the events together. Of
    curves without events or given times it is the end of follow-up.
    """
    followed = followed_until(curves)
    ends = [
        _just_after(time)
        for curve in curves
        for time, events in zip(curve["time"], curve["n_event"], strict=True)
        if events
    ]
    ends += [row["time"] for curve in curves for row in curve["at"]]
    return min(max(ends, default=followed), followed)


def _just_after(time: float) -> float:
    """Return a time 5 % later, so that the last step is seen; whole from 20 units on."""
    later = AFTER * time
    return float(math.ceil(later)) if later >= 20 else later


def followed_until(curves: Sequence[Mapping[str, Any]]) -> float:
    """Return the last time at which anybody leaves."""
    return max((curve["time"][-1] for curve in curves if curve["time"]), default=0.0)
