"""`coordinator up` with three hospitals, set up by commands, and how its parts are killed."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from flows.turns import holder
from site_agent.runtime.http import answers
from tests.coordinator.listeners import listening, webhook
from tests.processes.gate import Gate
from tests.processes.running import (
    Process,
    children,
    command_of,
    environment,
    free_port,
    until,
    with_variable,
)
from tests.processes.world import AGENT, PYTHON, SITES, STUDY, World, numbers

COORDINATOR: Final = "from flows.commands import main; main()"
THREE: Final = SITES[:3]
STARTS_WITHIN_S: Final = 120.0
COMPLETES_WITHIN_S: Final = 240.0


@dataclass
class Center(World):
    """A world whose exchange is part of `coordinator up`."""

    prefect: str = ""
    hook: Any = None

    @property
    def hook_url(self) -> str:
        """Where reminders are taken."""
        return f"http://127.0.0.1:{self.hook.server_port}/"

    def coordinator(self, *words: str) -> str:
        """What a command of the center prints."""
        return self._printed(COORDINATOR, "--home", str(self.home_folder), *words)

    def site_agent(self, site: str, *words: str) -> str:
        """What a command of a hospital prints."""
        return self._printed(AGENT, "--config", str(self.config(site)), *words)

    def command(self, *words: str) -> list[str]:
        """The command line of a command of the center."""
        return [PYTHON, "-c", COORDINATOR, "--home", str(self.home_folder), *words]

    def _printed(self, program: str, *words: str) -> str:
        done = subprocess.run(
            [PYTHON, "-c", program, *words],
            env=environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def start_exchange(self) -> None:
        """Start `coordinator up` and wait until it says that it is ready."""
        before = len(self.exchange.text())
        self.exchange.start()
        until(
            lambda: "ready;" in self.exchange.text()[before:] or not self.exchange.runs,
            "coordinator up is ready",
            STARTS_WITHIN_S,
        )
        assert self.exchange.runs, self.logs()

    def part(self, words: str) -> int:
        """The process of `coordinator up` whose command line has these words."""

        def found() -> list[int]:
            return [p for p in children(self.exchange.pid) if words in command_of(p)]

        until(found, f"{words} runs")
        return found()[0]

    def flow_run(self) -> int:
        """The process that runs the flow."""
        runner = self.part("flows.runner")
        until(lambda: children(runner), "a flow runs")
        return children(runner)[0]

    def ready(self) -> None:
        """Wait until a refresh can be ordered: what was killed is there again."""
        url = f"{self.prefect}/api/deployments/name/refresh/{STUDY}"
        until(lambda: answers(url), "the Prefect server is there", STARTS_WITHIN_S)
        until(lambda: answers(f"{self.gate.upstream}/readyz"), "the exchange is there")
        until(lambda: not holder(self.home, STUDY), "the last refresh has ended", STARTS_WITHIN_S)

    def order(self) -> int:
        """Order a refresh; the number of its release."""
        last = self.last
        self.coordinator("refresh", STUDY, "--anyway", "--no-wait")
        return 1 + (last.number if last else 0)

    def completed(self, number: int) -> dict[str, Any]:
        """The numbers of a release, when its report is there."""
        folder = self.home_folder / "results" / STUDY / f"release-{number}"
        until((folder / "report.html").exists, f"release {number}", COMPLETES_WITHIN_S)
        return numbers(folder)

    def ask(self, target: str, **said: Any) -> Any:
        """An answer of the Prefect server."""
        answer = httpx.post(f"{self.prefect}/api/{target}", json=said, timeout=30, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json()

    def logs(self) -> str:
        """The ends of all logs."""
        parts = sorted((self.home_folder / "logs").glob("*.log"))
        return super().logs() + "".join(f"\n== {p.name}\n{p.read_text()[-2500:]}" for p in parts)

    def stop(self) -> None:
        """End everything, and what a killed parent has left behind."""
        super().stop()
        for pid in with_variable("QUORUM_HOME", str(self.home_folder)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def enrol_by_commands(center: Center) -> None:
    """All that people do before the first release, with the commands of both sides."""
    center.coordinator("study", "add", str(center.folder / "study.yaml"))
    invitations = center.folder / "invitations"
    center.coordinator("site", "invite", *center.sites, "--out", str(invitations))

    def each(commands: Callable[[str], list[list[str]]]) -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda s: [center.site_agent(s, *c) for c in commands(s)], center.sites))

    def data(site: str) -> str:
        return str(center.folder / "data" / site)

    each(lambda s: [["init", str(invitation(invitations, s)), "--data", data(s)], ["enrol"]])
    center.coordinator("study", "freeze", STUDY)
    each(lambda _: [["studies"], ["check", STUDY], ["approve", STUDY, "--yes"]])


def invitation(folder: Path, site: str) -> Path:
    """The invitation of a hospital."""
    (found,) = folder.glob(f"*{site}*")
    return found


@contextmanager
def center_running(folder: Path) -> Iterator[Center]:
    """A center and three hospitals, set up by commands, and nothing of them at the end."""
    port, prefect = free_port(), free_port()
    center = Center(folder, THREE)
    center.prefect = f"http://127.0.0.1:{prefect}"
    with ExitStack() as stack:
        center.hook = stack.enter_context(listening(webhook()))
        center.gate = stack.enter_context(Gate(f"http://127.0.0.1:{port}"))
        center.furnish(port)
        with (center.home_folder / "center.toml").open("a") as settings:
            settings.write(f'[prefect]\nlisten = "127.0.0.1:{prefect}"\n')
            settings.write(f'[reminders]\nafter_s = 5\nwebhook = "{center.hook_url}"\n')
        log = center.folder / "up.log"
        center.exchange = Process("coordinator up", center.command("up"), log)
        stack.callback(center.stop)
        center.start_exchange()
        enrol_by_commands(center)
        center.start_agents()
        yield center


def kill_part(words: str) -> Callable[[Center], None]:
    """Kill a part of `coordinator up`."""
    return lambda center: os.kill(center.part(words), signal.SIGKILL)


def kill_flow_run(center: Center) -> None:
    """Kill the process that runs the flow."""
    os.kill(center.flow_run(), signal.SIGKILL)


def kill_up(center: Center) -> None:
    """Kill `coordinator up`, and start it again until it stays, as a service manager does."""
    center.exchange.kill()
    restart(center)


def kill_everything(center: Center) -> None:
    """Kill `coordinator up` and all that it has started, at once."""
    found = [center.exchange.pid, *with_variable("QUORUM_HOME", str(center.home_folder))]
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    center.exchange.ended()
    restart(center)


def restart(center: Center) -> None:
    """Start `coordinator up` until it stays, as a service manager does."""
    for attempt in range(10):
        try:
            center.start_exchange()
        except AssertionError:
            assert attempt < 9
            continue
        return


VICTIMS: dict[str, Callable[[Center], None]] = {
    "flow run": kill_flow_run,
    "runner": kill_part("flows.runner"),
    "Prefect server": kill_part("prefect"),
    "exchange": kill_part("coordinator exchange"),
    "coordinator up": kill_up,
    "everything": kill_everything,
}
