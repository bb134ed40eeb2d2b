"""Refining a histogram, by a driver that knows all keys."""

from __future__ import annotations

import numpy as np
import pytest

from site_agent.contract.analyses.grids import DOUBLES, Grid
from site_agent.contract.analyses.refinement import (
    MOST_CELLS,
    MOST_ROUNDS,
    Keys,
    Level,
    first_level,
    level_of,
    next_level,
)
from site_agent.contract.errors import AnalysisError


def refined(keys: Keys, bits: int, *, groups: int = 1) -> tuple[Keys, list[float], int]:
    """Return distinct keys, how often each, the number of rounds; every round within limits."""
    group, rounds, level = np.zeros(len(keys), dtype=np.int64), 1, first_level(bits, groups=groups)
    while True:
        assert groups * level.size <= MOST_CELLS
        counts = level.counts(keys, group, 1)[0]
        found = level.cells()[counts > 0]
        if level.below == 0:
            return found, counts[counts > 0].tolist(), rounds
        level = next_level(level, found, rounds_left=MOST_ROUNDS - rounds, groups=groups)
        rounds += 1


def keys_of(*numbers: int) -> Keys:
    return np.array(numbers, dtype=np.uint64)


def test_a_small_grid_takes_one_round() -> None:
    """Keys of seven bits open at once."""
    keys, counts, rounds = refined(keys_of(0, 100, 7, 7), 7)
    assert (keys.tolist(), counts, rounds) == ([0, 7, 100], [1, 2, 1], 1)


def test_a_wide_grid_takes_two_rounds() -> None:
    """Of 24 bits the last six open in the cells that are occupied."""
    keys, counts, rounds = refined(keys_of(2**24 - 1, 5, 5, 64), 24)
    assert (keys.tolist(), counts, rounds) == ([5, 64, 2**24 - 1], [2, 1, 1], 2)


@pytest.mark.parametrize("seed", range(5))
def test_any_doubles_of_43_patients_take_five_rounds(seed: int) -> None:
    """Whatever 64 bits 43 keys have, they are found, in five rounds at most."""
    keys = np.random.default_rng(seed).integers(0, 2**64, 43, dtype=np.uint64)
    found, _, rounds = refined(keys, 64)
    assert found.tolist() == np.unique(keys).tolist() and rounds <= 5


def test_close_doubles_take_five_rounds() -> None:
    """Keys that part late, from one cell, take no more rounds."""
    keys = DOUBLES.keys(1.0 + np.arange(43) * 2.0**-40)
    assert refined(keys, 64)[2] <= 5


def test_first_and_last_key_of_a_word() -> None:
    """The ends of the range of 64 bits are keys as any other."""
    assert refined(keys_of(0, 2**64 - 1), 64)[0].tolist() == [0, 2**64 - 1]


def test_groups_share_the_room() -> None:
    """Groups that are kept apart make coarser cells."""
    assert refined(keys_of(3, 2**30), 40, groups=64)[0].tolist() == [3, 2**30]


def test_keys_outside_the_parents_are_not_counted() -> None:
    """Cells of a chosen parent count nobody else's keys."""
    level = Level(bits=8, above=4, width=2, parents=(3, 9))
    assert level.index(keys_of(0x30, 0x3F, 0x40, 0x97, 0xFF)).tolist() == [0, 3, -1, 5, -1]


def test_level_is_an_argument() -> None:
    """A level can be read back from an ask."""
    level = Level(64, 18, 12, (5, 2**17))
    assert level_of(level.fixed()) == level


def test_too_many_values() -> None:
    """More different doubles than can be told apart are refused in words."""
    with pytest.raises(AnalysisError, match="range and a resolution"):
        next_level(
            first_level(64), np.arange(100_000, dtype=np.uint64), rounds_left=MOST_ROUNDS - 1
        )


def test_grid_of_a_hundred() -> None:
    """A range of 0 to 110 takes seven bits."""
    assert Grid(high=110, step=1).bits == 7  # type: ignore[arg-type]
