"""Tests of means by hand, in exact fractions, and in scipy and statsmodels."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

from site_agent.contract.analyses.tests_of_means import (
    Moments,
    anova,
    paired_t,
    t_test,
    welch_anova,
)
from site_agent.contract.errors import AnalysisError
from tests.site_agent.contract.analyses.by_hand import F

GROUPS = ([1.0, 2.0, 3.0], [2.0, 4.0, 6.0, 8.0], [5.0, 5.0, 8.0])


def moments(*groups: list[float]) -> Moments:
    arrays = [np.array(group) for group in groups]
    return Moments(
        np.array([float(len(a)) for a in arrays]),
        np.array([a.mean() if len(a) else 0.0 for a in arrays]),
        np.array([((a - a.mean()) ** 2).sum() if len(a) else 0.0 for a in arrays]),
    )


def test_pooled_t() -> None:
    """Means 2 and 5, squares 2 and 20: s^2 = 22/5, t = -3 / sqrt(22/5 7/12), df = 5."""
    found = t_test(moments(*GROUPS[:2]), pooled=True, level=0.95)
    assert found.statistic == pytest.approx(-3 / sqrt(F(22, 5) * F(7, 12)), rel=1e-15)
    assert found.df == 5


def test_welch() -> None:
    """Variances of the means 1/3 and 5/3: t = -3 / sqrt 2, df = 4 / (1/18 + 25/27) = 216/53."""
    found = t_test(moments(*GROUPS[:2]), pooled=False, level=0.95)
    assert (found.statistic, found.df) == pytest.approx((-3 / sqrt(2), 216 / 53), rel=1e-14)


@pytest.mark.parametrize("pooled", [True, False])
def test_t_in_scipy(pooled: bool) -> None:
    """p and limits are scipy's."""
    found = t_test(moments(*GROUPS[:2]), pooled=pooled, level=0.9)
    theirs = stats.ttest_ind(*GROUPS[:2], equal_var=pooled)
    wanted = (theirs.pvalue, *theirs.confidence_interval(0.9))
    assert (found.p_value, found.conf_low, found.conf_high) == pytest.approx(wanted, rel=1e-12)


def test_anova() -> None:
    """Mean 22/5; between 3 (12/5)^2 + 4 (3/5)^2 + 3 (8/5)^2 = 132/5, within 28 on 7."""
    found = anova(moments(*GROUPS))
    assert found.statistic == pytest.approx(float(F(132, 5) / 2 / (F(28) / 7)), rel=1e-14)


def test_anova_in_scipy() -> None:
    """F and p are scipy's."""
    found = anova(moments(*GROUPS))
    assert (found.statistic, found.p_value) == pytest.approx(tuple(stats.f_oneway(*GROUPS)))


def test_welch_anova_in_statsmodels() -> None:
    """F, p and the denominator's degrees of freedom are statsmodels'."""
    found = welch_anova(moments(*GROUPS))
    theirs = anova_oneway(GROUPS, use_var="unequal")
    wanted = (theirs.statistic, theirs.pvalue, theirs.df_denom)
    assert (found.statistic, found.p_value, found.denominator_df) == pytest.approx(wanted)


def test_an_empty_group_is_not_compared() -> None:
    """A group without values costs no degree of freedom."""
    assert anova(moments(*GROUPS, [])) == anova(moments(*GROUPS))


def test_paired_t() -> None:
    """Changes 1, 2, 3, 6: mean 3, squares 14, t = 3 / sqrt(14/3/4)."""
    found = paired_t(4.0, 3.0, 14.0, level=0.95)
    assert found.statistic == pytest.approx(3 / sqrt(F(14, 12)), rel=1e-15)


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (([1.0, 1.0], [2.0, 2.0]), "do not differ within the groups"),
        (([1.0, 3.0], [2.0]), "two groups of at least two"),
        (GROUPS, "two groups of at least two"),
    ],
)
def test_no_t(groups: tuple[list[float], ...], words: str) -> None:
    """Without spread, with a group of one, or with three groups there is no t test, in words."""
    with pytest.raises(AnalysisError, match=words):
        t_test(moments(*groups), pooled=False, level=0.95)


def test_welch_anova_needs_two_in_each_group() -> None:
    """A group of one has no variance."""
    with pytest.raises(AnalysisError, match="at least two values each"):
        welch_anova(moments([1.0, 2.0], [3.0]))
