"""A release's pages on a Prefect server: as they were written, in order, under keys it takes."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from prefect import flow
from prefect.artifacts import Artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterId

from coordinator.report.markdown import pieces
from flows.artifacts import publish
from site_agent.contract.errors import ConfigurationError
from tests.coordinator.report.made import write_release

ROOT = Path(__file__).parents[2]


@pytest.mark.usefixtures("prefect_server")
def test_every_page_is_an_artifact(tmp_path: Path) -> None:
    """The server holds what was written, and the ids lead to it in order."""
    folder = write_release(tmp_path / "release-2")
    found = flow(publish)(folder)
    with get_client(sync_client=True) as client:
        chosen = ArtifactFilter(id=ArtifactFilterId(any_=found))
        held = {a.id: a for a in client.read_artifacts(artifact_filter=chosen)}
    stored = [(held[i].key, held[i].description, held[i].data) for i in found]
    assert stored == [(p.key, p.description, p.markdown) for p in pieces(folder)]


@pytest.mark.usefixtures("prefect_server")
def test_nothing_is_published_of_what_is_no_release(tmp_path: Path) -> None:
    """All pages are made before the first artifact is."""
    write_release(tmp_path / "release-7", {"study": "unread", "schema": 2})
    with pytest.raises(ConfigurationError):
        flow(publish)(tmp_path / "release-7")
    assert Artifact.get("unread-release-2") is None


def test_the_coordinator_needs_no_prefect() -> None:
    """Flows know the coordinator; the coordinator knows no flows."""
    imported = {
        name.split(".")[0]
        for path in (ROOT / "coordinator").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported & {"prefect", "flows"} == set()
