"""When a study is refreshed by itself, and when next.

The schedule is that of the study file that was added last, frozen anew or not: it is outside of
the hash. The flow runner serves it (flows/deployments.py); which run comes next the Prefect server
says.
"""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from coordinator.home import Home
from site_agent.contract.errors import ConfigurationError, Unreachable
from site_agent.contract.study.read import read_study
from site_agent.contract.study.schedule import UTC, Schedule, read_schedule
from site_agent.runtime.http import ask_local

FLOW: Final = "refresh"


def known_schedule(text: str) -> Schedule | None:
    """Return a study's schedule; ConfigurationError if this machine knows no such time zone."""
    found = read_schedule(text)
    if found is None or found.zone == UTC:
        return found
    try:
        ZoneInfo(found.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            f"this machine knows no time zone '{found.zone}' (schedule); expected a name of the "
            f"IANA database, as Europe/Paris"
        ) from None
    return found


def schedule_of(home: Home, name: str) -> Schedule | None:
    """Return the schedule of a study that was added."""
    path = home.added(name)
    return read_schedule(read_study(path.read_text(encoding="utf-8"), path.name).schedule)


def next_run(home: Home, name: str) -> str:
    """Return the instant for which the Prefect server has a run of a study; "" if it has none.

    ISO 8601, UTC. Unreachable if the server does not answer.
    """
    asked: dict[str, Any] = {
        "flows": {"name": {"any_": [FLOW]}},
        "deployments": {"name": {"any_": [name]}},
        "flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}},
        "sort": "EXPECTED_START_TIME_ASC",
        "limit": 1,
    }
    found = ask_local(f"{home.prefect_url}/api/flow_runs/filter", asked)
    try:
        return next((str(run["expected_start_time"]) for run in found), "")
    except (TypeError, KeyError):
        raise Unreachable(f"no Prefect server answers at {home.prefect_url}") from None


def schedule_status(home: Home, name: str) -> dict[str, str] | None:
    """Return a study's schedule, its next run, and what to do if there is none."""
    found = schedule_of(home, name)
    if found is None:
        return None
    said = {"cron": found.cron, "time_zone": found.zone, "next": "", "note": ""}
    try:
        said["next"] = next_run(home, name)
    except Unreachable:
        away = f"no Prefect server answers at {home.prefect_url}; start it with `coordinator up`"
        return {**said, "note": away}
    if not said["next"]:
        said["note"] = "no run is planned; is the schedule paused in Prefect, the flow runner away?"
    return said
