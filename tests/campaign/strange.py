"""Messages that are none, that are spelt otherwise, or of somebody else."""

from __future__ import annotations

import json
from typing import Any, Final

from site_agent.contract.canonical import canonical_json, sha256
from site_agent.contract.messages import (
    LARGEST_HEADER,
    MOST_PARTS,
    Close,
    Part,
    Parts,
    Readies,
    Receipt,
    Round,
    Share,
    Shares,
    Split,
)
from tests.campaign.forging import (
    flipped,
    header,
    raw,
)
from tests.campaign.scene import Scene
from tests.protocol import CENTER

OF_CENTER: Final = {c.TYPE: c for c in (Readies, Parts, Round, Split, Shares, Close)}


def bits_flipped(scene: Scene) -> bytes:
    return flipped(scene, scene.play.next)


def cut_short(scene: Scene) -> bytes:
    return scene.play.next[: scene.rng.randrange(len(scene.play.next))]


def with_more_behind(scene: Scene) -> bytes:
    return scene.play.next + scene.rng.randbytes(scene.rng.randrange(1, 50))


def noise(scene: Scene) -> bytes:
    return scene.rng.randbytes(scene.rng.choice([0, 1, 4, 67, 68, 69, 1000]))


def nested(scene: Scene) -> bytes:
    """A header of brackets in brackets."""
    depth = scene.rng.choice([100, 5000, 60_000])
    return raw(b'{"content":' + b"[" * depth + b"]" * depth + b"}", [])


def huge_header(scene: Scene) -> bytes:
    size = LARGEST_HEADER + scene.rng.randrange(1, 1000)
    return raw(b'"' + b"x" * size + b'"', [])


def announced(scene: Scene) -> bytes:
    """A message that says that it is longer than anything."""
    due = bytearray(scene.play.next)
    due[:4] = scene.rng.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x00\x04\x00\x01"])
    return bytes(due)


def key_twice(scene: Scene) -> bytes:
    """A field that stands twice: which one is read?"""
    header = scene.due.header
    return raw(header[:-1] + b',"sender":"elm"}', [p or b"" for p in scene.due.parts])


def other_spelling(scene: Scene) -> bytes:
    """The header that is due, spelt otherwise."""
    document = json.loads(scene.due.header)
    indent = scene.rng.choice([None, 1, 4])
    header = json.dumps(document, indent=indent, separators=(", ", ": ")).encode()
    return raw(header, [p or b"" for p in scene.due.parts])


def many_parts(scene: Scene) -> bytes:
    parts = [b""] * (MOST_PARTS + scene.rng.randrange(1, 50))
    document = {
        "type": scene.due.kind,
        "sender": CENTER,
        "content": scene.due.content,
        "parts": [[0, sha256(b"")]] * len(parts),
    }
    return raw(canonical_json(document), parts)


def other_types(scene: Scene) -> bytes:
    """A field of another type, of a size that no field has, or one more, or one less."""
    content = dict(scene.due.content)
    name = scene.rng.choice(sorted(content))
    strange: list[Any] = [None, True, -1, 2**63, 10**40, 1.5, [], {}, [[]], {"a": 1}]
    strange += ["x"] if isinstance(content[name], int) else [7]
    change = scene.rng.randrange(3)
    if change == 0:
        content[name] = scene.rng.choice(strange)
    elif change == 1:
        del content[name]
    else:
        content["more"] = 1
    return raw(header(scene, content), [])


def of_another_kind(scene: Scene) -> bytes:
    """A message that only sites send, or of no kind."""
    made: list[bytes] = [
        scene.sign(Receipt(scene.opened, scene.hex(), scene.hex()), []),
        scene.sign(Share(scene.opened, 0, scene.hex()), [b"", b""]),
        scene.sign(Part(scene.opened, scene.hex()), []),
        raw(
            header(scene, scene.due.content, scene.rng.choice(["", "open", "ROUND ", "ＯＰＥＮ"])),
            [],
        ),
    ]
    return scene.rng.choice(made)


def of_another_release(scene: Scene) -> bytes:
    content = {**scene.due.content, "open": scene.hex()}
    return scene.sign(OF_CENTER[scene.due.kind](**content), scene.wires())


def signed_by_a_site(scene: Scene) -> bytes:
    """The message that is due, in the center's name, signed by a hospital."""
    return scene.sign(
        OF_CENTER[scene.due.kind](**scene.due.content), scene.wires(), scene.colluding, CENTER
    )


def sent_by_a_site(scene: Scene) -> bytes:
    """The message that is due in a hospital's own name."""
    return scene.sign(
        OF_CENTER[scene.due.kind](**scene.due.content), scene.wires(), scene.colluding
    )


def look_alike_sender(scene: Scene) -> bytes:
    """Signed by the center in a name that looks like its own."""
    name = scene.rng.choice(["сenter", "Center", "center ", "center\u200b", "cente", "ｃenter"])
    return scene.sign(OF_CENTER[scene.due.kind](**scene.due.content), scene.wires(), CENTER, name)


def replayed(scene: Scene) -> bytes:
    """Any message of before, once more."""
    return scene.rng.choice(scene.play.script.messages[: scene.play.step])
