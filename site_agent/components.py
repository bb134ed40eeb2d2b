"""The parts of which a study's analyses are made, named so that two studies can be compared.

A component is an endpoint, or an expression that groups, selects or is a covariate. Its name is
the hash of its definition with every derived column replaced by what it is derived from, down to
the columns of the data. What is called otherwise and defined alike has the same name; what is
called alike and defined otherwise has not. Columns of the data are components too: two studies
may hide one column behind two expressions (a dose, and twice the dose), and then the column
itself is what they have in common. Its values are what stands in the data: two studies may read
one column with other levels, or another reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from site_agent.contract import expressions
from site_agent.contract.canonical import digest
from site_agent.contract.earlier import analysed
from site_agent.contract.frames import Frame
from site_agent.contract.study.model import SITE, Column, Endpoint, Study
from site_agent.review.sources import endpoint_nodes, sources

NAME_LENGTH: Final = 32


@dataclass(frozen=True, slots=True)
class Component:
    """A part of analyses: its name, the rows that hold its values, and the columns behind it.

    columns: names of the components that are these columns; its own name alone for a column.
    used: whether analyses name it; if not it is a column behind others. words: what stands in the
    data for each level of such a column, whose rows have levels for groups; none for numbers.
    """

    name: str
    frame: Frame
    columns: frozenset[str]
    used: bool = True
    words: tuple[str, ...] = ()


def components(study: Study) -> dict[str, Component]:
    """Return the components of a study's analyses by name, and the columns behind them."""
    found = {item.name: item for item in _used(study)}
    columns = _columns(study, [item.frame for item in found.values()])
    behind = {item.name: replace(item, used=False) for item in columns}
    return {**behind, **found}


def _used(study: Study) -> Iterator[Component]:
    for frame in analysed(study).values():
        if frame.endpoint is not None:
            yield _endpoint(study, study.endpoints[frame.endpoint])
        texts = list(frame.needed)
        if frame.cohort is not None:
            texts.append(expressions.canonical(study.cohorts[frame.cohort].where))
        for text in texts:
            yield _expression(study, frame.table, text)


def _endpoint(study: Study, endpoint: Endpoint) -> Component:
    nodes = endpoint_nodes(endpoint)
    defined = {
        "endpoint": {**endpoint.document(), "resolution": study.time.document()["resolution"]},
        "names": _names(study, endpoint.table, nodes),
    }
    columns = _behind(study, endpoint.table, nodes)
    return Component(_name(defined), Frame(endpoint.table, endpoint=endpoint.name), columns)


def _expression(study: Study, table: str, text: str) -> Component:
    node = expressions.parse(text)
    name = _name(_defined(study, table, node))
    return Component(name, _values(study, table, text), _behind(study, table, [node]))


def _columns(study: Study, frames: Iterable[Frame]) -> Iterator[Component]:
    """Yield every column of the data on which the components with these frames rest."""
    for frame in frames:
        if frame.endpoint is not None:
            nodes = endpoint_nodes(study.endpoints[frame.endpoint])
        else:
            nodes = [expressions.parse(text) for text in frame.covariates]
        for table, column in sorted(_sources(study, frame.table, nodes)):
            yield _column(study, table, column)


def _column(study: Study, table: str, name: str) -> Component:
    """Return a column of the data, whatever a study reads it as."""
    column, own = study.tables[table].columns[name], _column_name(table, name)
    frame, words = _values(study, table, name), _words_of(column)
    if words:
        frame = replace(frame, by=name, covariates=frame.covariates[:-1])
    return Component(own, frame, frozenset({own}), words=words)


def _words_of(column: Column) -> tuple[str, ...]:
    """Return what stands in the data for each level of a column; nothing for numbers."""
    if column.type == "boolean":
        return "0", "1"
    if not column.codes:
        return column.levels
    standing: dict[str, list[str]] = {level: [] for level in column.levels}
    for code, level in column.codes.items():
        standing[level].append(code)
    return tuple("|".join(sorted(codes)) for codes in standing.values())


def _column_name(table: str, column: str) -> str:
    return _name(["column", table, column])


def _values(study: Study, table: str, text: str) -> Frame:
    """Return the rows of an expression; in a table of several rows a patient with their key."""
    order = [name for name in study.tables[table].key[1:] if name != text]
    return Frame(table, covariates=(*order, text))


def _name(defined: Any) -> str:
    return digest(defined)[:NAME_LENGTH]


def _defined(study: Study, table: str, node: expressions.Node) -> Any:
    """Return what an expression means: its text, and what every name in it means.

    A name alone means what it stands for, whatever it is called.
    """
    text = expressions.canonical(node)
    names = _names(study, table, [node])
    return names[text] if list(names) == [text] else {"text": text, "names": names}


def _names(study: Study, table: str, nodes: Iterable[expressions.Node]) -> dict[str, Any]:
    named = {parts for node in nodes for parts in expressions.names(node)}
    return {".".join(parts): _meaning(study, *_home(study, table, parts)) for parts in named}


def _home(study: Study, table: str, parts: tuple[str, ...]) -> tuple[str, str]:
    """Return whose column a name is in an expression over `table`: table (or site) and column."""
    head, column = parts[0], parts[-1]
    if len(parts) == 1:
        return table, column
    if head == SITE or head in study.tables:
        return head, column
    above = [other.name for other in study.tables.values() if other.key == (head,)]
    return (above or [table])[0], column


def _meaning(study: Study, table: str, column: str) -> Any:
    """Return what a column is: how it is derived, or where it stands and how it is read."""
    if table == SITE:
        return [SITE, column, list(study.site_attributes[column])]
    own = study.tables[table]
    if column in own.columns:
        return ["column", table, column, *_read_as(own.columns[column])]
    (derived,) = (item for item in own.derived if item.name == column)
    if derived.expression is not None:
        return _defined(study, table, derived.expression)
    levels = [
        [level, None if node is None else _defined(study, table, node)]
        for level, node in derived.levels
    ]
    return {"levels": levels, "reference": derived.reference}


def _read_as(column: Column) -> list[Any]:
    """Return what of a column's declaration decides on its values; no range and no unit does.

    A number is what stands in the data, so nothing does.
    """
    if column.type not in ("category", "boolean"):
        return []
    return [column.type, list(column.levels), dict(column.codes), column.reference]


def _behind(study: Study, table: str, nodes: Iterable[expressions.Node]) -> frozenset[str]:
    return frozenset(_column_name(*source) for source in _sources(study, table, list(nodes)))


def _sources(
    study: Study, table: str, nodes: Iterable[expressions.Node]
) -> frozenset[tuple[str, str]]:
    """Return the columns of the data behind expressions over `table`."""
    return frozenset(
        (where, column)
        for where, column in sources(study, table, nodes)
        if where in study.tables and column in study.tables[where].columns
    )
