"""Made-up patients for the attacks on a report, and the documents of their curves.

The estimates are those of Kaplan-Meier and Aalen-Johansen; their limits are made up.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.coordinator.report.made import NONE_LEFT_OUT

CENSORED = 0


@dataclass(frozen=True, slots=True)
class Patient:
    """A day of leaving, why (0 censored, else the cause), and groups; "" where not known."""

    day: int
    cause: int
    groups: Mapping[str, str]


def drawn(
    seed: int, patients: int, *, last: int = 40, causes: int = 2, groups: int = 2
) -> list[Patient]:
    """Return patients whose groups and causes are of uneven sizes."""
    chance = random.Random(seed)
    weights = [chance.uniform(0.1, 1) for _ in range(causes + 1)]
    sizes = [chance.uniform(0.1, 1) for _ in range(groups)]
    names = [f"g{n}" for n in range(groups)]
    return [
        Patient(
            chance.randint(1, last),
            chance.choices(range(causes + 1), weights)[0],
            {"arm": chance.choices(names, sizes)[0], "sex": chance.choice(["f", "m"])},
        )
        for _ in range(patients)
    ]


def by(patients: Sequence[Patient], group: str) -> dict[str, list[Patient]]:
    """Return patients by the level of a group, without those of whom it is not known."""
    if not group:
        return {"": list(patients)}
    levels = sorted({p.groups[group] for p in patients if p.groups[group]})
    return {level: [p for p in patients if p.groups[group] == level] for level in levels}


def through(patients: Sequence[Patient], time: float, cause: int) -> int:
    """Return how many have left for a cause through a time."""
    return sum(p.day <= time and p.cause == cause for p in patients)


def survival_document(patients: Sequence[Patient], group: str, at: Sequence[int]) -> dict[str, Any]:
    """Return the result of a survival analysis of cause 1."""
    parts = by(patients, group)
    return {
        **_head(patients, parts, group),
        "outcome": "death",
        "curves": [_curve(level, own, at, cause=1) for level, own in parts.items()],
    }


def incidence_document(
    patients: Sequence[Patient], group: str, at: Sequence[int], causes: int = 2
) -> dict[str, Any]:
    """Return the result of an incidence analysis with so many causes."""
    parts = by(patients, group)
    curves = [
        {**_curve(level, own, at, cause=cause, causes=causes), "outcome": f"cause {cause}"}
        for level, own in parts.items()
        for cause in range(1, causes + 1)
    ]
    return {**_head(patients, parts, group), "variance": "gray", "curves": curves}


def _head(
    patients: Sequence[Patient], parts: Mapping[str, Sequence[Patient]], group: str
) -> dict[str, Any]:
    rows = sum(map(len, parts.values()))
    return {
        "unit": "day",
        "by": group,
        "conf_type": "log",
        "conf_level": 0.95,
        "patients": rows,
        "left_out": {**NONE_LEFT_OUT, "a value missing": len(patients) - rows},
    }


def _curve(
    level: str, own: Sequence[Patient], at: Sequence[int], *, cause: int, causes: int = 0
) -> dict[str, Any]:
    """Return one curve; without `causes` that of survival, all other causes censored."""
    days = sorted({p.day for p in own})
    risk = [sum(p.day >= day for p in own) for day in days]
    events = [sum(p.day == day and p.cause == cause for p in own) for day in days]
    censored = [
        sum(p.day == day and (p.cause == CENSORED if causes else p.cause != cause) for p in own)
        for day in days
    ]
    gone = [sum(p.day == day and p.cause != CENSORED for p in own) for day in days]
    estimate = _incidence(risk, events, gone) if causes else _survival(risk, events)
    limits = {
        "conf_low": [max(value - 0.1, 0.0) for value in estimate],
        "conf_high": [min(value + 0.1, 1.0) for value in estimate],
    }
    begins = 0.0 if causes else 1.0
    rows = [
        {**_at(time, days, estimate, begins), "n_risk": sum(p.day >= time for p in own)}
        for time in at
    ]
    return {
        "stratum": level,
        "rows": len(own),
        "events": sum(events),
        "time": [float(day) for day in days],
        "n_risk": risk,
        "n_event": events,
        "n_censor": censored,
        "estimate": estimate,
        **limits,
        "median": {"estimate": 20.0, "conf_low": 15.0, "conf_high": None},
        "quantiles": [],
        "restricted_mean": [],
        "time_to": [],
        "at": rows,
    }


def _survival(risk: Sequence[int], events: Sequence[int]) -> list[float]:
    value, found = 1.0, []
    for n, d in zip(risk, events, strict=True):
        value *= 1 - d / n
        found.append(value)
    return found


def _incidence(risk: Sequence[int], events: Sequence[int], gone: Sequence[int]) -> list[float]:
    free, value, found = 1.0, 0.0, []
    for n, d, all_d in zip(risk, events, gone, strict=True):
        value += free * d / n
        free *= 1 - all_d / n
        found.append(value)
    return found


def _at(
    time: int, days: Sequence[int], estimate: Sequence[float], begins: float
) -> dict[str, float]:
    value = next((e for d, e in zip(reversed(days), reversed(estimate), strict=True) if d <= time),
                 begins)  # fmt: skip
    return {
        "time": float(time),
        "estimate": value,
        "conf_low": max(value - 0.1, 0.0),
        "conf_high": min(value + 0.1, 1.0),
    }
