"""Runs a generator of asks over the rows of hospitals, added up as doubles."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np

from site_agent.contract.catalogue import SUMS
from site_agent.contract.frames import Frame, Rows
from site_agent.contract.sums import Answer, Ask


def run(
    asks: Generator[tuple[Ask, ...], tuple[Answer, ...], Any], hospitals: Sequence[Rows]
) -> tuple[Any, int]:
    """Return what a generator returns, and after how many rounds."""
    rounds, answers = 0, None
    while True:
        try:
            asked = next(asks) if answers is None else asks.send(answers)
        except StopIteration as done:
            return done.value, rounds
        rounds += 1
        answers = tuple(_answer(ask, hospitals) for ask in asked)


def _answer(ask: Ask, hospitals: Sequence[Rows]) -> Answer:
    entry = SUMS[ask.sum]
    shares = [entry.compute(rows, ask) for rows in hospitals]
    totals = {
        lane.name: np.sum([s[lane.name] for s in shares], axis=0) for lane in entry.lanes(ask)
    }
    return Answer(totals, ask.floats)


def point(deaths: Sequence[Sequence[int]], ties: Sequence[int], beta: Sequence[float]) -> Ask:
    """Return an ask for a point over pooled deaths, columns not centred."""
    fixed = {
        "columns": len(beta),
        "strata": len(deaths),
        "efron": True,
        "deaths": [list(ticks) for ticks in deaths],
        "ties": list(ties),
    }
    floats = {"beta": np.array(beta, dtype=np.float64), "centre": np.zeros(len(beta))}
    return Ask("cox_risk_sets", Frame("patients"), fixed, floats)
