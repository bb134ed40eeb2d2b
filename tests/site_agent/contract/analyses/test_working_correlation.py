"""Working correlations from made-up products of residuals, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from site_agent.contract.analyses.working_correlation import estimated, matrix, refuse_indefinite
from site_agent.contract.errors import AnalysisError

# Three waves; pairs in the order 1:2, 1:3, 2:3.
Z, N = np.array([3.0, 1.0, 2.0]), np.array([6.0, 5.0, 4.0])


def test_exchangeable() -> None:
    """All pairs together: 6 of 15."""
    assert estimated("exchangeable", Z, N, 3).tolist() == [6 / 15]


def test_unstructured() -> None:
    """Each pair of waves for itself."""
    assert estimated("unstructured", Z, N, 3).tolist() == [3 / 6, 1 / 5, 2 / 4]


def test_first_order_without_a_second_lag() -> None:
    """With two waves the root is the ratio of the one pair."""
    assert estimated("ar1", np.array([2.0]), np.array([8.0]), 2) == pytest.approx([0.25], abs=1e-14)


def test_first_order() -> None:
    """With lags 1 and 2 the root solves (5 - 10 a) + 2 a (1 - 5 a^2) = 0."""
    (a,) = estimated("ar1", Z, N, 3)
    assert (5 - 10 * a) + 2 * a * (1 - 5 * a**2) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("seen", [0.05, 0.1, 0.5, 0.9])
def test_first_order_without_an_odd_lag(seen: float) -> None:
    """Seen at the first and third wave alone, a and -a fit alike: the root is the positive one."""
    z, n = np.array([0.0, 40 * seen, 0.0]), np.array([0.0, 40.0, 0.0])
    assert estimated("ar1", z, n, 3) == pytest.approx([seen**0.5], abs=1e-12)


def test_matrices() -> None:
    """The correlation of two waves is the parameter, by its distance, or their own."""
    found = [matrix(s, p, 3)[0].tolist() for s, p in (
        ("independence", np.zeros(0)),
        ("exchangeable", np.array([0.5])),
        ("ar1", np.array([0.5])),
        ("unstructured", np.array([0.5, 0.25, 0.125])),
    )]  # fmt: skip
    assert found == [[1, 0, 0], [1, 0.5, 0.5], [1, 0.5, 0.25], [1, 0.5, 0.25]]


def test_no_pairs() -> None:
    """Patients who are seen once have no correlation."""
    with pytest.raises(AnalysisError, match="no patient has two waves"):
        estimated("exchangeable", np.zeros(3), np.zeros(3), 3)


def test_pair_never_seen() -> None:
    """A pair of waves that nobody has cannot be unstructured."""
    with pytest.raises(AnalysisError, match="never seen in one patient"):
        estimated("unstructured", Z, np.array([6.0, 0.0, 4.0]), 3)


def test_indefinite() -> None:
    """A correlation matrix that is none is told in words."""
    with pytest.raises(AnalysisError, match="not positive definite"):
        refuse_indefinite(matrix("unstructured", np.array([0.9, -0.9, 0.9]), 3))
