"""A screen is the same models as one by one: against `cox`, and through it against R."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.oracle.comparing import STANDARD_ERRORS, in_errors
from tests.oracle.entries import entries
from tests.oracle.reading import expected, frame, study_text
from tests.pooling import pool

COVARIATES = ["age", "sex", "ecog", "ph_karno", "pat_karno", "wt_loss", "log10(meal_cal)"]
COX = {"kind": "cox", "endpoint": "survival"}
SCREEN = {"kind": "cox_screen", "endpoint": "survival", "covariates": COVARIATES}


@cache
def _documents() -> dict[str, Any]:
    analyses: dict[str, Any] = {
        f"alone_{number}": {**COX, "covariates": [name]} for number, name in enumerate(COVARIATES)
    }
    analyses["per_model"] = SCREEN
    analyses["common"] = {**SCREEN, "complete": "common"}
    by_site = frame("lung").groupby("site")
    sites = {f"site{site}": {"patients": rows} for site, rows in by_site}
    outcome = pool(study_text("lung", analyses), sites)
    return {name: result.document() for name, result in outcome.results.items()}


@pytest.mark.parametrize(("number", "covariate"), list(enumerate(COVARIATES)))
def test_each_model_is_the_one_alone(number: int, covariate: str) -> None:
    """A model of a screen is, number for number, the model of the covariate alone."""
    assert _documents()[f"alone_{number}"] == _documents()["per_model"]["models"][covariate]


def test_common_complete_cases() -> None:
    """With common complete cases every model has the 168 rows of R's model of all of them."""
    models = _documents()["common"]["models"].values()
    assert {model["rows"] for model in models} == {168}


def test_a_factor_of_a_screen() -> None:
    """The model of the performance status is R's coxph with factor(ph_ecog)."""
    (entry,) = [entry for entry in entries("cox") if entry.name == "factor_ecog"]
    tight = expected(entry)["tight"]
    errors = [tight["vcov"][k][k] ** 0.5 for k in range(3)]
    terms = _documents()["per_model"]["models"]["ecog"]["terms"]
    ours = [term["estimate"] for term in terms]
    assert in_errors(ours, list(tight["coef"].values()), errors) <= STANDARD_ERRORS
