"""Forged SHARES and SPLIT: what hospitals are told of the answers of others."""

from __future__ import annotations

from collections.abc import Callable

from site_agent.contract import messages
from site_agent.contract.messages import (
    Share,
    Shares,
    Split,
)
from tests.campaign.forging import (
    flipped,
    gathered,
    instead,
    party,
)
from tests.campaign.scene import Scene, Wire
from tests.protocol import CENTER


def share(by: str, name: str) -> Callable[[Callable[[Scene, list[bytes]], list[bytes]]], Wire]:
    """SHARES in which one share is another one; its sealed part stays with the center."""

    def made(change: Callable[[Scene, list[bytes]], list[bytes]]) -> Wire:
        def wire(scene: Scene) -> bytes:
            wires, site = scene.wires(), party(scene, name)
            message = messages.read(wires[scene.at(site)])
            own = [p or b"" for p in message.parts]
            content = Share(**message.content)
            forged = scene.sign(content, change(scene, own), party(scene, by), site)
            return gathered(scene, instead(scene, wires, site, forged))

        return wire

    return made


def another_lane(scene: Scene, own: list[bytes]) -> list[bytes]:
    """A share whose element 0 is another one: what accidents and other questions do."""
    at = scene.rng.randrange(32)
    first = own[0][:at] + bytes([own[0][at] ^ (1 << scene.rng.randrange(8))]) + own[0][at + 1 :]
    return [first, *own[1:]]


def another_length(scene: Scene, own: list[bytes]) -> list[bytes]:
    longer = own[0] + scene.rng.randbytes(scene.rng.choice([1, 8, 32]))
    return [scene.rng.choice([own[0][:-1], own[0][:-32], longer, b""]), *own[1:]]


def earlier_share(scene: Scene) -> bytes:
    """SHARES with another hospital's share of an earlier round."""
    number = scene.rng.randrange(scene.number)
    old = [
        reply
        for (site, _), reply in scene.play.replies.items()
        if site == scene.other and reply is not None and _is_share(reply, number)
    ]
    return gathered(scene, instead(scene, scene.wires(), scene.other, old[0]))


def _is_share(wire: bytes, number: int) -> bool:
    message = messages.read(wire)
    return message.kind == Share.TYPE and message.content["number"] == number


def shares_of_later(scene: Scene) -> bytes:
    number = scene.number + scene.rng.randrange(1, 5)
    return scene.sign(Shares(scene.opened, number), scene.wires())


def split(change: Callable[[Scene, bytes], bytes]) -> Wire:
    """SPLIT with another share of the center's own hospital."""
    return lambda scene: scene.sign(Split(**scene.due.content), [change(scene, scene.wires()[0])])


def split_forged(scene: Scene, own: bytes) -> bytes:
    message = messages.read(own)
    parts = [part or b"" for part in message.parts]
    return scene.sign(Share(**message.content), parts, CENTER, scene.colluding)


def split_altered(scene: Scene, own: bytes) -> bytes:
    message = messages.read(own)
    parts = [part or b"" for part in message.parts]
    at = 2 + scene.at(scene.victim)
    parts[at] = flipped(scene, parts[at])
    return scene.sign(Share(**message.content), parts, scene.colluding)


def split_exchanged(scene: Scene, own: bytes) -> bytes:
    message = messages.read(own)
    parts = [part or b"" for part in message.parts]
    return scene.sign(Share(**message.content), [*parts[:2], parts[3], parts[2]], scene.colluding)


def split_missing(scene: Scene, own: bytes) -> bytes:
    message = messages.read(own)
    return scene.sign(
        Share(**message.content), [p or b"" for p in message.parts[:2]], scene.colluding
    )


def split_of_another_question(scene: Scene, own: bytes) -> bytes:
    message = messages.read(own)
    content = {**message.content, "transcript": scene.hex()}
    return scene.sign(Share(**content), [p or b"" for p in message.parts], scene.colluding)
