from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from coordinator.home import SETTINGS, Home
from flows.environment import surroundings
from site_agent.runtime.settings import read_settings
from tests.deploy.commands import understood
from tests.deploy.files import DEPLOY, ROOT, command, shown

OURS: Final = ("exchange", "prefect", "runner", "coordinator")
PARTS: Final = {*OURS, "database", "caddy"}
HOME: Final = Path("/var/lib/quorum-center")
PAGES: Final = "http://127.0.0.1:4200/api"


def settings_of(service: dict[str, Any]) -> Home:
    """The center as a service sees it, its secrets left out."""
    given = {k: v for k, v in service["environment"].items() if k.startswith("QUORUM_")}
    given = {k: str(v).replace("${QUORUM_HOST", "host").split(":?")[0] for k, v in given.items()}
    given.pop("QUORUM_SECRETS", None)
    return Home(HOME, read_settings(SETTINGS, HOME / "center.toml", given))


def test_a_hospital_has_one_service(hospital: dict[str, Any]) -> None:
    """Beside the agent nothing runs at a hospital."""
    assert list(hospital["services"]) == ["agent"]


def test_a_hospital_publishes_no_port(hospital: dict[str, Any]) -> None:
    """Nothing listens at a hospital."""
    assert "ports" not in hospital["services"]["agent"]


def test_the_data_are_read_only(hospital: dict[str, Any]) -> None:
    """The data are mounted so that they cannot be written."""
    assert hospital["services"]["agent"]["volumes"][1].endswith(":/data:ro")


def test_the_agent_is_run(hospital: dict[str, Any]) -> None:
    """The service runs the agent."""
    assert understood(command("hospital", "agent")) == "site-agent run"


def test_the_center_has_these_parts(center: dict[str, Any]) -> None:
    """The compose file of the center has the parts of docs/center.md and what they stand on."""
    assert set(center["services"]) == PARTS


def test_only_caddy_publishes_ports(center: dict[str, Any]) -> None:
    """From outside, nobody reaches another part than the proxy."""
    assert [name for name, said in center["services"].items() if "ports" in said] == ["caddy"]


def test_only_the_ports_of_the_web_are_open(center: dict[str, Any]) -> None:
    """What is not for the web is published on the loopback of the machine only."""
    ports = center["services"]["caddy"]["ports"]
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == ["80:80", "443:443"]


def test_only_caddy_has_a_way_out(center: dict[str, Any]) -> None:
    """All other parts are on internal networks."""
    inside = {name for name, said in center["networks"].items() if said.get("internal")}
    out = [n for n, said in center["services"].items() if set(said["networks"]) - inside]
    assert out == ["caddy"]


def test_caddy_does_not_reach_the_databases(center: dict[str, Any]) -> None:
    """The proxy and the databases have no network in common."""
    networks = {name: set(said["networks"]) for name, said in center["services"].items()}
    assert networks["caddy"] & networks["database"] == set()


@pytest.mark.parametrize("side", ["hospital", "center"])
def test_our_parts_are_closed(side: str, request: pytest.FixtureRequest) -> None:
    """Each part of ours is read-only, without capabilities or new privileges."""
    services = request.getfixturevalue(side)["services"]
    ours = [said for name, said in services.items() if name in (*OURS, "agent")]
    closed = (True, ["ALL"], ["no-new-privileges:true"])
    found = [(s["read_only"], s["cap_drop"], s["security_opt"]) for s in ours]
    assert found == [closed] * len(ours)


@pytest.mark.parametrize(
    ("service", "name"), [("exchange", "coordinator exchange"), ("coordinator", "coordinator")]
)
def test_the_parts_run_commands_of_ours(service: str, name: str) -> None:
    """What a part runs is a command that exists."""
    words = [word for word in command("center", service) if word != "--help"]
    assert name == (understood(words) if words[1:] else words[0])


def test_the_runner_is_a_module_of_ours() -> None:
    """The runner is started as `coordinator up` starts it."""
    assert command("center", "runner") == ["python", "-m", "flows.runner"]
    assert (ROOT / "flows" / "runner.py").exists()


def test_the_server_is_started_as_by_up() -> None:
    """The Prefect server is started with the command that `coordinator up` gives."""
    assert command("center", "prefect")[-1].endswith(
        "exec prefect server start --host 0.0.0.0 --port 4200"
    )


@pytest.mark.parametrize("side", ["hospital", "center"])
def test_the_commands_in_the_head_are_understood(side: str) -> None:
    """The commands that the head of a compose file shows are commands of ours."""
    program, service = {
        "hospital": ("site-agent", "agent"),
        "center": ("coordinator", "coordinator"),
    }[side]
    lines = shown(side, service)
    assert lines and all(understood([program, *line.split()]) for line in lines)


def test_the_settings_fit(center: dict[str, Any]) -> None:
    """The settings that the parts are given are settings, and say where the others are."""
    found = settings_of(center["services"]["coordinator"])
    assert (found.local_url, found.prefect_url) == ("http://exchange:8470", "http://prefect:4200")


@pytest.mark.parametrize("service", ["prefect", "runner"])
def test_prefect_is_as_quiet_as_under_up(service: str, center: dict[str, Any]) -> None:
    """What runs Prefect has the variables of flows/environment.py, each with its value."""
    home = settings_of(center["services"]["runner"])
    expected = {**surroundings(home, {}), "PREFECT_SERVER_UI_API_URL": PAGES}
    given = {**center["services"][service]["environment"], "QUORUM_HOME": str(HOME)}
    assert {k: v for k, v in given.items() if k in expected or k.startswith("PREFECT")} == expected


def test_every_secret_is_one_that_is_made(center: dict[str, Any]) -> None:
    """Each file of secrets is written by make-secrets."""
    script = (DEPLOY / "center" / "make-secrets").read_text(encoding="utf-8")
    names = [Path(said["file"]).name for said in center["secrets"].values()]
    assert [name for name in names if name not in script] == []


def test_every_file_that_is_mounted_is_there(center: dict[str, Any]) -> None:
    """A file beside the compose file that a part mounts exists."""
    mounts = [v for said in center["services"].values() for v in said.get("volumes", [])]
    beside = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert [path for path in beside if not (DEPLOY / "center" / path).exists()] == []
