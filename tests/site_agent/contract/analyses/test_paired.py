"""The comparison before and after over the made-up small study, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, sqrt

import numpy as np
import pytest

from site_agent.contract.analyses.group_results import Found
from site_agent.contract.analyses.paired import PAIRED
from site_agent.contract.analyses.paired_results import PairedResult
from site_agent.contract.analyses.results import Failure
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Rows
from tests.site_agent.contract.analyses.answering import answered
from tests.site_agent.contract.analyses.by_hand import rows
from tests.studytext import study

PAIRED_STUDY = study(
    (
        "  test: {kind: logrank, endpoint: survival, by: sex}",
        "  test: {kind: paired, before: kps, after: 2 * kps, tests: [t, ratio_t, signed_rank]}",
    ),
    ("classes: [A, B]", "classes: [A, B, V]"),
)


def site(*pairs: tuple[float, float]) -> Rows:
    times = [0] * len(pairs)
    return rows(times, times, x=[list(pair) for pair in pairs])


def found(sites: Sequence[Rows]) -> tuple[PairedResult, int]:
    asked = PAIRED.estimator(PAIRED_STUDY, PAIRED_STUDY.analyses["test"], {})
    return answered(asked, sites, PAIRED.sums)


FIVE = (site((10, 5), (20, 30)), site((8, 8)), site((4, 2), (1, 8)))
NOBODY = site((1, 1)).subset(np.zeros(1, dtype=bool))


def test_courses() -> None:
    """Two fell, two rose, one stayed, whatever the hospitals."""
    result, _ = found([*FIVE, NOBODY])
    assert (result.rows, result.fell, result.rose, result.stayed) == (5, 2, 2, 1)


def test_paired_t() -> None:
    """Changes -5, 10, 0, -2, 7: mean 2, squares 158, t = 2 / sqrt(158/20)."""
    test = found(FIVE)[0].tests["t"]
    assert isinstance(test, Found)
    assert (test.statistic, test.df) == (pytest.approx(2 / sqrt(158 / 20), rel=1e-14), 4)


def test_geometric_mean_ratio() -> None:
    """The fifth root of 1/2 3/2 1 1/2 8 = 3."""
    test = found(FIVE)[0].tests["ratio_t"]
    assert isinstance(test, Found)
    assert test.estimate == pytest.approx(exp(log(3) / 5), rel=1e-14)


def test_fold_change() -> None:
    """The mean of 1/2, 3/2, 1, 1/2, 8 is 2.3, a rise of 130 %."""
    result, _ = found(FIVE)
    assert (result.fold_change, result.percent_change) == pytest.approx((2.3, 130), rel=1e-14)


def test_signed_ranks() -> None:
    """Sizes 2, 5, 7, 10; those of 7 and 10 rise: V = 3 + 4."""
    test = found(FIVE)[0].tests["signed_rank"]
    assert isinstance(test, Found)
    assert (test.statistic, test.distribution) == (7, "normal")


def test_numbers_of_0_have_no_ratio() -> None:
    """With a 0 the ratio test says why there is none; the others go on."""
    result, _ = found([*FIVE, site((0, 3))])
    assert isinstance(result.tests["ratio_t"], Failure)
    assert "1 row has a number of 0" in result.tests["ratio_t"].because
    assert isinstance(result.tests["t"], Found)


def test_no_change_at_all() -> None:
    """Pairs that all stay have no tests, each in words; the counts are there."""
    result, _ = found([site((1, 1), (2, 2), (3, 3))])
    assert all(isinstance(test, Failure) for test in result.tests.values())
    assert result.stayed == 3


def test_one_pair() -> None:
    """A single pair is no comparison."""
    with pytest.raises(AnalysisError, match="1 row has both"):
        found([site((1, 2)), NOBODY])
