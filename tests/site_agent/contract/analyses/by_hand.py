"""Rows of few patients, written out, and the courses that come of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from site_agent.contract.analyses.counts import COUNTS, Course, courses
from site_agent.contract.frames import NO_ENTRY, Frame, Rows
from site_agent.contract.study.model import TimeScale
from site_agent.contract.sums import Ask

DAYS: Final = TimeScale("day", Fraction(1), Fraction(20))
F = Fraction


def rows(
    time: Sequence[int],
    cause: Sequence[int],
    *,
    entry: Sequence[int] | None = None,
    group: Sequence[int] | None = None,
    stratum: Sequence[int] | None = None,
    x: Sequence[Sequence[float]] | None = None,
    patient: Sequence[int] | None = None,
) -> Rows:
    """Return rows of a frame; without `entry` all are at risk from the start.

    Without `patient` each row is another's.
    """
    count = len(time)

    def whole(values: Sequence[int] | None, default: int) -> np.ndarray:
        return np.array([default] * count if values is None else values, dtype=np.int64)

    return Rows(
        entry=whole(entry, NO_ENTRY),
        time=whole(time, 0),
        cause=whole(cause, 0),
        group=whole(group, 0),
        stratum=whole(stratum, 0),
        design=np.zeros((count, 0)) if x is None else np.array(x, dtype=np.float64),
        patient=np.arange(count) if patient is None else np.array(patient, dtype=np.int64),
        patients=count if patient is None else len(set(patient)),
    )


def groups(given: Rows, *, by: int = 1, strata: int = 1, causes: int = 1) -> list[Course]:
    """Return the courses of all groups, those of the first stratum first."""
    fixed = {
        "causes": causes,
        "by": by,
        "strata": strata,
        "ticks": DAYS.ticks,
        "truncated": bool((given.entry != NO_ENTRY).any()),
    }
    return courses(COUNTS.compute(given, Ask(COUNTS.name, Frame("patients"), fixed, {})))


def floats(fractions: Sequence[Fraction | int]) -> list[float]:
    """Return exact numbers as the nearest doubles."""
    return [float(value) for value in fractions]
