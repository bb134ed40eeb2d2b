"""How long a refresh takes on a running system, from the flow's start to the draft.

    PYTHONPATH=. python benchmarks/refresh.py

The processes of the demonstration on this machine: nine agents, an exchange, a Prefect server and
its runner. The times are Prefect's own. Beside them, from the same run, the seconds that the
release takes in one process, where nothing is sent, started or drawn; the ratio is what counts.
"""

from __future__ import annotations

import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from contextlib import redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from coordinator.simulate import simulate
from studies.demo import STUDIES, Demo

REFRESHES = {"first release": [], "next release": ["--anyway"], "nothing new": []}


class Measured(Demo):
    """The demonstration, without what its commands print; what it refreshes is measured."""

    alone_s = 0.0
    refreshed: Sequence[tuple[float, float]] = ()

    def show(self, command: Sequence[str], shown: bool = False, *, typed: str = "") -> None:
        """Run a command; print it only if it fails."""
        super().show(command, False, typed=typed)

    def release(self, site: str) -> None:
        """Refresh again, and note how long each refresh took."""
        for flags in list(REFRESHES.values())[1:]:
            self.show(self.coordinator("refresh", self.study, *flags))
        begun = time.perf_counter()
        simulate(STUDIES / self.study / "study.yaml", self.out / "data", self.out / "simulated")
        self.alone_s = time.perf_counter() - begun
        self.refreshed = [self.times(run) for run in self.runs()]

    def runs(self) -> list[dict[str, Any]]:
        """Return the flow runs in the order in which they began."""
        states = {"state": {"type": {"any_": ["COMPLETED"]}}}
        return self.ask("flow_runs", sort="START_TIME_ASC", flow_runs=states)

    def times(self, run: dict[str, Any]) -> tuple[float, float]:
        """Return the seconds from a run's start to its draft, if it came to one, and to its end."""
        tasks = self.ask("task_runs", flow_runs={"id": {"any_": [run["id"]]}})
        whole = seconds(run["start_time"], run["end_time"])
        ends = [task["end_time"] for task in tasks if task["name"] == "report"]
        return (seconds(run["start_time"], ends[0]) if ends else whole), whole

    def ask(self, what: str, **said: Any) -> list[dict[str, Any]]:
        """Return what the Prefect server has of something."""
        settings = tomllib.loads((self.center / "center.toml").read_text(encoding="utf-8"))
        url = f"http://{settings['prefect']['listen']}/api/{what}/filter"
        found: list[dict[str, Any]] = httpx.post(url, json=said, trust_env=False).json()
        return found


def seconds(start: str, end: str) -> float:
    """Return the seconds between two times as Prefect writes them."""
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()


def main() -> None:
    """Run and print the table; what the demonstration says goes to stderr."""
    with tempfile.TemporaryDirectory() as folder, redirect_stdout(sys.stderr):
        demo = Measured("anakinra", Path(folder) / "demo")
        demo.run()
    print(f"{'refresh':16} {'to draft s':>10} {'with PDF s':>10} {'alone s':>8} {'ratio':>6}")
    for name, (draft, whole) in zip(REFRESHES, demo.refreshed, strict=True):
        ratio = draft / demo.alone_s
        print(f"{name:16} {draft:10.2f} {whole:10.2f} {demo.alone_s:8.2f} {ratio:6.1f}")


if __name__ == "__main__":
    main()
