"""Separation: a group of a covariate in which no event happens has no finite hazard ratio.

It is seen from counts before anything is fitted, by covariate and group; a likelihood that
has no maximum for another reason is recognised by Newton's method (newton.py). R prints a huge
coefficient and a warning in both cases (Heinze and Schemper 2001).
"""

from __future__ import annotations

from collections.abc import Sequence

from site_agent.contract.analyses.newton import Monotone
from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Floats
from site_agent.contract.rows import design_columns, levels_of
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Arrays


class Separated(AnalysisError):
    """A model whose likelihood has no maximum: what separates is in its sentence."""


def refuse_separation(
    study: Study, table: str, columns: Sequence[tuple[str, tuple[str, ...]]], known: Arrays
) -> None:
    """Raise Separated if all events fall outside one group of a covariate.

    columns are the covariates with their design columns; known the totals of cox_moments.
    """
    rows, events = known["rows"][0], known["events"][0]
    start = 0
    for covariate, names in columns:
        block = slice(start, start + len(names))
        start += len(names)
        if known["not_binary"][block].any():
            continue
        members = _group_counts(study, table, covariate, known["sum"][block], rows)
        dying = _group_counts(study, table, covariate, known["event_sum"][block], events)
        for level, count in members.items():
            if count > 0 and dying[level] == 0:
                raise Separated(
                    f"separated by {covariate}: none of the {int(events)} events happens in the "
                    f"group {level}, so its hazard ratio against another group has no finite "
                    f"estimate; leave the covariate out, join groups, take a continuous one, or "
                    f"ask for Firth's fit (firth)"
                )


def _group_counts(
    study: Study, table: str, covariate: str, indicators: Floats, total: float
) -> dict[str, float]:
    """Return counts by group from the sums of indicator columns, the reference group included.

    Columns that are no partition into groups (interactions) give none.
    """
    try:
        levels = levels_of(study, table, covariate)
    except AnalysisError:
        levels = ("0", "1") if len(indicators) == 1 else ()
    if len(levels) != len(indicators) + 1:
        return {}
    named = design_columns(study, table, covariate)
    if len(indicators) == 1 and named == (covariate,):
        return {
            f"{covariate} = {levels[0]}": total - float(indicators[0]),
            f"{covariate} = {levels[1]}": float(indicators[0]),
        }
    counts = {name: float(count) for name, count in zip(named, indicators, strict=True)}
    reference = next(lv for lv in levels if f"{covariate}={lv}" not in counts)
    return {f"{covariate}={reference}": total - sum(counts.values()), **counts}


def monotone_words(terms: tuple[str, ...], monotone: Monotone) -> str:
    """Return the sentence that names the covariates of a hazard whose coefficients run away."""
    return (
        f"{running_away(terms, monotone)}; the events are ordered by it, so no finite hazard ratio "
        f"exists. Leave the covariate out, join groups, or ask for Firth's fit (firth)"
    )


def running_away(terms: tuple[str, ...], monotone: Monotone) -> str:
    """Return the clause that names the coefficients that run away, and where to."""
    directions = ", ".join(
        f"{terms[k]} ({'upwards' if sign > 0 else 'downwards'})"
        for k, sign in zip(monotone.columns, monotone.signs, strict=True)
    )
    return (
        f"separated: the likelihood has no maximum, it keeps rising with the coefficient of "
        f"{directions}"
    )
