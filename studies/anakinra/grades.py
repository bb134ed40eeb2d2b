"""Daily CRS and ICANS grades that agree with a course.

An episode of peak g rises from day s to its peak on day p and clears on day e:

    s <= d <= p:   1 + floor((g - 1) (d - s) / (p - s))       (g at once if p = s)
    p <  d <  e:   ceil(g (e - d) / (e - p))

so that it is g on day p, at least 1 on every day before e, and 0 from day e on. If it is
mild from day m on, it falls faster and then stays at grade 1:

    p <  d <  m:   ceil(1 + (g - 1) (m - d) / (m - p))
    m <= d <  e:   1

ICANS starts on the day of onset; the days of its peak and of growing mild are the course's.
CRS came a little earlier, and is over no later than ICANS. Where nothing ever clears or
grows mild, the grade stays at its floor. A death of ICANS that reached grade 5 is grade 5
on its day and 4 before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from studies.anakinra.course import Course

LAST_DAY: Final = 60
DAYS_STABLE: Final = 3
# Graded this long after the start of anakinra even when all is clear: longitudinal models
# would otherwise see only those who are still ill.
DAYS_AFTER_START: Final = 14
EASING_DAYS: Final = 3
DEATH_GRADE: Final = 5
CRS_DAYS: Final = (3, 3, 3, 4, 4, 4, 4, 5, 6, 18)


@dataclass(frozen=True, slots=True)
class Episode:
    """First day, day of the peak, first clear and first mild day (None: never) of a toxicity."""

    start: int
    peak_day: int
    clear: int | None
    peak: int
    floor: int = 1
    mild: int | None = None

    def grade(self, day: int) -> int:
        """Grade 0 to 5 on a day from infusion."""
        if self.peak == 0 or day < self.start or (self.clear is not None and day >= self.clear):
            return 0
        if day <= self.peak_day:
            return self._rising(day)
        if self.mild is not None:
            return self._easing(day, self.mild)
        if self.clear is None:
            return max(min(self.floor, self.peak), self.peak - (day - self.peak_day) // EASING_DAYS)
        return math.ceil(self.peak * (self.clear - day) / (self.clear - self.peak_day))

    def _rising(self, day: int) -> int:
        if self.peak_day == self.start:
            return self.peak
        return 1 + (self.peak - 1) * (day - self.start) // (self.peak_day - self.start)

    def _easing(self, day: int, mild: int) -> int:
        if day >= mild:
            return 1
        return math.ceil(1 + (self.peak - 1) * (mild - day) / (mild - self.peak_day))


def daily_grades(course: Course, rng: np.random.Generator) -> list[tuple[int, int, int]]:
    """Give (day, crs, icans) for each day from infusion to the last one graded."""
    crs = crs_episode(course, rng)
    icans = icans_episode(course)
    days = range(last_graded_day(course) + 1)
    rows = [(day, crs.grade(day), icans.grade(day)) for day in days]
    if course.peak_icans == DEATH_GRADE:
        rows[-1] = (rows[-1][0], rows[-1][1], DEATH_GRADE)
    return rows


def icans_episode(course: Course) -> Episode:
    """ICANS from its onset; after CRS where that was the reason for anakinra."""
    peak, mild = min(course.peak_icans, DEATH_GRADE - 1), course.mild_day
    if course.peak_day is None:
        return Episode(course.onset_day, course.onset_day, course.onset_day, 0)
    if course.indication == "CRS":
        return Episode(course.peak_day, course.peak_day, course.peak_day + 3, peak, mild=mild)
    # Those who die of ICANS do not ease: they have no mild day, and the floor is the peak.
    return Episode(course.onset_day, course.peak_day, course.resolved_day, peak, peak, mild)


def crs_episode(course: Course, rng: np.random.Generator) -> Episode:
    """CRS: the reason for anakinra, or an earlier episode that ends within ICANS."""
    lead, length = int(rng.integers(2, 5)), int(rng.choice(CRS_DAYS))
    if course.indication == "CRS":
        return Episode(
            course.onset_day, course.anakinra_day, course.resolved_day, course.peak_crs, 2
        )
    start = max(1, course.onset_day - lead)
    over = course.resolved_day or course.last_seen_day
    # Never past the clearing of ICANS, which is by definition the later of the two.
    return Episode(start, start + 1, min(start + length, over), course.peak_crs)


def last_graded_day(course: Course) -> int:
    """Give the last day with a row: past clearing, or to death or last contact, or day 60."""
    end = course.last_seen_day
    if course.resolved_day is not None:
        stable = course.resolved_day + DAYS_STABLE - 1
        end = min(end, max(stable, course.anakinra_day + DAYS_AFTER_START))
    return min(end, LAST_DAY)
