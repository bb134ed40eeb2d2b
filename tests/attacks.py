"""What a coordinator that does not keep to the protocol sends: forged, altered, left out.

Each function gives one message to be sent to one site in place of the one that is due. The
coordinator may collude with the site `elm`, whose keys it has then.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from site_agent.contract import messages
from site_agent.contract.canonical import canonical_json
from site_agent.contract.errors import Refused
from site_agent.contract.messages import Close, Open, Readies, Ready, Round, Share, Shares
from site_agent.contract.securesum import transcript
from site_agent.contract.sums import Ask
from tests.protocol import CENTER, SITES, Play, content_of, identity, parts_of, readies, signed

VICTIM, OTHER, COLLUDING = "cedar", "beech", "elm"
LESS_ONE = tuple(site for site in SITES if site != COLLUDING)
LOW_ORDER = base64.b64encode(bytes(32)).decode()  # a key whose secret anybody knows

Parts = list[bytes]
Totals = np.ndarray[Any, np.dtype[np.float64]]


def opened(play: Play) -> str:
    """The digest of OPEN, which every message names."""
    return messages.read(play.script.messages[0]).digest()


def index(site: str) -> int:
    """A site's place in the roster."""
    return SITES.index(site)


def instead(wires: Parts, site: str, wire: bytes) -> Parts:
    """The messages of all sites with another one in one site's place."""
    return [wire if at == index(site) else own for at, own in enumerate(wires)]


# READIES


def ready_in_place_of(
    by: str, name: str, *, of: str = OTHER, **changed: Any
) -> Callable[[Play], bytes]:
    """READIES in which one READY holds another key, signed by `by` in the name of `name`."""

    def wire(play: Play) -> bytes:
        wires = parts_of(play.next)
        key = base64.b64encode(identity(CENTER).agreement.public_key().public_bytes_raw()).decode()
        ready = {**content_of(wires[index(of)]), "ephemeral": key, **changed}
        forged = messages.write(replace(identity(by), name=name), Ready(**ready))
        return readies(play.release, instead(wires, of, forged))

    return wire


def a_ready_less(play: Play) -> bytes:
    return readies(play.release, parts_of(play.next)[:-1])


def a_ready_more(play: Play) -> bytes:
    wires = parts_of(play.next)
    return readies(play.release, [*wires, wires[-1]])


def a_ready_withheld(play: Play) -> bytes:
    return messages.withhold(messages.read(play.next), index(OTHER))


def a_ready_twice(play: Play) -> bytes:
    wires = parts_of(play.next)
    return readies(play.release, instead(wires, OTHER, wires[index(COLLUDING)]))


def a_ready_of_another_release(play: Play) -> bytes:
    wires = parts_of(play.next)
    other = messages.read(play.world.release(number=9).open_message()).digest()
    ready = Ready(**{**content_of(wires[index(COLLUDING)]), "open": other})
    return readies(play.release, instead(wires, COLLUDING, signed(ready, by=COLLUDING)))


def no_message_for_a_ready(play: Play) -> bytes:
    return readies(play.release, instead(parts_of(play.next), OTHER, b"no message"))


def other_readies(play: Play) -> bytes:
    """READY messages in which the colluding site has changed its key after the first share."""
    wires = parts_of(play.script.messages[1])
    ready = Ready(**{**content_of(wires[index(COLLUDING)]), "ledger_length": 99})
    return readies(play.release, instead(wires, COLLUDING, signed(ready, by=COLLUDING)))


# ROUND


def asked(
    of: int | None = None, parts: Callable[[Parts], Parts] = list, **changed: Any
) -> Callable[[Play], bytes]:
    """The round that is due, or another one of before, with some of it changed."""

    def wire(play: Play) -> bytes:
        due = play.next if of is None else round_of(play, of)
        return signed(Round(**{**content_of(due), **changed}), parts(parts_of(due)))

    return wire


def round_of(play: Play, number: int) -> bytes:
    """The ROUND of this number, as it was sent."""
    (found,) = (
        wire
        for wire in play.script.messages
        if messages.read(wire).kind == Round.TYPE and content_of(wire)["number"] == number
    )
    return found


def steered(change: Callable[[float], float], argument: int = 1) -> Callable[[Play], bytes]:
    """The round that is due at another beta, with the transcript that belongs to it."""

    def wire(play: Play) -> bytes:
        parts = parts_of(play.next)
        beta, centre = struct.unpack("<2d", parts[argument])
        parts[argument] = struct.pack("<2d", change(beta), centre)
        return bound(play, parts)

    return wire


def bound(play: Play, parts: Parts) -> bytes:
    """A ROUND with these parts whose transcript is the one that follows from them."""
    release = play.release
    asks = [
        Ask(a.sum, a.frame, a.fixed, _floats(a, sent))
        for a, sent in zip(release.conductor.asks, parts[1:], strict=True)
    ]
    number = release.conductor.number
    before = _bound_before(play, number)
    found = transcript.asking(before, number, asks, parts[0])
    return signed(Round(opened(play), number, found.hex()), parts)


def _bound_before(play: Play, number: int) -> bytes:
    if number:
        return bytes.fromhex(content_of(round_of(play, number - 1))["transcript"])
    return transcript.opening(play.script.messages[0], parts_of(play.script.messages[1]))


def _floats(ask: Ask, sent: bytes) -> Mapping[str, Totals]:
    values = np.frombuffer(sent, "<f8")
    return {name: values[at : at + 1] for at, name in enumerate(sorted(ask.floats))}


def other_totals(change: Callable[[Totals], Totals]) -> Callable[[Play], bytes]:
    """The round that is due with other totals, with the transcript that belongs to it."""

    def wire(play: Play) -> bytes:
        parts = parts_of(play.next)
        parts[0] = change(np.frombuffer(parts[0]).copy()).tobytes()
        return bound(play, parts)

    return wire


def plus_one(at: int) -> Callable[[Totals], Totals]:
    """Totals of which one is too large by one."""

    def change(totals: Totals) -> Totals:
        totals[at] += 1
        return totals

    return change


def second_question(play: Play) -> bytes:
    """A round that was answered, asked again over totals that are false."""
    parts = parts_of(round_of(play, 2))
    return signed(Round(opened(play), 2, transcript.asking(b"", 2, [], b"").hex()), parts)


def of_another_release(play: Play) -> bytes:
    content = content_of(play.next)
    other = messages.read(play.world.release(number=9).open_message()).digest()
    kind = {c.TYPE: c for c in (Readies, Round, Shares, Close)}[messages.read(play.next).kind]
    return signed(kind(**{**content, "open": other}), parts_of(play.next))


# SHARES


def shares(change: Callable[[Play, Parts], Parts]) -> Callable[[Play], bytes]:
    """SHARES with other messages in it."""

    def wire(play: Play) -> bytes:
        wires = [messages.read(play.next).part(at) for at in range(len(SITES))]
        return signed(Shares(**content_of(play.next)), change(play, wires))

    return wire


def altered(data: bytes) -> bytes:
    """A share with its lowest bit changed."""
    return bytes([data[0] ^ 1]) + data[1:]


def forged_share(by: str, name: str, cut: int = 0) -> Callable[[Play, Parts], Parts]:
    """An altered share in the place of `name`'s, signed by `by`; `cut` bytes of it are missing."""

    def change(_: Play, wires: Parts) -> Parts:
        message = messages.read(wires[index(name)])
        parts = [altered(message.part(0))[cut:], b""]
        forger = replace(identity(by), name=name)
        return instead(wires, name, messages.write(forger, Share(**message.content), parts))

    return change


def share_of_before(play: Play, wires: Parts) -> Parts:
    number = content_of(play.next)["number"]
    at = play.script.messages.index(round_of(play, number - 1))
    old = play.replies[OTHER, at]
    assert old is not None
    return instead(wires, OTHER, old)


def flipped_on_the_way(_: Play, wires: Parts) -> Parts:
    own = bytearray(wires[index(OTHER)])
    own[-20] ^= 1
    return instead(wires, OTHER, bytes(own))


def without_open(_: Play, wires: Parts) -> Parts:
    return instead(wires, OTHER, messages.withhold(messages.read(wires[index(OTHER)]), 0))


# OPEN and CLOSE


def open_of(
    roster: tuple[str, ...],
    *,
    number: int = 1,
    attempt: int = 2,
    study: str = "",
    by: str = CENTER,
    name: str = "",
) -> Callable[[Play], bytes]:
    """Another OPEN, signed by `by` in the name of `name`."""

    def wire(play: Play) -> bytes:
        content = Open(study or play.world.study.hash, number, attempt, roster)
        return messages.write(replace(identity(by), name=name or by), content)

    return wire


def closing(
    change: Callable[[Totals], Totals] = np.copy, **changed: Any
) -> Callable[[Play], bytes]:
    """CLOSE after the round that was answered last, with some of it, or its totals, changed."""

    def wire(play: Play) -> bytes:
        due, parts = messages.read(play.next), parts_of(play.next)
        rounds = due.content["number"] if due.kind == Round.TYPE else len(play.release.log)
        content = {"open": opened(play), "rounds": rounds, "result": "0" * 64, **changed}
        totals = change(np.frombuffer(parts[0]).copy()) if due.kind == Close.TYPE else b""
        return signed(Close(**content), [bytes(totals) or parts[0]])

    return wire


def one_round_more(play: Play) -> bytes:
    return signed(Round(opened(play), len(play.release.log), "0" * 64), parts_of(play.next)[:1])


def next_but_one(play: Play) -> bytes:
    """The message that is due after the one that is due."""
    return play.script.messages[play.step + 1]


def shares_of(number: int) -> Callable[[Play], bytes]:
    """SHARES of a round, with no matter which messages in it."""
    return lambda play: signed(Shares(opened(play), number), [b""] * len(SITES))


def raw(play: Play, **changed: Any) -> bytes:
    """The message that is due with fields that its kind does not allow."""
    due = messages.read(play.next)
    header = json.loads(due.header)
    header["content"].update(changed)
    spelled = canonical_json(header)
    rest = play.next[4 + len(due.header) + len(due.signature) :]
    signature = identity(CENTER).sign(messages.CONTEXT + spelled)
    return len(spelled).to_bytes(4, "big") + spelled + signature + rest


def steered_by_totals(play: Play, factor: float) -> bytes:
    """ROUND 3 with a score of the reduced sum that is false, at the beta that follows from it."""
    parts = parts_of(play.next)
    totals = np.frombuffer(parts[0]).copy()
    score, information = totals[1:3]
    totals[1] = factor * score
    _, centre = struct.unpack("<2d", parts[1])
    parts[0] = totals.tobytes()
    parts[1] = struct.pack("<2d", factor * score / information, centre)
    return bound(play, parts)


def total_with(play: Play, site: str, share: bytes) -> str:
    """How the sum over all sites ends if one site's share is this one, whatever it says."""
    play.release._shares[site] = messages.read(share)
    try:
        play.release.total()
    except Refused as refused:
        return refused.code
    return "opened"


def cut(at: int) -> Callable[[Parts], Parts]:
    """Arguments of which one is cut short."""
    return lambda parts: [part[:-4] if n == at else part for n, part in enumerate(parts)]
