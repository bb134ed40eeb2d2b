"""What all forged messages of the campaign are made of."""

from __future__ import annotations

from typing import Any

from site_agent.contract import messages
from site_agent.contract.canonical import canonical_json
from site_agent.contract.messages import (
    CONTEXT,
    Parts,
    Readies,
    Shares,
)
from tests.campaign.scene import Scene
from tests.protocol import CENTER, identity


def flipped(scene: Scene, data: bytes) -> bytes:
    """Bytes of which one bit is another."""
    changed = bytearray(data)
    changed[scene.rng.randrange(len(changed))] ^= 1 << scene.rng.randrange(8)
    return bytes(changed)


def instead(scene: Scene, wires: list[bytes], site: str, wire: bytes) -> list[bytes]:
    """The messages of all sites with another one in one site's place."""
    return [wire if at == scene.at(site) else own for at, own in enumerate(wires)]


def gathered(scene: Scene, wires: list[bytes]) -> bytes:
    """READIES, PARTS or SHARES with these messages."""
    kind = {"READIES": Readies, "PARTS": Parts, "SHARES": Shares}[scene.due.kind]
    return scene.sign(kind(**scene.due.content), wires)


def party(scene: Scene, part: str) -> str:
    """The name of who plays a part."""
    return CENTER if part == CENTER else str(getattr(scene, part))


def other_open(scene: Scene) -> str:
    return scene.hex()


def one_less(scene: Scene) -> bytes:
    wires = scene.wires()
    del wires[scene.rng.randrange(len(wires))]
    return gathered(scene, wires)


def one_more(scene: Scene) -> bytes:
    wires = scene.wires()
    wires.insert(scene.rng.randrange(len(wires) + 1), scene.rng.choice(wires))
    return gathered(scene, wires)


def moved(scene: Scene) -> bytes:
    """The messages of two sites other than the victim in each other's places."""
    wires = scene.wires()
    one, two = (scene.at(scene.other), scene.at(scene.colluding))
    wires[one], wires[two] = wires[two], wires[one]
    return gathered(scene, wires)


def doubled(scene: Scene) -> bytes:
    """The message of one site in the place of another one's too."""
    wires = scene.wires()
    own = wires[scene.at(scene.colluding)]
    return gathered(scene, instead(scene, wires, scene.other, own))


def withheld(scene: Scene) -> bytes:
    return messages.withhold(scene.due, scene.at(scene.other))


def replaced_by_nothing(scene: Scene) -> bytes:
    """No message in the place of one."""
    rubbish = scene.rng.randbytes(scene.rng.randrange(200))
    return gathered(scene, instead(scene, scene.wires(), scene.other, rubbish))


def raw(header: bytes, parts: list[bytes], by: str = CENTER) -> bytes:
    """A message with a header as it stands, signed well."""
    return messages._wire(header, identity(by).sign(CONTEXT + header), parts)


def header(scene: Scene, content: Any, kind: str | None = None) -> bytes:
    """A header in canonical form, of a message without parts."""
    document = {
        "type": scene.due.kind if kind is None else kind,
        "sender": CENTER,
        "content": content,
        "parts": [],
    }
    return canonical_json(document)
