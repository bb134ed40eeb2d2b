"""Answers an estimator's asks from rows written out in a test, whatever their frames."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np

from site_agent.contract.frames import Rows
from site_agent.contract.sums import Answer, Ask, Sum


def answered(
    estimator: Generator[tuple[Ask, ...], tuple[Answer, ...], Any],
    sites: Sequence[Rows],
    sums: Sequence[Sum],
) -> tuple[Any, int]:
    """Return what an estimator finds over sites, and how many rounds it took."""
    known = {entry.name: entry for entry in sums}
    asks, rounds = next(estimator), 1
    while True:
        answers = tuple(_answer(known, ask, sites) for ask in asks)
        try:
            asks = estimator.send(answers)
        except StopIteration as done:
            return done.value, rounds
        rounds += 1


def _answer(known: Mapping[str, Sum], ask: Ask, sites: Sequence[Rows]) -> Answer:
    entry = known[ask.sum]
    parts = [entry.compute(rows, ask) for rows in sites]
    totals = {
        lane.name: np.sum([part[lane.name] for part in parts], axis=0) for lane in entry.lanes(ask)
    }
    for lane in entry.lanes(ask):
        assert totals[lane.name].shape == lane.shape, lane.name
    return Answer(totals, ask.floats)
