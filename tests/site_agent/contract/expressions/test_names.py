from __future__ import annotations

import pytest

from site_agent.contract.expressions import names, parse

CASES = [
    ("1", set()),
    ("age", {"age"}),
    ("age + age * kps", {"age", "kps"}),
    ('site.country == "US"', {"site.country"}),
    ("patient.anakinra_day - day", {"patient.anakinra_day", "day"}),
    ("route in ['IV']", {"route"}),
    ("spline(age, knots = [1, 2, 3])", {"age"}),
    ("max(grades.icans)", {"grades.icans"}),
    ("max(grades.icans, where = crs > age)", {"grades.icans", "grades.crs", "grades.age"}),
    ("count(grades)", set()),
    ("count(grades, where = icans > 2)", {"grades.icans"}),
    ("first(grades, patient.x > site.y)", {"patient.x", "site.y"}),
    (
        "first_run(grades, crs == 0 and icans == 0, length = 3, from = anakinra_day)",
        {"grades.crs", "grades.icans", "anakinra_day"},
    ),
    ("if(a, b, count(grades, where = c))", {"a", "b", "grades.c"}),
    ("unknown(a, b = c)", {"a", "c"}),
    ("max()", set()),
    ("max(a, where = b)", {"a", "b"}),
    ("count(1 + a, where = b)", {"b"}),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_names(text: str, expected: set[str]) -> None:
    """The columns of an expression; those read in a child come with the child's name."""
    assert {".".join(parts) for parts in names(parse(text))} == expected
