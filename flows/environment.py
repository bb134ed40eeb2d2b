"""The surroundings of everything that runs Prefect here: quiet, offline, on our own server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from coordinator.home import Home

LEASES: Final = "prefect.server.concurrency.lease_storage.filesystem"
QUIET: Final[Mapping[str, str]] = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
    # What says that a run has its deployment's turn is to outlive the server's process.
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": LEASES,
    # A schedule that was set or changed just now gets its runs within seconds, not a minute.
    "PREFECT_SERVER_SERVICES_SCHEDULER_LOOP_SECONDS": "10",
    "PREFECT_LOGGING_LEVEL": "INFO",
    "PREFECT_CLI_PROMPT": "false",
}
HEARTBEAT_S: Final = 30


def surroundings(home: Home, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a process that runs Prefect for this center.

    What is inherited stays, except Prefect's own variables: a profile or variable of this
    machine that points elsewhere is not to send a study's names there.
    """
    kept = {name: v for name, v in inherited.items() if not name.startswith("PREFECT_")}
    database = home.settings["prefect.database"]
    stored = {"PREFECT_SERVER_DATABASE_CONNECTION_URL": database} if database else {}
    return {
        **kept,
        **QUIET,
        **stored,
        "PREFECT_HOME": str(home.folder / "prefect"),
        "PREFECT_PROFILES_PATH": str(home.folder / "prefect" / "profiles.toml"),
        "PREFECT_API_URL": f"{home.prefect_url}/api",
        "PREFECT_SERVER_UI_API_URL": f"{home.prefect_url}/api",
        "PREFECT_LOCAL_STORAGE_PATH": str(home.folder / "prefect" / "storage"),
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": str(HEARTBEAT_S),
        "QUORUM_HOME": str(home.folder),
    }
