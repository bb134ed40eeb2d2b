"""Limits of proportions and their tests against R's binom.test and prop.test."""

from __future__ import annotations

import re

import pytest

from site_agent.contract.analyses.binomial import limits, p_value
from tests.oracle.comparing import RELATIVE, deviation
from tests.oracle.reading import names_of_file, result

CASE = re.compile(r"(\w+)\.(\d+)/(\d+)@([\d.]+)")
TINY = 1e-12  # where R has 0 as the difference of two numbers


def _case(name: str) -> tuple[str, float, float, float]:
    found = CASE.fullmatch(name)
    assert found is not None
    method, x, n, level = found.groups()
    return method, float(x), float(n), float(level)


@pytest.mark.parametrize("name", names_of_file("binom"))
def test_limits(name: str) -> None:
    """Exact and score limits are R's."""
    ours = list(limits(*_case(name)))
    theirs = result("binom", name)["conf_int"]
    assert deviation(ours, theirs, relative=True) <= RELATIVE or deviation(ours, theirs) <= TINY


@pytest.mark.parametrize("name", names_of_file("binom"))
def test_p_values(name: str) -> None:
    """The exact test against one half is R's, and so are the score tests."""
    method, x, n, _ = _case(name)
    theirs = result("binom", name)["p_value"]
    assert deviation([p_value(method, x, n, 0.5)], [theirs], relative=True) <= RELATIVE
