"""What an exchange, or a center, that does not keep to the protocol hands to one hospital.

A lie is made of the message that is due. Those that need a signature have the center's key, and
the keys of the hospital `dogwood`, which colludes.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from site_agent.contract import messages
from site_agent.contract.messages import (
    Close,
    Content,
    Message,
    Open,
    Part,
    Parts,
    Readies,
    Ready,
    Round,
    Share,
    Shares,
    Split,
)
from tests.processes.gate import Answer
from tests.processes.world import SITES, World

VICTIM, OTHER, COLLUDING = "cedar", "beech", "dogwood"
KINDS: Final[dict[str, type[Content]]] = {
    kind.TYPE: kind
    for kind in (Open, Ready, Readies, Part, Parts, Round, Share, Split, Shares, Close)
}
Wires = list[bytes]


@dataclass(frozen=True)
class Liar:
    """Whoever holds the keys of the center and of one hospital, and sees all that passes."""

    world: World

    def signed(self, content: Content, parts: Sequence[bytes], by: str, name: str) -> bytes:
        """A message signed by one party in the name of another."""
        return messages.write(replace(self.world.identity(by), name=name), content, parts)

    def again(
        self,
        wire: bytes,
        parts: Sequence[bytes] | None = None,
        *,
        by: str = "center",
        name: str = "",
        **changed: Any,
    ) -> bytes:
        """A message signed anew, with some of it changed."""
        due = messages.read(wire)
        content = KINDS[due.kind](**{**due.content, **changed})
        return self.signed(content, parts_of(due) if parts is None else parts, by, name or by)

    def opened(self, wire: bytes) -> str:
        """The release that a message is of."""
        due = messages.read(wire)
        return due.digest() if due.kind == "OPEN" else str(due.content["open"])

    def seen(self, kind: str, number: int | None, wire: bytes) -> bytes:
        """A message of the same release, when it passes."""
        return self.world.gate.seen(kind, number, self.opened(wire), posted=True).wire

    def of_before(self, kind: str, number: int | None, wire: bytes) -> bytes:
        """A message of an earlier release."""
        found = [
            passed.wire
            for passed in self.world.gate.passed
            if (passed.kind, passed.number) == (kind, number)
            and passed.release != self.opened(wire)
        ]
        return found[-1]


def parts_of(message: Message) -> Wires:
    """The parts of a message; b"" for one that is withheld."""
    return [part or b"" for part in message.parts]


def wires_of(wire: bytes) -> Wires:
    """The messages in READIES or SHARES."""
    return parts_of(messages.read(wire))


def instead(wires: Wires, site: str, wire: bytes) -> Wires:
    """The messages of all sites with another one in one site's place."""
    return [wire if at == SITES.index(site) else own for at, own in enumerate(wires)]


Lie = Callable[[Liar, bytes], bytes]


def swapped_key(by: str, name: str, of: str) -> Lie:
    """READIES in which one READY holds a key of the center's."""

    def lie(liar: Liar, wire: bytes) -> bytes:
        wires = wires_of(wire)
        own = liar.world.identity("center").agreement.public_key().public_bytes_raw()
        key = base64.b64encode(own).decode()
        forged = liar.again(wires[SITES.index(of)], by=by, name=name, ephemeral=key)
        return liar.again(wire, instead(wires, of, forged))

    return lie


def one_less(liar: Liar, wire: bytes) -> bytes:
    """READIES, PARTS or SHARES without the last."""
    return liar.again(wire, wires_of(wire)[:-1])


def other_halves(liar: Liar, wire: bytes) -> bytes:
    """READIES in which the hospital that colludes gives everybody the half of another one."""
    wires = wires_of(wire)
    own = wires[SITES.index(COLLUDING)]
    forged = liar.again(own, wires_of(own)[::-1], by=COLLUDING)
    return liar.again(wire, instead(wires, COLLUDING, forged))


def another_part(liar: Liar, wire: bytes) -> bytes:
    """PARTS in which the hospital that colludes has told all of another part than it gives."""
    wires = wires_of(wire)
    forged = liar.again(wires[SITES.index(COLLUDING)], by=COLLUDING, commitment="0" * 64)
    return liar.again(wire, instead(wires, COLLUDING, forged))


def part_of_the_center(liar: Liar, wire: bytes) -> bytes:
    """PARTS with one that the center has made in a hospital's name."""
    wires = wires_of(wire)
    forged = liar.again(wires[SITES.index(OTHER)], name=OTHER, commitment="0" * 64)
    return liar.again(wire, instead(wires, OTHER, forged))


def without_parts(liar: Liar, wire: bytes) -> bytes:
    """The ROUND behind the PARTS that are due, and not those."""
    return liar.seen("ROUND", 0, wire)


def flipped(_: Liar, wire: bytes) -> bytes:
    """A message with one bit changed on its way."""
    return wire[:-9] + bytes([wire[-9] ^ 1]) + wire[-8:]


def of_roster(*roster: str, attempt: int = 2) -> Lie:
    """OPEN over other hospitals."""

    def lie(liar: Liar, wire: bytes) -> bytes:
        opened = messages.read(liar.seen("OPEN", None, wire)).content
        content = Open(opened["study"], opened["release"], attempt, roster)
        return liar.signed(content, [], "center", "center")

    return lie


def other_arguments(change: Callable[[float], float]) -> Lie:
    """ROUND at other coefficients."""

    def lie(liar: Liar, wire: bytes) -> bytes:
        parts = wires_of(wire)
        at = next(index for index, part in enumerate(parts) if index and part)
        first, rest = parts[at][:8], parts[at][8:]
        parts[at] = struct.pack("<d", change(struct.unpack("<d", first)[0])) + rest
        return liar.again(wire, parts)

    return lie


def other_totals(at: int) -> Lie:
    """ROUND or CLOSE with a total that is too large by one."""

    def lie(liar: Liar, wire: bytes) -> bytes:
        parts = wires_of(wire)
        totals = np.frombuffer(parts[0]).copy()
        totals[at] += 1
        return liar.again(wire, [totals.tobytes(), *parts[1:]])

    return lie


def signed_by_another(liar: Liar, wire: bytes) -> bytes:
    """The message that is due, in the center's name, signed by a hospital."""
    return liar.again(wire, by=COLLUDING, name="center", transcript="0" * 64)


def changed(**fields: Any) -> Lie:
    """The message that is due with other fields."""
    return lambda liar, wire: liar.again(wire, **fields)


def altered_share(by: str, name: str) -> Lie:
    """SHARES in which the share of `name` is another one, signed by `by`."""

    def lie(liar: Liar, wire: bytes) -> bytes:
        wires = wires_of(wire)
        share = parts_of(messages.read(wires[SITES.index(name)]))
        share[0] = bytes([share[0][0] ^ 1]) + share[0][1:]
        forged = liar.again(wires[SITES.index(name)], share, by=by, name=name)
        return liar.again(wire, instead(wires, name, forged))

    return lie


def share_of_another_round(liar: Liar, wire: bytes) -> bytes:
    """SHARES with a share of the round before."""
    number = messages.read(wire).content["number"]
    old = wires_of(liar.seen("SHARES", number - 1, wire))[SITES.index(OTHER)]
    return liar.again(wire, instead(wires_of(wire), OTHER, old))


def next_round(liar: Liar, wire: bytes) -> bytes:
    """The ROUND behind the SHARES that are due, and not those."""
    return liar.seen("ROUND", messages.read(wire).content["number"] + 1, wire)


def second_question(liar: Liar, wire: bytes) -> bytes:
    """The ROUND that was answered, asked otherwise, in the place of its SHARES."""
    asked = liar.seen("ROUND", messages.read(wire).content["number"], wire)
    return liar.again(asked, transcript="1" * 64)


def early_close(liar: Liar, wire: bytes) -> bytes:
    """CLOSE in the place of a ROUND."""
    due = messages.read(wire)
    content = Close(due.content["open"], due.content["number"], "0" * 64)
    return liar.signed(content, [due.part(0)], "center", "center")


def of_earlier_release(kind: str, number: int | None) -> Lie:
    """A message that was handed out in an earlier release."""
    return lambda liar, wire: liar.of_before(kind, number, wire)


def page(status: int, media_type: str, body: bytes, **headers: str) -> Callable[[Answer], Answer]:
    """An answer of something that is no exchange."""
    given = {"content-type": media_type, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return lambda _: Answer(status, given, body)
