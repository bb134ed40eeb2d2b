"""Fisher's exact test of any table, beside all tables listed, in exact fractions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import factorial, prod

import numpy as np
import pytest

from site_agent.contract.analyses.fisher_tables import fisher_p
from site_agent.contract.errors import AnalysisError

SMALL = [
    [[3, 1, 0], [0, 2, 4]],
    [[5, 0], [1, 4], [2, 2], [0, 3]],
    [[2, 1, 1], [0, 3, 1], [1, 0, 4]],
    [[7, 2], [1, 9]],
    [[1, 1, 1, 2], [2, 0, 1, 0], [0, 3, 0, 1]],
]


def _rows(total: int, room: Sequence[int]) -> Iterator[tuple[int, ...]]:
    if len(room) == 1:
        if total <= room[0]:
            yield (total,)
        return
    for first in range(min(total, room[0]) + 1):
        for rest in _rows(total - first, room[1:]):
            yield (first, *rest)


def _tables(rows: Sequence[int], room: Sequence[int]) -> Iterator[list[tuple[int, ...]]]:
    if not rows:
        yield []
        return
    for row in _rows(rows[0], room):
        left = [r - x for r, x in zip(room, row, strict=True)]
        for rest in _tables(rows[1:], left):
            yield [row, *rest]


def _listed(table: Sequence[Sequence[int]]) -> Fraction:
    """Return p by listing every table of the same margins."""
    rows, columns = [sum(row) for row in table], [sum(c) for c in zip(*table, strict=True)]
    whole = prod(map(factorial, rows)) * prod(map(factorial, columns))

    def chance(one: Sequence[Sequence[int]]) -> Fraction:
        return Fraction(whole, factorial(sum(rows)) * prod(factorial(x) for r in one for x in r))

    most = chance(table) * (1 + Fraction(1, 10**7))
    return sum((p for t in _tables(rows, columns) if (p := chance(t)) <= most), Fraction(0))


@pytest.mark.parametrize("table", SMALL)
def test_all_tables_listed(table: list[list[int]]) -> None:
    """p is the sum over all tables that are listed, and the same of the table turned over."""
    found = [fisher_p(np.array(table, float)), fisher_p(np.array(table, float).T)]
    assert found == pytest.approx([float(_listed(table))] * 2, rel=1e-8)


def test_any_order_of_rows() -> None:
    """Rows and columns in another order give the same p."""
    table = np.array(SMALL[4], float)
    assert fisher_p(table[::-1, ::-1]) == pytest.approx(fisher_p(table), rel=1e-9)


def test_a_small_p_has_nine_digits() -> None:
    """Two groups of 30 that share nothing: 2 / C(60, 30), though far below any budget."""
    chance = 2 * Fraction(factorial(30) ** 2, factorial(60))
    found = fisher_p(np.array([[30, 0], [0, 30]], float))
    assert found == pytest.approx(float(chance), rel=1e-9)


def test_43_patients_of_eight_levels() -> None:
    """Three groups by eight levels of 43 patients are no large table."""
    draw = np.random.default_rng(3)
    cells = draw.multinomial(43, draw.dirichlet(np.ones(24))).reshape(8, 3)
    held = cells[cells.sum(axis=1) > 0].astype(float)
    assert 0 < fisher_p(held) <= 1


def test_too_large_a_table() -> None:
    """A table of too many possibilities is refused, with what to do."""
    with pytest.raises(AnalysisError, match="chi-square test"):
        fisher_p(np.full((12, 12), 50.0))
