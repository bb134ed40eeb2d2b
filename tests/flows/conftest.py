"""One Prefect server for all tests of flows: quiet, and without a trace in the home folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator

import pytest

HOME = tempfile.TemporaryDirectory(prefix="prefect-", ignore_cleanup_errors=True)
# Prefect reads these when it is imported, which is when the test modules are.
os.environ["DO_NOT_TRACK"] = "1"
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_LOGGING_LEVEL"] = "WARNING"
os.environ["PREFECT_HOME"] = HOME.name


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[None]:
    """Run a server on a database of its own; it takes about six seconds to start."""
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=120):
        yield
