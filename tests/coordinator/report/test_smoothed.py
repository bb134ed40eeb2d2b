"""The table and the figure of smoothed outcomes, and what they hide."""

from __future__ import annotations

import re
from typing import Any

import pytest

from coordinator.report.sections import section
from coordinator.report.smoothed import loess_tables
from tests.coordinator.report.made import view


def curve(group: str, rows: int, *, days: int = 2, level: float = 2.0) -> dict[str, Any]:
    """Return a level curve with limits one below and one above it."""
    return {
        "group": group,
        "total_rows": rows,
        "rows": [rows // days] * days,
        "day": [float(day) for day in range(days)],
        "estimate": [level] * days,
        "conf_low": [level - 1] * days,
        "conf_high": [level + 1] * days,
    }


def smooths(*curves: dict[str, Any]) -> dict[str, Any]:
    return {
        "smooths": list(curves), "failed": [], "left_out": {}, "patients": 43, "conf_level": 0.95,
    }  # fmt: skip


def drawn(result: dict[str, Any], *, least: int = 0, **options: Any) -> str:
    """Return the only figure's drawing."""
    (figure,) = section(view("loess", result, least=least, **options), "one").figures
    return str(figure.drawing)


def paths(drawing: str, kind: str) -> list[list[tuple[float, float]]]:
    """Return the places of each path of a class."""
    found = re.findall(rf'<path class="{kind}" d="M([^"Z]*)Z?"', drawing)
    return [[(float(x), float(y)) for x, y in (p.split() for p in one.split("L"))] for one in found]


@pytest.mark.parametrize(("rows", "told"), [(20, "2.00 (1.00 to 3.00)"), (3, "hidden")])
def test_a_smoothed_curve_of_few_rows_is_hidden(rows: int, told: str) -> None:
    """A group below the limit has no curve in the report."""
    (table,) = loess_tables(view("loess", smooths(curve("high", rows)), least=5))
    assert str(table.rows[0][2]) == told


def test_the_table_has_the_last_day() -> None:
    """Of 30 days every third is told, and the last."""
    (table,) = loess_tables(view("loess", smooths(curve("high", 90, days=30))))
    assert [row[1] for row in table.rows] == [*(str(day) for day in range(0, 30, 3)), "29"]


def test_a_curve_and_a_band_for_each_group() -> None:
    """Each group has its name at its curve's end, and dashes of its own."""
    drawing = drawn(smooths(curve("high", 20), curve("low", 20, level=3.0)))
    dashes = re.findall(r'class="curve"[^>]*dasharray="([^"]*)"', drawing)
    labels = re.findall(r'class="curve-label"[^>]*>([^<]*)<', drawing)
    assert (dashes, labels, len(paths(drawing, "band"))) == (["none", "8 3"], ["high", "low"], 2)


def test_a_level_curve_lies_midway_in_its_band() -> None:
    """Limits at equal distances of the estimate are at equal distances in the drawing."""
    drawing = drawn(smooths(curve("high", 20)))
    ((_, middle), *_), ((_, high), *_, (_, low)) = (
        paths(drawing, kind)[0] for kind in ("curve", "band")
    )
    assert low - middle == middle - high > 0


def test_limits_that_would_dwarf_the_curves_are_cut() -> None:
    """The axis ends three quarters of the curves' range beyond them."""
    wide = curve("high", 20) | {"estimate": [0.0, 4.0], "conf_high": [9.0, 900.0]}
    ticks = re.findall(r'class="tick"[^>]*text-anchor="end"[^>]*>([^<]*)<', drawn(smooths(wide)))
    assert max(map(float, ticks)) <= 7


def test_a_group_of_few_rows_has_no_curve() -> None:
    """The other group is drawn alone."""
    drawing = drawn(smooths(curve("high", 20), curve("low", 3)), least=5)
    assert len(paths(drawing, "curve")) == 1


def test_only_groups_of_few_rows_give_no_figure() -> None:
    """A figure without curves is left out."""
    assert section(view("loess", smooths(curve("low", 3)), least=5), "one").figures == ()


def test_hidden_counts_draw_the_days_of_the_table() -> None:
    """Where small counts are hidden the curve has no day that the table has not."""
    seen = view("loess", smooths(curve("high", 90, days=30)), least=5)
    (figure,) = section(seen, "one").figures
    (table,) = loess_tables(seen)
    assert len(paths(str(figure.drawing), "curve")[0]) == len(table.rows)


def test_a_day_without_limits_interrupts_the_band() -> None:
    """On either side of it the band goes on."""
    gap = curve("high", 25, days=5) | {"conf_low": [1.0, 1.0, None, 1.0, 1.0]}
    (band,) = re.findall(r'class="band" d="([^"]*)"', drawn(smooths(gap)))
    assert band.count("Z") == 2


def test_one_day_is_drawn() -> None:
    """A curve of one day divides by nothing."""
    assert len(paths(drawn(smooths(curve("", 20, days=1))), "curve")[0]) == 1


def test_the_axes_have_the_study_s_labels() -> None:
    """The outcome over its axis, the days below."""
    seen = view(
        "loess", smooths(curve("high", 20)), labels={"grade": "ICANS grade", "day": "days on study"}
    )
    (figure,) = section(seen, "one").figures
    titles = re.findall(r'class="axis-title"[^>]*>([^<]*)<', str(figure.drawing))
    assert titles == ["ICANS grade", "Days on study"]


def test_a_reader_without_eyes_on_the_figure() -> None:
    """The description says where each curve starts and ends."""
    assert "high: 2.00 on day 0, 2.00 on day 1." in drawn(smooths(curve("high", 20)))


def test_no_group_has_a_curve() -> None:
    """The section has no figure, and says of each group why."""
    none = {**smooths(), "failed": [{"group": "high", "because": "rows on 1 days only"}]}
    found = section(view("loess", none), "one")
    (table,) = found.tables
    assert (found.figures, found.failure, table.rows) == (
        (),
        "",
        (("high", "rows on 1 days only"),),
    )
