from __future__ import annotations

import ast
import subprocess
import sys
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.utils import canonicalize_name

from deploy import sbom
from tests.deploy.files import ROOT

OPTIONAL = {"lifelines", "matplotlib", "pyreadstat"}  # of extras, imported where they are used


def names(side: str) -> set[str]:
    """The distributions in the list of a side."""
    return {item["name"] for item in sbom.sbom(side)["components"]}


def imported(folder: str) -> set[str]:
    """The distributions that the modules of a folder import, the standard library left out."""
    found: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    owners = packages_distributions()
    strange = found - set(sys.stdlib_module_names) - {folder}
    return {canonicalize_name(owners[name][0]) for name in strange}


@pytest.mark.parametrize("side", sbom.SIDES)
def test_it_is_cyclonedx(side: str) -> None:
    """The list is valid against the strict schema of CycloneDX 1.6."""
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom.text(side)) is None


def test_the_agent_names_what_it_imports() -> None:
    """Each distribution that a module of the agent imports is in its list."""
    assert imported("site_agent") - OPTIONAL - names("agent") == set()


def test_the_agent_has_nothing_of_the_center() -> None:
    """Prefect and what serves pages are in the center's list, not in the agent's."""
    theirs = {"prefect", "fastapi", "sqlalchemy"}
    assert (names("agent") & theirs, names("center") & theirs) == (set(), theirs)


@pytest.mark.parametrize("side", sbom.SIDES)
def test_each_has_a_licence_and_the_version_that_is_installed(side: str) -> None:
    """No distribution is without a licence, and versions are those of the environment."""
    wrong = [
        item["name"]
        for item in sbom.sbom(side)["components"]
        if not item["licenses"] or item["version"] != version(item["name"])
    ]
    assert wrong == []


def test_the_graph_leads_from_the_agent_to_what_a_library_needs() -> None:
    """The agent needs cryptography, cryptography needs cffi."""
    said = {
        item["ref"].split("@")[0]: item["dependsOn"] for item in sbom.sbom("agent")["dependencies"]
    }
    pair = (said["quorum-agent"], said["pkg:pypi/cryptography"])
    assert [any("cryptography@" in x for x in pair[0]), any("cffi@" in x for x in pair[1])] == [
        True,
        True,
    ]


def test_an_extra_brings_what_it_asks_for() -> None:
    """`psycopg[binary]` of the center brings psycopg-binary, an extra of a library."""
    assert "psycopg-binary" in names("center")


def test_other_processes_write_the_same_bytes(tmp_path: Path) -> None:
    """Two runs, with other seeds of Python's hashes, write the same files."""
    written = []
    for seed in ("1", "2"):
        out = tmp_path / seed
        command = [sys.executable, str(ROOT / "deploy" / "sbom.py"), "--out", str(out)]
        subprocess.run(command, check=True, env={"PYTHONHASHSEED": seed}, capture_output=True)
        written.append({path.name: path.read_bytes() for path in out.iterdir()})
    assert written[0] == written[1] and set(written[0]) == {"agent.cdx.json", "center.cdx.json"}


def test_a_missing_distribution_is_named() -> None:
    """What a dependency asks for and is not installed ends the listing, by name."""
    with pytest.raises(sbom.SbomError, match="quorum-nowhere is not installed"):
        sbom.reachable(["quorum-nowhere>=1"], "root")
