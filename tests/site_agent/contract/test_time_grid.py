"""Times on a grid: up to the next point, entries down to the last, and censored at the end."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from site_agent.contract.frames import NO_ENTRY
from site_agent.contract.time_grid import on_grid, step_of

GRID = (7, 14, 28)


def moved(entry: int, time: int, cause: int = 1) -> tuple[int, int, int]:
    """One row on the grid: its entry, time and cause."""
    found = on_grid(GRID, np.array([entry]), np.array([time]), np.array([cause]))
    return int(found[0][0]), int(found[1][0]), int(found[2][0])


@pytest.mark.parametrize(
    ("entry", "time", "expected"),
    [
        (NO_ENTRY, 0, (NO_ENTRY, 7, 1)),
        (NO_ENTRY, 7, (NO_ENTRY, 7, 1)),
        (NO_ENTRY, 8, (NO_ENTRY, 14, 1)),
        (NO_ENTRY, 28, (NO_ENTRY, 28, 1)),
        (NO_ENTRY, 29, (NO_ENTRY, 28, 0)),
        (0, 3, (0, 7, 1)),
        (6, 7, (0, 7, 1)),
        (7, 8, (7, 14, 1)),
        (13, 40, (7, 28, 0)),
        (27, 28, (14, 28, 1)),
        (28, 30, (28, 28, 0)),
        (35, 40, (28, 28, 0)),
    ],
)
def test_a_row_on_the_grid(entry: int, time: int, expected: tuple[int, int, int]) -> None:
    """By hand, on the points 7, 14 and 28."""
    assert moved(entry, time) == expected


def test_no_grid() -> None:
    """Without a grid rows stay as they are."""
    assert [int(a[0]) for a in on_grid((), np.array([3]), np.array([9]), np.array([2]))] == [
        3,
        9,
        2,
    ]


@given(st.integers(-1, 40), st.integers(1, 40))
def test_an_interval_only_grows(entry: int, length: int) -> None:
    """What was at risk within the grid is at risk on it."""
    start, end, _ = moved(entry, min(entry + length, 28))
    assert entry >= 28 or (start <= entry and end >= min(entry + length, 28))


def test_the_steps_of_a_grid() -> None:
    """0 is where rows enter that enter before the first point."""
    assert step_of(GRID, np.array([0, 7, 14, 28])).tolist() == [0, 1, 2, 3]
