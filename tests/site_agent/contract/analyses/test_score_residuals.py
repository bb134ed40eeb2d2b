"""Score residuals and their outer products, in fractions worked by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction as F

import numpy as np
import pytest

from site_agent.contract.analyses.open_risk_sets import Increments, increments
from site_agent.contract.analyses.risk_sets import Deaths, deaths_of, risk_set_sums
from site_agent.contract.analyses.score_residuals import (
    clusters_of,
    outer_products,
    score_residuals,
)
from site_agent.contract.frames import Rows
from tests.site_agent.contract.analyses.by_hand import floats, rows

ZERO = np.zeros(1)


def _increments(given: Rows, *, efron: bool) -> tuple[Deaths, Increments]:
    deaths = deaths_of(given, 1)
    sums = risk_set_sums(given, ZERO, ZERO, deaths=deaths, efron=efron)
    risk, tied = sums["risk"][:, :2], sums["tied"][:, :2]
    return deaths, increments(risk, tied, deaths, efron=efron)


def _residuals(given: Rows, *, efron: bool) -> list[float]:
    deaths, found = _increments(given, efron=efron)
    return list(score_residuals(given, ZERO, ZERO, deaths=deaths, found=found)[:, 0])


def test_one_death_after_another() -> None:
    """x = 1, 0, 1 die at 1, 2, 3. E = 2/3, 1/2, 1; a row pays (x - E)/n at each death it meets."""
    given = rows([1, 2, 3], [1, 1, 1], x=[[1], [0], [1]])
    first = F(1, 3) - F(1, 3) * F(1, 3)
    second = -F(1, 2) + F(2, 3) * F(1, 3) + F(1, 2) * F(1, 2)
    third = 0 - F(1, 3) * F(1, 3) - F(1, 2) * F(1, 2)
    assert _residuals(given, efron=True) == pytest.approx(floats([first, second, third]), rel=1e-14)


def test_two_die_together_by_efron() -> None:
    """x = 1, 0 die at 1 beside x = 0 at risk: E = 1/3, then (1 - 1/2)/(3 - 1) = 1/4.

    The dying are at risk in full at first and by half in the second step.
    """
    given = rows([1, 1, 2], [1, 1, 0], x=[[1], [0], [0]])
    mean = (F(1, 3) + F(1, 4)) / 2
    one = 1 - mean - F(1, 3) * F(2, 3) - F(1, 2) * F(1, 2) * F(3, 4)
    two = 0 - mean + F(1, 3) * F(1, 3) + F(1, 2) * F(1, 2) * F(1, 4)
    three = F(1, 3) * F(1, 3) + F(1, 2) * F(1, 4)
    assert _residuals(given, efron=True) == pytest.approx(floats([one, two, three]), rel=1e-14)


def test_two_die_together_by_breslow() -> None:
    """Both meet E = 1/3, and everybody pays twice a third of x - E."""
    given = rows([1, 1, 2], [1, 1, 0], x=[[1], [0], [0]])
    one, two = F(2, 3) - F(2, 3) * F(2, 3), -F(1, 3) + F(2, 3) * F(1, 3)
    three = F(2, 3) * F(1, 3)
    assert _residuals(given, efron=False) == pytest.approx(floats([one, two, three]), rel=1e-14)


def test_residuals_add_up_to_the_score() -> None:
    """At 0 the score is sum of x less sum of E: 2 - 2/3 - 1/2 - 1 = -1/6."""
    given = rows([1, 2, 3], [1, 1, 1], x=[[1], [0], [1]])
    assert sum(_residuals(given, efron=True)) == pytest.approx(float(-F(1, 6)), rel=1e-14)


def test_a_row_pays_only_while_it_is_at_risk() -> None:
    """A row that enters at 1 does not meet the death at 1."""
    given = rows([1, 2, 3], [1, 0, 0], entry=[-1, -1, 1], x=[[1], [0], [1]])
    first = F(1, 2) - F(1, 2) * F(1, 2)
    assert _residuals(given, efron=True) == pytest.approx(floats([first, F(1, 4), 0]), abs=1e-15)


def test_weights_multiply() -> None:
    """The same patient twice, and one of weight 2, are the same to all."""
    once = replace(rows([1, 2], [1, 0], x=[[1], [0]]), weight=np.array([2.0, 1.0]))
    deaths, found = _increments(once, efron=False)
    twice = rows([1, 1, 2], [1, 1, 0], x=[[1], [1], [0]])
    ours = score_residuals(once, ZERO, ZERO, deaths=replace(deaths, weight=np.array([2.0])),
                           found=found)[:, 0]  # fmt: skip
    theirs = _residuals(twice, efron=False)
    assert ours == pytest.approx([theirs[0] + theirs[1], theirs[2]], rel=1e-14)


def test_rows_of_a_cluster_add_up_before_they_are_squared() -> None:
    """(1 + 2)^2 + 3^2 = 18; each by itself 1 + 4 + 9."""
    residuals = np.array([[1.0], [2.0], [3.0]])
    found = [outer_products(residuals, np.array(numbers))[0] for numbers in ([0, 0, 1], [0, 1, 2])]
    assert found == [18.0, 14.0]


def test_outer_products_are_packed() -> None:
    """The upper triangle, row by row."""
    residuals = np.array([[1.0, 2.0], [3.0, -1.0]])
    assert outer_products(residuals, np.array([0, 1])).tolist() == [10.0, -1.0, 5.0]


@pytest.mark.parametrize(
    ("cluster", "expected"), [("patient", [0, 0, 1]), ("site", [0, 0, 0]), ("column", [1, 0, 1])]
)
def test_what_hangs_together(cluster: str, expected: list[int]) -> None:
    """Rows of a patient, of the hospital, of one value of a column."""
    given = rows([1, 2, 3], [1, 0, 0], x=[[1], [0], [1]], patient=[4, 4, 9])
    given = replace(given, cluster=np.array([7.5, 2.0, 7.5]))
    assert clusters_of(given, cluster).tolist() == expected


def test_a_hospital_without_rows_adds_nothing() -> None:
    """No residual, no cluster."""
    assert outer_products(np.zeros((0, 2)), np.zeros(0, dtype=np.int64)).tolist() == [0, 0, 0]
