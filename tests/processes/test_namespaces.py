"""Nine agents and an exchange, each in a network of its own; one is cut off in mid-round."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes.gate import Gate
from tests.processes.namespaces import Net, missing, net, with_exchange_apart
from tests.processes.running import environment, until
from tests.processes.world import World

NINE = ("alder", "beech", "cedar", "dogwood", "elm", "fir", "gorse", "hazel", "ivy")
CUT_OFF = "elm"


@pytest.fixture
def wires() -> Iterator[Net]:
    """Namespaces; without the right to make them the test is skipped, or fails if all must run."""
    why = missing()
    if why and os.environ.get("QUORUM_TEST_ALL") == "1":
        pytest.fail(why)
    if why:
        pytest.skip(why)
    with net() as found:
        yield found


@pytest.fixture
def apart(tmp_path: Path, wires: Net) -> Iterator[World]:
    """Exchange and agents in their namespaces; enrolled before, over the loopback."""
    world = World(tmp_path, NINE)
    with ExitStack() as stack:
        listen = with_exchange_apart(stack, world, wires, NINE)
        # The one to be cut off goes through the gate, so that the moment of the cut is known.
        watched = stack.enter_context(Gate(f"http://{listen}", host=wires.here))
        for name, agent in world.agents.items():
            url = watched.url if name == CUT_OFF else f"http://{listen}"
            agent.command = wires.inside(name, list(agent.command))
            agent.environment = environment(QUORUM_EXCHANGE__URL=url)
        world.start_agents()
        world.others["watched"] = watched
        yield world


def cut_off(world: World, wires: Net, seconds: float) -> bool:
    """Whether a release completes with the same bytes after one agent was cut off so long."""
    watched = world.others["watched"]
    rule = watched.hold(CUT_OFF, "SHARE", 2)
    driver = world.refresh()
    rule.wait()
    wires.pull(CUT_OFF)
    rule.lose()
    time.sleep(seconds)  # the length of the outage, not a way to wait for something
    assert driver.runs
    wires.plug(CUT_OFF)
    return world.finished(driver, 180) == world.expected


def test_cut_off_for_some_seconds(apart: World, wires: Net) -> None:
    """Cut off for eight seconds with its share on the way, an agent goes on: same bytes."""
    assert cut_off(apart, wires, 8)


@pytest.mark.campaign
def test_cut_off_for_a_minute(apart: World, wires: Net) -> None:
    """The same for a minute."""
    assert cut_off(apart, wires, 60)


@pytest.mark.campaign
def test_the_exchange_cut_off(apart: World, wires: Net) -> None:
    """The exchange itself cut off from all for twenty seconds, in the middle of a round."""
    rule = apart.others["watched"].hold(CUT_OFF, "SHARE", 2)
    driver = apart.refresh()
    rule.wait()
    wires.pull("exchange")
    rule.let_go()
    time.sleep(20)  # the length of the outage
    wires.plug("exchange")
    until(lambda: driver.process is not None and driver.process.poll() is not None, "it ends", 180)
    assert apart.finished(driver) == apart.expected
