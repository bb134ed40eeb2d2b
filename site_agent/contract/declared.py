"""Each analysis asks for what its kind has declared of it, and for nothing else.

The guard, the record of contributions, the classes and the review of a study look at what a kind
declares: its frames, its sums, what it uses. An estimator that asked for other rows, for another
sum or in another class would open what none of them has seen. So every ask of an analysis is
checked before it leaves, by all parties alike; one that is not declared ends the analysis alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from site_agent.contract.catalogue import KINDS, SUMS
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Frame
from site_agent.contract.lockstep import passed
from site_agent.contract.study.model import Analysis, Study
from site_agent.contract.sums import Ask, Estimator


def as_declared(
    study: Study, analysis: Analysis, withheld: Mapping[str, str], estimator: Estimator
) -> Estimator:
    """Return the estimator, ended by AnalysisError at its first ask that is not declared.

    withheld: the models of the analysis that the guard withholds; their rows are not asked for.
    """
    kind = KINDS[analysis.kind]
    models = kind.models(study, analysis)
    frames = frozenset(frame for model, frame in models if model not in withheld)
    sums = frozenset(entry.name for entry in kind.sums)
    classes = frozenset(("A", *(disclosure for disclosure, _ in kind.uses(analysis.options))))

    def checked(asks: tuple[Ask, ...]) -> tuple[Ask, ...]:
        for ask in asks:
            _refuse_undeclared(ask, frames, sums, classes)
        return asks

    return passed(estimator, checked)


def _refuse_undeclared(
    ask: Ask, frames: frozenset[Frame], sums: frozenset[str], classes: frozenset[str]
) -> None:
    if ask.frame not in frames:
        what = "rows that its kind does not declare, or that are withheld"
    elif ask.sum not in sums:
        what = f"the sum {ask.sum}, which its kind does not declare"
    elif SUMS[ask.sum].disclosure not in classes:
        what = f"the sum {ask.sum} of class {SUMS[ask.sum].disclosure}, which it does not use"
    else:
        return
    raise AnalysisError(f"the analysis asks for {what}; nothing was computed. Report this fault")
