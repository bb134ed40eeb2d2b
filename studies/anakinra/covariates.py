"""What the patients brought with them: values to deal, and the rule of dealing.

Each list holds one group's known values, chosen so that Table 1 of Gazeau 2023 holds for
both groups and in total, with the p-values of age, ferritin and LDH. A shuffle cannot
change a median, so the lists are dealt freely:

    score_i = lean_i + e_i,   e_i standard normal,

and the k-th smallest value goes to the patient with the k-th smallest score. `lean_i` is
a multiple of the patient's frailty, which is read off the course: the sick fare worse, as
in the paper's Tables 3 and 4. Those without a value are drawn first, at random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from studies.anakinra.course import Course

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Deal:
    """One covariate: the known values of the low and the high group, and the lean."""

    name: str
    low: Sequence[Value]
    high: Sequence[Value]
    lean: Callable[[Course], float]


def deal_covariate(
    deal: Deal, courses: Sequence[Course], rng: np.random.Generator
) -> list[Value | None]:
    """Give each patient a value of the group's list, or None, in the order of `courses`."""
    dealt: list[Value | None] = [None] * len(courses)
    for high_dose, values in ((False, deal.low), (True, deal.high)):
        group = [i for i, course in enumerate(courses) if course.high_dose is high_dose]
        lean = np.array([deal.lean(courses[i]) for i in group])
        for place, value in zip(_ranked(lean, len(values), rng), _ascending(values), strict=True):
            dealt[group[place]] = value
    return dealt


def _ranked(lean: NDArray[np.float64], known: int, rng: np.random.Generator) -> list[int]:
    """Draw `known` places of the group and put them in ascending order of their score."""
    places = np.sort(rng.permutation(lean.size)[:known])
    score = lean + rng.standard_normal(lean.size)
    return [int(place) for place in places[np.argsort(score[places], kind="stable")]]


def _ascending(values: Sequence[Value]) -> list[Value]:
    """Sort the values; "no" comes before "yes"."""
    return sorted(values)


def _frail(multiple: float) -> Callable[[Course], float]:
    return lambda course: multiple * course.frailty


def _age(course: Course) -> float:
    """Children and young adults have B-ALL here, and the lightest is the youngest."""
    if course.disease == "B-ALL":
        return -20.0 + course.weight_kg / 5.0
    return {"PMBCL": -1.0, "MCL": 0.5}.get(course.disease, 0.0)


def _bulky(course: Course) -> float:
    """Bulk is a matter of lymphoma."""
    return -20.0 if course.disease in {"B-ALL", "MM"} else course.frailty


def _marrow(course: Course) -> float:
    """Leukaemia and myeloma live in the marrow, mantle cell lymphoma often."""
    return {"B-ALL": 20.0, "MM": 20.0, "MCL": 1.0}.get(course.disease, 0.0)


# fmt: off
DEALS: Final = (
    Deal(
        "age",  # years
        (12, 18, 18, 29, 35, 35, 47, 51, 51, 51, 61, 65, 65, 65, 69),
        (10, 15, 31, 42, 42, 47, 50, 50, 55, 55, 55, 58, 62, 62, 65, 67, 67, 67, 68, 71, 71, 71,
         76, 77, 77, 77, 77, 77),
        _age,
    ),
    Deal("sex", (1,) * 9 + (2,) * 6, (1,) * 18 + (2,) * 10, _frail(0.0)),
    Deal(
        "kps",  # per cent
        (50,) + (60,) * 3 + (70,) * 2 + (80,) * 4 + (90,) * 4 + (100,),
        (60,) + (70,) * 3 + (80,) * 10 + (90,) * 9 + (100,) * 2,
        _frail(-2.0),
    ),
    Deal(
        "ferritin",  # ug/L
        (149, 397, 520, 679, 783, 1264, 1648, 1792, 2111, 2748, 3617, 6524, 11546, 11728),
        (58, 60, 184, 190, 221, 229, 257, 298, 314, 437, 490, 578, 717, 835, 1050, 1321, 1386,
         2057, 4202, 4244, 5782, 6825),
        _frail(0.8),
    ),
    Deal(
        "ldh",  # U/L
        (181, 183, 222, 229, 347, 377, 491, 609, 655, 740, 1259, 1341, 1376, 1869, 2074),
        (102, 105, 129, 152, 162, 165, 166, 170, 191, 196, 198, 200, 207, 216, 220, 256, 289, 301,
         344, 357, 427, 469, 520, 532, 595, 833, 1179),
        _frail(1.2),
    ),
    Deal(
        "albumin",  # g/L
        (24.1, 25.9, 26.9, 28.1, 34.8, 37.1, 38.5, 39.5, 39.5, 39.6, 41.2, 41.4, 43.0, 44.6),
        (19.7, 20.6, 21.2, 24.7, 26.5, 26.8, 27.2, 28.0, 29.1, 30.2, 30.7, 32.0, 32.1, 33.6,
         34.4, 34.8, 36.2, 37.2, 38.5, 38.7, 40.0, 40.0, 40.1, 42.3, 43.4, 44.1, 44.7, 45.2),
        _frail(0.5),
    ),
    Deal(
        "platelets",  # G/L
        (12.0, 23.0, 34.0, 36.0, 51.0, 73.0, 79.0, 93.0, 115.0, 116.0, 229.0, 259.0, 282.0,
         289.0, 318.0),
        (9.0, 17.0, 29.0, 30.0, 33.0, 42.0, 43.0, 63.0, 67.0, 71.0, 76.0, 86.0, 102.0, 103.0,
         109.0, 111.0, 121.0, 126.0, 149.0, 156.0, 157.0, 161.0, 165.0, 173.0, 213.0, 221.0,
         273.0, 286.0),
        _frail(0.0),
    ),
    Deal(
        "crp",  # as printed
        (0.31, 0.35, 0.84, 2.11, 3.67, 7.48, 7.88, 9.62, 12.85, 13.65, 14.65, 22.85, 30.12, 31.6),
        (0.22, 0.26, 0.98, 2.26, 3.54, 4.1, 4.63, 5.01, 8.19, 8.89, 13.85, 13.95, 14.09, 31.17,
         37.82, 42.06, 45.59, 48.2),
        _frail(0.5),
    ),
    Deal("bulky", ("no",) * 8 + ("yes",) * 7, ("no",) * 16 + ("yes",) * 12, _bulky),
    Deal("marrow", ("no",) * 12 + ("yes",) * 2, ("no",) * 15 + ("yes",) * 8, _marrow),
)
# fmt: on
