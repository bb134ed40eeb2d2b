"""Estimators side by side: what all ask is one round, and one that fails ends alone."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any

import numpy as np
import pytest

from site_agent.contract.analyses.results import Failure
from site_agent.contract.errors import AnalysisError, Refused
from site_agent.contract.frames import Frame
from site_agent.contract.lockstep import lockstep
from site_agent.contract.sums import Answer, Ask, Estimator

Raised = type[BaseException] | BaseException


def ask(name: str) -> Ask:
    """A question that is told by its name."""
    return Ask(name, Frame("patients"), {}, {})


def asking(*rounds: tuple[str, ...], then: Raised | None = None) -> Estimator:
    """An estimator that asks in rounds, and returns or raises at the end."""
    heard = []
    for names in rounds:
        answers = yield tuple(ask(name) for name in names)
        heard.append("+".join(str(answer.totals) for answer in answers))
    if then is not None:
        raise then
    return heard


def run(estimators: Mapping[str, Estimator]) -> tuple[list[list[str]], dict[str, Any]]:
    """Answer every question with its name; return the rounds, and the outcomes."""
    plan: Generator[tuple[Ask, ...], tuple[Answer, ...], dict[str, Any]] = lockstep(estimators)
    rounds: list[list[str]] = []
    try:
        asks = next(plan)
        while True:
            rounds.append([one.sum for one in asks])
            asks = plan.send(tuple(Answer(one.sum, {}) for one in asks))  # type: ignore[arg-type]
    except StopIteration as done:
        return rounds, done.value


def test_rounds_are_shared() -> None:
    """What two estimators ask first is the first round, and so on until the longer one ends."""
    rounds, _ = run({"one": asking(("a", "b"), ("c",)), "two": asking(("d",), ("e",), ("f",))})
    assert rounds == [["a", "b", "d"], ["c", "e"], ["f"]]


def test_everybody_gets_his_own_answers() -> None:
    """Answers are handed out in the order of the questions."""
    _, outcomes = run({"one": asking(("a", "b"), ("c",)), "two": asking(("d",), ("e",))})
    assert outcomes == {"one": ["a+b", "c"], "two": ["d", "e"]}


def test_one_without_questions() -> None:
    """An estimator that asks nothing is done at once."""
    rounds, outcomes = run({"one": asking(), "two": asking(("a",))})
    assert (rounds, outcomes) == ([["a"]], {"one": [], "two": ["a"]})


def test_nobody() -> None:
    """No estimators, no rounds, no outcomes."""
    assert run({}) == ([], {})


@pytest.mark.parametrize(
    ("error", "because"),
    [
        (AnalysisError("no events"), "no events"),
        (ZeroDivisionError("x"), "the computation broke down (ZeroDivisionError)"),
        (OverflowError("x"), "the computation broke down (OverflowError)"),
        (np.linalg.LinAlgError("x"), "the computation broke down (LinAlgError)"),
        (ValueError("x"), "the computation broke down (ValueError)"),
    ],
)
def test_one_fails_alone(error: Exception, because: str) -> None:
    """An analysis that cannot be computed ends with a reason, and the other one goes on."""
    _, outcomes = run({"one": asking(("a",), then=error), "two": asking(("b",), ("c",))})
    assert outcomes == {"one": Failure(because), "two": ["b", "c"]}


def test_one_fails_at_once() -> None:
    """An analysis can fail before its first question."""
    _, outcomes = run({"one": asking(then=AnalysisError("no rows")), "two": asking(("b",))})
    assert outcomes == {"one": Failure("no rows"), "two": ["b"]}


@pytest.mark.parametrize("error", [Refused("too_few", "few"), KeyError("a mistake of ours")])
def test_a_refusal_ends_all(error: Exception) -> None:
    """A refusal is not a result, and neither is a mistake in the program."""
    with pytest.raises(type(error)):
        run({"one": asking(("a",), then=error), "two": asking(("b",), ("c",))})


def test_outcomes_keep_the_order() -> None:
    """Results stand in the order of the study, whoever ends first."""
    _, outcomes = run({"slow": asking(("a",), ("b",)), "fast": asking()})
    assert list(outcomes) == ["slow", "fast"]
