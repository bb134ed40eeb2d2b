"""Extrapolation of a fixed-point iteration, so that it needs fewer rounds (Anderson 1965).

The iteration x' = x + f(x) is at its end where f = 0. With the differences of the last m points,
dX, and of their f, dF, the next point is

    x + f - (dX + dF) c,    c the least squares solution of dF c = f

which is the secant method over several directions (Walker and Ni 2011). Far from the end plain
steps are taken: they are those of a method that converges by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from site_agent.contract.frames import Floats

NEAR: Final = 0.3  # a step below this, in the units given, is near the end
MEMORY: Final = 8


@dataclass(slots=True)
class Mixing:
    """The points of an iteration so far that count, and their steps."""

    _points: list[Floats] = field(default_factory=list)
    _steps: list[Floats] = field(default_factory=list)

    def next(self, point: Floats, step: Floats, units: Floats) -> Floats:
        """Return the next point after `point` with its plain `step`; units: of each number."""
        if np.abs(step / units).max() >= NEAR:
            self._points, self._steps = [], []
            return point + step
        self._points, self._steps = [*self._points, point], [*self._steps, step]
        recent = slice(-MEMORY - 1, None)
        moved = np.diff(np.stack(self._points[recent]), axis=0).T
        changed = np.diff(np.stack(self._steps[recent]), axis=0).T
        if not moved.shape[1]:
            return point + step
        weights = np.linalg.lstsq(changed / units[:, None], step / units, rcond=1e-8)[0]
        return np.asarray(point + step - (moved + changed) @ weights)
