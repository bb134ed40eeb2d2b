"""An attack over several messages, and what comes after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

from tests.protocol import (
    SITES,
    Play,
    World,
    refusal,
)

LEDGER: Final = "ledger"  # the code with which an agent tells of a ledger that was altered
LAST: Final = 7


@dataclass(frozen=True)
class Course:
    """An attack over several messages: what it tries, what stops it, and what it meets.

    run(folder, rng) gives all codes that the attack met, and leaves the folder as it is then.
    ends: whether an honest release afterwards gives the same results.
    """

    tries: str
    stops: str
    codes: frozenset[str]
    run: Callable[[Path, Random], set[str]]
    ends: bool = True


def honest_afterwards(folder: Path, number: int = 9) -> str:
    """The result of an honest release on what an attack has left."""
    world = World(folder)
    play = Play(world, world.release(number=number))
    for site in SITES:
        if "approved" not in world.events(site):
            play.cores[site].approve()
    outcome = play.finish().outcome
    return "" if outcome is None else outcome.digest()


def burn(play: Play) -> None:
    """The release is given up at all hospitals at which it has begun."""
    wire = play.release.burn("hindered")
    for core in play.cores.values():
        core.receive(wire)


def some_round(rng: Random) -> int:
    return rng.randrange(1, LAST)


def everywhere(play: Play, *, but: str = "") -> set[str]:
    """What the message that is due meets at all hospitals."""
    return {refusal(play.cores[site], play.next) for site in play.cores if site != but}
