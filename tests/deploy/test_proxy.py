from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import Final

import pytest

from coordinator.home import SETTINGS
from tests.deploy.files import DEPLOY

FILE: Final = DEPLOY / "center" / "Caddyfile"
TEXT: Final = FILE.read_text(encoding="utf-8")


def test_only_three_paths_are_shown() -> None:
    """The addresses of parties, whether the exchange runs, and the pages behind a login."""
    assert re.findall(r"^\t@\w+ path (.+)$", TEXT, re.MULTILINE) == ["/v1/* /healthz /pages/*"]


def test_all_else_is_not_there() -> None:
    """Any other path is answered by the proxy itself."""
    assert "handle {\n\t\trespond 404\n\t}" in TEXT


def test_prefect_is_served_for_this_machine_only() -> None:
    """The pages of Prefect are served under names of the loopback."""
    (line,) = [line for line in TEXT.splitlines() if ":4200, " in line]
    assert line == "http://127.0.0.1:4200, http://localhost:4200 {"


def test_the_largest_message_fits() -> None:
    """The proxy takes bodies a little larger than the exchange's default."""
    (default,) = [s.default for s in SETTINGS if s.key == "exchange.largest_message_mib"]
    assert f"max_size {default + 1}MiB" in TEXT


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")
def test_caddy_takes_the_file() -> None:
    """Caddy finds nothing wrong with the file."""
    words = ["caddy", "validate", "--config", str(FILE), "--adapter", "caddyfile"]
    environment = {**os.environ, "QUORUM_HOST": "quorum.example.org"}
    done = subprocess.run(words, env=environment, capture_output=True, text=True)
    assert (done.returncode, "Valid configuration" in done.stdout + done.stderr) == (0, True)
