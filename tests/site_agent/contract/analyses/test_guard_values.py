"""Groups that are coded as numbers."""

from __future__ import annotations

import pytest

from site_agent.contract import expressions
from site_agent.contract.analyses.guard_values import two_values
from tests.site_agent.contract.analyses.guarded import CURVE, text
from tests.studytext import study

COLUMNS = """\
      coded: {type: integer, range: [1, 2]}
      grade: {type: integer, range: [0, 5]}
      count: {type: integer, range: [0, 900]}
      whole: {type: integer}
      half: {type: number, range: [0, 1]}
"""
STUDY = study(
    ("      age: {type: number}\n", "      age: {type: number}\n" + COLUMNS),
    (
        "    old: age > 60\n",
        "    old: age > 60\n    twice: 2 * coded\n    high: {x: old, y: otherwise}\n",
    ),
    text=text(CURVE),
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("age", (0, 1)),
        ("coded", (1, 2)),
        ("grade", (0, 1)),
        ("count", (0, 1)),
        ("whole", (0, 1)),
        ("half", (0, 1)),
        ("twice", (2, 4)),
        ("log10_ldh", (0, 1)),
        ("number(old)", (0, 1)),
        ("1 + number(old)", (1, 2)),
        ("10 - 3 * number(old)", (7, 10)),
        ("-coded", (-2, -1)),
        ("coded / 2", (0, 1)),
        ("if(old, 3, -1)", (-1, 3)),
        ("if(old, 3, age)", (0, 1)),
        ("coalesce(if(old, 3, 1), 3)", (1, 3)),
        ("number(old) + number(age > 70)", (0, 1)),
        ("coded - coded * number(old) * 0", (1, 2)),
        ("if(old, 5, 5)", (0, 1)),
        ("age + coded", (0, 1)),
        ("coded ** 2", (0, 1)),
        ("grade * 7 * grade * grade", (0, 1)),
        ("sqrt(coded)", (0, 1)),
        ("max(episodes.day)", (0, 1)),
        ("unheard_of", (0, 1)),
    ],
)
def test_the_values_of_a_number(expression: str, expected: tuple[float, float]) -> None:
    """Two values that the dictionary or the expression allow; 0 and 1 for any other number."""
    assert two_values(STUDY, "patients", expressions.parse(expression)) == expected
