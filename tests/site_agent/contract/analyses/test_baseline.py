"""Steps of the baseline hazard: which times are kept, and what adds up to them."""

from __future__ import annotations

import numpy as np
import pytest

from site_agent.contract.analyses.baseline import baseline, steps
from tests.site_agent.contract.analyses.by_hand import DAYS


def _deaths(*strata: dict[int, int]) -> np.ndarray:
    found = np.zeros((len(strata), DAYS.ticks))
    for number, stratum in enumerate(strata):
        for tick, count in stratum.items():
            found[number, tick] = count
    return found


def test_five_deaths_or_none_lie_between() -> None:
    """Until 4 there are 3 deaths, so 4 joins the next step; after 8 there are none."""
    found = steps([4, 8, 12], DAYS, _deaths({1: 3, 7: 2}))
    assert found == [(8, 8), (12, 12)]


def test_every_stratum_counts() -> None:
    """Six deaths of one stratum do not hide one of another."""
    assert steps([5], DAYS, _deaths({1: 6}, {2: 1})) == []


def test_a_time_between_ticks_is_the_tick_before() -> None:
    """A hazard at 7.5 is that at 7."""
    assert steps([7.5], DAYS, _deaths({7: 5})) == [(7, 7.5)]


def test_a_step_that_is_too_small_ends_at_no_later_one() -> None:
    """Three deaths behind the last kept time are in no row."""
    assert steps([4, 9], DAYS, _deaths({1: 5, 6: 3})) == [(4, 4)]


def test_hazards_add_up_by_stratum() -> None:
    """Two strata with two steps each; covariates were centred at log 2."""
    kept = [(4, 4.0), (9, 9.0)]
    ratios = np.array([1.0, 2.0, 3.0, 4.0])
    found = baseline(ratios, np.log(2.0), kept, [4, 9], ["a", "b"])
    hazards = [hazard for _, _, hazard in found.rows]
    assert hazards == pytest.approx([0.5, 1.5, 1.5, 3.5], rel=1e-15)


def test_times_left_out_are_named() -> None:
    """A reader sees which of the times asked for are missing."""
    assert baseline(np.ones(1), 0.0, [(4, 4.0)], [4, 9], [""]).left_out == (9,)
