"""Columns, derived columns, cohorts and endpoints of a study in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from site_agent.contract.expressions import canonical
from site_agent.contract.study.model import Cohort, Column, Derived, Endpoint, Study

TYPES: Final = {"number": "number", "integer": "whole number", "boolean": "true or false"}


def quoted(text: str) -> str:
    """Return the center's own wording in quotation marks, which it cannot close itself."""
    return '"' + text.replace('"', "'") + '"'


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {last} {names[-1]}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun, in the plural unless it is 1."""
    return f"{count} {noun}" if count == 1 else f"{count} {plural or noun + 's'}"


def label(study: Study, name: str) -> str:
    """Return the label of a name; the empty text if it has none."""
    return study.labels.get(name, "")


def rows_noun(study: Study, table: str) -> str:
    """Return what a row of a table is: a patient, or a row of one."""
    return "patient" if len(study.tables[table].key) == 1 else "row"


def column_type(column: Column, unit: str) -> str:
    """Return a column's type in words, with its levels."""
    if column.type == "time":
        return f"time in {unit}s"
    if column.type == "category":
        return f"one of: {', '.join(column.levels)}"
    return TYPES[column.type] + (f" in {column.unit}" if column.unit else "")


def derived_definition(derived: Derived) -> str:
    """Return how a derived column is worked out."""
    if derived.expression is not None:
        return canonical(derived.expression)
    parts = [
        f"{level} if {canonical(node)}" if node is not None else f"{level} otherwise"
        for level, node in derived.levels
    ]
    return "; ".join(parts)


def rows_of(study: Study, table: str, cohort: Cohort | None) -> str:
    """Return the sentence on which rows an analysis runs over."""
    noun = rows_noun(study, table)
    if cohort is None:
        return f"All {noun}s of the table {table}."
    return f"Only {noun}s of the cohort {cohort.name}: {canonical(cohort.where)}."


def endpoint_sentences(study: Study, endpoint: Endpoint) -> list[str]:
    """Return what an endpoint is, in sentences."""
    unit, noun = study.time.unit, rows_noun(study, endpoint.table)
    course = _days(endpoint, unit) if endpoint.form == "days" else _status(endpoint, noun)
    start = f"{unit} 0" if endpoint.origin is None else canonical(endpoint.origin)
    sentences = [*course, f"Counted from {start}."]
    if endpoint.entry is not None:
        sentences.append(f"Each {noun} counts only after {canonical(endpoint.entry)}.")
    return sentences


def _days(endpoint: Endpoint, unit: str) -> list[str]:
    (event, node), *others = endpoint.causes
    first = f"The time to the event {event} ({canonical(node)})"
    if others:
        named = [f"{name} ({canonical(other)})" for name, other in others]
        first += f", unless {listed(named, 'or')} comes first"
    sentences = [f"{first}."]
    if endpoint.censored is not None:
        last = canonical(endpoint.censored)
        sentences.append(f"Followed until {last} at the latest; what happens later does not count.")
    if endpoint.first_of_ties and others:
        order = ", ".join(endpoint.first_of_ties)
        sentences.append(f"Of several on one {unit} the first in this order counts: {order}.")
    return sentences


def _status(endpoint: Endpoint, noun: str) -> list[str]:
    assert endpoint.time is not None
    causes = [f"{name} if {canonical(node)}" for name, node in endpoint.causes]
    return [
        f"The time to the event {endpoint.event}. Each {noun} ends at {canonical(endpoint.time)}, "
        f"with {', else '.join(causes)}, else without an event."
    ]
