"""Pooled counts by time: who enters, who leaves and why, on the study's grid of ticks.

For group g and tick t, with intervals (entry, time]:

    entered(g, t)    rows whose entry is t
    left(c, g, t)    rows whose time is t, by cause c (0 censored)
    n(g, t)          at risk at t = rows with entry < t <= time
                     = sum over s < t of entered(g, s) - sum over s < t, c of left(c, g, s)

Rows without an entry are at risk from before 0 on. These are counts without
covariates: what a published curve shows (class B).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from site_agent.contract.frames import NO_ENTRY, Floats, Frame, Integers, Rows
from site_agent.contract.rows import levels_of
from site_agent.contract.securesum.fixedpoint import COUNT
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Arrays, Ask, Lane, Sum

LEFT_OUT = ("endpoint unknown", "a value missing", "entry at the end")


@dataclass(frozen=True, slots=True)
class Course:
    """The course of one group: arrays over the K ticks at which somebody leaves.

    tick, n_risk: (K,). left: (causes + 1, K), row 0 censored. entered_before: (K,), rows
    that entered since the tick before. rows: how many rows the group has. entries: ticks at
    which rows enter, and how many.
    """

    tick: Integers
    n_risk: Floats
    left: Floats
    entered_before: Floats
    rows: int
    entries: tuple[Integers, Floats]

    @property
    def n_event(self) -> Floats:
        """Return the number of events of any cause, (K,)."""
        return np.asarray(self.left[1:].sum(axis=0))

    def at_risk_at(self, ticks: Integers) -> Floats:
        """Return how many are at risk at any ticks, (m,)."""
        later = np.searchsorted(self.tick, ticks, side="left")
        gone = np.concatenate([[0.0], np.cumsum(self.left.sum(axis=0))])[later]
        return np.asarray(self._entered_until(ticks) - gone)

    def _entered_until(self, ticks: Integers) -> Floats:
        entry_ticks, entries = self.entries
        order = np.searchsorted(entry_ticks, ticks, side="left")
        return np.asarray(np.concatenate([[0.0], np.cumsum(entries)])[order])


def counts_ask(study: Study, frame: Frame) -> Ask:
    """Return the ask for counts by time of a frame, over the study's grid of ticks."""
    assert frame.endpoint is not None
    endpoint = study.endpoints[frame.endpoint]
    fixed = {
        "causes": len(endpoint.causes),
        "by": len(levels_of(study, frame.table, frame.by)),
        "strata": math.prod(len(levels_of(study, frame.table, name)) for name in frame.strata),
        "ticks": study.time.ticks,
        "truncated": endpoint.entry is not None,
    }
    return Ask("counts_by_time", frame, fixed, {})


def _lanes(ask: Ask) -> tuple[Lane, ...]:
    groups, ticks = ask.fixed["by"] * ask.fixed["strata"], ask.fixed["ticks"]
    lanes = [
        Lane("left", (ask.fixed["causes"] + 1, groups, ticks), COUNT),
        Lane("left_out", (len(LEFT_OUT),), COUNT),
        Lane("patients", (1,), COUNT),
    ]
    if ask.fixed["truncated"]:
        lanes.append(Lane("entered", (groups, ticks), COUNT))
    return tuple(lanes)


def _compute(rows: Rows, ask: Ask) -> Arrays:
    causes, by, ticks = (ask.fixed[name] for name in ("causes", "by", "ticks"))
    groups = by * ask.fixed["strata"]
    group = rows.stratum * by + rows.group
    left = np.zeros((causes + 1, groups, ticks))
    np.add.at(left, (rows.cause, group, rows.time), 1.0)
    arrays = {
        "left": left,
        "left_out": np.array([float(rows.left_out.get(reason, 0)) for reason in LEFT_OUT]),
        "patients": np.array([float(rows.patients)]),
    }
    if ask.fixed["truncated"]:
        entered = np.zeros((groups, ticks))
        inside = rows.entry != NO_ENTRY
        np.add.at(entered, (group[inside], rows.entry[inside]), 1.0)
        arrays["entered"] = entered
    return arrays


COUNTS = Sum(
    name="counts_by_time",
    disclosure="B",
    gives="how many leave at each time, by cause and group, without covariates",
    lanes=_lanes,
    compute=_compute,
)


def courses(totals: Arrays) -> list[Course]:
    """Return the course of each group from the totals of a counts ask.

    With strata, the groups of the first stratum come first.
    """
    left = totals["left"]
    entered = totals.get("entered")
    return [
        _course(left[:, group, :], None if entered is None else entered[group])
        for group in range(left.shape[1])
    ]


def _course(left: Floats, entered: Floats | None) -> Course:
    leaving = left.sum(axis=0)
    tick = np.flatnonzero(leaving > 0)
    rows = int(leaving.sum())
    if entered is None:
        entry_ticks, entries = np.array([NO_ENTRY]), np.array([float(rows)])
    else:
        entry_ticks = np.flatnonzero(entered > 0)
        entries = entered[entry_ticks]
    before = np.searchsorted(entry_ticks, tick, side="left")
    came = np.concatenate([[0.0], np.cumsum(entries)])[before]
    gone = np.concatenate([[0.0], np.cumsum(leaving[tick])])[:-1]
    return Course(
        tick=tick,
        n_risk=came - gone,
        left=left[:, tick],
        entered_before=np.diff(came, prepend=0.0),
        rows=rows,
        entries=(entry_ticks, entries),
    )
