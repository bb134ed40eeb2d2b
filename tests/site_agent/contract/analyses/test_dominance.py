"""Weights below and to the left, against counting one by one."""

from __future__ import annotations

import numpy as np
import pytest

from site_agent.contract.analyses.dominance import weight_below


@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 300])
def test_as_counted_one_by_one(count: int) -> None:
    """Every corner of random points, ties included."""
    draw = np.random.default_rng(count)
    a, b = draw.integers(0, 12, count), draw.integers(0, 9, count)
    weights = draw.integers(1, 5, count).astype(np.float64)
    corners = draw.integers(0, 14, 200), draw.integers(0, 11, 200)
    one_by_one = [weights[(a < x) & (b < y)].sum() for x, y in zip(*corners, strict=True)]
    assert weight_below((a, b), weights, corners).tolist() == one_by_one
