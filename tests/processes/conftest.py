"""One world of processes for all tests that need no other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.processes.world import World, running


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


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the logs of all processes beside a failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    world = getattr(item, "funcargs", {}).get("standing_world")
    if report.when == "call" and report.failed and isinstance(world, World):
        report.sections.append(("logs of the processes", world.logs()))
