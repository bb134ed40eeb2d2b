"""Local regression by hand, and against R's loess."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from site_agent.contract.analyses.local_regression import DayTable, Smooth, smooth
from site_agent.contract.errors import AnalysisError

# R 4.2.2: loess(y ~ x, span, degree, control = loess.control(surface = "direct", statistics =
# "exact")), predict(se = TRUE) at AT; residual scale and degrees of freedom of `predict`, and the
# trace of the operator.
X = [
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    0,
    1,
    2,
    3,
    14,
    14,
]
Y = [
    1,
    3,
    2,
    4,
    4,
    3,
    4,
    4,
    3,
    2,
    3,
    2,
    0,
    0,
    2,
    2,
    2,
    4,
    4,
    4,
    4,
    4,
    3,
    1,
    3,
    2,
    1,
    0,
    0,
    1,
    3,
    2,
    3,
    3,
    2,
    3,
    3,
    3,
    4,
    3,
    2,
    3,
    4,
    4,
    3,
    3,
    3,
    3,
    2,
    3,
    3,
    2,
    4,
    0,
    2,
]
AT = [0, 0.5, 3, 7.25, 13, 14]
R: dict[tuple[float, int], dict[str, Any]] = {
    (0.75, 2): {
        "fit": [
            2.1088961213143369,
            2.4004455632926307,
            3.3626868575108277,
            3.0900369437708384,
            0.91776914545971855,
            0.68327388736883188,
        ],
        "se": [
            0.33270725498995452,
            0.2547506806449184,
            0.19234947392312093,
            0.20753536822798843,
            0.23999164633365958,
            0.34269571491679457,
        ],
        "scale": 0.78954402122144896,
        "df": 49.944176425073529,
        "trace": 4.9450457177956819,
    },
    (1.4, 1): {
        "fit": [
            3.1370266981154256,
            3.1201795477085126,
            3.0155688632198405,
            2.6969031465733622,
            1.1833108188974408,
            0.92099256618280656,
        ],
        "se": [
            0.23535192782670866,
            0.22016881690729501,
            0.15577976651376227,
            0.14056252714939341,
            0.24318019414761341,
            0.27382925746727127,
        ],
        "scale": 0.90751448361551268,
        "df": 52.621080018810694,
        "trace": 2.3609911358653926,
    },
}
every_fit = pytest.mark.parametrize(("span", "degree"), R)


def table(x: list[float], y: list[float]) -> DayTable:
    """Return rows as sums by day."""
    days, number = np.unique(np.array(x, dtype=np.float64), return_inverse=True)
    outcome = np.array(y, dtype=np.float64)
    return DayTable(
        days,
        np.bincount(number).astype(np.float64),
        np.bincount(number, outcome),
        np.bincount(number, outcome**2),
    )


def fit(span: float, degree: int) -> Smooth:
    at = np.array(AT, dtype=np.float64)
    return smooth(table(X, Y), at, span=span, degree=degree, level=0.95)


def test_by_hand() -> None:
    """A mean at 1 of rows at 0, 1, 2 and 3, with the three nearest and a span as far as 1.

    The bandwidth is 1, so rows at that distance count nothing and the value is that of day 1.
    """
    found = smooth(
        table([0, 1, 2, 3], [5, 7, 1, 0]), np.array([1.0]), span=0.75, degree=0, level=0.9
    )
    assert found.estimate.tolist() == [7.0]


def test_line_by_hand() -> None:
    """Outcomes on a line are on it whatever the weights."""
    found = smooth(
        table([0, 1, 2, 3, 4, 5], [1, 3, 5, 7, 9, 11]),
        np.array([2.5]),
        span=1.0,
        degree=1,
        level=0.9,
    )
    assert found.estimate == pytest.approx([6.0], abs=1e-13)


@every_fit
def test_estimates(span: float, degree: int) -> None:
    """The curve is R's, with a bandwidth within and beyond the rows."""
    assert fit(span, degree).estimate == pytest.approx(R[span, degree]["fit"], abs=1e-10)


@every_fit
def test_standard_errors(span: float, degree: int) -> None:
    """The standard errors are R's exact ones."""
    assert fit(span, degree).std_error == pytest.approx(R[span, degree]["se"], rel=1e-9)


@every_fit
def test_scale(span: float, degree: int) -> None:
    """Residual scale, degrees of freedom and trace are R's."""
    found, theirs = fit(span, degree), R[span, degree]
    assert [found.residual_scale, found.df, found.equivalent_parameters] == pytest.approx(
        [theirs["scale"], theirs["df"], theirs["trace"]], rel=1e-9
    )


def test_too_few_days() -> None:
    """Two days cannot hold a parabola, and the sentence says so."""
    with pytest.raises(AnalysisError, match="rows on 2 days only"):
        smooth(table([0, 0, 1], [1, 2, 3]), np.array([0.0]), span=0.75, degree=2, level=0.95)


def test_span_within_one_day() -> None:
    """A span whose rows are all on one day has no width."""
    rows = table([0, 0, 0, 0, 0, 0, 1, 2, 3], [1, 2, 3, 1, 2, 3, 1, 2, 3])
    with pytest.raises(AnalysisError, match="all on one day"):
        smooth(rows, np.array([0.0]), span=0.5, degree=1, level=0.95)
