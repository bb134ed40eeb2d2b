"""What is read of a Cox model beside its covariates, and what is said of a mistake."""

from __future__ import annotations

import pytest

from tests.studytext import issues, study

MODEL = "model: {kind: cox, endpoint: trm, covariates: [age, sex, kps], baseline: by_site}"


def _model(fields: str) -> tuple[str, str]:
    return MODEL, f"model: {{kind: cox, endpoint: trm, covariates: [age]{fields}}}"


def test_risk_sets_are_sealed_unless_said_otherwise() -> None:
    """A pooled baseline is class A by itself."""
    assert study(_model("")).analyses["model"].options["risk_sets"] == "sealed"


def test_a_hospitals_own_baseline_has_no_pooled_risk_sets() -> None:
    """There is nothing to seal."""
    assert study().analyses["model"].options["risk_sets"] == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (", baseline: by_site, risk_sets: open", "'risk_sets' is for baseline: pooled"),
        (", baseline: by_site, baseline_at: [10]", "take 'baseline_at' out"),
        (", baseline_at: [401]", "expected times up to the study's horizon of 400"),
        (", zph: [kmm]", "found 'kmm', expected scales of time; did you mean 'km'?"),
        (", zph: [days]", "expected scales of time; known: identity, km, log, rank"),
        (", zph: [km], weights: age", "'zph' is not offered with weights"),
        (", weights: sex", "expected a number above 0"),
        (", risk_sets: open", "or take risk_sets: sealed, which is class A"),
        (
            ", baseline: by_site, firth: true, robust: true",
            "'robust' is not offered beside 'firth'",
        ),
        (", baseline: by_site, firth: true, concordance: true", "'concordance' is not offered"),
    ],
)
def test_what_is_said_of_a_mistake(fields: str, said: str) -> None:
    """What was found, what was expected, what to do."""
    assert [issue for issue in issues(_model(fields)) if said in issue] != []
