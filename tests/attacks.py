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
from site_agent.contract.conductor import Conductor
from site_agent.contract.errors import Refused
from site_agent.contract.identity import seal
from site_agent.contract.messages import (
    Close,
    Open,
    Part,
    Parts,
    Readies,
    Ready,
    Round,
    Share,
    Shares,
)
from site_agent.contract.securesum import pairing, transcript
from site_agent.contract.sums import Ask
from site_agent.contract.totals import read_totals
from tests.protocol import CENTER, SITES, Play, content_of, identity, parts_of, readies, signed

VICTIM, OTHER, COLLUDING = "cedar", "beech", "elm"
LESS_ONE = tuple(site for site in SITES if site != COLLUDING)
LOW_ORDER = base64.b64encode(bytes(32)).decode()  # a key whose secret anybody knows

Wires = list[bytes]
Totals = np.ndarray[Any, np.dtype[np.float64]]


def opened(play: Play) -> str:
    """The digest of OPEN, which every message names."""
    return messages.read(play.script.messages[0]).digest()


def index(site: str) -> int:
    """A site's place in the roster."""
    return SITES.index(site)


def instead(wires: Wires, site: str, wire: bytes) -> Wires:
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
        halves = parts_of(wires[index(of)])
        forged = messages.write(replace(identity(by), name=name), Ready(**ready), halves)
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
    return readies(play.release, instead(wires, COLLUDING, ready_of(wires, open=other)))


def ready_of(wires: Wires, halves: Callable[[Wires], Wires] = list, **changed: Any) -> bytes:
    """The READY of the colluding site with some of it changed."""
    own = wires[index(COLLUDING)]
    ready = Ready(**{**content_of(own), **changed})
    return signed(ready, halves(parts_of(own)), by=COLLUDING)


def halves_of(change: Callable[[Wires], Wires]) -> Callable[[Play], bytes]:
    """READIES in which the colluding site gives other halves of pre-shared keys."""

    def wire(play: Play) -> bytes:
        wires = parts_of(play.next)
        return readies(play.release, instead(wires, COLLUDING, ready_of(wires, change)))

    return wire


def short_halves(play: Play) -> bytes:
    """READIES in which the colluding site seals halves of another length."""
    opening = opened(play)
    context = [b"quorum/1/half", opening.encode(), COLLUDING.encode()]
    short = [
        seal(identity(site).member(), b"short", b"\x00".join([*context, site.encode()]))
        for site in LESS_ONE
    ]
    return halves_of(lambda _: short)(play)


def flipped(data: bytes) -> bytes:
    """Bytes of which the last one has another lowest bit."""
    return data[:-1] + bytes([data[-1] ^ 1])


def no_message_for_a_ready(play: Play) -> bytes:
    return readies(play.release, instead(parts_of(play.next), OTHER, b"no message"))


def other_readies(play: Play) -> bytes:
    """READY messages in which the colluding site has changed what it said."""
    wires = parts_of(play.script.messages[1])
    return readies(play.release, instead(wires, COLLUDING, ready_of(wires, snapshot="0" * 64)))


# PARTS


def parts_in(change: Callable[[Play, Wires], Wires]) -> Callable[[Play], bytes]:
    """PARTS with other messages in it."""

    def wire(play: Play) -> bytes:
        at = next(n for n, own in enumerate(play.script.messages) if kind_of(own) == Parts.TYPE)
        return signed(Parts(opened(play)), change(play, parts_of(play.script.messages[at])))

    return wire


def kind_of(wire: bytes) -> str:
    """The kind of a message."""
    return messages.read(wire).kind


def a_part_withheld(play: Play) -> bytes:
    return messages.withhold(messages.read(play.next), index(OTHER))


def part_in_place_of(
    by: str, name: str, *, of: str = OTHER, **changed: Any
) -> Callable[[Play, Wires], Wires]:
    """The PART of a site under another commitment, signed by `by` in the name of `name`."""

    def change(_: Play, wires: Wires) -> Wires:
        own = wires[index(of)]
        part = Part(**{**content_of(own), "commitment": "0" * 64, **changed})
        forged = messages.write(replace(identity(by), name=name), part, parts_of(own))
        return instead(wires, of, forged)

    return change


def part_of_another_release(play: Play, wires: Wires) -> Wires:
    other = messages.read(play.world.release(number=9).open_message()).digest()
    return part_in_place_of(COLLUDING, COLLUDING, of=COLLUDING, open=other)(play, wires)


def part_of_other_readies(play: Play, wires: Wires) -> Wires:
    """What the victim itself has given, but as its part of another secret."""
    own = play.cores[VICTIM].receive(other_readies(play))
    play.cores[VICTIM].receive(play.script.messages[1])
    assert own is not None
    return instead(wires, VICTIM, own)


def ciphertexts(change: Callable[[Wires], Wires]) -> Callable[[Play, Wires], Wires]:
    """The colluding site's PART with other ciphertexts, under the commitment of before."""

    def changed(_: Play, wires: Wires) -> Wires:
        own = wires[index(COLLUDING)]
        part = Part(**content_of(own))
        return instead(wires, COLLUDING, signed(part, change(parts_of(own)), by=COLLUDING))

    return changed


def another_part_for_the_victim(play: Play, wires: Wires) -> Wires:
    """The colluding site gives the victim a part that is not the one it has told everybody."""
    release = play.cores[COLLUDING]._release
    assert release is not None
    pair = release.keyed().secrets[VICTIM]
    sent = pairing.encrypt(pair, pairing.PART, COLLUDING, VICTIM, bytes(32))

    def change(parts: Wires) -> Wires:
        at = LESS_ONE.index(VICTIM)
        return [sent if n == at else own for n, own in enumerate(parts)]

    return ciphertexts(change)(play, wires)


# ROUND


def asked(
    of: int | None = None, parts: Callable[[Wires], Wires] = list, **changed: Any
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


def bound(play: Play, parts: Wires) -> bytes:
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
    start = transcript.opening(play.script.messages[0], parts_of(play.script.messages[1]))
    sent = play.script.messages[2]
    return transcript.parting(start, parts_of(sent)) if kind_of(sent) == Parts.TYPE else start


def without_parts(play: Play) -> bytes:
    """The first ROUND as a center would ask it that takes the sites' secret for done without."""
    start = transcript.opening(play.script.messages[0], parts_of(play.script.messages[1]))
    found = transcript.asking(start, 0, play.release.conductor.asks, b"")
    return signed(Round(opened(play), 0, found.hex()), [b"", b""])


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
    kind = {c.TYPE: c for c in (Readies, Parts, Round, Shares, Close)}[kind_of(play.next)]
    return signed(kind(**{**content, "open": other}), parts_of(play.next))


# SHARES


def shares(change: Callable[[Play, Wires], Wires]) -> Callable[[Play], bytes]:
    """SHARES with other messages in it."""

    def wire(play: Play) -> bytes:
        wires = [messages.read(play.next).part(at) for at in range(len(SITES))]
        return signed(Shares(**content_of(play.next)), change(play, wires))

    return wire


def altered(data: bytes) -> bytes:
    """A share with its lowest bit changed."""
    return bytes([data[0] ^ 1]) + data[1:]


def forged_share(by: str, name: str, cut: int = 0) -> Callable[[Play, Wires], Wires]:
    """An altered share in the place of `name`'s, signed by `by`; `cut` bytes of it are missing."""

    def change(_: Play, wires: Wires) -> Wires:
        message = messages.read(wires[index(name)])
        parts = [altered(message.part(0))[cut:], b""]
        forger = replace(identity(by), name=name)
        return instead(wires, name, messages.write(forger, Share(**message.content), parts))

    return change


def share_of_before(play: Play, wires: Wires) -> Wires:
    number = content_of(play.next)["number"]
    at = play.script.messages.index(round_of(play, number - 1))
    old = play.replies[OTHER, at]
    assert old is not None
    return instead(wires, OTHER, old)


def flipped_on_the_way(_: Play, wires: Wires) -> Wires:
    own = bytearray(wires[index(OTHER)])
    own[-20] ^= 1
    return instead(wires, OTHER, bytes(own))


def without_open(_: Play, wires: Wires) -> Wires:
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


def any_round(play: Play) -> bytes:
    """The first ROUND before the keys, on which its transcript should stand."""
    return signed(Round(opened(play), 0, "0" * 64), [b"", b""])


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
    """The second point with a score at the first that is false, at the beta that follows."""
    return bound(play, steered_parts(play, factor))


def steered_parts(play: Play, factor: float) -> Wires:
    """False totals of the first point, and the arguments that follow from them."""
    before = play.release.log[:-1]
    conductor = Conductor(play.world.study)
    for entry in before:
        conductor.advance(read_totals(conductor.asks, entry.totals))
    totals = np.frombuffer(parts_of(play.next)[0]).copy()
    totals[1] *= factor  # behind the log-likelihood of the sum that is asked first
    conductor.advance(read_totals(conductor.asks, totals.tobytes()))
    return [totals.tobytes(), *(ask.float_bytes() for ask in conductor.asks)]


def beta_of(parts: Wires) -> float:
    """The coefficient at which the reduced sum is asked."""
    beta, _ = struct.unpack("<2d", parts[1])
    return float(beta)


def total_with(play: Play, site: str, share: bytes) -> str:
    """How the sum over all sites ends if one site's share is this one, whatever it says."""
    play.release._shares[site] = messages.read(share)
    try:
        play.release.total()
    except Refused as refused:
        return refused.code
    return "opened"


def cut(at: int) -> Callable[[Wires], Wires]:
    """Arguments of which one is cut short."""
    return lambda parts: [part[:-4] if n == at else part for n, part in enumerate(parts)]
