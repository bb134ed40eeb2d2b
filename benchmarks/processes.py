"""What the way over processes costs: a release over agents and an exchange, beside simulation.

    PYTHONPATH=. python benchmarks/processes.py

Real agents (their loop and their process that computes) and a real exchange on this machine,
driven without Prefect. Both figures come from one run; the ratio is what counts. An agent at rest
is measured by its resident memory and that of its process that stands by.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from coordinator.center import add_study, freeze_study, invite_site
from coordinator.driver import approvals
from coordinator.home import Home, open_home
from coordinator.refresh import Refresh
from coordinator.simulate import simulate
from site_agent.permission import Permission
from site_agent.runtime.http import Exchange, answers
from site_agent.setup import enrol, set_up
from site_agent.shelf import Shelf
from site_agent.standing import standing
from studies.anakinra import generate as anakinra
from studies.lung import export as lung
from tests.processes.running import children

ROOT = Path(__file__).parents[1]
MAKERS = {"lung": lung, "anakinra": anakinra}


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(*arguments: str, log: Path) -> subprocess.Popen[bytes]:
    """Return a process of ours."""
    with log.open("ab") as file:
        return subprocess.Popen([sys.executable, "-m", *arguments], stdout=file, stderr=file)


def country(data: Path) -> tuple[str, ...]:
    """Return a hospital's attributes as they are given on the command line."""
    path = data / "site.toml"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return tuple(line.replace(" ", "").replace('"', "") for line in lines if "=" in line)


def prepare(home: Home, study: str, sites: Path, place: Path) -> list[Path]:
    """Enrol all hospitals, freeze, approve; return the agents' settings."""
    add_study(home, ROOT / "studies" / study / "study.yaml")
    found = {}
    for data in sorted(path for path in sites.iterdir() if path.is_dir()):
        card = place / f"invitation-{data.name}.json"
        invite_site(home, data.name, card)
        config = place / data.name / "agent.toml"
        found[config] = set_up(config, card, data, country(data))
        enrol(found[config])
    frozen = freeze_study(home, study)
    for site in found.values():
        standing(site)
        Permission(Shelf(site).study(frozen.hash), site.name, site.ledger()).note("approved")
    return list(found)


def over_processes(study: str, sites: Path, place: Path) -> tuple[float, float]:
    """Return the seconds of a release over processes, and an agent's memory at rest (MiB)."""
    (place / "center").mkdir()
    listen = f'[exchange]\nlisten = "127.0.0.1:{free_port()}"\n'
    (place / "center" / "center.toml").write_text(listen, encoding="utf-8")
    home = open_home(place / "center", {})
    command = ("coordinator", "--home", str(home.folder), "exchange")
    running = [started(*command, log=place / "exchange.log")]
    try:
        while not answers(f"{home.local_url}/readyz"):
            time.sleep(0.1)
        configs = prepare(home, study, sites, place)
        for config in configs:
            log = config.with_name("agent.log")
            running.append(started("site_agent", "--config", str(config), "run", log=log))
        with home.exchange() as exchange:
            while len(approvals(exchange, home.frozen(study).hash)) < len(configs):
                time.sleep(0.1)
            agents = [process.pid for process in running[1:]]
            let_settle(agents)
            at_rest = sum(memory_mib(pid) for pid in (agents[0], *children(agents[0])))
            begun = time.perf_counter()
            released(home, study, exchange)
            return time.perf_counter() - begun, at_rest
    finally:
        for process in running:
            process.terminate()
            process.wait()


def released(home: Home, study: str, exchange: Exchange) -> None:
    """Do one release as the flow does it."""
    refresh = Refresh(home, home.frozen(study), exchange, deadline_s=600)
    refresh.gather()
    while not refresh.finished:
        refresh.round(refresh.driver.release.rounds)
    refresh.results()
    refresh.close()


def let_settle(pids: list[int]) -> None:
    """Wait until nothing is done any more: processes that stand by load libraries first."""
    before, now = -1, 0
    while before < now:
        time.sleep(0.5)
        before, now = now, sum(ticks(p) for pid in pids for p in (pid, *children(pid)))


def ticks(pid: int) -> int:
    """Return how long a process has computed so far, in the system's hundredths of a second."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def memory_mib(pid: int) -> float:
    """Return the resident memory of a process, MiB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if "VmRSS" in line)


def main() -> None:
    """Run and print the table."""
    print(f"{'release':34} {'processes s':>11} {'simulated s':>11} {'ratio':>6} {'agent MiB':>9}")
    for study, maker in MAKERS.items():
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            maker.write_sites(place / "sites")
            count = len(list((place / "sites").glob("*/patients.parquet")))
            ours, at_rest = over_processes(study, place / "sites", place)
            begun = time.perf_counter()
            simulate(ROOT / "studies" / study / "study.yaml", place / "sites", place / "out")
            alone = time.perf_counter() - begun
            name = f"{study}: {count} agents"
            print(f"{name:34} {ours:11.2f} {alone:11.2f} {ours / alone:6.1f} {at_rest:9.0f}")


if __name__ == "__main__":
    main()
