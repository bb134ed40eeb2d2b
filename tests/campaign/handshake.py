"""Forged READIES and PARTS: keys, halves, parts of the secret, what READY tells."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any, Final

from site_agent.contract.messages import (
    Part,
    Ready,
    Round,
)
from site_agent.contract.securesum import pairing
from tests.campaign.forging import (
    flipped,
    gathered,
    instead,
    party,
)
from tests.campaign.scene import Scene, Wire
from tests.protocol import content_of, parts_of

# Points of Curve25519 whose multiples are few: the shared secret is known to everybody.
LOW_ORDER: Final = (
    bytes(32),
    (1).to_bytes(32, "little"),
    (2**255 - 20).to_bytes(32, "little"),
    (2**255 - 19).to_bytes(32, "little"),
    (2**255 - 18).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
)


def ready(by: str, name: str, of: str) -> Callable[..., Wire]:
    """READIES in which the READY of a part of the scene is another one.

    by, name, of: "center", or the part (victim, other, colluding) that signs it, in whose name it
    is, whose place it has.
    """

    def made(
        halves: Callable[[Scene, list[bytes]], list[bytes]] = lambda _, h: h,
        **change: Callable[[Scene], Any],
    ) -> Wire:
        def wire(scene: Scene) -> bytes:
            wires, own = scene.wires(), party(scene, of)
            content = dict(content_of(wires[scene.at(own)]))
            content |= {field: drawn(scene) for field, drawn in change.items()}
            parts = halves(scene, parts_of(wires[scene.at(own)]))
            forged = scene.sign(Ready(**content), parts, party(scene, by), party(scene, name))
            return gathered(scene, instead(scene, wires, own, forged))

        return wire

    return made


def a_key(scene: Scene) -> str:
    """Another ephemeral key."""
    return base64.b64encode(scene.rng.randbytes(32)).decode()


def a_key_of_low_order(scene: Scene) -> str:
    return base64.b64encode(scene.rng.choice(LOW_ORDER)).decode()


def no_key(scene: Scene) -> str:
    """Bytes of another length, or no base64."""
    length = scene.rng.choice([n for n in range(70) if n != 32])
    return scene.rng.choice([base64.b64encode(scene.rng.randbytes(length)).decode(), "é*", "===="])


def no_earlier(scene: Scene) -> tuple[str, ...]:
    """Names of earlier releases that are none, not in order, twice, or too many."""
    name = f"{scene.hex()}/1"
    many = tuple(sorted(f"{scene.hex()}/{n}" for n in range(1, 1002)))
    return scene.rng.choice(
        [
            (name.upper(),),
            (name, name),
            tuple(sorted((name, f"{scene.hex()}/2"), reverse=True)),
            (f"{scene.hex()}/0",),
            (f"{scene.hex()}/{10**11}",),
            (scene.hex(),),
            ("../../x/1",),
            ("",),
            many,
        ]
    )


def no_marks(scene: Scene) -> tuple[str, ...]:
    """Marks of a ledger that are none, or too many."""
    mark = f"{scene.rng.randrange(1, 9)}:{scene.hex()}"
    return scene.rng.choice(
        [("x",), (mark.replace(":", "/"),), ("01:" + scene.hex(),), (mark,) * 300]
    )


def halves_altered(scene: Scene, halves: list[bytes]) -> list[bytes]:
    return [flipped(scene, half) for half in halves]


def halves_moved(scene: Scene, halves: list[bytes]) -> list[bytes]:
    turn = scene.rng.randrange(1, len(halves))
    return halves[turn:] + halves[:turn]


def part(by: str, name: str, of: str) -> Callable[..., Wire]:
    """PARTS in which one PART is another one; see `ready`."""

    def made(
        sealed: Callable[[Scene, list[bytes]], list[bytes]] = lambda _, s: s,
        **change: Callable[[Scene], Any],
    ) -> Wire:
        def wire(scene: Scene) -> bytes:
            wires, own = scene.wires(), party(scene, of)
            content = dict(content_of(wires[scene.at(own)]))
            content |= {field: drawn(scene) for field, drawn in change.items()}
            parts = sealed(scene, parts_of(wires[scene.at(own)]))
            forged = scene.sign(Part(**content), parts, party(scene, by), party(scene, name))
            return gathered(scene, instead(scene, wires, own, forged))

        return wire

    return made


def another_for_the_victim(scene: Scene, sealed: list[bytes]) -> list[bytes]:
    """The colluding site gives the victim another part than it has told all that it gives."""
    release = scene.play.cores[scene.colluding]._release
    assert release is not None
    pair = release.keyed().secrets[scene.victim]
    data = scene.rng.randbytes(32)
    sent = pairing.encrypt(pair, pairing.PART, scene.colluding, scene.victim, data)
    others = [site for site in scene.play.release.sites if site != scene.colluding]
    return [sent if site == scene.victim else own for site, own in zip(others, sealed, strict=True)]


def without_parts(scene: Scene) -> bytes:
    """The first ROUND, before the sites have their secret."""
    return scene.sign(Round(scene.opened, 0, scene.hex()), [b""] * scene.rng.randrange(1, 4))
