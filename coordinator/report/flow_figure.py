"""The flow diagram in the manner of CONSORT: who is in each analysis, and beside it who is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from coordinator.report import watermark
from coordinator.report.direct_labels import wrapped
from coordinator.report.flow_chart import Analysed, FlowChart
from coordinator.report.plot import Sheet
from coordinator.report.risk_table import INK
from coordinator.report.svg import element, place

WIDTH: Final = 420.0
SIZE: Final = 10.5
LINE: Final = 13.5
PADDING: Final = 7.0
GAP: Final = 14.0
TRUNK: Final = 20.0  # where the line runs down
MAIN: Final = (6.0, 238.0)  # left and right of the boxes above
BRANCH: Final = (40.0, 238.0)  # of those of analyses
SIDE: Final = (260.0, 414.0)  # of who is not in
MOST_NAMED: Final = 3
FILLED: Final = "#eaf2f8"
EDGE: Final = "#0072B2"
PALE_EDGE: Final = "#8a8a8a"


@dataclass(frozen=True, slots=True)
class Box:
    """Lines of text between two places across; the first line is bold where `headed`."""

    lines: tuple[str, ...]
    across: tuple[float, float]
    headed: bool = True

    @property
    def height(self) -> float:
        """Return how tall the box is."""
        return LINE * len(self.lines) + 2 * PADDING


def flow_figure(chart: FlowChart, marks: Sequence[str], identity: str) -> Markup:
    """Return the figure as one SVG element; `identity` starts its ids."""
    strip = watermark.strip_lines(marks, WIDTH)
    y = top = watermark.strip_height(strip) + 6
    parts: list[Markup] = []
    arrows: list[Markup] = []
    for main, side in _boxes(chart):
        tall = max(main.height, side.height if side else 0.0)
        middle = y + main.height / 2
        if main.across == BRANCH:
            arrows.append(_arrow((TRUNK, middle), (BRANCH[0], middle)))
        elif y > top:
            arrows.append(_arrow((TRUNK, y - GAP), (TRUNK, y)))
        trunk = (y + main.height, middle)[main.across == BRANCH]
        parts += _box(main, y, EDGE, FILLED)
        if side:
            arrows.append(_arrow((main.across[1], middle), (SIDE[0], middle)))
            parts += _box(side, middle - min(side.height, main.height) / 2, PALE_EDGE, "#ffffff")
            tall = max(tall, main.height / 2 - min(side.height, main.height) / 2 + side.height)
        y += tall + GAP
    second = _top_of_branches(chart, top)
    arrows.insert(0, _line((TRUNK, second), (TRUNK, trunk)))
    height = y - GAP + 6
    centre = (WIDTH / 2, (top + height) / 2)
    drawn = [
        *watermark.strip(strip, WIDTH),
        *arrows,
        *parts,
        *watermark.across(marks, centre, WIDTH / 2),
    ]
    sheet = Sheet(TITLE, described(chart, marks), WIDTH, height, "figure flow")
    return sheet.svg(drawn, identity)


TITLE: Final = "Flow of patients into the analyses"


def described(chart: FlowChart, marks: Sequence[str]) -> str:
    """Return what a reader without eyes on the figure hears."""
    parts = [" ".join(box.lines) for pair in _boxes(chart) for box in pair if box]
    return ". ".join([*parts, *marks]) + "."


def _boxes(chart: FlowChart) -> list[tuple[Box, Box | None]]:
    """Return each box with the one beside it, from above."""
    out = None
    if chart.out:
        out = _side([f"Not in this release: {len(chart.out)}", *chart.out])
    inside = int(chart.hospitals.replace(",", "")) - len(chart.out)
    found: list[tuple[Box, Box | None]] = [
        (_main([f"{chart.hospitals} hospitals in the study"]), out),
        (_main([f"{chart.patients} patients", f"pooled over {inside} hospitals"]), None),
    ]
    found += [(_branch(box), _beside(box)) for box in chart.analysed]
    if chart.without:
        named = _named(chart.without)
        found.append((Box(_wrapped(["No result", *named], BRANCH), BRANCH), None))
    return found


def _top_of_branches(chart: FlowChart, top: float) -> float:
    """Return the foot of the box of all patients, where the trunk begins."""
    (first, out), (second, _), *_ = _boxes(chart)
    tall = (
        max(first.height, first.height / 2 - min(first.height, out.height) / 2 + out.height)
        if (out)
        else first.height
    )
    return top + tall + GAP + second.height


def _main(lines: Sequence[str]) -> Box:
    return Box(_wrapped(lines, MAIN), MAIN)


def _side(lines: Sequence[str]) -> Box:
    return Box(_wrapped(lines, SIDE), SIDE, headed=False)


def _branch(box: Analysed) -> Box:
    size = f"{box.size} patients analysed"
    if box.unit == "rows":
        size = f"{box.size} rows of {box.patients} patients"
    cohort = [f"of the cohort {box.cohort}"] if box.cohort else []
    return Box(_wrapped([size, *cohort, *_named(box.names)], BRANCH), BRANCH)


def _named(names: Sequence[str]) -> list[str]:
    """Return the first names, and how many more there are."""
    if len(names) <= MOST_NAMED + 1:
        return list(names)
    return [*names[:MOST_NAMED], f"and {len(names) - MOST_NAMED} more"]


def _beside(box: Analysed) -> Box | None:
    return _side(box.missing) if box.missing else None


def _wrapped(lines: Sequence[str], across: tuple[float, float]) -> tuple[str, ...]:
    width = across[1] - across[0] - 2 * PADDING
    return tuple(part for line in lines for part in wrapped(line, width, SIZE))


def _box(box: Box, y: float, edge: str, fill: str) -> list[Markup]:
    left, right = box.across
    frame = element(
        "rect", x=left, y=y, width=right - left, height=box.height, rx=3, fill=fill,
        stroke=edge, stroke_width=1,
    )  # fmt: skip
    texts = [
        element(
            "text", line, class_="flow-text", x=left + PADDING,
            y=y + PADDING + LINE * (row + 1) - 3.5, font_size=SIZE, fill=INK,
            font_weight="bold" if box.headed and row == 0 else "normal",
        )
        for row, line in enumerate(box.lines)
    ]  # fmt: skip
    return [frame, *texts]


def _line(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    return element(
        "line", x1=start[0], y1=start[1], x2=end[0], y2=end[1], stroke=PALE_EDGE, stroke_width=1
    )


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    """Return a line with a head at its end, which points right or down."""
    (x, y), down = end, start[0] == end[0]
    back = ((x - 3, y - 5), (x + 3, y - 5)) if down else ((x - 5, y - 3), (x - 5, y + 3))
    corners = "L".join(f"{place(px)} {place(py)}" for px, py in (end, *back))
    head = element("path", class_="arrow", d=f"M{corners}Z", fill=PALE_EDGE)
    return Markup(_line(start, end) + head)
