"""`coordinator up` and everything that it runs, set up by commands; each part killed in mid-round.

Nobody helps: what ends is started again by `coordinator up`, and that by a service manager. A
flow run that was cut off is followed by another one, which goes on in the exchange's log.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import pytest

from site_agent.runtime.http import answers
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
HELD: Final = "cedar"
STARTS_WITHIN_S: Final = 120.0
COMPLETES_WITHIN_S: Final = 240.0


@dataclass
class Center(World):
    """A world whose exchange is part of `coordinator up`."""

    prefect: str = ""

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


@pytest.fixture(scope="session")
def standing_center(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Center]:
    """A center and three hospitals, started once and set up by commands."""
    port, prefect = free_port(), free_port()
    center = Center(tmp_path_factory.mktemp("center"), THREE)
    center.prefect = f"http://127.0.0.1:{prefect}"
    with ExitStack() as stack:
        center.gate = stack.enter_context(Gate(f"http://127.0.0.1:{port}"))
        center.furnish(port)
        with (center.home_folder / "center.toml").open("a") as settings:
            settings.write(f'[prefect]\nlisten = "127.0.0.1:{prefect}"\n')
        log = center.folder / "up.log"
        center.exchange = Process("coordinator up", center.command("up"), log)
        stack.callback(center.stop)
        center.start_exchange()
        enrol_by_commands(center)
        center.start_agents()
        yield center


@pytest.fixture
def center(standing_center: Center) -> Iterator[Center]:
    """The center, with all its parts there and no release under way."""
    url = f"{standing_center.prefect}/api/deployments/name/refresh/{STUDY}"
    until(lambda: answers(url), "the Prefect server is there", STARTS_WITHIN_S)
    yield standing_center
    # The flow of a test that failed is not to meet that of the next one.
    subprocess.run(standing_center.command("cancel", STUDY), env=environment(), check=False)
    standing_center.settle()


def test_commands_alone(center: Center) -> None:
    """Ordered and waited for with `coordinator refresh`: the bytes of a single process."""
    printed = json.loads(center.coordinator("refresh", STUDY, "--anyway", "--json"))
    number = printed["release"]
    shown = json.loads(center.coordinator("results", STUDY, str(number), "--json"))
    assert (center.completed(number), shown) == (center.expected, printed)


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
PHASES = {"opening": ("READY", None), "asking": ("SHARE", 2), "closing": ("RECEIPT", None)}
FIRST = {("flow run", "asking"), ("coordinator up", "asking"), ("Prefect server", "asking")}
EVERY = [
    pytest.param(
        victim,
        phase,
        marks=[] if (victim, phase) in FIRST else [pytest.mark.campaign],
        id=f"{victim}-{phase}",
    )
    for victim in VICTIMS
    for phase in PHASES
]


@pytest.mark.parametrize(("victim", "phase"), EVERY)
def test_killed_it_completes_without_help(center: Center, victim: str, phase: str) -> None:
    """Killed in this phase, the release completes with the same bytes and its report."""
    rule = center.gate.hold(HELD, *PHASES[phase])
    number = center.order()
    rule.wait()
    VICTIMS[victim](center)
    rule.let_go()
    assert center.completed(number) == center.expected


def test_the_zombie_automation_is_installed_once(center: Center) -> None:
    """Runs whose heartbeats stop are noticed by the server; restarts install nothing twice."""
    found = [entry["name"] for entry in center.ask("automations/filter")]
    assert found == ["quorum: runs whose heartbeats stop"]


def planned(center: Center) -> list[dict[str, Any]]:
    """The runs of the study that Prefect's own scheduler has planned."""
    chosen = {"state": {"type": {"any_": ["SCHEDULED"]}}}
    named = {"name": {"any_": [STUDY]}}
    found: list[dict[str, Any]] = center.ask(
        "flow_runs/filter", flow_runs=chosen, deployments=named, sort="EXPECTED_START_TIME_ASC"
    )
    return [run for run in found if run["auto_scheduled"]]


def scheduled(center: Center, schedule: str) -> None:
    """Add the study with this schedule, as a person who changes it does."""
    file = center.folder / "study.yaml"
    text = "".join(ln for ln in file.read_text().splitlines(True) if "schedule:" not in ln)
    file.write_text(text + (f'schedule: "{schedule}"\n' if schedule else ""))
    center.coordinator("study", "add", str(file))


def next_refresh(center: Center) -> str:
    """When `coordinator status` says that the study is refreshed next."""
    (found,) = json.loads(center.coordinator("status", STUDY, "--json"))
    schedule = found["schedule"]
    return str(schedule["next"]) if schedule else "never"


def test_a_schedule_gives_runs(center: Center) -> None:
    """A schedule of a frozen study gets runs (with SQLAlchemy 2.1 it would get none), named."""
    scheduled(center, "30 5 1 1 * Europe/Paris")
    until(lambda: planned(center), "the schedule gives runs", 150)
    run = planned(center)[0]
    when = datetime.fromisoformat(run["expected_start_time"]).astimezone(ZoneInfo("Europe/Paris"))
    assert (
        (when.month, when.day, when.hour, when.minute),
        run["parameters"],
        set(run["tags"]),
    ) == (
        (1, 1, 5, 30),
        {"study": STUDY},
        {STUDY, "auto-scheduled"},
    )
    assert next_refresh(center)[:16] == run["expected_start_time"][:16]


def test_a_schedule_that_is_changed(center: Center) -> None:
    """Without an approval, and the runs of the one before are gone."""
    scheduled(center, "0 3 2 2 *")
    until(
        lambda: {run["expected_start_time"][5:16] for run in planned(center)} == {"02-02T03:00"},
        "the new schedule's runs alone are planned",
        150,
    )


def test_a_schedule_that_is_taken_away(center: Center) -> None:
    """Nothing is planned any more."""
    scheduled(center, "")
    until(lambda: not planned(center), "nothing is planned", 60)
    assert next_refresh(center) == "never"


def test_nothing_new(center: Center) -> None:
    """The study is as its last release has it, which is printed; the look is told apart."""
    before = json.loads(center.coordinator("refresh", STUDY, "--anyway", "--json"))
    after = json.loads(center.coordinator("refresh", STUDY, "--json"))
    (status,) = json.loads(center.coordinator("status", STUDY, "--json"))
    told = status["release"]["nothing_new"]
    assert (after, f"release {before['release']}: nothing new" in told) == (before, True)


def test_cancelled_and_gone_on_with(center: Center) -> None:
    """The run ends, the release stays as it is, and the next refresh completes it."""
    rule = center.gate.hold(HELD, "SHARE", 2)
    number = center.order()
    rule.wait()
    pid = center.flow_run()
    center.coordinator("cancel", STUDY)
    until(lambda: not command_of(pid), "the flow's process is gone")
    last = center.last
    rule.let_go()
    assert last is not None and (last.number, last.under_way) == (number, True)
    center.coordinator("refresh", STUDY, "--anyway", "--no-wait")
    assert center.completed(number) == center.expected


def test_no_run_is_left_running(center: Center) -> None:
    """After all kills each run of the refresh has ended, and the last one well."""

    def states() -> list[str]:
        chosen = {"name": {"any_": ["refresh"]}}
        runs = center.ask("flow_runs/filter", flows=chosen, sort="EXPECTED_START_TIME_DESC")
        return [run["state"]["type"] for run in runs]

    until(
        lambda: set(states()) <= {"COMPLETED", "CRASHED", "FAILED", "CANCELLED"},
        "all runs have ended",
        200,
    )
    assert set(states()[:1]) <= {"COMPLETED"}, states()


@pytest.mark.campaign
def test_stopped_nothing_is_left(tmp_path: Path, center: Center) -> None:
    """SIGTERM ends everything that `coordinator up` has started; it can be started again."""
    center.exchange.process.terminate()  # type: ignore[union-attr]
    code = center.exchange.ended()
    left = [command_of(pid) for pid in with_variable("QUORUM_HOME", str(center.home_folder))]
    center.start_exchange()
    assert (code, left) == (0, [])
