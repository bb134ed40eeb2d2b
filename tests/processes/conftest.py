"""One world of processes, and one center with all its parts, for all tests that need no other."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.processes.center import Center, center_running
from tests.processes.running import environment
from tests.processes.world import STUDY, World, running


@pytest.fixture(scope="session")
def standing_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Four hospitals that run; started once."""
    with running(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def world(standing_world: World) -> Iterator[World]:
    """Four hospitals that run, with no release under way and nobody lying."""
    yield standing_world
    standing_world.settle()


@pytest.fixture(scope="session")
def standing_center(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Center]:
    """A center and three hospitals, started once and set up by commands."""
    with center_running(tmp_path_factory.mktemp("center")) as center:
        yield center


@pytest.fixture
def center(standing_center: Center) -> Iterator[Center]:
    """The center, with all its parts there and no release under way."""
    standing_center.ready()
    yield standing_center
    # The flow of a test that failed is not to meet that of the next one.
    subprocess.run(standing_center.command("cancel", STUDY), env=environment(), check=False)
    standing_center.settle()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the logs of all processes beside a failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    found = getattr(item, "funcargs", {})
    world = found.get("standing_world") or found.get("standing_center")
    if report.when == "call" and report.failed and isinstance(world, World):
        report.sections.append(("logs of the processes", world.logs()))
