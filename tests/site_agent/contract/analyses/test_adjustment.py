"""How a diagram is read, and what is said of the models beside it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.studytext import issues, study

ANALYSIS = "curve: {kind: survival, endpoint: survival, by: sex, at: [28, 60]}"


def beside(fields: str) -> tuple[str, str]:
    return ANALYSIS, f"curve: {{kind: adjustment, {fields}}}"


def found(fields: str) -> dict[str, Any]:
    """The result: nothing is asked, so it is there at once."""
    from site_agent.contract.catalogue import KINDS

    read = study(beside(fields))
    steps = KINDS["adjustment"].estimator(read, read.analyses["curve"], {})
    try:
        next(steps)
    except StopIteration as done:
        document: dict[str, Any] = done.value.document()
        return document
    raise AssertionError


CONFOUNDED = "diagram: [age -> sex, age -> death, sex -> death], exposure: sex, outcome: death"


def test_minimal_sets() -> None:
    """The common cause is the one set."""
    assert found(CONFOUNDED)["minimal_sets"] == [["age"]]


def test_chains_are_arrows() -> None:
    """Three nodes in a row are two arrows."""
    assert found("diagram: [a -> b -> c], exposure: a, outcome: c")["arrows"] == [
        ["a", "b"],
        ["b", "c"],
    ]


def test_a_model_that_adjusts_for_a_descendant() -> None:
    """The model of the study has age, on which the exposure acts here."""
    fields = "diagram: [dose -> age -> death], exposure: dose, outcome: death, models: [model]"
    (model,) = found(fields)["checked"]
    assert (model["descendants"], len(model["warnings"])) == (["age"], 2)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("diagram: [a -> b, b -> a], exposure: a, outcome: b", "has a cycle: a -> b -> a"),
        ("diagram: [a -> b], exposure: c, outcome: b", "'c' is no node of the diagram"),
        ("diagram: [a -> b], exposure: a, outcome: a", "the same node"),
        ("diagram: [a to b], exposure: a, outcome: b", "expected arrows such as"),
        ("diagram: [a -> b], exposure: a, outcome: b, models: [modell]", "'modell' is not an"),
        ("diagram: [a -> b], exposure: a, outcome: b, unmeasured: [u]", "'u' is no node"),
    ],
)
def test_what_is_said_of_a_mistake(fields: str, said: str) -> None:
    """What was found, what was expected."""
    assert [issue for issue in issues(beside(fields)) if said in issue] != []
