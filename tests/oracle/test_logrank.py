"""Log-rank tests against R's survdiff."""

from __future__ import annotations

from typing import Any

import pytest

from tests.oracle.comparing import P_VALUE, RELATIVE, deviation
from tests.oracle.entries import Entry, entries
from tests.oracle.reading import document, expected, result

every_entry = pytest.mark.parametrize("entry", entries("logrank"), ids=lambda entry: entry.id)


def _total(result: dict[str, Any], name: str) -> list[float]:
    """Return obs or exp by group; survdiff with strata gives them by stratum as well."""
    return result[f"{name}_total"] if f"{name}_total" in result else result[name]


@every_entry
def test_counts(entry: Entry) -> None:
    """Rows by group and degrees of freedom are R's to the bit."""
    ours, theirs = document(entry), expected(entry)
    assert (ours["rows"], ours["df"]) == (theirs["n"], theirs["df"])


@every_entry
def test_observed(entry: Entry) -> None:
    """Observed events by group, as they are weighted, are R's; unweighted ones to the bit."""
    allowed = RELATIVE if document(entry)["rho"] else 0
    theirs = _total(expected(entry), "obs")
    assert deviation(document(entry)["weighted"], theirs, relative=True) <= allowed


@every_entry
def test_expected(entry: Entry) -> None:
    """Expected events by group are R's."""
    theirs = _total(expected(entry), "exp")
    assert deviation(document(entry)["expected"], theirs, relative=True) <= RELATIVE


@every_entry
def test_variance(entry: Entry) -> None:
    """The variance of observed less expected is R's; its elements in units of the largest."""
    theirs = expected(entry)["var"]["data"]
    largest = max(abs(value) for row in theirs for value in row)
    assert deviation(document(entry)["variance"], theirs) <= RELATIVE * largest


@every_entry
def test_statistic(entry: Entry) -> None:
    """Chi-square is R's."""
    ours, theirs = document(entry)["statistic"], expected(entry)["chisq"]
    assert deviation(ours, theirs, relative=True) <= RELATIVE


@every_entry
def test_p_value(entry: Entry) -> None:
    """The p-value is R's."""
    ours, theirs = document(entry)["p_value"], expected(entry)["p"]
    assert deviation(ours, theirs, relative=True) <= P_VALUE


def test_score_of_exact_ties() -> None:
    """Chi-square is the score of coxph with exact ties."""
    (entry,) = [e for e in entries("logrank") if e.id == "edge_ties.logrank.logrank.x1"]
    theirs = result("edge_ties.km", "logrank.x1.as_cox_exact_score")["score"]
    assert deviation(document(entry)["statistic"], theirs, relative=True) <= RELATIVE
