"""Concordance over all hospitals is that of the pooled rows, however they are spread."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from site_agent.contract.analyses.concordance import Concordance, levels_of
from site_agent.contract.analyses.cox_pairs import over_all
from site_agent.contract.analyses.death_predictors import dying_of
from site_agent.contract.analyses.risk_sets import deaths_of
from site_agent.contract.frames import Rows
from site_agent.contract.sums import Ask
from tests.site_agent.contract.analyses.answering_rows import point, run
from tests.site_agent.contract.analyses.by_hand import rows
from tests.site_agent.contract.analyses.test_concordance import found


def _rows(seed: int, x: np.ndarray) -> Rows:
    draw = np.random.default_rng(seed)
    count = len(x)
    time = draw.integers(1, 9, count)
    return rows(
        time.tolist(), draw.integers(0, 2, count).tolist(), x=x[:, None],
        entry=np.minimum(draw.integers(-1, 4, count), time - 1).tolist(),
        stratum=draw.integers(0, 2, count).tolist(),
    )  # fmt: skip


def _point(given: Rows) -> Ask:
    deaths = deaths_of(given, 2)
    return point([t.tolist() for t in deaths.ticks], deaths.ties.tolist(), [1.0])


def _spread(given: Rows, hospitals: int) -> list[Rows]:
    where = np.random.default_rng(8).integers(0, hospitals - 1, len(given))
    return [given.subset(where == number) for number in range(hospitals)]


def _expected(given: Rows) -> Concordance:
    return found(given, levels_of(given.design[:, 0]))


VALUES = {
    "few": np.random.default_rng(1).integers(0, 4, 120).astype(np.float64),
    "many": np.random.default_rng(2).normal(size=120),
    "near": np.random.default_rng(3).integers(0, 60, 120) * 1e-6,
    "far": np.random.default_rng(4).normal(size=120) * 40,
    "none": np.zeros(120),
}


@pytest.mark.parametrize("values", VALUES)
def test_split_is_pooled(values: str) -> None:
    """Counts to the bit, standard errors to 1e-12, over one hospital or four, and an empty one."""
    given = _rows(6, VALUES[values])
    expected = astuple(_expected(given))
    for hospitals in (2, 5):
        ours, _ = run(over_all(_point(given), ""), _spread(given, hospitals))
        assert astuple(ours)[:5] == expected[:5]
        assert astuple(ours)[5:] == pytest.approx(expected[5:], rel=1e-12)


@pytest.mark.parametrize(("values", "rounds"), [("few", 3), ("many", 3), ("none", 3)])
def test_three_rounds_as_a_rule(values: str, rounds: int) -> None:
    """The dying, those who outlive them, squares."""
    given = _rows(6, VALUES[values])
    assert run(over_all(_point(given), ""), _spread(given, 3))[1] == rounds


@pytest.mark.parametrize("values", VALUES)
def test_who_dies_with_which_predictor(values: str) -> None:
    """Each death's eta comes back, told apart from those of the same time."""
    given = _rows(7, VALUES[values])
    items, _ = run(dying_of(_point(given)), _spread(given, 4))
    ours = sorted(np.repeat(items.eta, items.count))
    theirs = sorted(given.design[given.cause == 1, 0])
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-9)
