"""Reading named fields strictly: every wrong one is noted with its line, reading goes on.

A `Fields` wraps one mapping of the study file. Each method names the field it reads; what was
never asked for is unknown, and `close` answers it with the nearest name.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeVar

from site_agent.contract.errors import Issue
from site_agent.contract.study.document import Node

T = TypeVar("T", bound=str)


def near(word: str, names: Sequence[str]) -> str:
    """Return `; did you mean ...?` with the nearest of `names`, nothing if none is near."""
    close = difflib.get_close_matches(word, list(names), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""


def nearest(word: str, names: Sequence[str]) -> str:
    """Return `; did you mean ...?` with the nearest of `names`, or the list of them."""
    found = near(word, names)
    if found:
        return found
    shown = ", ".join(sorted(names)[:12])
    return f"; known: {shown}{', ...' if len(names) > 12 else ''}" if names else ""


@dataclass(slots=True)
class Fields:
    """The named fields of one mapping, read one by one."""

    node: Node
    issues: list[Issue]
    _asked: list[str] = field(default_factory=list)

    @property
    def named(self) -> Mapping[str, Node]:
        """Return the fields; none, with an issue noted once, if the node is not a mapping."""
        return self.node.value if isinstance(self.node.value, Mapping) else {}

    def issue(self, message: str, node: Node | None = None) -> None:
        """Note what is wrong at `node`, by default at the mapping itself."""
        place = node or self.node
        self.issues.append(Issue(place.path, place.line, message))

    def open(self) -> Fields:
        """Note it if the node is not a mapping; return self."""
        if not isinstance(self.node.value, Mapping):
            self.issue(f"found {self.node.kind()}, expected named fields (name: value)")
        return self

    def node_of(self, name: str, *, required: bool = False) -> Node | None:
        """Return the node of field `name`, or None; note it if it is required."""
        self._asked.append(name)
        node = self.named.get(name)
        if node is None and required and isinstance(self.node.value, Mapping):
            self.issue(f"'{name}' is missing")
        return node

    def inner(self, name: str, *, required: bool = False) -> Fields | None:
        """Return the mapping under `name`."""
        node = self.node_of(name, required=required)
        return Fields(node, self.issues).open() if node is not None else None

    def each(self, name: str, *, required: bool = False) -> Iterator[tuple[str, Node]]:
        """Yield (key, node) of the mapping under `name`."""
        inner = self.inner(name, required=required)
        if inner is not None:
            yield from inner.named.items()

    def text(self, name: str, *, required: bool = False, default: str = "") -> str:
        """Return the text under `name`."""
        node = self.node_of(name, required=required)
        if node is None:
            return default
        if not isinstance(node.value, str) or not node.value:
            self.issue(f"found {node.kind()}, expected a text", node)
            return default
        return node.value

    def choice(self, name: str, choices: Sequence[T], *, default: T | None = None) -> T:
        """Return one of `choices`; the default if the field is absent, else the first."""
        node = self.node_of(name, required=default is None)
        fallback = default if default is not None else choices[0]
        if node is None:
            return fallback
        for choice in choices:
            if node.value == choice:
                return choice
        expected = ", ".join(choices)
        hint = near(node.value, choices) if isinstance(node.value, str) else ""
        self.issue(f"found {node.kind()}, expected one of {expected}{hint}", node)
        return fallback

    def flag(self, name: str, *, default: bool = False) -> bool:
        """Return a true or false field."""
        node = self.node_of(name)
        if node is None:
            return default
        if not isinstance(node.value, bool):
            self.issue(f"found {node.kind()}, expected true or false", node)
            return default
        return node.value

    def whole(self, name: str, *, default: int, least: int = 0) -> int:
        """Return a whole number of at least `least`."""
        node = self.node_of(name)
        if node is None:
            return default
        if isinstance(node.value, bool) or not isinstance(node.value, int) or node.value < least:
            self.issue(f"found {node.kind()}, expected a whole number of at least {least}", node)
            return default
        return node.value

    def fraction(self, name: str, *, required: bool = False) -> Fraction | None:
        """Return an exact positive number: 1, 0.5 or 1/12."""
        node = self.node_of(name, required=required)
        if node is None:
            return None
        try:
            value = Fraction(str(node.value)) if not isinstance(node.value, bool) else Fraction(0)
        except (ValueError, ZeroDivisionError):
            value = Fraction(0)
        if value <= 0:
            self.issue(f"found {node.kind()}, expected a number above 0 (1, 0.5 or 1/12)", node)
            return None
        return value

    def proportion(self, name: str, *, default: float) -> float:
        """Return a number strictly between 0 and 1."""
        node = self.node_of(name)
        if node is None:
            return default
        if not _is_number(node) or not 0 < float(node.value) < 1:  # type: ignore[arg-type]
            self.issue(f"found {node.kind()}, expected a number between 0 and 1", node)
            return default
        return float(node.value)  # type: ignore[arg-type]

    def items(self, name: str, *, required: bool = False) -> list[Node]:
        """Return the nodes of a list; one scalar alone counts as a list of one."""
        node = self.node_of(name, required=required)
        if node is None:
            return []
        if isinstance(node.value, Mapping):
            self.issue("found named fields, expected a list", node)
            return []
        if isinstance(node.value, Sequence) and not isinstance(node.value, str):
            if required and not node.value:
                self.issue("found an empty list, expected at least one entry", node)
            return list(node.value)
        return [node]

    def texts(self, name: str, *, required: bool = False) -> list[str]:
        """Return a list of texts."""
        found = []
        for node in self.items(name, required=required):
            if isinstance(node.value, str) and node.value:
                found.append(node.value)
            else:
                self.issue(f"found {node.kind()}, expected a text", node)
        return found

    def numbers(self, name: str, *, least: float = -math.inf) -> list[float]:
        """Return a list of finite numbers of at least `least`."""
        found = []
        for node in self.items(name):
            if _is_number(node) and float(node.value) >= least:  # type: ignore[arg-type]
                found.append(float(node.value))  # type: ignore[arg-type]
            else:
                bound = "" if least == -math.inf else f" of at least {least:g}"
                self.issue(f"found {node.kind()}, expected a number{bound}", node)
        return found

    def close(self) -> None:
        """Note every field that nothing asked for, with the nearest name that exists."""
        for name, node in self.named.items():
            if name not in self._asked:
                known = list(dict.fromkeys(self._asked))
                self.issue(f"unknown field '{name}'{nearest(name, known)}", node)


def _is_number(node: Node) -> bool:
    return isinstance(node.value, int | float) and not isinstance(node.value, bool)
