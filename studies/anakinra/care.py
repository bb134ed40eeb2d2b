"""What was seen and given beside: marks of which Gazeau 2023 prints totals only.

A mark has levels with counts over the whole cohort. Patients are put in order by

    score_i = lean_i + e_i,   e_i standard normal,

the highest first; the levels take as many as they count, in turn, and the first level,
which has no count, takes the rest. A lean of `NEVER` keeps those out whom a mark does not
fit: cerebral oedema is grade 4 or 5 by definition, a stuporous patient has ICANS, two routes
mean that the route was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from studies.anakinra.course import Course

NEVER: Final = -1000.0
LYMPHOMAS: Final = frozenset({"DLBCL", "MCL", "PMBCL", "FL"})
# Siltuximab 11, intrathecal chemotherapy 2, etoposide 1, ruxolitinib 1, in 12 patients: one
# had no siltuximab, three of the others a second drug. By rank among the twelve.
FURTHER_THERAPIES: Final = {
    "siltuximab": range(11),
    "intrathecal": (0, 11),
    "etoposide": (1,),
    "ruxolitinib": (2,),
}
FURTHER_TREATED: Final = 12


@dataclass(frozen=True, slots=True)
class Mark:
    """A column of words: its first level, the others with their counts, and the lean."""

    name: str
    rest: str
    counts: Mapping[str, int]
    lean: Callable[[Course], float]


def deal_mark(mark: Mark, courses: Sequence[Course], rng: np.random.Generator) -> list[str]:
    """Give each patient a level, in the order of `courses`."""
    dealt = [mark.rest] * len(courses)
    taken = iter(_by_score(mark.lean, courses, rng))
    for level, count in mark.counts.items():
        for _ in range(count):
            dealt[next(taken)] = level
    return dealt


def deal_therapies(courses: Sequence[Course], rng: np.random.Generator) -> dict[str, list[str]]:
    """Give the columns of `FURTHER_THERAPIES`, "no" or "yes" for each patient."""
    treated = _by_score(lambda course: course.frailty, courses, rng)[:FURTHER_TREATED]
    given = {name: {treated[rank] for rank in ranks} for name, ranks in FURTHER_THERAPIES.items()}
    places = range(len(courses))
    return {name: ["yes" if i in who else "no" for i in places] for name, who in given.items()}


def _by_score(
    lean: Callable[[Course], float], courses: Sequence[Course], rng: np.random.Generator
) -> list[int]:
    score = np.array([lean(course) for course in courses]) + rng.standard_normal(len(courses))
    return [int(place) for place in np.argsort(-score, kind="stable")]


def _only(fits: Callable[[Course], bool], multiple: float = 0.0) -> Callable[[Course], float]:
    return lambda course: multiple * course.frailty if fits(course) else NEVER


# fmt: off
MARKS: Final = (
    Mark("cns_history", "none", {"lymphoma": 3, "stroke": 2, "meningioma": 1},
         _only(lambda course: course.disease in LYMPHOMAS)),
    Mark("vasopressors", "no", {"yes": 6}, _only(lambda course: course.peak_crs >= 3)),
    Mark("encephalopathy", "no", {"yes": 31}, _only(lambda course: course.peak_icans > 0, 2.0)),
    Mark("seizures", "no", {"yes": 8}, _only(lambda course: course.peak_icans >= 3, 1.0)),
    Mark("oedema", "no", {"yes": 7}, _only(lambda course: course.peak_icans >= 4, 2.0)),
    Mark("steroid_change", "neither", {"increased": 22, "started": 8}, lambda course: 0.0),
    Mark("rerouted", "no", {"yes": 1}, _only(lambda course: course.route == "both")),
    Mark("stopped", "no", {"yes": 2}, _only(lambda course: course.route != "both")),
)
# fmt: on
