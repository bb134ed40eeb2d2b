"""Hospitals whose only way out is a proxy: one inspects TLS, one asks for a password, one cuts.

Each hospital is in a network of its own, from which nothing but its proxy is reached; the exchange
is behind TLS. What an agent says when its proxy does not let it through is looked at, too.
"""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from site_agent.site import SETTINGS
from tests.certificates import authority
from tests.processes import namespaces, squid
from tests.processes.namespaces import Net, ip, net
from tests.processes.running import environment, until
from tests.processes.squid import ASKS_FOR_PASSWORD, CUTS, ENDS_TLS, INSPECTS, PORT, Squids
from tests.processes.world import AGENT, PYTHON, SITES, World

HOST: Final = "exchange.example"
BY_SETTING, BY_VARIABLE, ASKED, CUT = SITES
PROXIES: Final = {
    BY_SETTING: "inspector",
    BY_VARIABLE: "inspector",
    ASKED: "porter",
    CUT: "cutter",
}
IDLE_S: Final = 4
LOGIN: Final = "agent:s3cret-word"


@dataclass
class Country:
    """The world behind its proxies; `trusts`: the variables of each agent."""

    world: World
    wires: Net
    squids: Squids
    variables: dict[str, dict[str, str]]

    def status(self, site: str, **other: str) -> tuple[int, str]:
        """Exit code and words of `site-agent status` at a hospital, with other variables."""
        config = str(self.world.config(site))
        command = [PYTHON, "-c", AGENT, "--config", config, "status"]
        given = {**self.variables[site], **other}
        done = subprocess.run(
            self.wires.inside(site, command),
            env=environment(**{name: value for name, value in given.items() if value}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def _or_skip(why: str, *, must: bool) -> None:
    if why and must and os.environ.get("QUORUM_TEST_ALL") == "1":
        pytest.fail(why)
    if why:
        pytest.skip(why)


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Country]:
    """Exchange, front, proxies and agents in their namespaces; enrolled before, over loopback."""
    _or_skip(namespaces.missing(), must=True)
    _or_skip(squid.missing(), must=False)
    world = World(tmp_path_factory.mktemp("proxies"), SITES)
    with ExitStack() as stack:
        wires = stack.enter_context(net())
        open_to_all = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        open_to_all.chmod(0o755)
        names = ("front", "inspector", "porter", "cutter", *SITES)
        listen = namespaces.with_exchange_apart(stack, world, wires, names)
        squids = Squids(open_to_all, wires, {HOST: wires.address("front")})
        variables = start_proxies(stack, squids, int(listen.rpartition(":")[2]))
        for site, agent in world.agents.items():
            only_way(wires, site, PROXIES[site])
            agent.command = wires.inside(site, list(agent.command))
            agent.environment = environment(**variables[site])
        world.start_agents()
        yield Country(world, wires, squids, variables)


def start_proxies(stack: ExitStack, squids: Squids, port: int) -> dict[str, dict[str, str]]:
    """Start front and proxies; the variables of each agent, which lead through them."""
    wires, public, own = squids.wires, authority("Public CA"), authority("Hospital Inspection CA")
    for name in ("front", "inspector"):
        (squids.place(name) / "front.pem").write_bytes(public.signed(HOST))
        (squids.place(name) / "world.pem").write_bytes(public.pem)
    (squids.place("inspector") / "signs.pem").write_bytes(own.secret())
    (squids.place("porter") / "passwords").write_text(hashed(LOGIN), encoding="utf-8")
    upstream = {"upstream": wires.address("exchange"), "upstream_port": port}
    for process in (
        squids.start("front", ENDS_TLS, host=HOST, **upstream),
        squids.start("inspector", INSPECTS),
        squids.start("porter", ASKS_FOR_PASSWORD, allowed="allow known"),
        squids.start("cutter", CUTS, idle_s=IDLE_S),
    ):
        stack.callback(process.stop)
    for name, found in (("public", public), ("own", own)):
        (squids.folder / name).mkdir()
        found.write(squids.folder / name)
    trusted = {name: str(squids.folder / name / "ca.pem") for name in ("public", "own")}
    proxy = {name: f"{wires.address(name)}:{PORT}" for name in set(PROXIES.values())}
    common = {"QUORUM_EXCHANGE__URL": f"https://{HOST}"}
    by_setting = {"QUORUM_EXCHANGE__CA_FILE": trusted["public"]}
    return {
        BY_SETTING: {
            **common,
            "QUORUM_EXCHANGE__PROXY": f"http://{proxy['inspector']}",
            "QUORUM_EXCHANGE__CA_FILE": trusted["own"],
        },
        BY_VARIABLE: {
            **common,
            "HTTPS_PROXY": f"http://{proxy['inspector']}",
            "SSL_CERT_FILE": trusted["own"],
        },
        ASKED: {
            **common,
            **by_setting,
            "QUORUM_EXCHANGE__PROXY": f"http://{LOGIN}@{proxy['porter']}",
        },
        CUT: {
            **common,
            **by_setting,
            "QUORUM_EXCHANGE__PROXY": f"http://{proxy['cutter']}",
            "QUORUM_EXCHANGE__POLL_S": str(IDLE_S // 2),
        },
    }


def hashed(login: str) -> str:
    """A login as the program that checks it keeps it."""
    name, _, password = login.partition(":")
    made = subprocess.run(
        ["openssl", "passwd", "-apr1", password], check=True, capture_output=True, text=True
    )
    return f"{name}:{made.stdout.strip()}\n"


def only_way(wires: Net, site: str, proxy: str) -> None:
    """Leave a hospital no way but the one to its proxy."""
    space = wires.namespace(site)
    ip("-n", space, "route", "flush", "dev", "eth0")
    ip("-n", space, "route", "add", f"{wires.address(proxy)}/32", "dev", "eth0")


def test_all_take_part_in_a_release(country: Country) -> None:
    """With the bytes of a single process; each was asked for the exchange by its proxy."""
    world, squids = country.world, country.squids
    found = world.finished(world.refresh()) == world.expected
    for agent in world.agents.values():
        agent.stop()  # a proxy notes a tunnel when it ends
    for name in set(PROXIES.values()):
        until(lambda name=name: HOST in squids.asked(name), f"{name} was asked")  # type: ignore[misc]
    assert found


@pytest.fixture
def own_store(country: Country) -> Iterator[None]:
    """The trust store of one hospital's machine, into which its inspecting CA was put.

    `ip netns exec` shows a process what lies in /etc/netns/<name> instead of that in /etc.
    """
    used = Path(ssl.get_default_verify_paths().openssl_cafile).resolve()
    _or_skip("" if used.is_relative_to("/etc/ssl") and used.exists() else f"{used}", must=False)
    place = Path("/etc/netns") / country.wires.namespace(BY_VARIABLE)
    shutil.copytree("/etc/ssl", place / "ssl", symlinks=True)
    try:
        with (place / "ssl" / used.relative_to("/etc/ssl")).open("ab") as store:
            store.write((country.squids.folder / "own" / "ca.pem").read_bytes())
        yield
    finally:
        shutil.rmtree(place)


@pytest.mark.usefixtures("own_store")
def test_a_ca_in_the_systems_trust_store(country: Country) -> None:
    """No setting and no variable names it, and the exchange answers."""
    code, words = country.status(BY_VARIABLE, SSL_CERT_FILE="")
    assert (code, "exchange     answers" in words) == (0, True)


def test_a_ca_that_the_system_does_not_have(country: Country) -> None:
    """Without it in the trust store the same call is refused, and the CA named."""
    code, words = country.status(BY_VARIABLE, SSL_CERT_FILE="")
    assert (code, "Hospital Inspection CA" in words) == (69, True)


def test_there_is_no_other_way(country: Country) -> None:
    """Without its proxy a hospital reaches nothing, so the release did go through it."""
    code, words = country.status(BY_VARIABLE, HTTPS_PROXY="", QUORUM_EXCHANGE__PROXY="")
    assert (code, "no exchange answers" in words or "cannot be reached" in words) == (69, True)


def test_an_inspecting_ca_that_is_not_trusted(country: Country) -> None:
    """It is named, with what to do."""
    code, words = country.status(BY_SETTING, QUORUM_EXCHANGE__CA_FILE="")
    assert (code, "Hospital Inspection CA" in words, "ca_file" in words) == (69, True, True)


@pytest.mark.parametrize("login", ["", "agent:wrong@"], ids=["none", "wrong"])
def test_a_proxy_that_asks_for_a_password(country: Country, login: str) -> None:
    """It is named with what to do, and no password is shown."""
    proxy = f"{country.wires.address('porter')}:{PORT}"
    code, words = country.status(ASKED, QUORUM_EXCHANGE__PROXY=f"http://{login}{proxy}")
    assert (code, proxy in words, "password" in words, "wrong@" in words) == (
        69,
        True,
        True,
        False,
    )


def test_the_default_call_is_shorter_than_what_proxies_cut() -> None:
    """Proxies cut calls that are idle for a minute; an agent's call ends by itself before."""
    (poll,) = (setting.default for setting in SETTINGS if setting.key == "exchange.poll_s")
    assert poll <= 30
