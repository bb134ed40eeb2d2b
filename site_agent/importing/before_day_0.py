"""Negative times of endpoints, told by the file, column and rows that they are from.

The range of a day lets it be negative: whether it may be is said by the endpoints, which are
checked when all tables are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from site_agent.contract import expressions
from site_agent.contract.errors import Finding
from site_agent.contract.study.model import Endpoint, Study, Table
from site_agent.importing.faults import Faults

BEFORE: Final = "a day before day 0; correct it, or the patient's origin"
Early = Mapping[tuple[str, str], Faults]  # by table and column


def traced(study: Study, findings: Sequence[Finding], early: Early) -> list[Finding]:
    """Return findings with the rows of the sources in the place of an endpoint's negative times.

    early: of each column, its findings of values below 0.
    """
    found: list[Finding] = []
    for finding in findings:
        told = list(_of(study, finding, early)) if finding.rule == "negative time" else []
        found += [line for line in (told or [finding]) if line not in found]
    return found


def _of(study: Study, finding: Finding, early: Early) -> Iterator[Finding]:
    for endpoint in study.endpoints.values():
        place = f"endpoint {endpoint.name}"
        if finding.place not in (place, f"{place}, entry") or endpoint.origin is not None:
            continue
        times = (endpoint.entry,) if finding.place != place else _times(endpoint)
        for node in times:
            if node is not None:
                for column in _columns(study, study.tables[endpoint.table], node):
                    yield from early[column].findings if column in early else ()


def _times(endpoint: Endpoint) -> tuple[expressions.Node | None, ...]:
    if endpoint.form == "status":
        return (endpoint.time,)
    return (*(node for _, node in endpoint.causes), endpoint.censored)


def _columns(study: Study, table: Table, node: expressions.Node) -> Iterator[tuple[str, str]]:
    """Yield the columns that an expression names, by table; of derived ones what they are from."""
    for parts in sorted(expressions.names(node)):
        of = study.tables.get(parts[0], table) if len(parts) > 1 else table
        derived = [d.expression for d in of.derived if d.name == parts[-1]]
        for inner in derived:
            if inner is not None:
                yield from _columns(study, of, inner)
        if not derived:
            yield of.name, parts[-1]
