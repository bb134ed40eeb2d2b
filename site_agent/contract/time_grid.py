"""Times on a coarse grid, so that enough patients leave in each step to hide among.

A grid is ascending ticks g_1 < ... < g_K. With g_0 = 0 and a row's interval (entry, time]:

    time'  = the first g_k >= time;  entry' = the last g_k <= entry

so that the interval only grows: entry' <= entry < time <= time'. A row whose time is beyond g_K
is censored at g_K. One that enters at g_K or later is at risk at no point of the grid and has
an empty interval, entry' = time'. A row without an entry stays without one.
"""

from __future__ import annotations

import numpy as np

from site_agent.contract.frames import NO_ENTRY, Integers


def on_grid(
    grid: tuple[int, ...], entry: Integers, time: Integers, cause: Integers
) -> tuple[Integers, Integers, Integers]:
    """Return entry, time and cause (n,) of rows moved to `grid`; as they are if it is empty."""
    if not grid:
        return entry, time, cause
    points = np.array(grid, dtype=np.int64)
    last = np.searchsorted(points, entry, side="right")
    moved = np.concatenate([[0], points])[last]
    return (
        np.where(entry == NO_ENTRY, NO_ENTRY, moved),
        points[np.minimum(np.searchsorted(points, time), len(points) - 1)],
        np.where(time > points[-1], 0, cause),
    )


def step_of(grid: tuple[int, ...], ticks: Integers) -> Integers:
    """Return, for ticks that are 0 or points of `grid`, which of 0, g_1, ..., g_K each is."""
    return np.searchsorted(np.array((0, *grid), dtype=np.int64), ticks)
