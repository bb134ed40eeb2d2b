"""Short paths to numbers."""

from __future__ import annotations

import pytest

from coordinator.report.paths import NoSuchNumber, number_at
from tests.coordinator.report.made import cox_fit, cox_screen, incidence, logrank, survival


@pytest.mark.parametrize(
    ("result", "path", "expected"),
    [
        (survival(), "curves[].median.estimate", 4.0),
        (survival(), "curves[].median.conf_high", None),
        (survival(), "curves[].at[5].n_event", 2.0),
        (survival(), "curves[].quantiles[0.25].quantile", 3.0),
        (survival(), "curves[].restricted_mean[5].restricted_mean", 4.25),
        (survival(), "curves[].n_risk[2]", 4.0),
        (incidence(), "curves[high, relapse].at[4].estimate", 1 / 3),
        (incidence(), "curves[low, death].time_to[0.5].time", 5.0),
        (logrank(), "observed[high]", 6.0),
        (logrank(), "statistic", 2.1607),
        (cox_fit().document(), "terms[dose=high].std_error", 0.5),
        (cox_fit().document(), "tests[likelihood ratio].df", 2.0),
        (cox_screen(), "models[age].terms[age].std_error", 0.5),
    ],
)
def test_a_path_leads_to_its_number(
    result: dict[str, object], path: str, expected: float | None
) -> None:
    """Elements are chosen by what they are called, numbers by field."""
    assert number_at(result, path) == expected


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("curves[", "is no path"),
        ("curve[].median", "no 'curve' there; known: unit"),
        ("curves[low].median.estimate", r"\[low\] fits 0 elements"),
        ("curves[].median", "leads to an object"),
        ("unit", "leads to a text"),
        ("curves[].n_risk[9]", r"\[9\] fits 0 elements"),
        ("patients[1]", "expected a list or an object"),
    ],
)
def test_a_wrong_path_says_where_it_ends(path: str, message: str) -> None:
    """The message names the step that leads nowhere."""
    with pytest.raises(NoSuchNumber, match=message):
        number_at(survival(), path)
