"""The sums of estimating equations on two patients, by hand and row by row."""

from __future__ import annotations

import numpy as np
import pytest

from site_agent.contract.analyses.clusters import Panel, equations, products

# Patient 0 has waves 0 and 1, patient 1 has wave 1 alone; one column.
PANEL = Panel(
    design=np.array([[1.0], [2.0], [3.0]]),
    residual=np.array([1.0, -1.0, 2.0]),
    patient=np.array([0, 0, 1]),
    wave=np.array([0, 1, 1]),
)
HALF = np.array([[1.0, 0.5], [0.5, 1.0]])


def test_equations_by_hand() -> None:
    """The inverse of (1, 1/2; 1/2, 1) is (4, -2; -2, 4) / 3.

    Patient 0: d C^- = (4 - 4, -2 + 8) / 3 = (0, 2), so u = -2 and d C^- d = 4. Patient 1: u = 6, 9.
    """
    score, slope, middle = equations(PANEL, HALF)
    found = [score[0], slope[0, 0], middle[0, 0]]
    assert found == pytest.approx([-2 + 6, 4 + 9, 4 + 36], abs=1e-14)


def test_products_by_hand() -> None:
    """Squares 1, 1 and 4; one pair of waves, of patient 0, with the product -1."""
    square, product, pairs = products(PANEL, 2)
    assert (square.tolist(), product.tolist(), pairs.tolist()) == ([6.0], [-1.0], [1.0])


def test_patterns_row_by_row() -> None:
    """Patients taken together by their waves give what each gives alone."""
    random = np.random.default_rng(4)
    patient = np.repeat(np.arange(30), 4)
    kept = random.random(120) < 0.7
    panel = Panel(
        random.normal(size=(120, 3))[kept],
        random.normal(size=120)[kept],
        np.unique(patient[kept], return_inverse=True)[1],
        np.tile(np.arange(4), 30)[kept],
    )
    correlation = 0.4 ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    expected = np.zeros(3)
    for one in range(panel.patient.max() + 1):
        rows = np.flatnonzero(panel.patient == one)
        block = correlation[np.ix_(panel.wave[rows], panel.wave[rows])]
        expected += panel.design[rows].T @ np.linalg.solve(block, panel.residual[rows])
    assert equations(panel, correlation)[0] == pytest.approx(expected, abs=1e-12)


def test_no_rows() -> None:
    """A hospital without rows adds zeros."""
    empty = Panel(np.zeros((0, 2)), np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64))
    score, slope, middle = equations(empty, HALF)
    assert [score.tolist(), slope.sum(), middle.sum(), *(s.sum() for s in products(empty, 2))] == [
        [0, 0], 0, 0, 0, 0, 0,
    ]  # fmt: skip
