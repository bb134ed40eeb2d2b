"""The line of a curve, and how far along the axis of time it is drawn."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

AFTER: Final = 1.05
Points = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One curve: K times, estimates and limits (None where there is none)."""

    label: str
    time: tuple[float, ...]
    estimate: Points
    low: Points
    high: Points

    def until(self, time: float, begins: float) -> Line:
        """Return the line up to `time`, with its value there if it goes on; `begins` is at 0."""
        if not self.time or self.time[-1] <= time:
            return self
        kept = bisect_right(self.time, time)
        cut = ((*values[:kept], values[kept - 1] if kept else begins) for values in self._values)
        return Line(self.label, (*self.time[:kept], time), *cut)

    @property
    def _values(self) -> tuple[Points, Points, Points]:
        return self.estimate, self.low, self.high


def line_of(label: str, curve: Mapping[str, Any]) -> Line:
    """Return the line of a curve's document."""
    columns = (tuple(curve[name]) for name in ("time", "estimate", "conf_low", "conf_high"))
    return Line(label, *columns)


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
