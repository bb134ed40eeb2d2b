"""What can be worked out of linear relations: the interval of a number, by linear programming.

The attacker of Hundepool et al. (Statistical Disclosure Control, Wiley 2012, section 4.3): he
knows every number that is shown and how numbers add up, and minimises and maximises the one he
wants. Numbers are counts: not negative. The interval is that of real numbers, at least as wide as
that of whole ones.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

Sum = Mapping[Hashable, float]
NONE = 1e-6


@dataclass
class Knowledge:
    """Relations between counts, each named by anything hashable."""

    names: dict[Hashable, int] = field(default_factory=dict)
    equal: list[tuple[dict[int, float], float]] = field(default_factory=list)
    most: list[tuple[dict[int, float], float]] = field(default_factory=list)

    def _places(self, terms: Sum) -> dict[int, float]:
        return {self.names.setdefault(n, len(self.names)): value for n, value in terms.items()}

    def is_(self, terms: Sum, value: float) -> None:
        """Learn that a sum of counts is a number."""
        self.equal.append((self._places(terms), value))

    def within(self, terms: Sum, low: float, high: float) -> None:
        """Learn that a sum of counts lies between two numbers."""
        self.most.append((self._places(terms), high))
        self.most.append((self._places({n: -v for n, v in terms.items()}), -low))

    def at_most(self, first: Hashable, second: Hashable) -> None:
        """Learn that one count is no more than another."""
        self.most.append((self._places({first: 1.0, second: -1.0}), 0.0))

    def interval(self, terms: Sum) -> tuple[float, float]:
        """Return the least and the largest value of a sum of counts; infinity if unbounded."""
        places = self._places(terms)
        costs = np.zeros(len(self.names))
        for place, value in places.items():
            costs[place] = value
        return self._least(costs), -self._least(-costs)

    def _least(self, costs: np.ndarray) -> float:
        found = linprog(
            costs,
            *_matrix(self.most, len(costs)),
            *_matrix(self.equal, len(costs)),
            method="highs",
        )
        if found.status == 3:
            return -np.inf
        assert found.status == 0, found.message
        return float(found.fun)


def _matrix(
    relations: list[tuple[dict[int, float], float]], columns: int
) -> tuple[csr_matrix | None, list[float] | None]:
    if not relations:
        return None, None
    entries = [(r, c, v) for r, (terms, _) in enumerate(relations) for c, v in terms.items()]
    rows, places, values = zip(*entries, strict=True)
    shape = (len(relations), columns)
    return csr_matrix((values, (rows, places)), shape=shape), [value for _, value in relations]
