"""Local regression of an outcome on time, from sums by day (Cleveland and Devlin 1988).

The rows of day d have n_d, sum s_d and sum of squares q_d of the outcome. At x the nearest
q = floor(span n) rows, as far as h, count with the tricube weight

    w_d = (1 - (|d - x| / h)^3)^3      for |d - x| < h, else 0

and a polynomial in d - x is fitted to them by weighted least squares; its value at x is the
estimate. It is linear in the outcomes, sum of n_d l_d(x) times the day's mean, with l_d(x) what
one row of day d counts there. All rows of a day count alike, so sums by day are all that is
needed. With L_ij = l_(day of j)(day of i) over rows,

    delta_1 = tr (I - L)(I - L)',    delta_2 = tr ((I - L)(I - L)')^2
    s^2     = residual sum of squares / delta_1
    var     = s^2 sum of n_d l_d(x)^2,     limits with t on delta_1^2 / delta_2 degrees of freedom

as `loess(surface = "direct", statistics = "exact")`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats


@dataclass(frozen=True, slots=True)
class DayTable:
    """The days on which there are rows, ascending, and their sums: arrays (D,)."""

    day: Floats
    rows: Floats
    total: Floats
    squares: Floats


@dataclass(frozen=True, slots=True)
class Smooth:
    """A smooth curve at m points, and what it rests on."""

    at: Floats
    estimate: Floats
    std_error: Floats
    conf_low: Floats
    conf_high: Floats
    residual_scale: float
    equivalent_parameters: float
    df: float


def smooth(table: DayTable, at: Floats, *, span: float, degree: int, level: float) -> Smooth:
    """Return the local regression at points; AnalysisError where there are too few days."""
    if len(table.day) <= degree:
        raise AnalysisError(
            f"rows on {len(table.day)} days only; a local polynomial of degree {degree} needs more "
            f"than {degree}. Wait for more days, or take a lower degree"
        )
    fitted = _operator(table, table.day, span, degree)
    wanted = _operator(table, at, span, degree)
    estimate, here = wanted @ table.total, fitted @ table.total
    residuals = float((table.squares - 2 * here * table.total + table.rows * here**2).sum())
    delta_one, delta_two = _deltas(fitted, table.rows)
    scale = float(np.sqrt(max(residuals, 0.0) / delta_one))
    std_error = scale * np.sqrt((wanted**2) @ table.rows)
    df = delta_one**2 / delta_two
    spread = float(stdtrit(df, (1 + level) / 2)) * std_error
    trace = float((np.diag(fitted) * table.rows).sum())
    return Smooth(
        at, estimate, std_error, estimate - spread, estimate + spread, scale, trace, float(df)
    )


def _operator(table: DayTable, at: Floats, span: float, degree: int) -> Floats:
    """Return l_d(x), (m, D): what one row of each day counts at each point."""
    return np.stack([_weights_at(table, float(x), span, degree) for x in at])


def _weights_at(table: DayTable, x: float, span: float, degree: int) -> Floats:
    distance = np.abs(table.day - x)
    bandwidth = _bandwidth(distance, table.rows, span)
    weight = np.where(
        distance < bandwidth, (1 - np.minimum(distance / bandwidth, 1.0) ** 3) ** 3, 0.0
    )
    inside = weight > 0
    if inside.sum() <= degree:
        raise AnalysisError(
            f"within the span of {span:g} there are rows on {int(inside.sum())} days only; a local "
            f"polynomial of degree {degree} needs more than {degree}. Take a wider span or a lower "
            f"degree"
        )
    powers = np.vander((table.day[inside] - x) / bandwidth, degree + 1, increasing=True)
    root = np.sqrt(weight[inside] * table.rows[inside])
    solved = np.linalg.pinv(powers * root[:, None])[0]
    found = np.zeros(len(table.day))
    found[inside] = solved * root / table.rows[inside]
    return found


def _bandwidth(distance: Floats, rows: Floats, span: float) -> float:
    """Return how far the nearest rows reach; beyond all rows for a span above 1.

    R multiplies the squared distance by the span there, so the distance by its root.
    """
    order = np.argsort(distance, kind="stable")
    nearest = min(int(np.floor(rows.sum() * span + 1e-5)), int(rows.sum()))
    reached = np.searchsorted(np.cumsum(rows[order]), nearest - 1e-9)
    farthest = float(distance[order][min(int(reached), len(order) - 1)])
    if farthest == 0:
        raise AnalysisError(
            f"the nearest rows within the span of {span:g} are all on one day; take a wider span"
        )
    return float(farthest * np.sqrt(max(1.0, span)))


def _deltas(operator: Floats, rows: Floats) -> tuple[float, float]:
    """Return delta_1 and delta_2 over rows, from the operator over days.

    With A = I - L in the space of days scaled by sqrt n, the rows within days add n - D
    eigenvalues of 1.
    """
    root = np.sqrt(rows)
    between = np.eye(len(rows)) - operator * root[:, None] * root[None, :]
    product = between @ between.T
    within = float(rows.sum() - len(rows))
    return float(np.trace(product)) + within, float((product**2).sum()) + within
