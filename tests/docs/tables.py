"""Tables of the documentation that follow from the source: settings and variables."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from site_agent.runtime.settings import Setting

UNITS: Final = {"_s": "seconds", "_mib": "MiB", "_days": "days"}

Row = tuple[str, ...]


def settings(table: Sequence[Setting]) -> list[Row]:
    """The rows of a table of settings: key, default, unit, meaning."""
    return [
        (f"`{setting.key}`", _default(setting), _unit(setting.key), setting.help)
        for setting in table
    ]


def _default(setting: Setting) -> str:
    if setting.default in ("", {}):
        return "none"
    if setting.kind == "flag":
        return f"`{str(setting.default).lower()}`"
    return f"`{setting.default:g}`" if setting.kind == "number" else f"`{setting.default}`"


def _unit(key: str) -> str:
    return next((unit for suffix, unit in UNITS.items() if key.endswith(suffix)), "")


def variables(values: Mapping[str, str]) -> list[Row]:
    """The rows of a table of variables: name, value."""
    return [(f"`{name}`", f"`{value}`") for name, value in values.items()]


def rows_under(text: str, head: Row) -> list[Row]:
    """The rows of the one table with this head, empty cells and all."""
    top = f"| {' | '.join(head)} |\n"
    assert text.count(top) == 1, head
    lines = text.split(top)[1].splitlines()[1:]
    end = next((n for n, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [tuple(cell.strip() for cell in re.split(r"\|", line)[1:-1]) for line in lines[:end]]


def written(head: Row, rows: Sequence[Row]) -> str:
    """A table as Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
