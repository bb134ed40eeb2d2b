"""An attack by name, and the stage on which it is tried many times with other particulars.

A variant is drawn from a seed: who is attacked, by whom, when, with what. Each is one message to
one hospital of a release under way. Afterwards the release goes on honestly and gives what it
would have given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Final

from site_agent.contract import messages
from site_agent.contract.messages import Content, Message
from tests.protocol import (
    AT_CENTER_STUDY,
    CENTER,
    SITES,
    STUDY,
    Play,
    World,
    frozen,
    honest_release,
    identity,
    parts_of,
    refusal,
)

TEXTS: Final = {"sealed": STUDY, "at center": AT_CENTER_STUDY}
AT_CENTER: Final = "dogwood"
SPLIT_TO: Final = SITES[:2]
SAME: Final = "the same bytes as before"


@dataclass(frozen=True)
class Scene:
    """A release before one of its messages, and the parts that are played in one variant.

    victim: whom the message goes to. other: an honest hospital. colluding: one that gave its
    keys to the center.
    """

    play: Play
    rng: Random
    victim: str
    other: str
    colluding: str

    @property
    def due(self) -> Message:
        """The message that is due."""
        return messages.read(self.play.next)

    @property
    def opened(self) -> str:
        """The digest of OPEN, which every message names."""
        return messages.read(self.play.script.messages[0]).digest()

    @property
    def number(self) -> int:
        """The number of the round that the message that is due is of."""
        return int(self.due.content.get("number", 0))

    def wires(self) -> list[bytes]:
        """The messages of all sites in the one that is due; withheld parts of them stay so."""
        return parts_of(self.play.next)

    def at(self, site: str) -> int:
        """A site's place in the roster."""
        return self.play.release.sites.index(site)

    def hex(self) -> str:
        """A digest of nothing."""
        return self.rng.randbytes(32).hex()

    def sign(self, content: Content, parts: list[bytes], by: str = CENTER, name: str = "") -> bytes:
        """A message signed by a party in its own name or another."""
        signer = identity(by)
        if name:
            signer = type(signer)(name, signer.signing, signer.kem, signer.agreement)
        return messages.write(signer, content, parts)


Wire = Callable[[Scene], bytes]
When = Callable[[str, int], bool]


@dataclass(frozen=True)
class Attack:
    """An attack: what it tries, what stops it, the codes with which it may be refused, and when.

    when(kind, number) says before which messages it is tried. text: of which study.
    """

    tries: str
    stops: str
    codes: tuple[str, ...]
    when: When
    wire: Wire
    text: str = "sealed"


def before(*kinds: type[Content], first: int = 0) -> When:
    """Before each message of these kinds, in rounds from `first` on."""
    named = {kind.TYPE for kind in kinds}
    return lambda kind, number: kind in named and number >= first


def always(_: str, number: int) -> bool:
    """Before every message but the first."""
    return number >= 0


@cache
def schedule(text: str) -> tuple[tuple[str, int], ...]:
    """The kind and round of every message of an honest release, in order; -1 for OPEN."""
    found = [messages.read(wire) for wire in honest_script(text)]
    return tuple(
        (m.kind, -1 if m.kind == "OPEN" else int(m.content.get("number", 0))) for m in found
    )


@cache
def honest_script(text: str) -> tuple[bytes, ...]:
    """All messages of the center in an honest release."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        play = Play(World(Path(name), frozen(TEXTS[text])))
        play.finish()
        return tuple(play.script.messages)


@cache
def honest_result(text: str) -> str:
    """The hash of the results of an honest release."""
    outcome = honest_release(TEXTS[text]).outcome
    assert outcome is not None
    return outcome.digest()


@dataclass
class Tried:
    """What came of the variants of one attack in one release.

    wrong: answers that the attack should not get. ledger: whether each refusal is in the
    victim's ledger. result: of the release, continued honestly.
    """

    wrong: list[str]
    ledger: bool
    result: str


def tried(attack: Attack, folder: Path, rng: Random, variants: int) -> Tried:
    """An attack in so many variants at moments of one release, and then the end of that."""
    fitting = [at for at, step in enumerate(schedule(attack.text)) if attack.when(*step)]
    moments = sorted(rng.choices(fitting, k=variants))
    play = Play(World(folder, frozen(TEXTS[attack.text])))
    found = Tried([], True, "")
    for at in moments:
        while play.step < at:
            play.go()
        scene = Scene(play, rng, *_parts_played(attack, rng))
        code = outcome(scene, attack.wire(scene))
        if code not in attack.codes:
            found.wrong.append(f"{code} before {schedule(attack.text)[at]}")
        elif code != SAME:
            found.ledger &= _noted(play.world, scene.victim, code)
    done = play.finish().outcome
    found.result = "" if done is None else done.digest()
    return found


def _parts_played(attack: Attack, rng: Random) -> list[str]:
    if attack.text == "at center":
        victim, other = rng.sample(SPLIT_TO, 2)
        return [victim, other, AT_CENTER]
    return rng.sample(SITES, 3)


def outcome(scene: Scene, wire: bytes) -> str:
    """The code of the refusal; SAME if what was answered once is answered in the same bytes."""
    core, play = scene.play.cores[scene.victim], scene.play
    if wire in play.script.messages[: play.step]:
        at = play.script.messages.index(wire)
        return SAME if core.receive(wire) == play.replies[scene.victim, at] else "other bytes"
    return refusal(core, wire)


def _noted(world: World, site: str, code: str) -> bool:
    """Whether the ledger, verified from disk, tells of a refusal."""
    return any(entry["code"] == code for entry in world.ledger(site).find("refused"))
