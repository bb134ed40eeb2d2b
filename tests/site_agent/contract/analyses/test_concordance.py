"""Concordant pairs by hand, one by one, and against lifelines."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from lifelines.utils import concordance_index

from site_agent.contract.analyses.concordance import (
    Concordance,
    concordance_of,
    levels_of,
    pairs_of,
)
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Rows
from tests.site_agent.contract.analyses.by_hand import rows


def _counts(given: Rows, rank: list[int]) -> list[float]:
    return list(pairs_of(given, np.array(rank))[0])


def found(given: Rows, rank: np.ndarray) -> Concordance:
    """The concordance of rows, each by itself."""
    counts, a, b = pairs_of(given, rank)
    return concordance_of(counts, np.array([a @ a, a @ b, b @ b]))


def drawn(seed: int, *, truncated: bool = False, weighted: bool = False) -> tuple[Rows, Any]:
    """Forty rows with many ties, and their ranks."""
    draw = np.random.default_rng(seed)
    time, rank = draw.integers(2, 12, 40), draw.integers(0, 6, 40)
    entry = np.minimum(draw.integers(-1, 8, 40), time - 1) if truncated else None
    given = rows(
        time.tolist(), draw.integers(0, 2, 40).tolist(),
        entry=None if entry is None else entry.tolist(), stratum=draw.integers(0, 2, 40).tolist(),
    )  # fmt: skip
    return replace(given, weight=draw.uniform(0.5, 2, 40) if weighted else None), rank


def one_by_one(given: Rows, rank: np.ndarray) -> list[float]:
    """The five counts, pair by pair."""
    counts = np.zeros(5)
    weight = np.ones(len(given)) if given.weight is None else given.weight
    for i in np.flatnonzero(given.cause == 1):
        for j in range(len(given)):
            pair = weight[i] * weight[j]
            t = given.time[i]
            if i == j or given.stratum[i] != given.stratum[j] or given.entry[j] >= t:
                continue
            if given.time[j] == t and given.cause[j] == 1:
                counts[4 if rank[i] == rank[j] else 3] += pair / 2
            elif given.time[j] >= t:
                counts[{1: 0, -1: 1, 0: 2}[int(np.sign(rank[i] - rank[j]))]] += pair
    return list(counts)


def test_three_patients() -> None:
    """Deaths at 1 and 2, one censored at 2: the pair of 1 and 2 is right, the others are not."""
    given = rows([1, 2, 2], [1, 1, 0])
    assert _counts(given, [1, 0, 2]) == [1.0, 2.0, 0.0, 0.0, 0.0]


def test_ties_of_both_kinds() -> None:
    """Two who die together: tied.y, or tied.xy with one eta; equal eta of others: tied.x."""
    given = rows([1, 1, 1, 5], [1, 1, 1, 0])
    assert _counts(given, [3, 3, 2, 2]) == [2.0, 0.0, 1.0, 2.0, 1.0]


@pytest.mark.parametrize("truncated", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_as_counted_pair_by_pair(truncated: bool, weighted: bool) -> None:
    """With entries, strata, weights and ties."""
    given, rank = drawn(3, truncated=truncated, weighted=weighted)
    assert _counts(given, rank) == pytest.approx(one_by_one(given, rank), rel=1e-12)


def test_the_jackknife_is_the_derivative() -> None:
    """The standard error is that of C's derivatives in the weights, taken numerically."""
    given, rank = drawn(5, weighted=True)
    assert given.weight is not None
    step, slopes = 1e-6, []
    for i in range(len(given)):
        up, down = given.weight.copy(), given.weight.copy()
        up[i] += step
        down[i] -= step
        moved = [found(replace(given, weight=w), rank).estimate for w in (up, down)]
        slopes.append((moved[0] - moved[1]) / (2 * step) * given.weight[i])
    assert found(given, rank).std_error == pytest.approx(np.linalg.norm(slopes), rel=1e-6)


def test_lifelines_gives_the_same() -> None:
    """Without entries, strata and deaths that tie, C is lifelines'."""
    draw = np.random.default_rng(1)
    time, dies, rank = np.arange(50), draw.integers(0, 2, 50), draw.integers(0, 9, 50)
    given = rows(time.tolist(), dies.tolist())
    assert found(given, rank).estimate == pytest.approx(concordance_index(time, -rank, dies))


def test_near_values_are_ties() -> None:
    """What differs by rounding alone is the same linear predictor."""
    values = np.array([0.3, 0.1 + 0.2, 0.4, -1e9, -1e9 + 1e-3])
    assert levels_of(values).tolist() == [1, 1, 2, 0, 0]


def test_no_pair_has_no_concordance() -> None:
    """The only death is the last to leave."""
    with pytest.raises(AnalysisError, match="no pair of rows"):
        found(rows([1, 2], [0, 1]), np.array([0, 1]))
