from __future__ import annotations

import os
import shutil
import subprocess
from typing import Final

import pytest
import yaml

from tests.deploy.files import DEPLOY, SIDES, compose

needs_compose: Final = pytest.mark.skipif(
    shutil.which("docker-compose") is None, reason="docker-compose is not installed"
)


@needs_compose
@pytest.mark.parametrize("side", SIDES)
def test_compose_takes_the_file(side: str) -> None:
    """docker-compose finds nothing wrong with a compose file."""
    said = compose(side)
    # The first generation, which Debian has, knows no name of a project in the file.
    del said["name"]
    done = subprocess.run(
        ["docker-compose", "--project-directory", str(DEPLOY / side), "-f", "-", "config", "-q"],
        input=yaml.safe_dump(said),
        env={**os.environ, "QUORUM_HOST": "quorum.example.org"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
