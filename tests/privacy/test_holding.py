from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from coordinator.release import Release
from site_agent.contract.sums import Arrays
from tests.privacy.holding import Held, hold
from tests.protocol import CENTER, SITES, STUDY, Play, World, identity, patients, the_study


class Kept(Release):
    """A release that keeps what the coordinator opens."""

    def __init__(self, world: World) -> None:
        super().__init__(world.study, identity(CENTER), 1, 1, SITES)
        self.kept: list[tuple[Any, Arrays]] = []

    def _opened(self) -> list[Arrays]:
        totals = super()._opened()
        self.kept += zip(self._asks, [dict(arrays) for arrays in totals], strict=True)
        return totals


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[tuple[Any, Arrays]]]:
    """What the coordinator of a whole release opens, masks and messages and all."""
    world = World(tmp_path_factory.mktemp("world"), the_study())
    release = Kept(world)
    Play(world, release).finish()
    yield release.kept


@pytest.fixture(scope="module")
def held() -> dict[str, Held]:
    """The same study without masks and messages, by the identity of each question."""
    sites = {site: {"patients": patients(site)} for site in SITES}
    return {one.ask.question(): one for one in hold(STUDY, sites).held}


def test_a_release_opens_what_the_attacks_are_given(
    kept: list[tuple[Any, Arrays]], held: dict[str, Held]
) -> None:
    """Every sum opens lanes of the same shape, sealed ones among them."""
    for ask, arrays in kept:
        given = held.get(ask.question())
        if given is None:
            continue
        assert {name: np.shape(v) for name, v in arrays.items()} == {
            name: np.shape(v) for name, v in given.opened.items()
        }


def test_a_release_asks_what_the_attacks_are_given(
    kept: list[tuple[Any, Arrays]], held: dict[str, Held]
) -> None:
    """The analyses' questions are the same; the guard's second round is the release's alone."""
    asked = {ask.question() for ask, _ in kept}
    assert set(held) <= asked


@pytest.mark.parametrize("name", ["cox_moments", "cox_deaths", "counts_by_time"])
def test_open_totals_are_the_same(
    kept: list[tuple[Any, Arrays]], held: dict[str, Held], name: str
) -> None:
    """Totals of sums that are not sealed, bit for bit."""
    found = [(held[ask.question()].opened, arrays) for ask, arrays in kept if ask.sum == name]
    assert found and all(
        np.array_equal(given[lane], arrays[lane]) for given, arrays in found for lane in arrays
    )
