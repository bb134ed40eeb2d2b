"""Hospitals, exchange and center as real processes on this machine, with made-up patients."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from coordinator.center import add_study, freeze_study, invite_site
from coordinator.driver import Standing, standings
from coordinator.home import Home, open_home
from coordinator.simulate import simulate
from site_agent.contract.analyses.guard_sums import CHANGED
from site_agent.contract.identity import Identity
from site_agent.ledger import Ledger
from site_agent.permission import Permission
from site_agent.runtime.clock import utc_now
from site_agent.runtime.http import answers
from site_agent.runtime.keys import read_identity
from site_agent.setup import enrol, set_up
from site_agent.site import Site, open_site
from site_agent.standing import standing
from tests.processes.gate import Gate
from tests.processes.running import PATIENCE_S, Process, environment, free_port, until

SITES: Final = ("alder", "beech", "cedar", "dogwood")
STUDY: Final = "faults"
TEXT: Final = """\
quorum: 1
study: faults
title: Hospitals with made-up patients
synthetic: true
time: {unit: day, resolution: 1, horizon: 30}
tables:
  patients:
    key: patient
    columns:
      days:   {type: day, range: [0, 30]}
      status: {type: category, codes: {0: censored, 1: dead, 2: relapsed}}
      dose:   {type: number}
      arm:    {type: category, codes: {1: early, 2: late}, reference: early}
endpoints:
  survival:
    time: days
    event: {death: status == "dead"}
  relapse:
    time: days
    event: {relapse: status == "relapsed"}
    competing: {death: status == "dead"}
analyses:
  curve:     {kind: survival, endpoint: survival, by: arm, at: [10]}
  incidence: {kind: incidence, endpoint: relapse, at: [10]}
  pooled:    {kind: cox, endpoint: survival, covariates: [dose, arm], baseline: pooled}
  by_site:   {kind: cox, endpoint: survival, covariates: [dose], baseline: by_site}
disclosure:
  classes: [A, B, C]
  compute: {sites: 3, patients: 10, others: 10}
"""
PYTHON: Final = sys.executable
OWN_FILES: Final = (
    *("manifest.json", "log.jsonl"),
    *("report.html", "report.pdf", "report.signed.json", "signed.json"),
)


def patients(place: int) -> pd.DataFrame:
    """The made-up patients of the hospital in this place of the list."""
    draw, n = np.random.default_rng(100 + place), 12 + 3 * place
    dose = np.round(draw.uniform(1, 9, n), 2)
    return pd.DataFrame(
        {
            "patient": [f"made-up-{place}-{number}" for number in range(n)],
            "days": np.clip(np.rint(draw.exponential(12, n) + dose / 3), 1, 30).astype(int),
            "status": draw.choice([0, 1, 2], n, p=[0.25, 0.5, 0.25]),
            "dose": dose,
            "arm": draw.choice([1, 2], n),
        }
    )


def write_data(folder: Path, sites: Sequence[str]) -> None:
    """Write each hospital's Parquet file to a folder of its name."""
    for place, site in enumerate(sites):
        (folder / site).mkdir(parents=True)
        patients(place).to_parquet(folder / site / "patients.parquet", index=False)


def numbers(folder: Path) -> dict[str, Any]:
    """All that a release says of numbers: files byte for byte, and of the log what was asked."""
    found: dict[str, Any] = {
        path.name: path.read_bytes() for path in folder.iterdir() if path.name not in OWN_FILES
    }
    lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
    first, *others = [json.loads(line) for line in lines]
    said = ("round", "asks", "arguments", "totals")
    log = [{name: line[name] for name in said} for line in (_of_a_first(first), *others)]
    return {**found, "log": log}


def _of_a_first(line: dict[str, Any]) -> dict[str, Any]:
    """The guard's first round without its counts of who has changed, as long as nobody has."""
    kept = [at for at, ask in enumerate(line["asks"]) if ask["sum"] != CHANGED.name]
    assert kept == [0]
    counts = np.frombuffer(base64.b64decode(line["totals"]))
    assert not counts[2:].any(), "somebody has changed since an earlier release"
    totals = base64.b64encode(counts[:2].tobytes()).decode()
    return {**line, "asks": line["asks"][:1], "arguments": line["arguments"][:1], "totals": totals}


def in_one_process(folder: Path, sites: Sequence[str]) -> dict[str, Any]:
    """The numbers of a release over the same hospitals, simulated in this process."""
    (folder / "study.yaml").write_text(TEXT, encoding="utf-8")
    data = folder / "data"
    if not data.exists():
        write_data(data, sites)
    return numbers(simulate(folder / "study.yaml", data, folder / "simulated").folder)


@dataclass
class World:
    """One exchange, one agent a hospital, and a center that drives releases from a process.

    Agents and center go through the gate. A world has many releases, one behind the other.
    """

    folder: Path
    sites: Sequence[str] = SITES
    gate: Gate = field(init=False)
    exchange: Process = field(init=False)
    agents: dict[str, Process] = field(default_factory=dict)
    drivers: list[Process] = field(default_factory=list)
    expected: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Gate] = field(default_factory=dict)

    @property
    def home_folder(self) -> Path:
        return self.folder / "center"

    @property
    def home(self) -> Home:
        """The center."""
        return open_home(self.home_folder, os.environ)

    def site(self, name: str) -> Site:
        """A hospital's agent."""
        return open_site(self.config(name), os.environ)

    def config(self, name: str) -> Path:
        """The settings of a hospital's agent."""
        return self.folder / "hospitals" / name / "agent.toml"

    # Setting up

    def furnish(self, port: int) -> None:
        """Write data and settings, and simulate what releases are to give."""
        write_data(self.folder / "data", self.sites)
        self.expected = in_one_process(self.folder, self.sites)
        self.home_folder.mkdir()
        (self.home_folder / "center.toml").write_text(
            f'[exchange]\nlisten = "127.0.0.1:{port}"\nurl = "{self.gate.url}"\n'
            f'from_here = "{self.gate.url}"\n',
            encoding="utf-8",
        )
        command = [PYTHON, "-m", "coordinator", "--home", str(self.home_folder), "exchange"]
        self.exchange = Process("exchange", command, self.folder / "exchange.log")
        for name in self.sites:
            self.config(name).parent.mkdir(parents=True)
            command = [PYTHON, "-c", AGENT, "--config", str(self.config(name)), "run"]
            self.agents[name] = Process(name, command, self.config(name).parent / "agent.log")

    def start_exchange(self) -> None:
        """Start the exchange and wait until it answers."""
        self.exchange.start()
        until(lambda: answers(f"{self.gate.upstream}/readyz"), "the exchange answers")

    def enrol(self) -> None:
        """Invite, set up and enrol all hospitals; add, freeze, fetch and approve the study."""
        home = self.home
        add_study(home, self.folder / "study.yaml")
        for name in self.sites:
            invitation = self.config(name).with_name("invitation.json")
            invite_site(home, name, invitation)
            enrol(set_up(self.config(name), invitation, self.folder / "data" / name, ()))
        frozen = freeze_study(home, STUDY)
        for name in self.sites:
            site = self.site(name)
            standing(site)
            Permission(frozen, name, site.ledger()).note("approved", until="2999-01-01T00:00:00Z")

    def start_agents(self) -> None:
        """Start all agents; wait until the exchange knows of all approvals."""
        for agent in self.agents.values():
            agent.start()
        until(self._approved, "all approvals are told")

    def _approved(self) -> bool:
        with self.home.exchange() as exchange:
            (study,) = exchange.read("/v1/studies")["studies"]
        return len(study["approvals"]) == len(self.sites)

    # Releases

    def refresh(self) -> Process:
        """Start a process that drives the next release, or the one under way."""
        command = [PYTHON, "-m", "tests.processes.driving", str(self.home_folder), STUDY]
        log = self.folder / f"driver-{len(self.drivers)}.log"
        self.drivers.append(Process("driver", command, log).start())
        return self.drivers[-1]

    def restart_agent(self, name: str, **variables: str) -> None:
        """Stop an agent and start it with these variables in its environment."""
        agent = self.agents[name]
        agent.stop()
        agent.environment = environment(**variables)
        agent.start()

    def finished(self, driver: Process, patience_s: float = 2 * PATIENCE_S) -> dict[str, Any]:
        """The numbers of the release that a driver has finished."""
        code = driver.ended(patience_s)
        assert code == 0, f"the refresh ended with {code}\n{self.logs()}"
        return numbers(Path(driver.text().splitlines()[-1]))

    @property
    def last(self) -> Standing | None:
        """The newest release, as the exchange lists it."""
        with self.home.exchange() as exchange:
            found = standings(exchange, self.home.frozen(STUDY).hash)
        return found[0] if found else None

    def settle(self) -> None:
        """Put everything back as it was: honest, running, no release under way."""
        self.gate.honest()
        for driver in self.drivers:
            driver.stop()
        if not self.exchange.runs:
            self.start_exchange()
        for agent in self.agents.values():
            if not agent.runs:
                agent.start()
        last = self.last
        if last is not None and last.under_way:
            from coordinator.center import burn_release

            burn_release(self.home, STUDY)

    # What is left behind

    def entries(self, site: str) -> list[dict[str, Any]]:
        """A hospital's ledger, verified."""
        return Ledger(self.config(site).parent / "state" / "ledger.jsonl", utc_now).entries

    def codes(self, site: str, after: int) -> list[str]:
        """The codes of a hospital's refusals, from an entry of its ledger on."""
        return [e["code"] for e in self.entries(site)[after:] if e["event"] == "refused"]

    def identity(self, name: str) -> Identity:
        """The keys of a party, for one that is not honest."""
        if name == "center":
            return self.home.identity()
        return read_identity(self.config(name).parent / "state" / "key", name)

    def logs(self) -> str:
        """The ends of all logs."""
        processes = [self.exchange, *self.agents.values(), *self.drivers[-2:]]
        return "\n".join(f"== {one.name}\n{one.text()[-1500:]}" for one in processes)

    def stop(self) -> None:
        """End every process."""
        for process in [*self.drivers, *self.agents.values(), self.exchange]:
            process.stop()


AGENT: Final = "from site_agent.cli import main; main()"


@contextmanager
def running(folder: Path, sites: Sequence[str] = SITES) -> Iterator[World]:
    """A world with everything running, and nothing of it at the end."""
    port = free_port()
    with ExitStack() as stack:
        world = World(folder, sites)
        world.gate = stack.enter_context(Gate(f"http://127.0.0.1:{port}"))
        world.furnish(port)
        stack.callback(world.stop)
        world.start_exchange()
        world.enrol()
        world.start_agents()
        yield world
