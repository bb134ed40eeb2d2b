"""Lists what agent and center consist of, as CycloneDX 1.6 (SBOM), from the installed environment.

`python deploy/sbom.py` writes `build/sbom/agent.cdx.json` and `center.cdx.json`: each distribution
that the dependencies lead to, with version, purl and licence, and which needs which. There is no
time and no serial number in them: the same environment gives the same bytes.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

import click
from cyclonedx.spdx import fixup_id
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[1]
# The extras of pyproject.toml that each side is installed with.
SIDES: Final[dict[str, tuple[str, ...]]] = {"agent": (), "center": ("coordinator",)}
BAD_CONFIGURATION: Final = 78

Graph = dict[str, set[str]]


class SbomError(click.ClickException):
    """The environment is not what the project's dependencies ask for."""

    exit_code = BAD_CONFIGURATION


def installed(name: str) -> Distribution:
    """Return an installed distribution; SbomError if it is missing."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise SbomError(f"{name} is not installed: set the environment up again") from None


def holding(lines: Iterable[str], extras: Iterable[str] = ()) -> Iterator[Requirement]:
    """Yield the requirements whose markers hold on this machine, with any of the extras or none."""
    for requirement in map(Requirement, lines):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
            yield requirement


def reachable(lines: Iterable[str], root: str) -> Graph:
    """Return what needs what, from the requirements of a root on; names as an index writes them."""
    graph: Graph = {root: set()}
    asked: dict[str, set[str]] = {}
    waiting = [(root, requirement) for requirement in holding(lines)]
    while waiting:
        parent, requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        graph[parent].add(name)
        new = requirement.extras - asked.get(name, set())
        if name in graph and not new:
            continue
        graph.setdefault(name, set())
        extras = asked.setdefault(name, set())
        extras |= requirement.extras
        needed = holding(installed(name).requires or (), sorted(extras))
        waiting.extend((name, found) for found in needed)
    return graph


def licences(found: Distribution) -> list[dict[str, Any]]:
    """Return the licence that a distribution declares: an SPDX expression, an id, or a name."""
    said = found.metadata
    if expression := said.get("License-Expression"):
        return [{"expression": expression}]
    text = (said.get("License") or "").strip()
    if text and (known := fixup_id(text)):
        return [{"license": {"id": known}}]
    classified = [line for line in said.get_all("Classifier", []) if line.startswith("License ::")]
    names = sorted({line.rpartition(" :: ")[2] for line in classified})
    if not names and text:  # the field may hold a whole licence; its first line names it
        names = [text.splitlines()[0]]
    return [{"license": {"name": name}} for name in names]


def component(name: str) -> dict[str, Any]:
    """Return an installed distribution as CycloneDX writes it."""
    found = installed(name)
    purl = f"pkg:pypi/{name}@{found.version.replace('+', '%2B')}"
    said = {"type": "library", "bom-ref": purl, "name": name, "version": found.version}
    return {**said, "purl": purl, "licenses": licences(found)}


def sbom(side: str) -> dict[str, Any]:
    """Return the list of a side, `agent` or `center`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for e in SIDES[side] for line in extras[e])]
    root = f"{project['name']}-{side}"
    graph = reachable(lines, root)
    components = [component(name) for name in sorted(graph) if name != root]
    refs = {root: root, **{item["name"]: item["bom-ref"] for item in components}}
    whole = {"type": "application", "bom-ref": root, "name": root, "version": project["version"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": whole},
        "components": components,
        "dependencies": [
            {"ref": refs[name], "dependsOn": sorted(refs[needed] for needed in graph[name])}
            for name in sorted(graph)
        ],
    }


def text(side: str) -> str:
    """Return the file of a side."""
    return json.dumps(sbom(side), indent=2, ensure_ascii=False) + "\n"


@click.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/sbom"),
    show_default=True,
    help="Folder of the two files.",
)
def main(out: Path) -> None:
    """Write what agent and center consist of, as CycloneDX."""
    out.mkdir(parents=True, exist_ok=True)
    for side in SIDES:
        path = out / f"{side}.cdx.json"
        path.write_text(text(side), encoding="utf-8")
        click.echo(path)


if __name__ == "__main__":
    main()
