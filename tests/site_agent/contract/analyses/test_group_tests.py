"""Tests between groups as generators, over two hospitals of few patients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from site_agent.contract.analyses.distribution import DISTRIBUTION
from site_agent.contract.analyses.group_results import Comparison
from site_agent.contract.analyses.group_sums import SUMS
from site_agent.contract.analyses.group_tests import Wanted, compare_groups
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Frame, Rows
from tests.site_agent.contract.analyses.answering import answered
from tests.site_agent.contract.analyses.by_hand import rows
from tests.studytext import study

KPS = Frame("patients", by="sex", covariates=("kps",))
AGE = Frame("patients", by="sex", covariates=("age",))
SMOKER = Frame("patients", by="sex", covariates=("smoker",))
DOSE = Frame("patients", by="sex", covariates=("dose",))


def site(values: Sequence[float], group: Sequence[int]) -> Rows:
    times = [0] * len(values)
    return rows(times, times, group=group, x=[[value] for value in values])


NOBODY = site([1.0], [0]).subset(np.zeros(1, dtype=bool))
TWO = (site([10, 20, 20], [0, 0, 1]), NOBODY, site([50, 30, 60, 60], [0, 1, 1, 1]))
MANY = (site([1, 1, 1, 0, 1], [0, 0, 0, 0, 1]), site([0, 0, 0], [1, 1, 1]))


def compared(frame: Frame, sites: Sequence[Rows], **wanted: object) -> tuple[Comparison, int]:
    asked = compare_groups(study(), frame, Wanted(**wanted))  # type: ignore[arg-type]
    return answered(asked, sites, [DISTRIBUTION, *SUMS])


def test_ranks_over_hospitals() -> None:
    """Ranks 1, 2 1/2, 5 of one group: W = 2 1/2; a grid of 101 steps, then the rank sums."""
    found, rounds = compared(KPS, TWO)
    assert (found.found.test, found.found.statistic, rounds) == ("wilcoxon", 2.5, 2)


def test_ranks_of_doubles() -> None:
    """Without a resolution the same ranks take more rounds."""
    found, rounds = compared(AGE, TWO)
    assert (found.found.statistic, rounds) == (2.5, 5)


def test_the_shift_needs_no_rank_sums() -> None:
    """By group, the same W in one round; the sixth and seventh of twelve differences are -10."""
    found, rounds = compared(KPS, TWO, shift=True)
    assert (found.found.statistic, found.found.estimate, rounds) == (2.5, -10.0, 1)


def test_means() -> None:
    """Means 80/3 and 170/4."""
    found, rounds = compared(KPS, TWO, test="welch")
    assert (found.mean, rounds) == (pytest.approx((80 / 3, 170 / 4), rel=1e-15), 2)


def test_few_expected_take_fishers_test() -> None:
    """A table of 1, 3 and 3, 1 by hand; the levels of a condition are false and true."""
    found, rounds = compared(SMOKER, MANY)
    assert (found.found.test, found.counts, rounds) == ("fisher", ((1, 3), (3, 1)), 1)


def test_the_reference_level_of_a_category() -> None:
    """Design columns hold a 1 for `high`; rows of zeros have the reference level `low`."""
    found, _ = compared(DOSE, MANY, test="chi_square")
    assert (found.levels, found.counts) == (("high", "low"), ((3, 1), (1, 3)))


def test_many_expected_take_chi_square() -> None:
    """Ten of each level and group; without correction, as gtsummary."""
    large = site([0, 1] * 20, [0] * 20 + [1] * 20)
    found, _ = compared(SMOKER, [large])
    assert (found.found.test, found.found.p_value) == ("chi_square", 1.0)


@pytest.mark.parametrize(
    ("frame", "sites"), [(KPS, (site([1, 2], [0, 0]),)), (SMOKER, (site([0, 1], [1, 1]),))]
)
def test_one_group_alone(frame: Frame, sites: Sequence[Rows]) -> None:
    """One group with rows has nothing to be compared with."""
    with pytest.raises(AnalysisError, match="1 group has rows"):
        compared(frame, sites)


@pytest.mark.parametrize("test", ["wilcoxon", "welch"])
def test_nobody(test: str) -> None:
    """Without any rows there is no test, in words."""
    with pytest.raises(AnalysisError, match="no row|no groups have rows"):
        compared(KPS, [NOBODY], test=test)
