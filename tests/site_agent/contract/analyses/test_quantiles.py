"""Quantiles of values that stand several times, beside numpy's of the values written out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from site_agent.contract.analyses.quantiles import quantile, summarise

METHODS = {7: "linear", 2: "averaged_inverted_cdf"}


def test_quartiles_by_hand() -> None:
    """Of 1, 2, 2, 4: h = 1.75, 2.5, 3.25, so 1.75, 2 and 2.5; type 2 has the middle of 2 and 4."""
    values, counts = np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 1.0])
    assert summarise(values, counts, 7).quartiles == (1.75, 2.0, 2.5)
    assert summarise(values, counts, 2).quartiles == (1.5, 2.0, 3.0)


def test_moments_by_hand() -> None:
    """Of 1, 2, 2, 4: mean 9/4, squares 19/4, over 3."""
    found = summarise(np.array([1.0, 2.0, 4.0]), np.array([1.0, 2.0, 1.0]), 7)
    assert (found.mean, found.std_dev) == (9 / 4, pytest.approx(math.sqrt(19 / 12), rel=1e-15))


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("seed", range(20))
def test_quantiles_as_numpy(kind: int, seed: int) -> None:
    """Any counts, any quantile."""
    rng = np.random.default_rng(seed)
    values = np.unique(rng.normal(size=int(rng.integers(1, 9))))
    counts = rng.integers(1, 5, size=len(values)).astype(float)
    p = float(rng.choice([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.75, 1.0]))
    written = np.repeat(values, counts.astype(int))
    expected = np.quantile(written, p, method=METHODS[kind])
    assert quantile(values, counts, p, kind) == pytest.approx(expected, rel=1e-14)


def test_values_of_nobody_do_not_count() -> None:
    """A value that another group has is not the smallest of this one."""
    found = summarise(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0]), 7)
    assert (found.n, found.minimum, found.maximum, found.quartiles) == (1, 2, 2, (2, 2, 2))


def test_nobody_has_no_numbers() -> None:
    """A group without the variable has neither mean nor median."""
    found = summarise(np.array([1.0]), np.array([0.0]), 7)
    assert found.n == 0 and math.isnan(found.mean) and math.isnan(found.quartiles[1])


def test_one_row_has_no_deviation() -> None:
    """The deviation of a single value is not known."""
    assert math.isnan(summarise(np.array([5.0]), np.array([1.0]), 7).std_dev)
