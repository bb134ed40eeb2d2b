"""A YAML file as nodes that remember their line.

YAML 1.2's core schema, not 1.1: `no`, `on` and `yes` are words, `true` and `false` the only
booleans. A key that stands twice is an error, and so is an alias: nine lines of them name a
thousand million values. Nothing in the file can name a Python type.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from site_agent.contract.errors import Issue, StudyError

Scalar = str | int | float | bool | None

LARGEST_FILE: Final = 1_000_000
DEEPEST: Final = 30


@dataclass(frozen=True, slots=True)
class Node:
    """A value of the file with its place: a scalar, a list of nodes, or named nodes."""

    path: str
    line: int
    value: Scalar | Sequence[Node] | Mapping[str, Node]

    def kind(self) -> str:
        """Return what the value is, in the words of a message."""
        if isinstance(self.value, Mapping):
            return "named fields"
        if isinstance(self.value, bool):
            return f"the word {str(self.value).lower()}"
        if self.value is None:
            return "nothing"
        if isinstance(self.value, str):
            return f'the text "{self.value}"'
        if isinstance(self.value, int | float):
            return f"the number {self.value}"
        return "a list"

    def plain(self) -> object:
        """Return the value without places."""
        if isinstance(self.value, Mapping):
            return {name: node.plain() for name, node in self.value.items()}
        if isinstance(self.value, Sequence) and not isinstance(self.value, str):
            return [node.plain() for node in self.value]
        return self.value


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2's core schema, and without aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node; an error at an alias."""
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="an alias (*); write it out", problem_mark=mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in [
    ("bool", r"^(?:true|false)$", "tf"),
    ("null", r"^(?:~|null|)$", "~n\0"),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
]:
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), [*_first.replace("\0", ""), ""]
    )


def read_document(text: str, source: str) -> Node:
    """Return the root node of `text`; StudyError with the line if it is not YAML."""
    if len(text) > LARGEST_FILE:
        raise StudyError([Issue("", None, "the file is over 1 MB; a study is a few pages")], source)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise StudyError([Issue("", 1, "the file is empty")], source)
        return _convert(loader, node, path="", depth=0, source=source)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        problem = error.problem or "cannot be read"
        raise StudyError([Issue("", line, f"not YAML: {problem}")], source) from None
    except (yaml.YAMLError, RecursionError):
        issue = Issue("", None, "not YAML: characters that no text file has, or endless nesting")
        raise StudyError([issue], source) from None


def _convert(loader: _Loader, node: yaml.Node, *, path: str, depth: int, source: str) -> Node:
    line = node.start_mark.line + 1
    if depth > DEEPEST:
        raise StudyError([Issue(path, line, "nested too deeply")], source)
    if isinstance(node, yaml.MappingNode):
        fields: dict[str, Node] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            inner = f"{path}.{key}" if path else key
            if key in fields:
                place = Issue(inner, key_node.start_mark.line + 1, "stands twice; keep one")
                raise StudyError([place], source)
            fields[key] = _convert(loader, value_node, path=inner, depth=depth + 1, source=source)
        return Node(path, line, fields)
    if isinstance(node, yaml.SequenceNode):
        items = [
            _convert(loader, item, path=f"{path}[{index + 1}]", depth=depth + 1, source=source)
            for index, item in enumerate(node.value)
        ]
        return Node(path, line, items)
    return Node(path, line, loader.construct_object(node))
