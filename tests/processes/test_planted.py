"""No value of a patient gets out of real agents: log, child, exchange, runner, bodies on the wire.

A world of its own, whose hospitals have planted values: a release that ends well, data that do not
fit in many ways, messages that are altered on the way, too little memory, a release given up, and
the steward's commands all the while. Then everything outside of the data is searched.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from coordinator.center import burn_release
from tests.planted import FAULTS, STUDY, Tables, faulty, leaks, tables
from tests.processes import world as module
from tests.processes.gate import Answer, Asked, Gate
from tests.processes.running import PATIENCE_S, environment, until
from tests.processes.world import AGENT, PYTHON, SITES, World, running

PLACE: Final = {site: place for place, site in enumerate(SITES)}
WRONG: Final = [
    dict(zip(SITES, names, strict=True))
    for names in (list(FAULTS)[start : start + len(SITES)] for start in (0, 8))
]
LITTLE_MIB: Final = "96"
WHILE_WRONG: Final = (("check", "faults"), ("preview", "faults"))
COMMANDS: Final = (
    ("check", "faults"),
    ("status",),
    ("studies",),
    ("review", "faults"),
    ("ledger", "show"),
    ("ledger", "show", "--json"),
    ("ledger", "verify"),
    ("config", "show"),
)


def write_data(folder: Path, sites: Sequence[str]) -> None:
    """Write each hospital's tables, as they should be."""
    for site in sites:
        write(folder / site, tables(PLACE[site]))


def write(folder: Path, of: Tables) -> None:
    """Write tables as Parquet."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in of.items():
        rows.to_parquet(folder / f"{name}.parquet", index=False)


@dataclass
class Overheard:
    """A world behind all that could go wrong in it, and what was said in it meanwhile."""

    world: World
    bodies: list[bytes] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)

    # What happens

    def everything(self) -> None:
        """Go through a release, and through what can go wrong with one."""
        world = self.world
        world.finished(world.refresh())
        for wrong in WRONG:
            self.faults(wrong)
        self.altered_messages()
        self.too_little_memory()
        world.settle()
        world.finished(world.refresh())
        self.commands += [self.command(SITES[0], *command) for command in COMMANDS]

    def faults(self, wrong: dict[str, str]) -> None:
        """A release over data each of which has another fault; it is given up."""
        world = self.world
        for site, fault in wrong.items():
            write(world.folder / "data" / site, faulty(fault, PLACE[site]))
        driver = world.refresh()
        told = {site: world.agents[site].text().count("unfit_data") for site in SITES}
        until(lambda: self.hindered(told), "every hospital finds what is wrong", 2 * PATIENCE_S)
        self.commands += [self.command(site, *c) for site in SITES for c in WHILE_WRONG]
        driver.stop()
        burn_release(world.home, module.STUDY)
        write_data(world.folder / "data", SITES)

    def hindered(self, before: dict[str, int]) -> bool:
        """Whether every agent has said of its data that they do not fit."""
        texts = {site: agent.text() for site, agent in self.world.agents.items()}
        return all(text.count("unfit_data") > before[site] for site, text in texts.items())

    def altered_messages(self) -> None:
        """A release in which one hospital is handed altered messages; it is given up."""
        world, site = self.world, SITES[0]
        before = len(world.entries(site))
        for kind, number in (("READIES", None), ("ROUND", 1), ("SHARES", 2)):
            world.gate.bend(site, kind, number, flipped, times=1)
        driver = world.refresh()
        until(lambda: len(world.codes(site, before)) > 0, "a hospital refuses", 2 * PATIENCE_S)
        self.codes += world.codes(site, before)
        world.gate.honest()
        world.finished(driver)

    def too_little_memory(self) -> None:
        """A release that a hospital cannot compute; it is given up."""
        world, site = self.world, SITES[1]
        world.restart_agent(site, QUORUM_WORK__MEMORY_MIB=LITTLE_MIB)
        driver = world.refresh()
        until(lambda: self.out_of_memory(site), "a hospital has too little", 2 * PATIENCE_S)
        driver.stop()
        burn_release(world.home, module.STUDY)
        world.restart_agent(site)

    def out_of_memory(self, site: str) -> bool:
        """Whether an agent has said that its memory is not enough, or its child ended."""
        text = self.world.agents[site].text()
        return ": memory: " in text or ": worker: " in text

    def command(self, site: str, *arguments: str) -> bytes:
        """What a command prints, on stdout and stderr."""
        config = ["--config", str(self.world.config(site))]
        done = subprocess.run(
            [PYTHON, "-c", AGENT, *config, *arguments],
            env=environment(),
            capture_output=True,
            check=False,
            timeout=PATIENCE_S,
        )
        return done.stdout + done.stderr

    # What is left

    def logs(self) -> bytes:
        """The logs of exchange, agents with their children, and center."""
        return b"\n".join(path.read_bytes() for path in self.world.folder.rglob("*.log"))

    def kept(self) -> bytes:
        """All that hospitals keep beside their data."""
        return contents(self.world.folder / "hospitals")

    def at_center(self) -> bytes:
        """All that the center keeps: the exchange's store, and results."""
        return contents(self.world.home_folder)


def contents(folder: Path) -> bytes:
    """Names and contents of all files below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return b"\n".join(str(path).encode() + path.read_bytes() for path in files)


def flipped(body: bytes) -> bytes:
    """A message with one bit changed."""
    at = len(body) // 2
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


@pytest.fixture(scope="module")
def overheard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overheard]:
    """Everything that happens, and every body that passes between the parties."""
    bodies: list[bytes] = []
    handle = Gate.handle

    def heard(gate: Gate, asked: Asked) -> Answer:
        answer = handle(gate, asked)
        bodies.extend((asked.target.encode(), repr(asked.headers).encode(), asked.body))
        bodies.append(answer.body)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Gate, "handle", heard)
        patch.setattr(module, "TEXT", STUDY.replace("study: planted", "study: faults"))
        patch.setattr(module, "write_data", write_data)
        with running(tmp_path_factory.mktemp("planted")) as world:
            found = Overheard(world, bodies)
            found.everything()
            yield found


def test_all_that_can_go_wrong_went_wrong(overheard: Overheard) -> None:
    """Three releases ended well; data did not fit, messages were refused, memory was short."""
    events = [entry["event"] for entry in overheard.world.entries(SITES[2])]
    findings = [text for text in overheard.commands if b"the data do not fit the study" in text]
    assert (events.count("closed"), len(overheard.codes) > 0, len(findings)) == (
        *(3, True),
        len(WRONG) * len(SITES) * len(WHILE_WRONG),
    )


@pytest.mark.parametrize("site", SITES)
def test_no_value_in_a_log(overheard: Overheard, site: str) -> None:
    """Agent, child, exchange and runner have said nothing of a patient."""
    assert (leaks(overheard.logs(), tables(PLACE[site])), len(overheard.logs()) > 1000) == (
        *([], True),
    )


@pytest.mark.parametrize("site", SITES)
def test_no_value_in_what_a_hospital_keeps(overheard: Overheard, site: str) -> None:
    """Ledger, vault, records, settings and studies have nothing of a patient."""
    assert leaks(overheard.kept(), tables(PLACE[site]), digits=4) == []


@pytest.mark.parametrize("site", SITES)
def test_no_value_in_what_a_command_prints(overheard: Overheard, site: str) -> None:
    """Commands over data that do not fit, and those that tell how things stand."""
    assert leaks(b"\n".join(overheard.commands), tables(PLACE[site])) == []


@pytest.mark.parametrize("site", SITES)
def test_no_value_in_a_body(overheard: Overheard, site: str) -> None:
    """Addresses, headers and bodies of all requests and answers have nothing of a patient."""
    passed = b"\n".join(overheard.bodies)
    assert (leaks(passed, tables(PLACE[site]), digits=4), len(overheard.bodies) > 100) == ([], True)


@pytest.mark.parametrize("site", SITES)
def test_no_value_at_the_center(overheard: Overheard, site: str) -> None:
    """The exchange's store and the center's results have no value of a patient."""
    assert leaks(overheard.at_center(), tables(PLACE[site]), digits=6) == []
