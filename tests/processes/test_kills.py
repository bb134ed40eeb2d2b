"""Kill -9 of each process in each phase of a release: it completes, with the same bytes.

A message of one hospital is held at the gate, so the release stands still in a known phase. Then
a process is killed, and started again if a service manager would do so; the gate opens, and what
was held goes its way late, or is lost.
"""

from __future__ import annotations

import fcntl
import os
import signal
import termios
from collections.abc import Callable

import pytest

from tests.processes.gate import Rule
from tests.processes.running import Process, children, command_of, state_of, until
from tests.processes.world import World

# Round 3 is the first with sealed sums.
PHASES = {
    "opening": ("READY", None),
    "parting": ("PART", None),
    "asking": ("SHARE", 3),
    "closing": ("RECEIPT", None),
}
HELD = "cedar"
OTHER = "beech"


def child(world: World, site: str) -> int:
    """The process that computes for a hospital's agent."""

    def found() -> list[int]:
        return [p for p in children(world.agents[site].pid) if "worker" in command_of(p)]

    until(found, f"the agent of {site} has a process that computes")
    return found()[0]


def kill_exchange(world: World, driver: Process) -> Process:
    """The exchange ends and is started again."""
    world.exchange.kill()
    world.start_exchange()
    return driver


def kill_agent(world: World, driver: Process, site: str = HELD) -> Process:
    """An agent ends with its message on the way and is started again."""
    world.agents[site].kill()
    world.agents[site].start()
    return driver


def kill_other_agent(world: World, driver: Process) -> Process:
    """An agent ends whose message has come."""
    return kill_agent(world, driver, OTHER)


def kill_child(world: World, driver: Process) -> Process:
    """The process that computes ends; nobody but the agent starts it again."""
    os.kill(child(world, HELD), signal.SIGKILL)
    return driver


def kill_driver(world: World, driver: Process) -> Process:
    """The center's process ends, and another one is started."""
    driver.kill()
    return world.refresh()


def kill_all(world: World, driver: Process) -> Process:
    """Power fails everywhere at once."""
    for process in (driver, world.exchange, *world.agents.values()):
        process.kill()
    world.start_exchange()
    for agent in world.agents.values():
        agent.start()
    return world.refresh()


VICTIMS = {
    "exchange": kill_exchange,
    "agent": kill_agent,
    "another agent": kill_other_agent,
    "child": kill_child,
    "driver": kill_driver,
    "all": kill_all,
}
# One of each victim and each phase in the default suite, all in the campaign.
FIRST = {
    ("exchange", "closing", "is lost"),
    ("agent", "parting", "is lost"),
    ("child", "asking", "goes late"),
    ("driver", "opening", "goes late"),
    ("all", "asking", "is lost"),
}
EVERY = [
    pytest.param(
        *(victim, phase, held),
        marks=[] if (victim, phase, held) in FIRST else [pytest.mark.campaign],
        id=f"{victim}-{phase}-{held}",
    )
    for victim in VICTIMS
    for phase in PHASES
    for held in ("goes late", "is lost")
]


def end(rule: Rule, held: str) -> None:
    """Let what is held go, or lose it."""
    rule.let_go() if held == "goes late" else rule.lose()


@pytest.mark.parametrize(("victim", "phase", "held"), EVERY)
def test_killed_it_completes_with_the_same_bytes(
    world: World, victim: str, phase: str, held: str
) -> None:
    """Whoever is killed in whatever phase, all results are those of a release without a kill."""
    rule = world.gate.hold(HELD, *PHASES[phase])
    driver = world.refresh()
    rule.wait()
    kill: Callable[[World, Process], Process] = VICTIMS[victim]
    driver = kill(world, driver)
    end(rule, held)
    assert world.finished(driver) == world.expected


@pytest.mark.parametrize("held", ["goes late", "is lost"])
def test_an_answer_that_is_lost(world: World, held: str) -> None:
    """The exchange has the share, and the agent that sent it dies before it hears of that."""
    rule = world.gate.hold(HELD, "SHARE", 3, at="behind")
    driver = world.refresh()
    rule.wait()
    kill_agent(world, driver)
    end(rule, held)
    assert world.finished(driver) == world.expected


def test_killed_when_the_release_is_closed(world: World) -> None:
    """All receipts are in, and the folder of results has not got its name yet."""
    receipt = world.gate.hold(HELD, "RECEIPT")
    driver = world.refresh()
    receipt.wait()
    looks = world.gate.hold("center", "GET /v1/releases")
    receipt.let_go()
    looks.wait()
    driver.kill()
    looks.lose()
    assert world.finished(world.refresh()) == world.expected


def test_killed_before_the_draft_is_left(world: World) -> None:
    """The next refresh leaves it, and opens no other release."""
    looks = world.gate.hold("center", "GET /v1/reports")
    driver = world.refresh()
    looks.wait()
    driver.kill()
    looks.lose()
    assert world.finished(world.refresh()) == world.expected


IN_MID_MESSAGE = [
    ("ROUND", 3),
    pytest.param("PARTS", None, marks=pytest.mark.campaign),
    pytest.param("READIES", None, marks=pytest.mark.campaign),
    pytest.param("SHARES", 2, marks=pytest.mark.campaign),
    pytest.param("OPEN", None, marks=pytest.mark.campaign),
    pytest.param("ROUND", 0, marks=pytest.mark.campaign),
    pytest.param("CLOSE", None, marks=pytest.mark.campaign),
]


@pytest.mark.parametrize(("kind", "number"), IN_MID_MESSAGE)
def test_killed_while_it_computes(world: World, kind: str, number: int | None) -> None:
    """The process that computes is stopped, given a message, and killed with it in its hands."""
    handed = world.gate.hold(HELD, kind, number)
    driver = world.refresh()
    handed.wait()
    if kind == "OPEN":
        assert world.finished(after_first_message(world, driver, handed)) == world.expected
        return
    victim = child(world, HELD)
    os.kill(victim, signal.SIGSTOP)
    until(lambda: state_of(victim) == "T", "the process is stopped")
    handed.let_go()
    until(lambda: has_a_frame(victim), "the message is in the pipe")
    os.kill(victim, signal.SIGKILL)
    assert world.finished(driver) == world.expected


def after_first_message(world: World, driver: Process, handed: Rule) -> Process:
    """Kill the process that computes as soon as there is one."""
    handed.let_go()
    os.kill(child(world, HELD), signal.SIGKILL)
    return driver


def has_a_frame(pid: int) -> bool:
    """Whether something waits in a process's standard input."""
    with open(f"/proc/{pid}/fd/0", "rb") as pipe:
        waiting = fcntl.ioctl(pipe.fileno(), termios.FIONREAD, bytes(4))
    return waiting != bytes(4)


def test_each_round_is_answered_once(world: World) -> None:
    """After all that: one share of each site for each round, in ledgers and at the gate."""
    rule = world.gate.hold(HELD, "SHARE", 1)
    driver = world.refresh()
    rule.wait()
    driver = kill_all(world, driver)
    rule.lose()
    world.finished(driver)
    last = world.last
    assert last is not None
    counts = {len(digests) for digests in world.gate.shares(last.open).values()}
    noted = {
        (site, e["round"]): e["sha256"]
        for site in world.sites
        for e in world.entries(site)
        if e["event"] == "share" and e["release"] == last.number
    }
    shared = {place: min(digests) for place, digests in world.gate.shares(last.open).items()}
    assert (counts, noted) == ({1}, shared)
