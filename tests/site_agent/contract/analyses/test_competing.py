"""How `incidence` and its times are read, and what its tests open."""

from __future__ import annotations

import pytest

from site_agent.contract.analyses.guard_limits import compares
from site_agent.contract.analyses.guard_openings import openings
from site_agent.contract.catalogue import KINDS
from tests.studytext import issues, study

CURVE = "curve: {kind: survival, endpoint: survival, by: sex, at: [28, 60]}"
INCIDENCE = "incidence: {kind: incidence, endpoint: trm, at: [28]}"


def incidence(fields: str) -> tuple[str, str]:
    """The replacement that gives the study's incidence these fields."""
    return INCIDENCE, f"incidence: {{kind: incidence, {fields}}}"


def test_months_join_the_times_in_days() -> None:
    """Six months are 182.625 days, unless a month is said to be 30."""
    found = study((CURVE, CURVE.replace("at: [28, 60]", "at: [28], at_months: [6]")))
    thirty = study((CURVE, CURVE.replace("at: [28, 60]", "at_months: [6], days_per_month: 30")))
    times = [one.analyses["curve"].options["at"] for one in (found, thirty)]
    assert times == [[28.0, 182.625], [180.0]]


def test_months_are_for_days() -> None:
    """In a study of months there is nothing to convert."""
    changed = (CURVE, CURVE.replace("at: [28, 60]", "at_months: [6]"))
    (line,) = [i for i in issues(("unit: day, res", "unit: month, res"), changed) if "convert" in i]
    assert "write the times under 'at'" in line


@pytest.mark.parametrize("variance", ["gray", "jackknife"])
def test_left_truncated_variances(variance: str) -> None:
    """With an entry only Greenwood's variance is from counts by time."""
    (line,) = issues(incidence(f"endpoint: trm, variance: {variance}"))
    assert line.endswith("expected greenwood")


@pytest.mark.parametrize("field", ["strata: [smoker]", "by_site: true"])
def test_strata_are_for_groups(field: str) -> None:
    """Strata without groups to test are an error, and so with an entry."""
    (alone,) = issues(incidence(f"endpoint: trm_from_start, {field}"))
    (late,) = issues(incidence(f"endpoint: trm, by: sex, {field}"))
    assert ("give 'by'" in alone, "left truncated" in late) == (True, True)


def test_what_a_test_by_hospital_opens() -> None:
    """Counts by time for the curves, totals for the test."""
    found = study(incidence("endpoint: trm_from_start, by: sex, by_site: true"))
    uses = KINDS["incidence"].uses(found.analyses["incidence"].options)
    assert [disclosure for disclosure, _ in uses] == ["B", "A"]


@pytest.mark.parametrize(("field", "limited"), [("", False), (", by_site: true", True)])
def test_a_stratified_test_has_limits(field: str, limited: bool) -> None:
    """A test that tells more than its curves has the limits of a model, others those of curves."""
    found = study(incidence(f"endpoint: trm_from_start, by: sex{field}"))
    (own,) = (one for one in openings(found) if one.analysis.name == "incidence")
    assert compares(own) == limited
