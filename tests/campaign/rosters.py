"""Forged OPEN and BURN: who takes part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from site_agent.contract.messages import (
    Burn,
    Open,
)
from tests.campaign.forging import (
    header,
    party,
    raw,
)
from tests.campaign.scene import Scene, Wire
from tests.protocol import CENTER, SITES

LOOK_ALIKES: Final = (
    "сedar",
    "cedаr",
    "elm\u200b",
    "Elm",
    "ｅlm",
    "beech ",
    "alder\n",
    "../elm",
    "",
)


def opening(
    roster: Callable[[Scene], tuple[str, ...]], *, by: str = CENTER, name: str = ""
) -> Wire:
    """Another OPEN of the release that is under way."""

    def wire(scene: Scene) -> bytes:
        attempt = scene.rng.randrange(2, 9)
        content = Open(scene.play.world.study.hash, 1, attempt, roster(scene))
        return scene.sign(content, [], party(scene, by), name)

    return wire


def everybody(_: Scene) -> tuple[str, ...]:
    return SITES


def a_legal_choice(scene: Scene) -> tuple[str, ...]:
    """A smaller roster that would have been legal at first."""
    others = [site for site in SITES if site != scene.victim]
    chosen = scene.rng.sample(others, scene.rng.randrange(2, 4))
    return tuple(sorted([scene.victim, *chosen]))


def too_few(scene: Scene) -> tuple[str, ...]:
    others = [site for site in SITES if site != scene.victim]
    return tuple(sorted([scene.victim, *scene.rng.sample(others, scene.rng.randrange(0, 2))]))


def with_sybils(scene: Scene) -> tuple[str, ...]:
    """Names that nobody enrolled, among them some that look like those that are."""
    known = scene.rng.sample(SITES, scene.rng.randrange(0, 5))
    names = [*LOOK_ALIKES, "fir", CENTER, f"site-{scene.rng.randrange(999)}"]
    return tuple(
        sorted({scene.victim, *known, *scene.rng.sample(names, scene.rng.randrange(1, 4))})
    )


def without_the_victim(scene: Scene) -> tuple[str, ...]:
    return tuple(sorted(site for site in SITES if site != scene.victim))


def in_disorder(scene: Scene) -> tuple[str, ...]:
    """All, not in order; or one of them twice."""
    doubled = tuple(sorted([*SITES, scene.rng.choice(SITES)]))
    turn = scene.rng.randrange(1, len(SITES))
    return scene.rng.choice([doubled, SITES[turn:] + SITES[:turn]])


def of_another_study(scene: Scene) -> bytes:
    return scene.sign(Open(scene.hex(), 1, 1, SITES), [])


def burn_by_a_site(scene: Scene) -> bytes:
    """A hospital gives up the release of all."""
    name = scene.rng.choice(["", CENTER])
    return scene.sign(Burn(scene.opened, "lost"), [], scene.colluding, name)


def long_roster(scene: Scene) -> bytes:
    """An OPEN with more hospitals than a header has room for, or almost."""
    count = scene.rng.choice([3000, 20_000, 60_000])
    roster = [f"s{n:06}" for n in range(count)] + [scene.victim]
    study = scene.play.world.study.hash
    content = {"study": study, "release": 1, "attempt": 2, "roster": sorted(roster)}
    return raw(header(scene, content, "OPEN"), [])
