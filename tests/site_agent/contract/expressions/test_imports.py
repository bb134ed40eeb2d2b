from __future__ import annotations

import ast
from pathlib import Path

import pytest

from site_agent.contract import expressions

MODULES = sorted(Path(expressions.__file__).parent.glob("*.py"))
ALLOWED = {
    "__future__",
    "collections",
    "dataclasses",
    "difflib",
    "functools",
    "itertools",
    "math",
    "numpy",
    "operator",
    "re",
    "types",
    "typing",
    "unicodedata",
}
PACKAGE = "site_agent.contract.expressions"


def imported(tree: ast.AST) -> set[str]:
    """The modules that a tree imports; those of the package are left out."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not (node.module or "").startswith(PACKAGE):
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_are_pure(path: Path) -> None:
    """A module imports numpy, the package and harmless parts of the standard library."""
    assert imported(ast.parse(path.read_text(encoding="utf-8"))) <= ALLOWED


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_modules_execute_nothing(path: Path) -> None:
    """No module calls what would execute a text."""
    called = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert called & {"eval", "exec", "compile", "__import__", "getattr", "open"} == set()
