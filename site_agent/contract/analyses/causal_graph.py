"""Directed acyclic graphs: paths that are open, and what closes the back doors (Pearl 2009).

In a graph G with exposure x and outcome y, a set Z of nodes meets the back-door criterion if

- no node of Z is a descendant of x, and
- Z separates x from y in G without the arrows that leave x.

Separation is decided in the moral graph of the ancestors of x, y and Z (Lauritzen and others
1990): two parents of one child are joined, arrows become lines, Z is taken out; x and y are
separated if no path of lines is left. A minimal set is one no proper part of which meets the
criterion; it lies within the ancestors of x and y (van der Zander, Liskiewicz and Textor 2014),
so only these are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

Nodes = frozenset[str]
MOST_CANDIDATES: Final = 16


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph by its arrows (from, to); `nodes` in the order in which they were named."""

    nodes: tuple[str, ...]
    arrows: tuple[tuple[str, str], ...]

    def parents(self, node: str) -> Nodes:
        """Return the nodes with an arrow to `node`."""
        return frozenset(a for a, b in self.arrows if b == node)

    def children(self, node: str) -> Nodes:
        """Return the nodes to which an arrow from `node` leads."""
        return frozenset(b for a, b in self.arrows if a == node)

    def ancestors(self, of: Nodes) -> Nodes:
        """Return the nodes from which arrows lead to one of `of`, and these themselves."""
        return _reached(of, self.parents)

    def descendants(self, of: Nodes) -> Nodes:
        """Return the nodes to which arrows lead from one of `of`, and these themselves."""
        return _reached(of, self.children)

    def without_arrows_from(self, node: str) -> Graph:
        """Return the graph without the arrows that leave `node`."""
        return Graph(self.nodes, tuple(arrow for arrow in self.arrows if arrow[0] != node))

    def cycle(self) -> tuple[str, ...]:
        """Return the nodes of a cycle in its order, or none."""
        for node in self.nodes:
            path = self._path(node, node)
            if path:
                return path
        return ()

    def _path(self, start: str, end: str) -> tuple[str, ...]:
        """Return nodes along arrows from `start` to `end`, at least one arrow, or none."""
        seen: set[str] = set()
        waiting: list[tuple[str, tuple[str, ...]]] = [
            (child, (start, child)) for child in sorted(self.children(start))
        ]
        while waiting:
            node, path = waiting.pop(0)
            if node == end:
                return path
            if node not in seen:
                seen.add(node)
                waiting += [(child, (*path, child)) for child in sorted(self.children(node))]
        return ()

    def separated(self, x: str, y: str, given: Nodes) -> bool:
        """Return whether `given` separates x from y (d-separation)."""
        kept = self.ancestors(frozenset({x, y}) | given)
        joined: dict[str, set[str]] = {node: set() for node in kept}
        for node in kept:
            parents = self.parents(node) & kept
            for one in parents:
                joined[one] |= (parents | {node}) - {one}
                joined[node].add(one)
        return y not in _reached(frozenset({x}), lambda node: frozenset(joined[node]) - given)


def _reached(start: Nodes, step: Callable[[str], Nodes]) -> Nodes:
    found, waiting = set(start), list(start)
    while waiting:
        for node in step(waiting.pop()):
            if node not in found:
                found.add(node)
                waiting.append(node)
    return frozenset(found)


def closes_back_doors(graph: Graph, exposure: str, outcome: str, given: Nodes) -> bool:
    """Return whether a set of nodes meets the back-door criterion."""
    if given & graph.descendants(frozenset({exposure})):
        return False
    return graph.without_arrows_from(exposure).separated(exposure, outcome, given)


def minimal_sets(
    graph: Graph, exposure: str, outcome: str, *, unmeasured: Nodes = frozenset()
) -> tuple[Nodes, ...]:
    """Return all minimal sets of measured nodes that meet the criterion, small ones first.

    Empty if no set does. ValueError beyond MOST_CANDIDATES nodes to choose from.
    """
    found: list[Nodes] = []
    for chosen in _subsets(candidates(graph, exposure, outcome, unmeasured=unmeasured)):
        if not any(one <= chosen for one in found) and closes_back_doors(
            graph, exposure, outcome, chosen
        ):
            found.append(chosen)
    return tuple(found)


def candidates(graph: Graph, exposure: str, outcome: str, *, unmeasured: Nodes) -> tuple[str, ...]:
    """Return the nodes that a minimal set can have, in the order of the graph."""
    allowed = graph.ancestors(frozenset({exposure, outcome}))
    barred = graph.descendants(frozenset({exposure})) | {outcome} | unmeasured
    found = tuple(node for node in graph.nodes if node in allowed - barred)
    if len(found) > MOST_CANDIDATES:
        raise ValueError(
            f"{len(found)} nodes to choose adjustment sets from, and at most {MOST_CANDIDATES} are "
            f"tried"
        )
    return found


def _subsets(nodes: Sequence[str]) -> Iterator[Nodes]:
    for size in range(len(nodes) + 1):
        for chosen in combinations(nodes, size):
            yield frozenset(chosen)


def layers(graph: Graph) -> Mapping[str, int]:
    """Return for each node the number of arrows on the longest way to it, to draw it."""
    found: dict[str, int] = {}
    while len(found) < len(graph.nodes):
        for node in graph.nodes:
            parents = graph.parents(node)
            if node not in found and parents <= found.keys():
                found[node] = 1 + max((found[one] for one in parents), default=-1)
    return found
