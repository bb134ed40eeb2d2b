"""The pooled distribution of one number, over rows written out."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from site_agent.contract.analyses.distribution import (
    DISTRIBUTION,
    Distribution,
    Measured,
    distribution,
)
from site_agent.contract.analyses.grids import DOUBLES, Grid
from site_agent.contract.frames import Frame, Rows
from tests.site_agent.contract.analyses.answering import answered
from tests.site_agent.contract.analyses.by_hand import rows

TENTHS = Grid(Fraction(0), Fraction(10), Fraction(1, 10))
FRAME = Frame("patients", by="arm", covariates=("x",))


def site(*values: float, group: Sequence[int] | None = None) -> Rows:
    times = [0] * len(values)
    return rows(times, times, group=group, x=[[value] for value in values] or [[]])


def opened(measured: Measured, *sites: Rows) -> tuple[Distribution, int]:
    return answered(distribution(measured), sites, [DISTRIBUTION])


def test_values_and_counts() -> None:
    """Values of two hospitals come back with how often each is there."""
    found, _ = opened(Measured(FRAME, TENTHS), site(0.3, 2.0), site(2.0, 9.9))
    assert (found.values.tolist(), found.total.tolist()) == ([0.3, 2.0, 9.9], [1, 2, 1])


def test_midranks() -> None:
    """Tied values share the mean of their ranks."""
    found, _ = opened(Measured(FRAME, TENTHS), site(0.3, 2.0), site(2.0, 9.9))
    assert found.midranks().tolist() == [1, 2.5, 4]


def test_doubles() -> None:
    """Without a grid the doubles come back to the bit, in four rounds."""
    values = (1 / 3, -1e-300, 0.0, 1e300, 1 / 3)
    found, rounds = opened(Measured(FRAME, DOUBLES), site(*values))
    assert (found.values.tolist(), rounds) == (sorted(set(values)), 4)


def test_off_the_grid() -> None:
    """A value between two steps is found all the same, by its double, a round later."""
    found, _ = opened(Measured(FRAME, TENTHS), site(0.3), site(0.31))
    assert found.values.tolist() == [0.3, 0.31]


def test_groups_apart() -> None:
    """Groups can be kept apart."""
    measured = Measured(FRAME, TENTHS, groups=2)
    found, _ = opened(measured, site(1.0, 2.0, group=[0, 1]), site(2.0, group=[0]))
    assert found.counts.tolist() == [[1, 1], [0, 1]]


def test_nobody() -> None:
    """Without rows there are no values."""
    nobody = site(1.0).subset(np.zeros(1, dtype=bool))
    found, _ = opened(Measured(FRAME, DOUBLES), nobody)
    assert (found.values.tolist(), found.patients) == ([], 0)


def test_sizes_of_differences() -> None:
    """The size of a difference is that of first less second column."""
    pairs = rows([0] * 3, [0] * 3, x=[[1.0, 3.0], [3.0, 1.0], [2.0, 2.0]])
    found, _ = opened(Measured(FRAME, TENTHS, "size"), pairs)
    assert (found.values.tolist(), found.total.tolist()) == ([0, 2], [1, 2])
