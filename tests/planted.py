"""Made-up patients whose every value can be told wherever it turns up.

No two values are alike and none is a round number: ages and doses with six digits behind the
point, names and levels that begin with "canary". `leaks` looks for them in bytes: as text, to
three digits or more behind the point, as doubles, and as numbers of a share before it is masked.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

STUDY: Final = """\
quorum: 1
study: planted
title: Hospitals with planted values
synthetic: true
time: {unit: day, resolution: 1, horizon: 30}
tables:
  patients:
    key: patient
    columns:
      days:   {type: day, range: [0, 30]}
      status: {type: category, codes: {0: censored, 1: dead, 2: relapsed}}
      age:    {type: number, unit: years, range: [18, 110]}
      dose:   {type: number}
      arm:    {type: category, levels: [early, late]}
  grades:
    key: [patient, day]
    columns:
      day:    {type: day}
      score:  {type: number, range: [0, 9]}
derive:
  patients:
    worst: max(grades.score)
endpoints:
  survival:
    time: days
    event: {death: status == "dead"}
analyses:
  curve:   {kind: survival, endpoint: survival, by: arm, at: [10]}
  test:    {kind: logrank, endpoint: survival, by: arm}
  pooled:  {kind: cox, endpoint: survival, covariates: [age, worst], baseline: pooled}
  opened:  {kind: cox, endpoint: survival, covariates: [age, worst], risk_sets: open}
  by_site: {kind: cox, endpoint: survival, covariates: [age, dose], baseline: by_site}
disclosure:
  classes: [A, B, C]
  compute: {sites: 3, patients: 10, others: 10}
"""
CANARY: Final = "canary"
PATIENTS: Final = 14
POINT: Final = 128  # bits behind the point of a double in a share

Tables = dict[str, pd.DataFrame]


def tables(place: int) -> Tables:
    """The patients of the hospital in this place, and a grade on each of two days."""
    draw = np.random.default_rng(7100 + place)
    names = [f"{CANARY}-{place}-{number}" for number in range(PATIENTS)]
    age = np.round(draw.uniform(20, 90, PATIENTS), 6)
    patients = pd.DataFrame(
        {
            "patient": names,
            "days": np.clip(np.rint(draw.exponential(12, PATIENTS)), 1, 30).astype(int),
            "status": draw.choice([0, 1, 2], PATIENTS, p=[0.2, 0.7, 0.1]),
            "age": age,
            "dose": np.round(draw.uniform(100, 900, PATIENTS), 6),
            "arm": draw.choice(["early", "late"], PATIENTS),
            "note": [f"{CANARY} note {name}" for name in names],
        }
    )
    grades = pd.DataFrame(
        {
            "patient": np.repeat(names, 2),
            "day": np.tile([1, 2], PATIENTS),
            "score": np.round(draw.uniform(0.1, 8.9, 2 * PATIENTS), 6),
        }
    )
    return {"patients": patients, "grades": grades}


def numbers(of: Tables) -> list[float]:
    """The planted numbers of one hospital."""
    patients, grades = of["patients"], of["grades"]
    return [*patients["age"].tolist(), *patients["dose"].tolist(), *grades["score"].tolist()]


def spellings(value: float, digits: int = 3) -> list[bytes]:
    """A planted number as text, as a double, and as it stands in a share that is not masked.

    digits: behind the point of the text, 3 to 6; more where by chance a few would be met.
    """
    whole = value * 2.0**POINT
    fixed = round(whole).to_bytes(32, "little")
    text = f"{value:.6f}".encode()
    texts = [text[: len(text) - 6 + digits], f"{whole:.0f}"[:12].encode()]
    return [*texts, *(struct.pack(form, value) for form in ("<d", ">d")), fixed, fixed[::-1]]


def leaks(data: bytes, of: Tables, digits: int = 3) -> list[bytes]:
    """The spellings of a hospital's planted values that stand in `data`."""
    known = [text for value in numbers(of) for text in spellings(value, digits)]
    return [spelling for spelling in [CANARY.encode(), *known] if spelling in data]


# What can be wrong with data: each puts a value of its own into a table

Fault = Callable[[Tables], None]


def _patients(**columns: Any) -> Fault:
    def wrong(of: Tables) -> None:
        of["patients"] = of["patients"].assign(**columns)

    return wrong


def _first(column: str, value: Any) -> Fault:
    """A value in the first row, among the right ones."""

    def wrong(of: Tables) -> None:
        values = of["patients"][column].astype(object)
        values[0] = value
        of["patients"][column] = values

    return wrong


def _twice(of: Tables) -> None:
    of["patients"] = pd.concat([of["patients"], of["patients"][:3]])


def _orphans(of: Tables) -> None:
    of["grades"] = of["grades"].assign(patient=f"{CANARY}-nobody")


def _two_grades_a_day(of: Tables) -> None:
    of["grades"] = of["grades"].assign(day=1)


def _without(table: str, column: str) -> Fault:
    def wrong(of: Tables) -> None:
        of[table] = of[table].drop(columns=column)

    return wrong


def _near(table: str, column: str) -> Fault:
    """A column under a name that is nearly right."""

    def wrong(of: Tables) -> None:
        of[table] = of[table].rename(columns={column: f"{column}s"})

    return wrong


FAULTS: Final[Mapping[str, Fault]] = {
    "text for a number": _patients(age=f"{CANARY} 77.123457"),
    "a number as text": lambda of: of.update(
        patients=of["patients"].assign(age=of["patients"]["age"].astype(str))
    ),
    "a number beyond its range": lambda of: of.update(
        patients=of["patients"].assign(age=of["patients"]["age"] + 1000)
    ),
    "a number that is not finite": _patients(dose=np.inf),
    "a number that is missing": _patients(age=None),
    "a day that is a fraction": lambda of: of.update(
        patients=of["patients"].assign(days=of["patients"]["age"] / 10)
    ),
    "a negative day": _patients(days=-77),
    "a day beyond the horizon": _patients(days=77123),
    "a day that is a date": _patients(days=pd.Timestamp("1977-12-03")),
    "a level of no dictionary": _patients(arm=f"{CANARY} arm"),
    "a code of no dictionary": _patients(status=77123),
    "codes as text": _patients(status=f"{CANARY} status"),
    "lists in a column": lambda of: of.update(
        patients=of["patients"].assign(age=[[value] for value in of["patients"]["age"]])
    ),
    "bytes in a column": _patients(arm=f"{CANARY} arm".encode()),
    "one name that is missing": _first("patient", None),
    "one level that is missing": _first("arm", None),
    "patients twice": _twice,
    "grades of nobody": _orphans,
    "two grades on a day": _two_grades_a_day,
    "a score beyond its range": lambda of: of.update(
        grades=of["grades"].assign(score=of["grades"]["score"] + 77)
    ),
    "no column": _without("patients", "age"),
    "no key": _without("grades", "patient"),
    "a column of another name": _near("patients", "dose"),
}


def faulty(name: str, place: int) -> Tables:
    """A hospital's tables with one fault."""
    of = tables(place)
    FAULTS[name](of)
    return of
