"""The conductor: replays the study's estimators on the log of totals, in lockstep.

Everybody runs it: the coordinator to know what to ask, each site to know what it may be asked.
The next round's asks follow from the study and the answers so far, and from nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from site_agent.contract.analyses.guard import guard
from site_agent.contract.analyses.guard_openings import Key
from site_agent.contract.analyses.results import Failure, Result
from site_agent.contract.canonical import digest
from site_agent.contract.catalogue import KINDS, SUMS
from site_agent.contract.declared import as_declared
from site_agent.contract.errors import AnalysisError
from site_agent.contract.lockstep import lockstep
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Answer, Ask, Estimator, Sum
from site_agent.contract.weighted import weighted

NOTHING: Final = 1e-7
UNSAYABLE: Final = (
    "the computation gave a number that is infinite or undefined, so none of its numbers is given; "
    "see whether an outcome or a covariate is the same in all rows, or has values far too large"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished study gives: who took part, and a result or a failure by analysis."""

    patients: int
    sites: int
    results: dict[str, Result]

    def digest(self) -> str:
        """Return the hash of the results that every party finds for itself.

        Numbers count to six significant digits, those below 1e-7 as nothing: processors
        differ in the last bits, and rounding errors of nothing are nothing.
        """
        return digest({name: _agreed(r.document()) for name, r in self.results.items()})


def _agreed(value: Any) -> Any:
    """Return a document with its numbers as they count in a comparison of parties."""
    if isinstance(value, dict):
        return {name: _agreed(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_agreed(inner) for inner in value]
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) >= NOTHING else "0"
    return value


def plan(
    study: Study, earlier: tuple[str, ...] = ()
) -> Generator[tuple[Ask, ...], tuple[Answer, ...], Outcome]:
    """Return the study as one estimator: the guard's rounds, then all analyses in lockstep.

    `earlier` names the releases against which the guard counts who has changed.
    """
    admitted = yield from guard(study, earlier)
    estimators = {
        name: _estimator(study, analysis, admitted.withheld)
        for name, analysis in study.analyses.items()
    }
    results: dict[str, Any] = yield from lockstep(estimators)
    sayable = {name: _sayable(result) for name, result in results.items()}
    return Outcome(admitted.patients, admitted.sites, sayable)


def _sayable(result: Result) -> Result:
    """Return the result; a failure in its place if a number of its document is not finite."""
    try:
        json.dumps(result.document(), allow_nan=False)
    except (ValueError, OverflowError):
        return Failure(UNSAYABLE)
    return result


def _estimator(study: Study, analysis: Analysis, withheld: Mapping[Key, str]) -> Estimator:
    """Return the estimator of an analysis without what is withheld; one that fails if all is."""
    own = {model: because for (name, model), because in withheld.items() if name == analysis.name}
    if "" in own:
        return _failing(own[""])
    estimator = KINDS[analysis.kind].estimator(study, analysis, own)
    return weighted(study, analysis, as_declared(study, analysis, own, estimator))


def _failing(because: str) -> Estimator:
    yield from ()
    raise AnalysisError(because)


class Conductor:
    """A study's plan at its present round.

    `asks` are the distinct questions of the round in order; `outcome` is set at the end.
    `number` counts rounds from 0, the guard's first.
    """

    def __init__(self, study: Study, earlier: tuple[str, ...] = ()) -> None:
        self._plan = plan(study, earlier)
        self._wanted: tuple[Ask, ...] = ()
        self.number = -1
        self.asks: tuple[Ask, ...] = ()
        self.outcome: Outcome | None = None
        self._ended: Exception | None = None
        self._take(None)

    @property
    def finished(self) -> bool:
        """Return whether nothing is left to ask."""
        return self.outcome is not None

    def adopt(self, sent: Sequence[bytes]) -> tuple[Ask, ...]:
        """Return the round's asks with the floating-point arguments that were sent.

        Refused("argument") if one differs from what this replay asks for.
        """
        return tuple(ask.adopt(floats) for ask, floats in zip(self.asks, sent, strict=True))

    def advance(self, answers: Sequence[Answer]) -> None:
        """Take the answers of the round, in the order of `asks`, and go to the next.

        A study that was refused once stays refused, however often its totals come again.
        """
        by_question = {
            ask.identity(): answer for ask, answer in zip(self.asks, answers, strict=True)
        }
        self._take(tuple(by_question[ask.identity()] for ask in self._wanted))

    def _take(self, answers: tuple[Answer, ...] | None) -> None:
        if self._ended is not None:
            raise self._ended
        try:
            self._wanted = next(self._plan) if answers is None else self._plan.send(answers)
        except StopIteration as done:
            self.outcome, self.asks = done.value, ()
            return
        except Exception as error:
            self._ended = error  # the plan has ended with it, and would now seem complete
            raise
        self.number += 1
        self.asks = tuple({ask.identity(): ask for ask in self._wanted}.values())


def entry(ask: Ask) -> Sum:
    """Return the catalogue entry of an ask."""
    return SUMS[ask.sum]


def sections(asks: Sequence[Ask]) -> dict[str, list[int]]:
    """Return which asks go into which vector of a round.

    `open` shares are seen by all sites; `closed` shares are of sums with a reduction and go to
    the coordinator alone.
    """
    closed = [i for i, ask in enumerate(asks) if entry(ask).reduce is not None]
    return {"open": [i for i in range(len(asks)) if i not in closed], "closed": closed}
