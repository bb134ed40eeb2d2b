"""How long a refresh takes on a running system, from the flow's start to the draft.

    PYTHONPATH=. python benchmarks/refresh.py

The processes of the demonstration on this machine: nine agents, an exchange, a Prefect server and
its runner. The times are Prefect's own. Beside them, from the same run, the seconds that the
release takes in one process, where nothing is sent, started or drawn; the ratio is what counts.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from coordinator.simulate import simulate
from studies.demo import AT_ONCE, STUDIES, Demo

REFRESHES = {"first release": [], "next release": ["--anyway"], "nothing new": []}


class Measured(Demo):
    """The demonstration without its words; what it refreshes is measured."""

    def heading(self, text: str) -> None:
        """Say nothing."""

    def show(self, command: Sequence[str], shown: bool = False, *, typed: str = "") -> None:
        """Run a command; print it only if it fails."""
        super().show(command, False, typed=typed)

    def background(self, command: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a command that goes on running."""
        with log.open("wb") as file:
            self.running.append(subprocess.Popen(command, stdout=file, stderr=file))
        return self.running[-1]

    def everywhere(self, sites: Sequence[str], step: Any) -> None:
        """Do a step at all hospitals, some at a time."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda site: step(site, False), sites))

    def release(self, site: str) -> None:
        """Refresh again, and print how long each refresh took."""
        for flags in list(REFRESHES.values())[1:]:
            self.show(self.coordinator("refresh", self.study, *flags))
        begun = time.perf_counter()
        simulate(STUDIES / self.study / "study.yaml", self.out / "data", self.out / "simulated")
        alone = time.perf_counter() - begun
        print(f"{'refresh':16} {'to draft s':>10} {'with PDF s':>10} {'alone s':>8} {'ratio':>6}")
        for name, run in zip(REFRESHES, self.runs(), strict=True):
            whole = seconds(run["start_time"], run["end_time"])
            draft = self.to_draft(run) or whole
            print(f"{name:16} {draft:10.2f} {whole:10.2f} {alone:8.2f} {draft / alone:6.1f}")

    def runs(self) -> list[dict[str, Any]]:
        """Return the flow runs in the order in which they began."""
        states = {"state": {"type": {"any_": ["COMPLETED"]}}}
        return self.ask("flow_runs", sort="START_TIME_ASC", flow_runs=states)

    def to_draft(self, run: dict[str, Any]) -> float | None:
        """Return the seconds from a run's start to its draft; None if it came to none."""
        tasks = self.ask("task_runs", flow_runs={"id": {"any_": [run["id"]]}})
        ends = [task["end_time"] for task in tasks if task["name"] == "report"]
        return seconds(run["start_time"], ends[0]) if ends else None

    def ask(self, what: str, **said: Any) -> list[dict[str, Any]]:
        """Return what the Prefect server has of something."""
        settings = tomllib.loads((self.center / "center.toml").read_text(encoding="utf-8"))
        url = f"http://{settings['prefect']['listen']}/api/{what}/filter"
        found: list[dict[str, Any]] = httpx.post(url, json=said, trust_env=False).json()
        return found

    def farewell(self) -> None:
        """Say nothing."""


def seconds(start: str, end: str) -> float:
    """Return the seconds between two times as Prefect writes them."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def main() -> None:
    """Run and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        Measured("anakinra", Path(folder) / "demo").run()


if __name__ == "__main__":
    main()
