"""The Helm chart of the center, as helm itself renders it."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any, Final

import pytest
import yaml

from tests.deploy.files import DEPLOY, ROOT

CHART: Final = DEPLOY / "chart"
FETCHED: Final = ROOT / "build" / "helm" / "helm" / "helm"  # by `make helm`
HELM: Final = (
    os.environ.get("HELM") or shutil.which("helm") or (str(FETCHED) if FETCHED.exists() else None)
)
GIVEN: Final = ("host=quorum.example.org", "database.secret=quorum-databases")
needs_helm: Final = pytest.mark.skipif(
    HELM is None, reason="helm is not installed (`make helm`, or HELM=/path/to/helm)"
)


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    """Run helm; it asks no cluster."""
    assert HELM is not None
    return subprocess.run([HELM, *words], capture_output=True, text=True)


def rendered(*given: str) -> list[dict[str, Any]]:
    """Return the objects of the chart with these values."""
    values = [word for one in given for word in ("--set", one)]
    done = helm("template", "center", str(CHART), *values)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    """Return what is said of the objects of a kind, by name."""
    return {o["metadata"]["name"]: o["spec"] for o in objects if o["kind"] == kind}


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the Pods of the Deployments, by name of these."""
    return {n: s["template"]["spec"] for n, s in of_kind(objects, "Deployment").items()}


def containers(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return all containers, by name."""
    return {c["name"]: c for pod in pods(objects).values() for c in pod["containers"]}


def variables(container: dict[str, Any]) -> dict[str, str]:
    """Return the environment of a container."""
    return {one["name"]: one["value"] for one in container["env"]}
