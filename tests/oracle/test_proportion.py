"""Limits of proportions against R's binom.test and prop.test."""

from __future__ import annotations

import re

import pytest

from site_agent.contract.analyses.binomial import METHODS
from tests.oracle.comparing import RELATIVE, deviation
from tests.oracle.reading import names_of_file, result

CASE = re.compile(r"(\w+)\.(\d+)/(\d+)@([\d.]+)")
TINY = 1e-12  # where R has 0 as the difference of two numbers


@pytest.mark.parametrize("name", names_of_file("binom"))
def test_limits(name: str) -> None:
    """Exact and score limits are R's."""
    found = CASE.fullmatch(name)
    assert found is not None
    method, x, n, level = found.groups()
    ours = list(METHODS[method](float(x), float(n), float(level)))
    theirs = result("binom", name)["conf_int"]
    assert deviation(ours, theirs, relative=True) <= RELATIVE or deviation(ours, theirs) <= TINY
