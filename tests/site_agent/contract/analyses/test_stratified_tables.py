"""The Cochran-Mantel-Haenszel test by hand, and in statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from site_agent.contract.analyses.stratified_tables import mantel_haenszel, stratified_sums
from site_agent.contract.errors import AnalysisError
from tests.site_agent.contract.analyses.by_hand import F

STRATA = np.array([[[4.0, 2.0], [1.0, 3.0]], [[5.0, 1.0], [3.0, 5.0]]])


def test_statistic() -> None:
    """Apart (4 - 3) + (5 - 24/7), variances 6 4 5 5 / 900 and 6 8 8 6 / (14^2 13)."""
    apart = F(1) + 5 - F(24, 7)
    variance = F(600, 900) + F(2304, 14**2 * 13)
    found = mantel_haenszel(stratified_sums(STRATA), correct=True, level=0.95)
    assert found.statistic == pytest.approx(float((apart - F(1, 2)) ** 2 / variance), rel=1e-14)


@pytest.mark.parametrize("correct", [True, False])
def test_in_statsmodels(correct: bool) -> None:
    """Chi-square and p are statsmodels'."""
    theirs = StratifiedTable(list(STRATA)).test_null_odds(correction=correct)
    found = mantel_haenszel(stratified_sums(STRATA), correct=correct, level=0.95)
    assert (found.statistic, found.p_value) == pytest.approx((theirs.statistic, theirs.pvalue))


def test_common_odds_ratio_in_statsmodels() -> None:
    """The common odds ratio and its limits are statsmodels'."""
    theirs = StratifiedTable(list(STRATA))
    found = mantel_haenszel(stratified_sums(STRATA), correct=True, level=0.95)
    wanted = (theirs.oddsratio_pooled, *theirs.oddsratio_pooled_confint(0.05))
    assert (found.odds_ratio, found.conf_low, found.conf_high) == pytest.approx(wanted)


def test_strata_are_sums() -> None:
    """Sums of two strata apart add up to those of both: hospitals can be strata."""
    parts = [stratified_sums(STRATA[k : k + 1]) for k in (0, 1)]
    both = stratified_sums(STRATA)
    assert all(np.allclose(parts[0][name] + parts[1][name], both[name]) for name in both)


def test_a_stratum_of_one_adds_nothing() -> None:
    """One patient in a stratum changes neither test nor odds ratio."""
    alone = np.concatenate([STRATA, [[[1.0, 0.0], [0.0, 0.0]]]])
    one, two = (
        mantel_haenszel(stratified_sums(strata), correct=True, level=0.95)
        for strata in (STRATA, alone)
    )
    assert one == two


def test_strata_of_one_level_each() -> None:
    """Strata within which nothing can differ are no test, in words."""
    strata = np.array([[[4.0, 0.0], [3.0, 0.0]], [[0.0, 2.0], [0.0, 5.0]]])
    with pytest.raises(AnalysisError, match="no stratum has two groups"):
        mantel_haenszel(stratified_sums(strata), correct=True, level=0.95)
