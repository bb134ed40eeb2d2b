"""`coordinator up` and everything that it runs, set up by commands; each part killed in mid-round.

Nobody helps: what ends is started again by `coordinator up`, and that by a service manager. A
flow run that was cut off is followed by another one, which goes on in the exchange's log.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest

from flows.turns import holder
from tests.processes.center import VICTIMS, Center
from tests.processes.running import command_of, until, with_variable
from tests.processes.world import STUDY

HELD: Final = "cedar"


def test_commands_alone(center: Center) -> None:
    """Ordered and waited for with `coordinator refresh`: the bytes of a single process."""
    printed = json.loads(center.coordinator("refresh", STUDY, "--anyway", "--json"))
    number = printed["release"]
    shown = json.loads(center.coordinator("results", STUDY, str(number), "--json"))
    assert (center.completed(number), shown) == (center.expected, printed)


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


def state_of(center: Center, run: str) -> dict[str, Any]:
    """The state of a flow run, as Prefect's pages show it."""
    (found,) = center.ask("flow_runs/filter", flow_runs={"id": {"any_": [run]}})
    state: dict[str, Any] = found["state"]
    return state


def stopped_in_mid_round(center: Center, stop: Callable[[str], object]) -> tuple[int, str]:
    """A release whose flow run was stopped with a share on its way; its number, and the run."""
    rule = center.gate.hold(HELD, "SHARE", 2)
    number = center.order()
    rule.wait()
    pid, run = center.flow_run(), str(holder(center.home, STUDY))
    stop(run)
    until(lambda: not command_of(pid), "the flow's process is gone")
    until(lambda: state_of(center, run)["type"] == "CANCELLED", "the run is cancelled")
    last = center.last
    rule.let_go()
    assert last is not None and (last.number, last.under_way) == (number, True)
    return number, run


@pytest.mark.campaign
def test_cancelled_on_prefects_pages(center: Center) -> None:
    """What their button asks of the server ends the run; the next refresh goes on."""
    cancelling = {"type": "CANCELLING", "name": "Cancelling"}
    number, _ = stopped_in_mid_round(
        center, lambda run: center.ask(f"flow_runs/{run}/set_state", state=cancelling)
    )
    center.coordinator("refresh", STUDY, "--anyway", "--no-wait")
    assert center.completed(number) == center.expected


@pytest.mark.campaign
def test_a_refresh_that_takes_too_long(center: Center) -> None:
    """Over refresh.timeout_s the runner ends it, and says so; with another limit it completes."""
    settings = center.home_folder / "center.toml"
    before = settings.read_text(encoding="utf-8")
    settings.write_text(before + "[refresh]\ntimeout_s = 2\n", encoding="utf-8")
    center.exchange.stop()
    center.start_exchange()
    number, run = stopped_in_mid_round(center, lambda _: None)
    settings.write_text(before, encoding="utf-8")
    center.exchange.stop()
    center.start_exchange()
    center.coordinator("refresh", STUDY, "--anyway", "--no-wait")
    assert (center.completed(number), state_of(center, run)["type"]) == (
        center.expected,
        "CANCELLED",
    )


def test_a_hospital_that_is_away(center: Center) -> None:
    """It is late, reminded once, and ends nothing: the release goes on when it is back."""
    center.agents[HELD].stop()
    number = center.order()

    def reminders() -> list[dict[str, Any]]:
        return [one for one in center.hook.taken if one["release"] == number]

    until(reminders, "a reminder comes", 120)
    (status,) = json.loads(center.coordinator("status", STUDY, "--json"))
    late = [one["site"] for one in status["release"]["awaited"] if one["late"]]
    center.agents[HELD].start()
    assert center.completed(number) == center.expected
    told = {(one["phase"], one["site"]) for one in reminders()}
    assert (HELD in late, len(told), ("opening", HELD) in told) == (True, len(reminders()), True)


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
