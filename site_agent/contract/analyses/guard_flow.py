"""Whether numbers can be spread over the values that they are made of, so that none is crowded.

Models m open a(m) numbers, each about values of the model's own columns; a column has n values.
Values stay hidden among others only if *every* set of columns has at least as many values as the
models within it open numbers: eleven models of one column and one of five can together fit the
values of all columns and still determine those five. By the theorem of Hall and Gale that is so
if and only if the numbers of each model can be spread over its columns with at most n on each. They
are spread one model after the other along augmenting paths (Ford and Fulkerson 1956).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(slots=True)
class Spread:
    """Numbers spread over columns of `capacity` values each; what is taken stays taken."""

    capacity: int
    _held: dict[str, int] = field(default_factory=dict)
    _given: list[dict[str, int]] = field(default_factory=list)

    def fits(self, numbers: int, columns: Sequence[str]) -> bool:
        """Return whether a model's numbers find room on its columns; nothing is changed."""
        before = dict(self._held), [dict(given) for given in self._given]
        left = self.put(numbers, columns)
        self._held, self._given = before
        return not left

    def put(self, numbers: int, columns: Sequence[str]) -> int:
        """Spread a model's numbers over its columns, moving others; return how many have no room.

        If some have none, every column that the model could use is full from then on.
        """
        self._given.append(dict.fromkeys(columns, 0))
        while numbers > 0:
            path = self._path(len(self._given) - 1)
            if not path:
                break
            numbers -= self._move(path, numbers)
        return numbers

    def _path(self, model: int) -> list[tuple[int, str]]:
        """Return (model, column) steps from a model to a column with room, the shortest first."""
        came: dict[str, tuple[int, str | None]] = {}
        waiting: deque[tuple[int, str | None]] = deque([(model, None)])
        while waiting:
            giver, behind = waiting.popleft()
            for column in self._given[giver]:
                if column in came:
                    continue
                came[column] = giver, behind
                if self._held.get(column, 0) < self.capacity:
                    return _back(came, column)
                others = (m for m, given in enumerate(self._given) if given.get(column, 0))
                waiting.extend((other, column) for other in others)
        return []

    def _move(self, path: list[tuple[int, str]], numbers: int) -> int:
        """Move as many numbers along a path as it takes; return how many."""
        last = path[-1][1]
        amount = min(numbers, self.capacity - self._held.get(last, 0))
        for (_, column), (giver, _) in pairwise(path):
            amount = min(amount, self._given[giver][column])
        for step, (giver, column) in enumerate(path):
            self._given[giver][column] += amount
            if step:
                self._given[giver][path[step - 1][1]] -= amount
        self._held[last] = self._held.get(last, 0) + amount
        return amount


def _back(came: dict[str, tuple[int, str | None]], column: str) -> list[tuple[int, str]]:
    """Return the path to a column, from its start."""
    path: list[tuple[int, str]] = []
    at: str | None = column
    while at is not None:
        giver, behind = came[at]
        path.append((giver, at))
        at = behind
    return path[::-1]
