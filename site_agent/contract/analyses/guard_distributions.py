"""Distributions of one variable in groups: one grouping, as for counts by time.

A laboratory value that one patient alone has is a name for him. So the values of ferritin by sex
and the values of ferritin by product link into rows of (sex, product), and the values in two
cohorts tell who is in both. So over the analyses of a table that open a distribution (class V) of
numbers made of the same column, `by` (where the values of each group open) and `cohort` of each are
within those of one of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from site_agent.contract import expressions
from site_agent.contract.analyses.guard_grids import Grouping, in_words
from site_agent.contract.analyses.guard_openings import Opening, openings
from site_agent.contract.catalogue import KINDS
from site_agent.contract.expressions import Number
from site_agent.contract.study.model import Study


def distribution_issues(study: Study) -> list[tuple[str, str]]:
    """Return (analysis, what is wrong) for each analysis whose values link to those of another.

    Analyses that are accepted by name have no issue, but others must go with them.
    """
    opened = [opening for opening in openings(study) if opens_values(study, opening)]
    found: dict[str, str] = {}
    for number, opening in enumerate(opened):
        if opening.accepted or opening.analysis.name in found:
            continue
        alike = [other for other in opened if _share(study, opening, other)]
        for other in alike:
            if other in opened[:number] and not _within_one(opening, other, alike):
                found[opening.analysis.name] = _sentence(opening, other)
                break
    return list(found.items())


def opens_values(study: Study, opening: Opening) -> bool:
    """Return whether an opening opens a distribution: of class V, and its covariates numbers."""
    uses = KINDS[opening.analysis.kind].uses(opening.analysis.options)
    scope = study.scopes[opening.frame.table]
    return any(disclosure == "V" for disclosure, _ in uses) and all(
        isinstance(expressions.infer(expressions.parse(name), scope), Number)
        for name in opening.frame.covariates
    )


def _grouping(opening: Opening) -> Grouping:
    """Return what divides the values that open: the groups, and the name of a cohort."""
    frame, analysis = opening.frame, opening.analysis
    by = frame.by if KINDS[analysis.kind].values_by_group(analysis.options) else None
    cohort = f"cohort {frame.cohort}" if frame.cohort else None
    return frozenset(part for part in (by, cohort) if part)


def _share(study: Study, one: Opening, other: Opening) -> bool:
    """Return whether two openings are about numbers made of the same column of one table."""
    if one.frame.table != other.frame.table:
        return False
    first, second = (set(_columns(study, opening)) for opening in (one, other))
    return bool(first & second)


def _columns(study: Study, opening: Opening) -> Iterator[str]:
    """Yield the columns behind the covariates of an opening, through derived ones."""
    derived = {item.name: item.expression for item in study.tables[opening.frame.table].derived}
    pending = [expressions.parse(name) for name in opening.frame.covariates]
    while pending:
        for parts in expressions.names(pending.pop()):
            node = derived.get(parts[0]) if len(parts) == 1 else None
            if node is None:
                yield ".".join(parts)
            else:
                pending.append(node)


def _within_one(one: Opening, other: Opening, alike: list[Opening]) -> bool:
    both = _grouping(one) | _grouping(other)
    return any(both <= _grouping(wide) for wide in alike)


def _sentence(opening: Opening, other: Opening) -> str:
    own, before = (in_words(_grouping(one)) for one in (opening, other))
    return (
        f"opens values of {' and '.join(opening.frame.covariates)} in groups of {own}, and "
        f"'{other.analysis.name}' values of the same column in groups of {before}: a value that "
        f"one patient alone has links the two. Take the same groups and cohort, a test of means, "
        f"or have the stewards accept this one by name (disclosure.accepted)"
    )
