"""The course of each group of a survival or incidence document: counts through any time.

With n at risk, c censored and d events of a cause at the k-th time t_k at which somebody leaves:

    censored by t   sum of c over t_k <= t
    events by t     sum of d over t_k <= t
    at risk after t n at the first t_k > t, 0 after the last: those who leave later

So at risk after t + censored + events = rows, at every time. At risk is counted *after* the time:
counted before it, as R's `n.risk`, it would tell together with the others how many left on that
very day. With late entry (left truncation) at risk after t also counts those who enter
between t and t_k, and before the first t_k there is no number.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any


@dataclass(frozen=True, slots=True)
class Standing:
    """One group at one time: at risk after it (None: unknown), the rest through it."""

    at_risk: int | None
    censored: int
    events: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GroupCourse:
    """One group: K times, how many are at risk, and cumulative counts, all of length K."""

    level: str
    rows: int
    time: tuple[float, ...]
    at_risk: tuple[int, ...]
    censored: tuple[int, ...]
    events: tuple[tuple[int, ...], ...]
    late_entry: bool

    def standing(self, time: float) -> Standing:
        """Return the group's counts at `time`; infinity is the end."""
        past = bisect_right(self.time, time)
        return Standing(
            self._at_risk(past),
            self.censored[past - 1] if past else 0,
            tuple(cause[past - 1] if past else 0 for cause in self.events),
        )

    def entered(self, time: float) -> int:
        """Return how many rows have come under observation, with those at risk after `time`."""
        now = self.standing(time)
        return (now.at_risk or 0) + now.censored + sum(now.events)

    def _at_risk(self, past: int) -> int | None:
        if self.late_entry and past == 0:
            return None
        return self.at_risk[past] if past < len(self.time) else 0


def survival_groups(curves: Sequence[Mapping[str, Any]]) -> list[GroupCourse]:
    """Return the group of each curve; in a reverse curve the events are those censored."""
    return [_course(curve, curve["n_censor"], [curve["n_event"]]) for curve in curves]


def incidence_groups(curves: Sequence[Mapping[str, Any]]) -> list[GroupCourse]:
    """Return the group of each stratum, with the events of every cause in order."""
    strata = list(dict.fromkeys(curve["stratum"] for curve in curves))
    groups = []
    for stratum in strata:
        own = [curve for curve in curves if curve["stratum"] == stratum]
        causes = [curve["n_event"] for curve in own]
        groups.append(_course(own[0], own[0]["n_censor"], causes))
    return groups


def _course(
    curve: Mapping[str, Any], censored: Sequence[float], causes: Sequence[Sequence[float]]
) -> GroupCourse:
    at_risk = tuple(round(n) for n in curve["n_risk"])
    leaving = [round(sum(each)) for each in zip(censored, *causes, strict=True)]
    return GroupCourse(
        level=curve["stratum"],
        rows=int(curve["rows"]),
        time=tuple(curve["time"]),
        at_risk=at_risk,
        censored=_cumulative(censored),
        events=tuple(_cumulative(cause) for cause in causes),
        late_entry=_late_entry(int(curve["rows"]), at_risk, leaving),
    )


def _cumulative(counts: Sequence[float]) -> tuple[int, ...]:
    return tuple(accumulate(round(count) for count in counts))


def _late_entry(rows: int, at_risk: Sequence[int], leaving: Sequence[int]) -> bool:
    """Return whether the numbers at risk are not rows less those who left before."""
    gone = accumulate([0, *leaving[:-1]])
    return any(n != rows - left for n, left in zip(at_risk, gone, strict=True))
