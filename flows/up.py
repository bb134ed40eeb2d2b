"""Everything that the coordinating center runs, in one command."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from coordinator.home import Home, host_and_port
from coordinator.supervisor import Part, Supervisor
from flows.environment import surroundings
from site_agent.contract.errors import ConfigurationError
from site_agent.runtime.command import end_on_sigterm
from site_agent.runtime.http import answers
from site_agent.runtime.locks import locked


def up(home: Home, say: Callable[[str], None]) -> None:
    """Run exchange, Prefect server and flow runner until interrupted (Ctrl-C, SIGTERM)."""
    end_on_sigterm()
    home.identity()
    marker = home.folder / "up.json"

    def taken() -> ConfigurationError:
        return ConfigurationError(
            f"the center in {home.folder} is up already; stop it first, or take another --home"
        )

    with locked(home.folder / "up.lock", taken=taken):
        marker.unlink(missing_ok=True)
        for key in ("exchange.listen", "prefect.listen"):
            refuse_taken(home, key)
        supervisor = Supervisor(parts(home), say)
        try:
            supervisor.start()
            _mark(home, marker)
            say("ready; Ctrl-C stops everything")
            supervisor.keep()
        except KeyboardInterrupt:
            say("stopping")
        finally:
            supervisor.stop()
            marker.unlink(missing_ok=True)
    say("stopped")


def parts(home: Home) -> list[Part]:
    """Return the processes of a center in the order in which they are started."""
    environment = surroundings(home, os.environ)
    logs = home.folder / "logs"
    host, port = host_and_port(home.settings["prefect.listen"], "prefect.listen")
    python = sys.executable
    server = [python, "-m", "prefect", "server", "start", "--host", host, "--port", str(port)]
    return [
        Part(
            "exchange",
            f"{home.local_url} (hospitals: {home.public_url})",
            [python, "-m", "coordinator", "exchange"],
            environment,
            logs / "exchange.log",
            lambda: answers(f"{home.local_url}/readyz"),
        ),
        Part(
            "Prefect server",
            f"{home.prefect_url} (its pages too)",
            server,
            environment,
            logs / "prefect-server.log",
            lambda: answers(f"{home.prefect_url}/api/health"),
        ),
        Part(
            "flow runner",
            f"logs of all in {logs}",
            [python, "-m", "flows.runner"],
            environment,
            logs / "runner.log",
            lambda: answers(f"{home.prefect_url}/api/flows/name/refresh"),
        ),
    ]


def refuse_taken(home: Home, key: str) -> None:
    """Raise ConfigurationError if something listens already where a part is to listen."""
    host, port = host_and_port(home.settings[key], key)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise ConfigurationError(
            f"{key} is {home.settings[key]}, and nothing can listen there ({error.strerror}); stop "
            f"what does, or give another address in {home.settings.file}"
        ) from None


def _mark(home: Home, marker: Path) -> None:
    said = {"exchange": home.local_url, "prefect": home.prefect_url, "pid": os.getpid()}
    marker.write_text(json.dumps(said) + "\n", encoding="utf-8")
