"""What Cox models of one endpoint may open together, counted by hand."""

from __future__ import annotations

import pytest

from site_agent.contract.analyses.cox_together import Together, together
from site_agent.contract.study.model import Study
from tests.studytext import study


def _together(*, guarded: bool = True, scales: int = 1) -> Together:
    return Together(guarded, scales, ())


@pytest.mark.parametrize(("scales", "needed"), [(1, 15), (2, 25), (4, 45)])
def test_five_death_times_for_each_sum(scales: int, needed: int) -> None:
    """One scale opens three sums of V, two open five, four open nine."""
    asked = _together(scales=scales)
    words = asked.refuse_scales(needed - 1)
    assert (f"need {needed} different times" in words, asked.refuse_scales(needed)) == (True, "")


def test_what_is_accepted_is_not_withheld() -> None:
    """The stewards have signed for it."""
    assert _together(guarded=False).refuse_scales(1) == ""


def test_numbers_stay_below_values() -> None:
    """43 values of one covariate: 3 moments, then 13 points of 3 numbers make 42."""
    assert _together().most_points(43, 1) == 13


def test_the_points_that_the_guard_counts_are_always_there() -> None:
    """A model that the guard lets pass is not stopped by the way."""
    assert _together().most_points(10, 5) == 6


MODEL = "model: {kind: cox, endpoint: trm, covariates: [age, sex, kps], baseline: by_site}"
TWO = """model: {kind: cox, endpoint: trm, covariates: [age], zph: [km], baseline_at: [45]}
  other: {kind: cox, endpoint: trm, covariates: [age], zph: [km, log], baseline_at: [47, 90]}
  apart: {kind: cox, endpoint: survival, covariates: [age], zph: [rank]}"""


def _of(analysis: str, *replacements: tuple[str, str]) -> Together:
    found: Study = study((MODEL, TWO), *replacements)
    return together(found, found.analyses[analysis])


def test_scales_and_times_of_an_endpoint_count_together() -> None:
    """Split over two analyses they would add up to the same sums."""
    assert _of("model") == Together(True, 2, (45.0, 47.0, 90.0))


def test_another_endpoint_counts_apart() -> None:
    """Its deaths are others."""
    assert _of("apart") == Together(True, 1, ())


def test_an_analysis_accepted_by_name_is_free() -> None:
    """Its scales and times still count for the others."""
    accepted = ("analysis: curve", "analysis: model")
    assert (_of("model", accepted).guarded, _of("other", accepted).scales) == (False, 2)
