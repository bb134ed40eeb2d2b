"""Attacks over several messages of one release."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from random import Random

from site_agent.contract import messages
from site_agent.contract.messages import Close, Open, Parts, Readies, Ready, Round
from tests.attacks import bound
from tests.campaign.rosters import a_legal_choice
from tests.campaign.scene import Scene
from tests.campaign.stage import LAST, burn, some_round
from tests.protocol import (
    SITES,
    Play,
    World,
    content_of,
    parts_of,
    readies,
    refusal,
    signed,
)


def nudged_beta(folder: Path, rng: Random) -> set[str]:
    """One hospital is asked at coefficients that are off by less than processors differ."""
    play = Play(World(folder)).until(Round, rng.randrange(3, LAST))
    victim = rng.choice(SITES)
    parts = parts_of(play.next)
    at = next(n for n in range(1, len(parts)) if parts[n])
    (value,) = struct.unpack("<d", parts[at][:8])
    nudge = rng.choice([-1, 1]) * rng.uniform(1e-10, 9e-10)
    parts[at] = struct.pack("<d", value + nudge) + parts[at][8:]
    found = {refusal(play.cores[victim], bound(play, parts))}
    found.add(refusal(play.cores[victim], play.next))
    burn(play)
    return found


def erased_vault(folder: Path, rng: Random) -> set[str]:
    """A hospital's vault is lost: it cannot mask the same numbers anew."""
    play = Play(World(folder)).until(Round, some_round(rng))
    victim = rng.choice(SITES)
    shutil.rmtree(folder / victim / "vault")
    core = play.world.core(victim)
    found = set()
    for wire in play.script.messages[: play.step]:
        found.add(refusal(core, wire))
    play.cores[victim] = core
    burn(play)
    return found - {"answered"}


def changed_data(folder: Path, rng: Random) -> set[str]:
    """A hospital's data are exchanged in the middle of a release."""
    play = Play(World(folder)).until(Round, some_round(rng))
    victim = rng.choice(SITES)
    data = play.world.data

    def other(site: str) -> object:
        found = data(site)
        return type(found)(found.digest[::-1], found.rows, found.identifiers)

    play.world.data = other  # type: ignore[assignment]
    core = play.world.core(victim)
    found = {refusal(core, play.script.messages[0])}
    play.cores[victim] = core
    burn(play)
    return found


def split_before_shares(folder: Path, rng: Random) -> set[str]:
    """Hospitals are told of two rosters before any of them has sent a share."""
    play = Play(World(folder))
    play.go()
    victim = rng.choice(SITES)
    scene = Scene(play, rng, victim, victim, victim)
    other = signed(Open(play.world.study.hash, 1, 2, a_legal_choice(scene)))
    play.cores[victim].receive(other)
    found = {refusal(play.cores[victim], play.next)}  # READIES of the roster of all others
    play.cores[victim].receive(play.script.messages[0])
    burn(play)
    return found


def equivocating_ready(folder: Path, rng: Random) -> set[str]:
    """A colluding hospital signs two READY, and two hospitals are given one each."""
    play = Play(World(folder)).until(Readies)
    one, two, colluding = rng.sample(SITES, 3)
    wires = parts_of(play.next)
    at = play.release.sites.index(colluding)
    content = {**content_of(wires[at]), "snapshot": rng.randbytes(32).hex()}
    second = signed(Ready(**content), parts_of(wires[at]), by=colluding)
    other = readies(play.release, [*wires[:at], second, *wires[at + 1 :]])
    part = play.cores[one].receive(other)
    assert part is not None
    for site in SITES:
        if site != one:
            play.give(site)
    gathered = [part if site == one else play.replies[site, play.step] or b"" for site in SITES]
    found = {refusal(play.cores[two], signed(Parts(content["open"]), gathered))}
    burn(play)
    return found


def used_number(folder: Path, rng: Random) -> set[str]:
    """The number of a release that is over is opened once more."""
    play = Play(World(folder))
    play.finish()
    roster = tuple(sorted(rng.sample(SITES, rng.randrange(3, 6))))
    victim = rng.choice(roster)
    again = signed(Open(play.world.study.hash, 1, rng.randrange(1, 9), roster))
    if messages.read(again).digest() == messages.read(play.script.messages[0]).digest():
        again = signed(Open(play.world.study.hash, 1, 99, roster))
    return {refusal(play.cores[victim], again)}


def messages_of_before(folder: Path, rng: Random) -> set[str]:
    """Messages of a closed release in the place of those of the next one."""
    world = World(folder)
    first = Play(world)
    first.finish()
    play = Play(world, world.release(number=2)).until(Round, some_round(rng))
    victim = rng.choice(SITES)
    old = [
        wire
        for wire in first.script.messages[1:]
        if messages.read(wire).kind not in (Open.TYPE, Close.TYPE)
    ]
    found = {refusal(play.cores[victim], wire) for wire in rng.sample(old, 5)}
    play.finish()
    return found
