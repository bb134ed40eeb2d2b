"""Refining a histogram: which cells to open next, until each occupied cell is one value.

A value has a *key*, a whole number of B bits, in the order of the values (grids.py). A *cell* is
all keys with the same leading bits. Round 1 opens counts over the coarsest cells, each further
round over the children of the cells that are occupied, until B bits are known: the children of m
cells, w bits further down, are m 2^w counts. What is opened next follows from public counts alone.

With remaining bits r and at most M counts in a round, w can be as large as log2(M / m). The r bits
are spread evenly over the ceil(r / w) rounds that this takes, which opens the fewest counts.

Whoever needs only some values (a median) passes only the cells around it as occupied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from site_agent.contract.errors import AnalysisError
from site_agent.contract.frames import Booleans, Floats, Integers

Keys = NDArray[np.uint64]

FIRST_BITS: Final = 18  # 262,144 cells in round 1
MOST_CELLS: Final = 1 << 20  # counts of all groups in a later round, 8 MB
MOST_ROUNDS: Final = 8
WORD: Final = 64


@dataclass(frozen=True, slots=True)
class Level:
    """The cells of one round: the 2^width children of each of m parents.

    bits: of a key. above: how many leading bits a parent fixes. parents: (m,) ascending, those
    leading bits as numbers; the one parent of round 1 fixes none.
    """

    bits: int
    above: int
    width: int
    parents: tuple[int, ...] = (0,)

    @property
    def size(self) -> int:
        """Return the number of cells."""
        return len(self.parents) << self.width

    @property
    def below(self) -> int:
        """Return how many bits of a key the cells leave open; 0: a cell is one key."""
        return self.bits - self.above - self.width

    def cells(self) -> Keys:
        """Return the leading bits of every cell as numbers, (size,) ascending."""
        parents = np.array(self.parents, dtype=np.uint64)
        children = np.arange(1 << self.width, dtype=np.uint64)
        return np.asarray(
            ((parents << np.uint64(self.width))[:, None] | children).ravel(), dtype=np.uint64
        )

    def index(self, keys: Keys) -> Integers:
        """Return the cell in which each key (n,) lies, from 0, and -1 for those in none."""
        above = _shifted(keys, self.bits - self.above)
        parents = np.array(self.parents, dtype=np.uint64)
        place = np.minimum(np.searchsorted(parents, above), len(parents) - 1)
        children = _shifted(keys, self.below) & np.uint64((1 << self.width) - 1)
        cell = (place.astype(np.int64) << self.width) | children.astype(np.int64)
        return np.where(parents[place] == above, cell, np.int64(-1))

    def counts(self, keys: Keys, group: Integers, groups: int) -> Floats:
        """Return how many keys (n,) of each group lie in each cell, (groups, size)."""
        cell = self.index(keys)
        inside: Booleans = cell >= 0
        flat = group[inside] * self.size + cell[inside]
        counted = np.bincount(flat, minlength=groups * self.size)
        return counted.reshape(groups, self.size).astype(np.float64)

    def fixed(self) -> dict[str, Any]:
        """Return the level as an argument of an ask."""
        return {
            "bits": self.bits,
            "above": self.above,
            "width": self.width,
            "parents": list(self.parents),
        }


def level_of(fixed: Mapping[str, Any]) -> Level:
    """Return the level that an ask's argument names."""
    return Level(fixed["bits"], fixed["above"], fixed["width"], tuple(fixed["parents"]))


def _shifted(keys: Keys, bits: int) -> Keys:
    """Return keys without their last bits; a shift by a whole word is not defined."""
    return np.zeros_like(keys) if bits >= WORD else np.asarray(keys >> np.uint64(bits))


def first_level(bits: int, *, groups: int = 1) -> Level:
    """Return the coarsest cells of keys of so many bits."""
    first = min(bits, FIRST_BITS)
    while first > 1 and groups << first > MOST_CELLS:
        first -= 1
    return Level(bits, 0, first)


def next_level(level: Level, occupied: Keys, *, rounds_left: int, groups: int = 1) -> Level:
    """Return the children of the occupied cells, given by their leading bits (m,) ascending.

    AnalysisError, in words, if the keys are not known after `rounds_left` further rounds.
    """
    room = MOST_CELLS // (len(occupied) * groups)
    widest = room.bit_length() - 1
    rounds = -(-level.below // widest) if widest > 0 else rounds_left + 1
    if rounds > rounds_left:
        raise AnalysisError(
            f"its {len(occupied)} or more different values cannot be told apart in {MOST_ROUNDS} "
            f"rounds: give the column a range and a resolution in the dictionary, or take an "
            f"analysis that needs no ranks"
        )
    width = -(-level.below // rounds)
    return Level(level.bits, level.above + level.width, width, tuple(occupied.tolist()))
