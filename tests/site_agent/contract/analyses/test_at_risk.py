"""Sums over those at risk against the same sums formed death by death from all rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from site_agent.contract.analyses.at_risk import BLOCK, DEATH, ordered, width
from site_agent.contract.analyses.risk_sets import deaths_of
from site_agent.contract.frames import Floats, Rows

STRATA = 2


def made(n: int, *, late: bool = False, weighted: bool = False, seed: int = 1) -> Rows:
    """Rows of two covariates whose sums are whole numbers at beta = 0, and so exact."""
    random = np.random.default_rng(seed)
    time = random.integers(1, 30, n)
    return Rows(
        entry=np.minimum(random.integers(-1, 25, n), time - 1) if late else np.full(n, -1),
        time=time,
        cause=random.integers(0, 3, n),
        group=np.zeros(n, dtype=np.int64),
        stratum=random.integers(0, STRATA, n),
        design=random.integers(-3, 4, (n, 2)).astype(np.float64),
        patient=np.arange(n),
        patients=n,
        weight=random.integers(1, 5, n).astype(np.float64) if weighted else None,
    )


def by_death(rows: Rows, *, dying: bool) -> Floats:
    """The products of all rows at risk, or of the dying, at each death of each stratum; (K, M)."""
    weight = np.ones(len(rows)) if rows.weight is None else rows.weight
    x, y = rows.design.T
    products = weight[:, None] * np.stack([x**0, x, y, x * x, x * y, y * y], axis=1)
    found = []
    for stratum, ticks in enumerate(deaths_of(rows, STRATA).ticks):
        for t in ticks:
            inside = (rows.stratum == stratum) & (rows.entry < t) & (t <= rows.time)
            dies = inside & (rows.time == t) & (rows.cause == DEATH)
            found.append(products[dies if dying else inside].sum(axis=0))
    return np.reshape(found, (-1, width(2)))


def sums(rows: Rows) -> tuple[Floats, Floats]:
    """What the rows in order give at beta = 0."""
    own = ordered(rows, np.zeros(2), deaths_of(rows, STRATA).ticks, tied=True)
    return own.at_risk(np.zeros(2), tied=True)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("n", [0, 1, 7, 200, BLOCK, 2 * BLOCK + 3])
def test_sums_are_those_of_all_rows_at_risk(n: int, late: bool, weighted: bool) -> None:
    """Entries, strata, weights, and runs that cross from one block into the next."""
    rows = made(n, late=late, weighted=weighted)
    risk, dying = sums(rows)
    assert np.array_equal(risk, by_death(rows, dying=False))
    assert np.array_equal(dying, by_death(rows, dying=True))


def test_one_run_over_several_blocks() -> None:
    """All leave at once: one death time, and pieces of it in four blocks."""
    n = 3 * BLOCK + 1
    rows = replace(made(n), time=np.full(n, 5), stratum=np.zeros(n, dtype=np.int64))
    assert np.array_equal(sums(rows)[0], by_death(rows, dying=False))


def test_the_order_is_kept() -> None:
    """The next point of a fit finds the rows in order."""
    rows, centre = made(50), np.zeros(2)
    ticks = deaths_of(rows, STRATA).ticks
    first = ordered(rows, centre, ticks, tied=True)
    assert ordered(rows, centre.copy(), ticks, tied=True) is first


def test_another_question_is_put_in_order_anew() -> None:
    """What is kept is not taken for another centre, other deaths, or sums without the dying."""
    rows, centre = made(50), np.zeros(2)
    ticks = deaths_of(rows, STRATA).ticks
    first = ordered(rows, centre, ticks, tied=True)
    others = [(centre + 1, ticks, True), (centre, ticks[::-1], True), (centre, ticks, False)]
    assert all(ordered(rows, c, t, tied=tied) is not first for c, t, tied in others)


def test_changed_rows_begin_without_an_order() -> None:
    """Rows made from others do not inherit what was worked out from those."""
    rows = made(50)
    sums(rows)
    assert [len(item.derived) for item in (rows, replace(rows), rows.subset(rows.time > 3))] == [
        1,
        0,
        0,
    ]
