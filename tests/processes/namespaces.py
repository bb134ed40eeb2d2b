"""Network namespaces joined by a bridge: each party on a machine of its own, with a cable.

Needs root and `ip` (iproute2). Everything is named after this process and removed at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from tests.processes.gate import Gate
from tests.processes.running import environment, free_port
from tests.processes.world import World

ADDRESS = f"10.213.{os.getpid() % 250 + 1}.{{}}"  # other workers have nets of their own
HERE = 254  # the last part of this process's own address


@dataclass
class Net:
    """A bridge in the root namespace, and namespaces on it by name."""

    prefix: str = field(default_factory=lambda: f"q{os.getpid()}")
    places: dict[str, int] = field(default_factory=dict)

    @property
    def bridge(self) -> str:
        return f"{self.prefix}b"

    @property
    def here(self) -> str:
        """The address of this process."""
        return ADDRESS.format(HERE)

    def namespace(self, name: str) -> str:
        """The system's name of a namespace."""
        return f"{self.prefix}-{name}"

    def address(self, name: str) -> str:
        """The address of a party."""
        return ADDRESS.format(self.places[name])

    def add(self, name: str) -> None:
        """Make a namespace with an address, and plug it into the bridge."""
        place = self.places[name] = len(self.places) + 1
        space, cable = self.namespace(name), self.cable(name)
        ip("netns", "add", space)
        ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", space)
        ip("link", "set", cable, "master", self.bridge, "up")
        ip("-n", space, "address", "add", f"{ADDRESS.format(place)}/24", "dev", "eth0")
        ip("-n", space, "link", "set", "eth0", "up")
        ip("-n", space, "link", "set", "lo", "up")

    def cable(self, name: str) -> str:
        """The end of a party's cable that is in the bridge."""
        return f"{self.prefix}v{self.places[name]}"

    def pull(self, name: str) -> None:
        """Pull a party's cable out."""
        ip("link", "set", self.cable(name), "down")

    def plug(self, name: str) -> None:
        """Put a party's cable in again."""
        ip("link", "set", self.cable(name), "up")

    def inside(self, name: str, command: list[str]) -> list[str]:
        """A command as it is run in a namespace."""
        return ["ip", "netns", "exec", self.namespace(name), *command]

    def remove(self) -> None:
        """Remove all namespaces and the bridge."""
        for name in self.places:
            with suppress(subprocess.CalledProcessError):
                ip("link", "delete", self.cable(name))
            with suppress(subprocess.CalledProcessError):
                ip("netns", "delete", self.namespace(name))
        with suppress(subprocess.CalledProcessError):
            ip("link", "delete", self.bridge)


def with_exchange_apart(stack: ExitStack, world: World, wires: Net, names: Sequence[str]) -> str:
    """Enrol a world's hospitals over the loopback, then start its exchange in a network of its own.

    The others of `names` get networks, too. Returns where the exchange listens.
    """
    port = free_port()
    stack.callback(world.stop)
    world.gate = stack.enter_context(Gate(f"http://127.0.0.1:{port}"))
    world.furnish(port)
    world.start_exchange()
    world.enrol()
    world.exchange.stop()
    for name in ("exchange", *names):
        wires.add(name)
    listen = f"{wires.address('exchange')}:{port}"
    world.gate.upstream = f"http://{listen}"
    world.exchange.command = wires.inside("exchange", list(world.exchange.command))
    world.exchange.environment = environment(QUORUM_EXCHANGE__LISTEN=listen)
    world.start_exchange()
    return listen


def ip(*words: str) -> None:
    """Run `ip`; CalledProcessError if it fails."""
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=20)


@contextmanager
def net() -> Iterator[Net]:
    """A bridge on which this process has an address; all of it is removed at the end."""
    found = Net()
    with ExitStack() as stack:
        stack.callback(found.remove)
        ip("link", "add", found.bridge, "type", "bridge")
        ip("address", "add", f"{found.here}/24", "dev", found.bridge)
        ip("link", "set", found.bridge, "up")
        yield found


def missing() -> str:
    """Why there can be no namespaces here; "" if there can."""
    if shutil.which("ip") is None:
        return "there is no `ip` (iproute2)"
    try:
        with net() as tried:
            tried.add("probe")
    except subprocess.CalledProcessError as error:
        return f"namespaces are not permitted: {error.stderr.decode(errors='replace').strip()}"
    return ""
