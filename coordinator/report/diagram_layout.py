"""Where the nodes of a causal diagram stand, and which way its arrows go around them.

Sugiyama, Tagawa and Toda (1981), from the top down:

1. Rows. In the order of the longest way to them, each node stands in the first row below all its
   parents that has room. A row holds few nodes, so that names are readable on a phone.
2. Gates. An arrow over more than one row passes each row between through a gate of its own place.
   Arrows to one node share their gates: they end alike, so nothing is lost, and there are fewer
   lines. The arrow from exposure to outcome, the effect, has its own.
3. Places. Every node and gate wants to stand at the mean of its neighbours in the row before it;
   the nearest places without overlap are found (direct_labels.apart), down and up again in turn.
   Of all states the one with fewest crossings is taken, and of these that with the shortest
   arrows.

Arrows bend only between rows, and within a row only pass gates: none crosses a node.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final

from coordinator.report.direct_labels import apart

Arrow = tuple[str, str]
Item = str | tuple[str, int, bool]  # a node, or a gate: where it leads, its row, of the effect
Places = Mapping[Item, float]
IN_ROW: Final = 3
GATE: Final = 12.0
SWEEPS: Final = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A part of an arrow between two rows; the last part of it has a head."""

    start: Item
    end: Item
    row: int
    effect: bool

    @property
    def ends(self) -> bool:
        """Return whether the line ends at a node."""
        return isinstance(self.end, str)


@dataclass(frozen=True, slots=True)
class Layout:
    """Rows of nodes and gates from left to right, their centres, and the lines between rows."""

    rows: tuple[tuple[Item, ...], ...]
    centre: Places
    lines: tuple[Line, ...]
    width: float


def layout(
    order: Sequence[str],
    arrows: Sequence[Arrow],
    *,
    effect: Arrow,
    breadth: float,
    least_width: float,
) -> Layout:
    """Return the layout of a diagram without cycles; `order` has every node behind its parents.

    `breadth` is a node's with the gap beside it. The drawing is at least `least_width` wide, and
    as wide as its fullest row needs.
    """
    row_of = _rows(order, arrows)
    lines = _lines(arrows, row_of, effect)
    rows = _filled(order, row_of, lines)
    widths = {item: breadth if isinstance(item, str) else GATE for row in rows for item in row}
    width = max(least_width, *(sum(widths[item] for item in row) for row in rows))
    centre = _best(rows, lines, widths, width)
    placed = tuple(tuple(sorted(row, key=lambda item: centre[item])) for row in rows)
    return Layout(placed, centre, lines, width)


def _rows(order: Sequence[str], arrows: Sequence[Arrow]) -> dict[str, int]:
    found: dict[str, int] = {}
    for node in order:
        row = 1 + max((found[a] for a, b in arrows if b == node), default=-1)
        while sum(other == row for other in found.values()) >= IN_ROW:
            row += 1
        found[node] = row
    return found


def _lines(arrows: Sequence[Arrow], row_of: Mapping[str, int], effect: Arrow) -> tuple[Line, ...]:
    """Return the lines of all arrows, those that arrows share once."""
    found: dict[Line, None] = {}
    for arrow in arrows:
        (a, b), own = arrow, arrow == effect
        gates = ((b, row, own) for row in range(row_of[a] + 1, row_of[b]))
        steps: list[Item] = [a, *gates, b]
        for row, (start, end) in enumerate(pairwise(steps), start=row_of[a]):
            found[Line(start, end, row, own)] = None
    return tuple(found)


def _filled(
    order: Sequence[str], row_of: Mapping[str, int], lines: Sequence[Line]
) -> list[list[Item]]:
    """Return the nodes and gates of each row, nodes first."""
    rows: list[list[Item]] = [[] for _ in range(1 + max(row_of.values()))]
    for node in order:
        rows[row_of[node]].append(node)
    for gate in dict.fromkeys(line.end for line in lines if not line.ends):
        rows[int(gate[1])].append(gate)
    return rows


def _best(
    rows: Sequence[Sequence[Item]],
    lines: Sequence[Line],
    widths: Mapping[Item, float],
    width: float,
) -> dict[Item, float]:
    place: dict[Item, float] = {}
    for row in rows:
        wanted = [width * (k + 0.5) / len(row) for k in range(len(row))]
        place |= _spread(row, wanted, widths, width)
    best = dict(place)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else reversed(rows):
            wanted = [_mean(item, place, lines, down=down) for item in row]
            place |= _spread(row, wanted, widths, width)
        if _cost(place, lines) < _cost(best, lines):
            best = dict(place)
    return best


def _spread(
    row: Sequence[Item], wanted: Sequence[float], widths: Mapping[Item, float], width: float
) -> dict[Item, float]:
    return dict(zip(row, apart(wanted, [widths[i] for i in row], 0.0, width), strict=True))


def _mean(item: Item, place: Places, lines: Sequence[Line], *, down: bool) -> float:
    """Return the mean of an item's neighbours above it or below; where it stands without any."""
    near = [
        place[line.start if down else line.end]
        for line in lines
        if (line.end if down else line.start) == item
    ]
    return sum(near) / len(near) if near else place[item]


def _cost(place: Places, lines: Sequence[Line]) -> tuple[int, float]:
    """Return the number of crossings, and how far arrows lead sideways."""
    crossings = sum(
        one.row == two.row
        and (place[one.start] - place[two.start]) * (place[one.end] - place[two.end]) < 0
        for one, two in combinations(lines, 2)
    )
    return crossings, round(sum(abs(place[e.start] - place[e.end]) for e in lines), 6)
