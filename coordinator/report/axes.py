"""Axes of figures: round ticks, and the way from a value to a place in the drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
LOWEST_TOP: Final = 0.1


@dataclass(frozen=True, slots=True)
class Axis:
    """A linear axis from 0 to `top` in values, drawn from `start` to `end`, with its ticks."""

    top: float
    start: float
    end: float
    ticks: tuple[float, ...]

    def place(self, value: float) -> float:
        """Return where `value` stands, in the drawing's units."""
        return self.start + (self.end - self.start) * value / self.top


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear axis: from `low` to `high` in values, from `start` to `end` in the drawing."""

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Return where a value stands; at the end of the axis if it lies beyond."""
        held = min(max(value, self.low), self.high)
        return self.start + (self.end - self.start) * (held - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return round values along the axis, about five intervals apart."""
        step = round_step(self.high - self.low, 5)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [step * k for k in range(first, last + 1)]


def round_step(span: float, intervals: int) -> float:
    """Return the smallest step of 1, 2, 2.5 or 5 times a power of ten that spans it in so many.

    Steps of 2.5 only where they are whole numbers.

    >>> round_step(1022, 5)
    250.0
    """
    power = 10.0 ** math.floor(math.log10(span / intervals))
    return next(
        step * power
        for step in STEPS
        if step * power * intervals >= span * (1 - 1e-12)
        and (step != 2.5 or (step * power).is_integer())
    )


def time_axis(longest: float, start: float, end: float, *, intervals: int = 5) -> Axis:
    """Return an axis of times from 0 to the longest one, with ticks up to it."""
    top = longest if longest > 0 else 1.0
    step = round_step(top, intervals)
    ticks = tuple(step * k for k in range(math.floor(top / step * (1 + 1e-12)) + 1))
    return Axis(top, start, end, ticks)


def probability_axis(highest: float, start: float, end: float) -> Axis:
    """Return an axis of probabilities from 0 to a round number over `highest`, at most 1."""
    step = 0.25
    if highest <= 0.5:
        step = round_step(max(highest, LOWEST_TOP), 5)
    intervals = max(math.ceil(max(highest, LOWEST_TOP) / step - 1e-9), 1)
    return Axis(intervals * step, start, end, tuple(step * k for k in range(intervals + 1)))


def highest_of(columns: Sequence[Sequence[float | None]]) -> float:
    """Return the largest known value, 0 if there is none."""
    return max((value for column in columns for value in column if value is not None), default=0.0)
