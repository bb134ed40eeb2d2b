"""Which module may import what: the layers of the design, walked over the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
IMPURE = {"httpx", "prefect", "os", "time", "random", "logging", "socket", "subprocess", "datetime"}


def modules(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", modules("site_agent/contract"), ids=lambda p: p.name)
def test_the_contract_is_pure(path: Path) -> None:
    """Nothing in the contract reads a clock, a file system, a network or randomness."""
    assert tops(path) & IMPURE == set()


@pytest.mark.parametrize("path", modules("site_agent/contract"), ids=lambda p: p.name)
def test_the_contract_imports_only_itself_of_the_project(path: Path) -> None:
    """The contract stands alone: of the project it imports only the contract."""
    own = {n for n in imported(path) if n.split(".")[0] in ("site_agent", "coordinator", "flows")}
    assert {name for name in own if not name.startswith("site_agent.contract")} == set()


@pytest.mark.parametrize("path", modules("site_agent"), ids=lambda p: p.name)
def test_the_agent_needs_neither_coordinator_nor_prefect(path: Path) -> None:
    """A hospital's agent imports nothing of the coordinating center."""
    assert tops(path) & {"coordinator", "flows", "prefect", "fastapi"} == set()


@pytest.mark.parametrize(
    "path", [p for p in modules("coordinator") if p.name != "simulate.py"], ids=lambda p: p.name
)
def test_the_coordinator_knows_the_contract_only(path: Path) -> None:
    """Only the simulation may drive agents in process; all else sees the contract."""
    agents = {name for name in imported(path) if name.startswith("site_agent")}
    assert {name for name in agents if not name.startswith("site_agent.contract")} == set()


def test_no_text_of_a_study_is_executed() -> None:
    """No module of the product calls eval, exec or compile on a text."""
    calls = [
        (path.name, node.func.id)
        for path in modules("site_agent") + modules("coordinator")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("eval", "exec", "compile", "__import__")
    ]
    assert calls == []
