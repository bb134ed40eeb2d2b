"""Several estimators advanced together: what all of them ask at one moment is one round."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

from site_agent.contract.analyses.results import Failure
from site_agent.contract.errors import AnalysisError, Refused
from site_agent.contract.frames import Frame
from site_agent.contract.sums import Answer, Ask, Estimator


def lockstep(
    estimators: Mapping[str, Estimator],
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], dict[str, Any]]:
    """Run estimators side by side; return their results, or why they failed, by name.

    Yields all their asks in the order of the estimators and takes the answers in that order.
    An estimator that fails ends alone; the others go on. A refusal ends all.
    """
    outcomes: dict[str, Any] = {}
    waiting: dict[str, tuple[Ask, ...]] = {}
    for name, estimator in estimators.items():
        _advance(name, estimator, None, waiting, outcomes)
    while waiting:
        answers = yield tuple(ask for asks in waiting.values() for ask in asks)
        asked, waiting, start = waiting, {}, 0
        for name, asks in asked.items():
            part = answers[start : start + len(asks)]
            start += len(asks)
            _advance(name, estimators[name], part, waiting, outcomes)
    return {name: outcomes[name] for name in estimators}


def passed(
    estimator: Estimator, through: Callable[[tuple[Ask, ...]], tuple[Ask, ...]]
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Any]:
    """Run an estimator whose asks of each round go through a function; return its result."""
    answers: tuple[Answer, ...] | None = None
    while True:
        try:
            asks = next(estimator) if answers is None else estimator.send(answers)
        except StopIteration as done:
            return done.value
        answers = yield through(asks)


def by_covariate(
    frames: Sequence[Frame],
    withheld: Mapping[str, str],
    estimator: Callable[[Frame], Estimator],
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], dict[str, Any]]:
    """Run an estimator for each frame of one covariate; return results, or failures, by it.

    withheld says why, by covariate, the guard keeps one back: it fails with that.
    """
    named = {frame.covariates[0]: frame for frame in frames}
    asked = {name: estimator(frame) for name, frame in named.items() if name not in withheld}
    outcomes = yield from lockstep(asked)
    outcomes |= {name: Failure(because) for name, because in withheld.items()}
    return {name: outcomes[name] for name in named}


def _advance(
    name: str,
    estimator: Estimator,
    answers: tuple[Answer, ...] | None,
    waiting: dict[str, tuple[Ask, ...]],
    outcomes: dict[str, Any],
) -> None:
    """Take one estimator one step on: it asks again, is done, or has failed."""
    try:
        waiting[name] = next(estimator) if answers is None else estimator.send(answers)
    except StopIteration as done:
        outcomes[name] = done.value
    except Refused:
        raise
    except AnalysisError as error:
        outcomes[name] = Failure(str(error))
    except (ArithmeticError, ValueError) as error:  # as numpy has it: LinAlgError, NaN to int
        outcomes[name] = Failure(f"the computation broke down ({type(error).__name__})")
