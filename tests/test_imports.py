"""Which module may import what: the layers of the design, walked over the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED = ("site_agent.contract", "site_agent.runtime")
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
    """Only the simulation may drive agents in process; all else sees contract and runtime."""
    agents = {name for name in imported(path) if name.startswith("site_agent")}
    assert {name for name in agents if not name.startswith(SHARED)} == set()


@pytest.mark.parametrize("path", modules("site_agent/runtime"), ids=lambda p: p.name)
def test_the_runtime_needs_nothing_but_the_contract(path: Path) -> None:
    """What processes of both sides share knows neither side."""
    own = {n for n in imported(path) if n.split(".")[0] in ("site_agent", "coordinator", "flows")}
    assert {name for name in own if not name.startswith(SHARED)} == set()


@pytest.mark.parametrize("path", modules("coordinator"), ids=lambda p: p.name)
def test_only_the_flows_know_prefect(path: Path) -> None:
    """The coordinator works without Prefect; only flows/ imports it."""
    assert tops(path) & {"flows", "prefect"} == set()


@pytest.mark.parametrize("path", modules("flows"), ids=lambda p: p.name)
def test_the_flows_know_no_agent(path: Path) -> None:
    """Flows see the coordinator, the contract and the runtime."""
    agents = {name for name in imported(path) if name.startswith("site_agent")}
    assert {name for name in agents if not name.startswith(SHARED)} == set()


def test_one_file_speaks_http() -> None:
    """httpx is imported by one file, which both sides use."""
    code = [p for folder in ("site_agent", "coordinator", "flows") for p in modules(folder)]
    found = [str(p.relative_to(ROOT)) for p in code if "httpx" in tops(p)]
    assert found == ["site_agent/runtime/http.py"]


def test_no_text_of_a_study_is_executed() -> None:
    """No module of the product calls eval, exec or compile on a text."""
    calls = [
        (path.name, node.func.id)
        for path in modules("site_agent") + modules("coordinator") + modules("flows")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("eval", "exec", "compile", "__import__")
    ]
    assert calls == []
