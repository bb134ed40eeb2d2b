"""Extrapolation of an iteration ends sooner than the iteration itself."""

from __future__ import annotations

import numpy as np
import pytest

from site_agent.contract.analyses.mixing import Mixing

SLOW = np.array([[0.6, 0.3], [0.2, 0.5]])


def rounds(mixing: Mixing | None) -> int:
    """Return how many steps of x' = SLOW x + 1 lead to its fixed point, from near it."""
    end = np.linalg.solve(np.eye(2) - SLOW, np.ones(2))
    x, units = end + np.array([0.1, -0.2]), np.ones(2)
    for number in range(200):
        step = SLOW @ x + 1 - x
        if np.abs(step).max() < 1e-10:
            return number
        x = x + step if mixing is None else mixing.next(x, step, units)
    raise AssertionError


def test_linear_iteration() -> None:
    """Two directions are solved by two differences, where plain steps take dozens."""
    assert (rounds(Mixing()) <= 4, rounds(None) > 50) == (True, True)


def test_far_steps_are_plain() -> None:
    """Far from the end a step is taken as it is."""
    found = Mixing().next(np.array([1.0]), np.array([5.0]), np.array([1.0]))
    assert found == pytest.approx([6.0])
