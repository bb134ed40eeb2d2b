"""Counts by time in groups: one grouping at full resolution, others on a grid.

Of 43 patients 92 % have a day and status of their own. So counts by day in groups of sex and
counts by day in groups of product link through the day into rows of (sex, product). All
analyses over one table share its follow-up, whatever their origin. So, over the analyses of a
table that open sums by time:

- at full resolution they take one grouping: `by`, `strata` and `cohort` of each are within those
  of one of them;
- others take a `grid`, on which in each step at least k patients leave, or none (and enter, with
  an entry);
- of two grids one holds all points of the other: the points of both would make finer steps.
"""

from __future__ import annotations

from collections.abc import Sequence

from site_agent.contract.analyses.guard_openings import Opening, openings
from site_agent.contract.analyses.guard_sums import STEPS
from site_agent.contract.frames import Frame
from site_agent.contract.study.model import Study
from site_agent.contract.sums import Arrays, Ask

Grouping = frozenset[str]


def grouping(frame: Frame) -> Grouping:
    """Return what divides the rows of a frame: expressions, and the name of a cohort."""
    parts = [*([frame.by] if frame.by else []), *frame.strata]
    return frozenset([*parts, *([f"cohort {frame.cohort}"] if frame.cohort else [])])


def grouping_issues(study: Study) -> list[tuple[str, str]]:
    """Return (analysis, what is wrong) for each analysis whose groups link to those of another.

    Analyses that are accepted by name have no issue, but others must go with them.
    """
    opened = [opening for opening in openings(study) if opening.by_time]
    found: dict[str, str] = {}
    for number, opening in enumerate(opened):
        name = opening.analysis.name
        if opening.accepted or name in found:
            continue
        same = [other for other in opened if other.frame.table == opening.frame.table]
        before = [other for other in opened[:number] if other in same]
        sentence = _linked(opening, before, same) or _crossed(opening, before)
        if sentence:
            found[name] = sentence
    return list(found.items())


def _linked(opening: Opening, before: Sequence[Opening], table: Sequence[Opening]) -> str:
    """Return with which earlier analysis an opening links at full resolution, or nothing."""
    own = grouping(opening.frame)
    full = [other for other in table if not other.frame.grid]
    for other in before:
        both = own | grouping(other.frame)
        one = any(both <= grouping(wide.frame) for wide in full)
        if opening.frame.grid or other.frame.grid or one:
            continue
        return (
            f"counts by time in groups of {in_words(own)}, and '{other.analysis.name}' in groups "
            f"of {in_words(grouping(other.frame))}: at full resolution the two link into rows of "
            f"patients. Give one of them a coarser grid of times (grid: [..]), or have the "
            f"stewards accept this one by name (disclosure.accepted)"
        )
    return ""


def _crossed(opening: Opening, before: Sequence[Opening]) -> str:
    """Return with which earlier analysis an opening's grid makes finer steps, or nothing."""
    own = set(opening.frame.grid)
    for other in before:
        points = set(other.frame.grid)
        if own and points and not (own <= points or points <= own):
            return (
                f"its grid and that of '{other.analysis.name}' each have points that the other "
                f"has not: together they make finer steps. Give both the same grid, or one all "
                f"points of the other, or have the stewards accept this one by name "
                f"(disclosure.accepted)"
            )
    return ""


def in_words(parts: Grouping) -> str:
    """Return what divides rows, in words."""
    return " and ".join(sorted(parts)) if parts else "none"


def needs_steps(opening: Opening) -> bool:
    """Return whether the guard counts who leaves in each step of an opening's grid."""
    return bool(opening.frame.grid) and opening.by_time and not opening.accepted


def steps_ask(study: Study, frame: Frame) -> Ask:
    """Return the ask for the patients that leave, and enter, in each step."""
    assert frame.endpoint is not None
    truncated = study.endpoints[frame.endpoint].entry is not None
    return Ask(STEPS.name, frame, {"truncated": truncated}, {})


def steps_sentence(study: Study, totals: Arrays) -> str:
    """Return why an analysis on a grid is withheld, or nothing."""
    least = study.policy.changed_patients
    if not any(((counts > 0) & (counts < least)).any() for counts in totals.values()):
        return ""
    return (
        f"in some step of its grid fewer than {least} patients leave or enter "
        f"(disclosure.between_releases.patients); take fewer points of time, or have the "
        f"stewards accept the analysis by name"
    )
