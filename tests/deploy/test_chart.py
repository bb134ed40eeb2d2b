from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from coordinator.home import SETTINGS
from site_agent.runtime.settings import read_settings
from tests.deploy.charts import (
    CHART,
    GIVEN,
    containers,
    helm,
    needs_helm,
    of_kind,
    pods,
    rendered,
    variables,
)
from tests.deploy.files import command

pytestmark = needs_helm
PARTS: Final = ("exchange", "runner", "prefect")
# Addresses of parts: names of Services here, names of containers in the compose file.
ADDRESSES: Final = {
    "QUORUM_EXCHANGE__URL",
    "QUORUM_EXCHANGE__FROM_HERE",
    "QUORUM_PREFECT__LISTEN",
    "PREFECT_API_URL",
    "QUORUM_SECRETS",
}


@pytest.fixture(scope="module")
def chart() -> list[dict[str, Any]]:
    """The chart with nothing given but what must be."""
    return rendered(*GIVEN)


def test_helm_finds_nothing_wrong() -> None:
    """The chart passes helm's own checks, warnings counted as errors."""
    done = helm("lint", "--strict", "--set", ",".join(GIVEN), str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr


def test_kubernetes_takes_the_objects(chart: list[dict[str, Any]]) -> None:
    """Each object fits the schema of Kubernetes, and has no field that it does not know."""
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    given = (*GIVEN, "reminders.secret=mail", "image.pullSecrets[0].name=registry")
    objects = [*chart, *rendered(*given)]
    found = [kubernetes_validate.validate(one, "1.31", strict=True) for one in objects]
    assert found == ["1.31"] * len(objects)


@pytest.mark.parametrize("missing", GIVEN)
def test_what_must_be_given_is_asked_for(missing: str) -> None:
    """Without the name of the host or of the Secret nothing is rendered, and helm says which."""
    (given,) = set(GIVEN) - {missing}
    done = helm("template", "center", str(CHART), "--set", given)
    assert done.returncode != 0 and missing.split("=")[0].replace(".", "/") in done.stderr


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("ingress.paths[0].path=/metrics", "/ingress/paths/0/path"),
        ("settings.QUORUM_HOEM=/x", "QUORUM_HOEM"),
        ("databse.secret=x", "databse"),
    ],
)
def test_wrong_values_are_refused(wrong: str, named: str) -> None:
    """A path that is not for the outside, no setting, and a slip of the pen are named."""
    done = helm("template", "center", str(CHART), "--set", ",".join((*GIVEN, wrong)))
    assert done.returncode != 0 and named in done.stderr


def test_the_pods_are_closed(chart: list[dict[str, Any]]) -> None:
    """Each Pod runs as our user, with the runtime's filter, without a token of the cluster."""
    said = [(p["securityContext"], p["automountServiceAccountToken"]) for p in pods(chart).values()]
    found = [(s["runAsNonRoot"], s["runAsUser"], s["seccompProfile"], t) for s, t in said]
    assert found == [(True, 10001, {"type": "RuntimeDefault"}, False)] * 2


def test_the_containers_are_closed(chart: list[dict[str, Any]]) -> None:
    """Each container is read-only, without capabilities or new privileges."""
    closed = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    found = {name: said["securityContext"] for name, said in containers(chart).items()}
    assert found == dict.fromkeys(PARTS, closed)


def test_the_parts_run_what_they_run_in_compose(chart: list[dict[str, Any]]) -> None:
    """Each part has the command that it has in the compose file."""
    found = containers(chart)
    words = {n: [*c.get("command", ["coordinator"]), *c.get("args", [])] for n, c in found.items()}
    expected = {name: command("center", name) for name in PARTS}
    # Another folder of secrets; and $ is written twice in a compose file.
    expected["prefect"][2] = expected["prefect"][2].replace("$$", "$")
    words["prefect"][2] = words["prefect"][2].replace("/run/secrets/quorum/", "/run/secrets/")
    assert words == expected


@pytest.mark.parametrize("part", PARTS)
def test_the_environment_is_that_of_compose(
    part: str, chart: list[dict[str, Any]], center: dict[str, Any]
) -> None:
    """Each part has the variables of the compose file; only addresses are others."""
    said = center["services"][part]["environment"]
    merged = {n: v for n, v in said.items() if n not in ADDRESSES}
    found = variables(containers(chart)[part])
    assert {n: v for n, v in found.items() if n not in ADDRESSES} == merged


@pytest.mark.parametrize("part", ["exchange", "runner"])
def test_the_settings_are_settings(part: str, chart: list[dict[str, Any]]) -> None:
    """Our programs take the variables, and the address is the one of the Ingress."""
    given = variables(containers(chart)[part])
    given.pop("QUORUM_SECRETS", None)
    read = read_settings(SETTINGS, Path("/nowhere/center.toml"), given)
    assert read["exchange.url"] == "https://quorum.example.org"


def test_the_runner_finds_prefect(chart: list[dict[str, Any]]) -> None:
    """The runner asks the Service of the Prefect server, by the port that it has."""
    api = variables(containers(chart)["runner"])["PREFECT_API_URL"]
    (port,) = of_kind(chart, "Service")["center-prefect"]["ports"]
    assert api == f"http://center-prefect:{port['port']}/api"


def test_the_probes_ask_the_exchange(chart: list[dict[str, Any]]) -> None:
    """The exchange lives by /healthz and is ready by /readyz."""
    said = containers(chart)["exchange"]
    found = [said[name]["httpGet"]["path"] for name in ("livenessProbe", "readinessProbe")]
    assert found == ["/healthz", "/readyz"]


def test_only_the_exchange_is_exposed(chart: list[dict[str, Any]]) -> None:
    """The Ingress leads to the exchange, over TLS, and by the paths of the Caddyfile."""
    said = of_kind(chart, "Ingress")["center"]
    (rule,) = said["rules"]
    found = {p["path"]: p["backend"]["service"]["name"] for p in rule["http"]["paths"]}
    assert (said["tls"][0]["hosts"], found) == (
        ["quorum.example.org"],
        dict.fromkeys(("/v1/", "/healthz", "/pages/"), "center-exchange"),
    )


def test_only_the_center_reaches_prefect(chart: list[dict[str, Any]]) -> None:
    """The Prefect server takes connections from the Pod of the runner only."""
    policies = of_kind(chart, "NetworkPolicy")
    (rule,) = policies["center-prefect"]["ingress"]
    (peer,) = rule["from"]
    assert peer == {"podSelector": policies["center"]["podSelector"]}


def test_prefect_has_neither_key_nor_results(chart: list[dict[str, Any]]) -> None:
    """The claim with the home is in one Pod only, and one Pod has it at a time."""
    claims = [n for n, pod in pods(chart).items() if "persistentVolumeClaim" in str(pod["volumes"])]
    said = of_kind(chart, "Deployment")["center"]
    assert (claims, said["replicas"], said["strategy"]["type"]) == (["center"], 1, "Recreate")


def test_each_part_sees_its_own_database_only(chart: list[dict[str, Any]]) -> None:
    """Of the Secret with both databases, each part is given one key."""
    secrets = {
        name: [
            item["key"] for v in pod["volumes"] if "secret" in v for item in v["secret"]["items"]
        ]
        for name, pod in pods(chart).items()
    }
    assert secrets == {"center": ["exchange__database"], "center-prefect": ["prefect__database"]}


def test_no_secret_is_in_the_chart(chart: list[dict[str, Any]]) -> None:
    """The chart makes no Secret: it only names them."""
    assert "Secret" not in {one["kind"] for one in chart}


def test_uninstalling_keeps_the_home(chart: list[dict[str, Any]]) -> None:
    """The claim with the key stays when the release is uninstalled."""
    (claim,) = [o for o in chart if o["kind"] == "PersistentVolumeClaim"]
    assert claim["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
