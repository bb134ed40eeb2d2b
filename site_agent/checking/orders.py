"""Days in an order that cannot be, although no rule of the study forbids it.

An agent goes on with such data: an event after the day last seen does not count, a relapse after
death neither. But somebody has mistyped a date.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from site_agent.contract import expressions
from site_agent.contract.expressions import Node, Value
from site_agent.contract.rows import Tables
from site_agent.contract.study.model import Endpoint, Study

DEADLY: Final = ("death", "dead", "died")
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Disorder:
    """Rows of a table whose days cannot be so. rows: (n,)."""

    table: str
    rule: str
    what: str
    rows: Mask


def disorders(study: Study, tables: Tables) -> Iterator[Disorder]:
    """Yield each order of days that some rows break, once."""
    told = set()
    for endpoint in study.endpoints.values():
        if endpoint.form != "days":
            continue
        for found in (*_of_causes(endpoint, tables), *_of_children(study, endpoint, tables)):
            if found.rows.any() and (found.table, found.what) not in told:
                told.add((found.table, found.what))
                yield found


def _of_causes(endpoint: Endpoint, tables: Tables) -> Iterator[Disorder]:
    rows = tables.rows[endpoint.table]
    causes = {name: (node, expressions.evaluate(node, rows)) for name, node in endpoint.causes}
    deaths = [(node, v) for name, (node, v) in causes.items() if name.startswith(DEADLY)]
    last = endpoint.censored
    seen = None if last is None else expressions.evaluate(last, rows)
    for name, (node, value) in causes.items():
        if last is not None and seen is not None:
            what = f"{_text(node)} after {_text(last)}, the day last seen: it does not count"
            yield Disorder(endpoint.table, "event after last seen", what, _later(value, seen))
        for death, died in deaths:
            if not name.startswith(DEADLY):
                what = f"{_text(node)} after {_text(death)}"
                yield Disorder(endpoint.table, "after death", what, _later(value, died))
    for death, died in deaths:
        if last is not None and seen is not None:
            what = f"{_text(last)} after {_text(death)}"
            yield Disorder(endpoint.table, "after death", what, _later(seen, died))


def _of_children(study: Study, endpoint: Endpoint, tables: Tables) -> Iterator[Disorder]:
    """Rows of a child table that are later than the day on which their patient was last seen."""
    last = endpoint.censored
    if last is None:
        return
    seen = expressions.evaluate(last, tables.rows[endpoint.table])
    for name, table in study.tables.items():
        rows = tables.rows[name]
        if rows.parent is None or rows.parent[1] is not tables.rows[endpoint.table]:
            continue
        order = table.columns[table.key[1]]
        if order.type != "time":
            continue
        of_parent = Value(seen.kind, seen.data[rows.parent[2]], seen.missing[rows.parent[2]])
        what = f"{order.name} after {_text(last)}, the day last seen"
        late = _later(rows.columns[order.name], of_parent)
        yield Disorder(name, "row after last seen", what, late)


def _later(first: Value, second: Value) -> Mask:
    """Return where the first is known to be later than the second; (n,)."""
    later: Mask = np.asarray(first.data > second.data) & ~first.missing & ~second.missing
    return later


def _text(node: Node) -> str:
    return expressions.canonical(node)
