"""Figures, tables and words are pure: few modules touch files."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from coordinator import report

FOLDER = Path(report.__file__).parent
IMPURE = {"os", "time", "random", "logging", "datetime", "subprocess", "socket", "secrets", "uuid"}
READING = {"folder.py", "markdown.py", "page.py", "published.py", "terminal.py", "__init__.py"}
MODULES = sorted(FOLDER.glob("*.py"))


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_knows_clock_chance_or_log(path: Path) -> None:
    """The same release gives the same report."""
    assert imported(path) & IMPURE == set()


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.name not in READING], ids=lambda path: path.name
)
def test_figures_and_tables_read_no_files(path: Path) -> None:
    """What draws and formats is handed everything."""
    assert imported(path) & {"pathlib", "importlib", "io", "yaml"} == set()
