"""An analysis cannot ask past the guard: kinds made up to try it, each with one ask too many."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from site_agent.contract.analyses.counts import counts_ask
from site_agent.contract.analyses.cox_sums import MOMENTS
from site_agent.contract.analyses.guard_selections import selection
from site_agent.contract.catalogue import KINDS
from site_agent.contract.declared import as_declared
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Frame, Weighting
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Ask, Estimator
from tests.site_agent.contract.analyses.guarded import CURVE, SCREEN, guarded

BY_SITE = "kind: logrank, endpoint: survival, by: sex, by_site: true"
ROWS = Frame("patients", endpoint="survival")
# What an endpoint, a cohort and a grid leave out is told by name; `compared` takes no rows.
NAMED = ("table", "endpoint", "cohort", "grid", "compared")
EXPRESSIONS = [field for field in fields(Frame) if field.name not in NAMED]


def asking(*asks: Ask) -> Estimator:
    """An estimator that asks for these at once."""
    answers = yield asks
    return len(answers)


def said(study: Study, ask: Ask, withheld: tuple[str, ...] = ()) -> str:
    """Why the study's analysis may not ask for this; "" if it may."""
    reasons = dict.fromkeys(withheld, "withheld: it is small")
    checked = as_declared(study, study.analyses["a"], reasons, asking(ask))
    try:
        assert next(checked) == (ask,)
    except AnalysisError as error:
        return str(error).partition("asks for ")[2].partition(",")[0].partition(";")[0]
    return ""


def test_what_is_declared_is_asked() -> None:
    """And the estimator ends as it would alone."""
    study = guarded(CURVE)
    ask = counts_ask(study, ROWS)
    checked = as_declared(study, study.analyses["a"], {}, asking(ask))
    next(checked)
    with pytest.raises(StopIteration) as done:
        checked.send(())
    assert done.value.value == 0


@pytest.mark.parametrize(
    "other",
    [{"by": "sex"}, {"cohort": "elders"}, {"complete": ("ldh",)}, {"grid": (9,)}],
    ids=["groups", "a cohort", "fewer rows", "a grid"],
)
def test_other_rows(other: dict[str, Any]) -> None:
    """A guard that has seen everybody's curve has not seen another's."""
    study = guarded(CURVE)
    assert said(study, counts_ask(study, replace(ROWS, **other))).startswith("rows that")


def test_another_sum() -> None:
    """A curve that asks for moments of a model."""
    ask = Ask(MOMENTS.name, ROWS, {"columns": 0}, {})
    assert said(guarded(CURVE), ask) == "the sum cox_moments"


def test_another_class() -> None:
    """A test within hospitals, which is class A, that asks for counts by time."""
    study = guarded(BY_SITE)
    ask = counts_ask(study, replace(ROWS, by="sex"))
    assert said(study, ask) == "the sum counts_by_time of class B"


@pytest.mark.parametrize(("withheld", "refused"), [(("sex",), True), (("old",), False)])
def test_a_model_that_is_withheld(withheld: tuple[str, ...], refused: bool) -> None:
    """The rows of a model that the guard withholds are asked for by nobody."""
    ask = Ask(MOMENTS.name, replace(ROWS, covariates=("sex",)), {"columns": 1}, {})
    assert bool(said(guarded(SCREEN + "[sex, old]"), ask, withheld)) == refused


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_declares_sums_of_the_classes_that_there_are(name: str) -> None:
    """Each sum has a class, and what it gives in words."""
    assert all(entry.disclosure in "ABVC" and entry.gives for entry in KINDS[name].sums)


@pytest.mark.parametrize("field", EXPRESSIONS, ids=lambda field: field.name)
def test_an_expression_of_a_frame_leaves_out_who_lacks_it(field: Any) -> None:
    """Whatever field is added to frames: the guard must see whom it leaves out."""
    scored = Weighting("sex", ("ldh",), "ate")
    value = {"weighting": scored}.get(field.name, ("ldh",) if field.default == () else "ldh")
    chosen = selection(guarded(CURVE), Frame("patients", **{field.name: value}))
    assert chosen.complete == ("ldh",)
