"""The counts of each model of a release, from the made-up documents."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.report.folder import Document
from coordinator.report.tallies import Group, Tally, tallies
from tests.coordinator.report.made import (
    NONE_LEFT_OUT,
    OPTIONS,
    TWO_MISSING,
    cox_screen,
    incidence,
    logrank,
    survival,
)


def found(kind: str, result: dict[str, Any], **options: Any) -> list[Tally]:
    return list(tallies(Document("one", kind, {**OPTIONS[kind], **options}, result)))


def test_a_curve_has_rows_patients_and_events() -> None:
    """Six rows, four deaths, two without."""
    (tally,) = found("survival", survival())
    assert (tally.rows, tally.patients, tally.events, tally.censored) == (6, 6, (4,), 2)


def test_a_reverse_curve_is_counted_the_other_way() -> None:
    """Its events are the censored: of six rows two are events of interest."""
    (tally,) = found("survival", survival(), reverse=True)
    assert tally.events == (2,)


def test_causes_are_counted_by_group() -> None:
    """Three deaths and two relapses in each group of six."""
    (tally,) = found("incidence", incidence())
    assert tally.groups == (Group("low", 6, (3, 2)), Group("high", 6, (3, 2)))


def test_groups_of_a_log_rank_test_add_up() -> None:
    """Twelve and eighteen rows, nine and six events."""
    (tally,) = found("logrank", logrank())
    assert (tally.by, tally.rows, tally.events) == ("dose", 30, (15,))


def test_models_of_a_screen_are_tallied_without_those_that_failed() -> None:
    """Each model has rows of its own."""
    (tally,) = found("cox_screen", cox_screen())
    assert (tally.model, tally.rows, tally.left_out) == ("age", 30, TWO_MISSING)


@pytest.mark.parametrize("result", [{"failed": True, "because": "no rows"}, {}])
def test_without_counts_there_is_no_tally(result: dict[str, Any]) -> None:
    """A failure and a kind that the report does not know are not subtracted from others."""
    assert found("cox", result) == []


def test_rows_left_out_are_summed_over_reasons() -> None:
    """Two of one reason, none of the others."""
    left_out = {**NONE_LEFT_OUT, "a value missing": 2, "endpoint unknown": 3}
    (tally,) = found("survival", {**survival(), "left_out": left_out})
    assert tally.all_left_out == 5
