"""What a study opens, in order."""

from __future__ import annotations

from site_agent.contract.analyses.guard_openings import columns_of, openings
from tests.site_agent.contract.analyses.guarded import CURVE, MODEL, SCREEN, guarded

STUDY = guarded(CURVE, SCREEN + "[age, stage]", MODEL + "[age, sex]", accepted=["b"])


def test_each_model_of_a_screen_is_one() -> None:
    """The analyses in the order of the study, a screen by its covariates."""
    keys = [opening.key for opening in openings(STUDY)]
    assert keys == [("a", ""), ("b", "age"), ("b", "stage"), ("c", "")]


def test_an_exception_is_by_name() -> None:
    """Accepting a screen accepts its models."""
    assert [opening.accepted for opening in openings(STUDY)] == [False, True, True, False]


def test_what_opens_by_time() -> None:
    """Curves do; a model with a baseline of each hospital's own does not."""
    assert [opening.by_time for opening in openings(STUDY)] == [True, False, False, False]


def test_a_pooled_baseline_opens_by_time() -> None:
    """At least the deaths."""
    study = guarded("kind: cox, endpoint: survival, covariates: [age]")
    assert openings(study)[0].by_time


def test_the_columns_of_a_frame() -> None:
    """Levels but the reference."""
    assert columns_of(STUDY, openings(STUDY)[2].frame) == ("stage=two", "stage=three")
