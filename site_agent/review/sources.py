"""Which columns an analysis rests on: through its endpoint, its cohort and derived columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from site_agent.contract import expressions
from site_agent.contract.catalogue import KINDS
from site_agent.contract.party import Member, Roster
from site_agent.contract.study.model import SITE, Analysis, Derived, Endpoint, Study

Source = tuple[str, str]  # table (or SITE) and column (or attribute)


def sources(study: Study, table: str, nodes: Iterable[expressions.Node]) -> frozenset[Source]:
    """Return all columns behind expressions over `table`, derived ones and what is behind them."""
    found: set[Source] = set()
    pending = [(table, parts) for node in nodes for parts in expressions.names(node)]
    while pending:
        source = _source(study, *pending.pop())
        if source in found:
            continue
        found.add(source)
        for derived in _derived(study, source):
            pending += [(source[0], p) for node in _nodes(derived) for p in expressions.names(node)]
    return frozenset(found)


def _source(study: Study, table: str, parts: Sequence[str]) -> Source:
    """Return whose column a name stands for, in an expression over `table`."""
    head, column = parts[0], parts[-1]
    if len(parts) == 1:
        return table, column
    if head == SITE or head in study.tables:
        return head, column
    above = [other.name for other in study.tables.values() if other.key == (head,)]
    return (above or [table])[0], column


def _derived(study: Study, source: Source) -> list[Derived]:
    table = study.tables.get(source[0])
    return [] if table is None else [item for item in table.derived if item.name == source[1]]


def _nodes(derived: Derived) -> list[expressions.Node]:
    if derived.expression is not None:
        return [derived.expression]
    return [node for _, node in derived.levels if node is not None]


def endpoint_nodes(endpoint: Endpoint) -> list[expressions.Node]:
    """Return all expressions of an endpoint."""
    times = (endpoint.entry, endpoint.origin, endpoint.time, endpoint.censored)
    return [*(node for node in times if node is not None), *(node for _, node in endpoint.causes)]


def analysis_sources(study: Study, analysis: Analysis) -> frozenset[Source]:
    """Return all columns and attributes of sites that an analysis rests on."""
    found: frozenset[Source] = frozenset()
    for frame in KINDS[analysis.kind].frames(study, analysis):
        nodes = [expressions.parse(text) for text in frame.needed]
        if frame.endpoint is not None:
            nodes += endpoint_nodes(study.endpoints[frame.endpoint])
        if frame.cohort is not None:
            nodes.append(study.cohorts[frame.cohort].where)
        found |= sources(study, frame.table, nodes)
    return found


def covariate_columns(study: Study, analysis: Analysis) -> list[str]:
    """Return the columns behind an analysis's covariates and weights, as `table.column`."""
    found: frozenset[Source] = frozenset()
    for frame in KINDS[analysis.kind].frames(study, analysis):
        scored = frame.weighting.needed if frame.weighting is not None else ()
        weights = (frame.weights,) if frame.weights is not None else ()
        nodes = [expressions.parse(text) for text in (*frame.covariates, *weights, *scored)]
        found |= sources(study, frame.table, nodes)
    return [
        f"{table.name}.{column}"
        for table in study.tables.values()
        for column in table.columns
        if (table.name, column) in found
    ]


def unused_columns(study: Study, table: str) -> list[str]:
    """Return the columns of a table that are read, and on which no analysis rests.

    A column of the key counts as used: it tells rows apart.
    """
    used = {source for item in study.analyses.values() for source in analysis_sources(study, item)}
    own = study.tables[table]
    return [name for name in own.columns if (table, name) not in used and name not in own.key]


def alike(study: Study, roster: Roster, site: str, analysis: Analysis) -> tuple[str, list[str]]:
    """Return this site's attributes that an analysis uses, in words, and the sites that share them.

    The words are empty if the analysis uses none.
    """
    names = sorted(name for head, name in analysis_sources(study, analysis) if head == SITE)
    own = roster.sites[site]
    words = ", ".join(f"{name} {own.attributes.get(name, '')}" for name in names)
    others = [name for name, member in roster.sites.items() if _same(member, own, names)]
    return words, [name for name in others if name != site]


def _same(member: Member, own: Member, names: Sequence[str]) -> bool:
    return all(member.attributes.get(name) == own.attributes.get(name) for name in names)
