"""A reader of a report: every number that is on the page, and what he makes of it.

He reads tables, the table under a figure, and the curve itself from its path: steps from one
height to the next or points, in pixels between two ticks. Without censoring before the last day
(he is told that there is none) survival is 1 - D/n, so a height is a number of deaths.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from coordinator.report.suppression import END
from tests.coordinator.report.solver import Knowledge

Cells = tuple[str, ...]
Group = str
ALL = ""


@dataclass(frozen=True)
class Drawing:
    """The curves of a figure as paths, its ticks as (place, value), and the cells below."""

    paths: tuple[str, ...]
    x_ticks: tuple[tuple[float, float], ...]
    y_ticks: tuple[tuple[float, float], ...]
    cells: tuple[Cells, ...]


@dataclass(frozen=True)
class Analysis:
    """What a section shows: the sentence on rows left out, tables by caption, drawings."""

    left_out: str
    tables: Mapping[str, tuple[Cells, ...]]
    drawings: tuple[Drawing, ...] = ()


def analyses(report: str) -> dict[str, Analysis]:
    """Return what each analysis of an HTML report shows."""
    found = {}
    for part in re.findall(r'<section aria-labelledby="part-.*?</section>', report, re.DOTALL):
        name = re.search(r"<code>(.*?)</code>", part)
        left_out = re.search(r'<p class="left-out">(.*?)</p>', part, re.DOTALL)
        assert name is not None
        found[name[1]] = Analysis(
            html.unescape(left_out[1]) if left_out else "",
            {caption: tuple(rows) for caption, rows in _tables(part)},
            tuple(drawing(svg) for svg in re.findall(r"<svg.*?</svg>", part, re.DOTALL)),
        )
    return found


def _tables(part: str) -> Iterator[tuple[str, list[Cells]]]:
    for table in re.findall(r"<table.*?</table>", part, re.DOTALL):
        caption = re.search(r"<caption>(.*?)</caption>", table)
        body = re.search(r"<tbody>(.*?)</tbody>", table, re.DOTALL)
        assert caption is not None
        assert body is not None
        rows = re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL)
        cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
        yield html.unescape(caption[1]), [tuple(map(html.unescape, row)) for row in cells]


def drawing(svg: str) -> Drawing:
    """Return what can be measured of a figure."""
    texts = re.findall(r"<text ([^>]*)>([^<]*)</text>", svg)
    known = [(dict(re.findall(r'([\w-]+)="([^"]*)"', names)), text) for names, text in texts]
    ticks = [(names, text) for names, text in known if names["class"] == "tick"]
    across = [(float(n["x"]), float(t)) for n, t in ticks if n["text-anchor"] == "middle"]
    up = [(float(n["y"]) - 4, float(t)) for n, t in ticks if n["text-anchor"] == "end"]
    cells = [
        html.unescape(text)
        for names, text in known
        if names["class"] in ("risk-cell", "risk-hidden")
    ]
    columns = [tuple(cells[place : place + 3]) for place in range(0, len(cells), 3)]
    paths = re.findall(r'<path class="curve" d="([^"]*)"', svg)
    return Drawing(tuple(paths), tuple(across), tuple(up), tuple(columns))


class Reader:
    """He learns counts of (what, group, time): rows, dead, censored; groups add up to all."""

    def __init__(self, patients: int, groups: Sequence[str], days: Sequence[float]) -> None:
        self.known = Knowledge()
        self.groups, self.times = groups, (*days, END)
        self.rows: dict[str, float] = {ALL: patients}
        self._learn("rows", ALL, 0, patients)
        for group in (ALL, *groups):
            self._course(group)
        for name in [("rows", 0.0), *(("dead", t) for t in self.times), ("censored", END)]:
            what, time = name
            terms: dict[Hashable, float] = {(what, g, time): 1.0 for g in groups}
            self.known.is_({**terms, (what, ALL, time): -1.0}, 0.0)

    def _course(self, group: Group) -> None:
        for before, after in itertools.pairwise(self.times):
            self.known.at_most(("dead", group, before), ("dead", group, after))
        ends = {("dead", group, END): 1.0, ("censored", group, END): 1.0}
        self.known.is_({**ends, ("rows", group, 0.0): -1.0}, 0.0)

    def _learn(self, what: str, group: Group, time: float, value: float) -> None:
        self.known.is_({(what, group, float(time)): 1.0}, value)

    def read(self, analysis: Analysis, groups: Sequence[Group]) -> None:
        """Learn what a survival analysis shows of these groups."""
        for caption, rows in analysis.tables.items():
            for place, row in enumerate(rows):
                cells = row if groups == [ALL] else row[1:]
                if caption.startswith("Median"):
                    self._sizes(groups[place], cells)
                elif caption.startswith("Estimates"):
                    group = ALL if groups == [ALL] else row[0]
                    self._count("dead", group, float(cells[0]), cells[2])
        for figure in analysis.drawings:
            self._table(figure, groups)
            for group, path in zip(groups, figure.paths, strict=True):
                self._curve(figure, group, path)

    def _sizes(self, group: Group, cells: Cells) -> None:
        if _number(cells[0]) is not None:
            self.rows[group] = float(cells[0])
        self._count("rows", group, 0.0, cells[0])
        self._count("dead", group, END, cells[1])

    def _count(self, what: str, group: Group, time: float, cell: str) -> None:
        value = _number(cell)
        if value is not None:
            self._learn(what, group, time, value)

    def _table(self, figure: Drawing, groups: Sequence[Group]) -> None:
        columns = iter(figure.cells)
        for group in groups:
            for _, time in figure.x_ticks:
                self._count("dead", group, time, next(columns)[2])

    def _curve(self, figure: Drawing, group: Group, path: str) -> None:
        """Learn the deaths through the day of every step."""
        if group not in self.rows:
            return
        rows = self.rows[group]
        for x, y in _steps(path):
            day = round(_value(figure.x_ticks, x))
            height = _value(figure.y_ticks, y) / 100
            error = abs(_value(figure.y_ticks, 0.3) - _value(figure.y_ticks, 0)) / 100 + 1e-4
            low, high = rows * (1 - height - error), rows * (1 - height + error)
            self.known.within({("dead", group, float(day)): 1.0}, low, high)

    def deaths(self, group: Group, after: float, until: float) -> tuple[float, float]:
        """Return the interval of the deaths in a group between two times."""
        terms = {("dead", group, until): 1.0}
        return self.known.interval(terms | ({("dead", group, after): -1.0} if after else {}))


def _number(cell: str) -> float | None:
    text = cell.replace(",", "")
    return float(text) if re.fullmatch(r"\d+", text) else None


def _value(ticks: Sequence[tuple[float, float]], place: float) -> float:
    (x, a), (y, b) = ticks[0], ticks[-1]
    return a + (place - x) * (b - a) / (y - x)


def _steps(path: str) -> Iterator[tuple[float, float]]:
    """Yield (place, height) of every step, M x y H x V y, or point, M x y L x y, of a path."""
    steps = re.findall(r"H([\d.]+)V([\d.]+)", path) or re.findall(r"L([\d.]+) ([\d.]+)", path)
    yield from ((float(x), float(y)) for x, y in steps)
